"""The knobs of a demo: what each changes in the scripts of the simulated SMSC and of the simulated Zalo."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType
from typing import Any, Final

from loa.console.world import ANSWERED
from loa.simulators.pick import ALL, Pick
from loa.simulators.smsc.script import Refusal, Script
from loa.simulators.zalo.script import EventFault, Fault, Refused, When, ZaloScript
from loa.smpp.status import ESME_RBINDFAIL, ESME_RINVDSTADR

NEVER_S: Final = 86_400.0
"""A day: longer than anybody plays with a demo."""
LINK: Final = "link_down"
_TO_NUMBERS: Final = When(surface="number")
_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Knob:
    """What a knob sets while it is on, by field of the script; fields that hold several things are put together."""

    smsc: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)
    zalo: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)


KNOBS: Final[Mapping[str, Knob]] = {
    "slow_answer": Knob({"response_delay_s": 3.0}, {"answer_delay_s": 3.0}),
    "slow_receipt": Knob({"receipt_delay_s": 10.0}, {"delivery_delay_s": 10.0}),
    # A receipt would be evidence that settles the message, so that is lost too.
    "drop_response": Knob(
        {"drop_response": ALL, "receipt_delay_s": NEVER_S},
        {"faults": (Fault("silent", _TO_NUMBERS, done=True),), "event_faults": (EventFault("drop"),)},
    ),
    "throttle": Knob({"rate_per_s": 0.5}, {"faults": (Fault("rate", replace(_TO_NUMBERS, pick=Pick(every=2))),)}),
    "refuse": Knob({"refuse": (Refusal(ALL, ESME_RINVDSTADR),)}, {"refuse": (Refused(-108, _TO_NUMBERS),)}),
    # Every number ends with nothing.
    "not_on_zalo": Knob(zalo={"off_zalo": ("",)}),
    "duplicate_receipt": Knob(
        {"receipt_copies": 2, "receipt_gap_s": 0.5}, {"event_faults": (EventFault("duplicate"),)}
    ),
    LINK: Knob({"refuse_binds": Refusal(ALL, ESME_RBINDFAIL)}),
}


def smsc_script(plain: Script, on: Collection[str], *, held: bool = False) -> Script:
    """Give the SMSC's script with some knobs on; `held`: all but the first messages are never answered for."""
    changed = _changed(plain, [KNOBS[name].smsc for name in KNOBS if name in on])
    if held:
        changed |= {"response_delay_s": NEVER_S, "delayed": Pick(after=ANSWERED)}
    return replace(plain, **changed)


def zalo_script(plain: ZaloScript, on: Collection[str]) -> ZaloScript:
    """Give Zalo's script with some knobs on."""
    return replace(plain, **_changed(plain, [KNOBS[name].zalo for name in KNOBS if name in on]))


def _changed(plain: Script | ZaloScript, wanted: list[Mapping[str, Any]]) -> dict[str, Any]:
    known = {each.name: getattr(plain, each.name) for each in fields(plain)}
    changed: dict[str, Any] = {}
    for each in wanted:
        for name, value in each.items():
            before = changed.get(name, known[name])
            changed[name] = (*value, *before) if isinstance(value, tuple) else value
    return changed
