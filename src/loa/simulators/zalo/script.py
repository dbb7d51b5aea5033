"""What the simulated platform does with a request and an event: one frozen value, changeable while it runs.

The plain `ZaloScript()` is a platform on a good day. Rules that pick by number count the requests of their surface from
the start, or from the last `recount`.
"""

from dataclasses import dataclass
from typing import Any, Final, Literal

from pydantic import ConfigDict, TypeAdapter, ValidationError

from loa.errors import ConfigError
from loa.simulators.pick import ALL, NOTHING, Pick

_STRICT: Final = ConfigDict(extra="forbid")

Surface = Literal["any", "number", "user", "consultation", "upload", "reading", "oauth"]
"""Templates to a number, templates to a user id, OA messages, uploads, all that only reads, the token endpoint."""

FaultKind = Literal["silent", "reset", "truncated", "page", "status", "slow", "rate", "shapeless"]
EventFaultKind = Literal["drop", "duplicate", "delay", "wrong_signature"]


@dataclass(frozen=True, slots=True)
class When:
    """Which requests a rule is for; the plain one means all. `share`: 0 to 1 of those that the rest means.

    `pick`: by number and by the end of the destination. The same message always falls to the same share.
    """

    __pydantic_config__ = _STRICT

    surface: Surface = "any"
    template: str = ""
    share: float = 1.0
    pick: Pick = NOTHING


EVERY: Final = When()


@dataclass(frozen=True, slots=True)
class Refused:
    """Answer with an error code; as Zalo does, in HTTP 200."""

    __pydantic_config__ = _STRICT

    code: int
    when: When = EVERY


@dataclass(frozen=True, slots=True)
class Fault:
    """Answer in a way that no client wants.

    `does`: `silent` never answers, `reset` cuts the connection, `truncated` stops in the middle, `page` answers with
    HTML, `status` with an HTTP error, `slow` after `seconds`, `rate` with -32 and its headers, `shapeless` with an
    error body that has no number. `done`: whether the request takes effect all the same; None: with the first three
    and `slow` it does, with the others it does not. `status` 0: 200 for a page, 500 otherwise.
    """

    __pydantic_config__ = _STRICT

    does: FaultKind
    when: When = EVERY
    done: bool | None = None
    status: int = 0
    seconds: float = 0.0

    @property
    def takes_effect(self) -> bool:
        """Say whether the request happens although its answer is spoilt."""
        return self.does in _TAKING_EFFECT if self.done is None else self.done


_TAKING_EFFECT: Final = frozenset({"silent", "reset", "truncated", "slow"})


@dataclass(frozen=True, slots=True)
class EventFault:
    """What goes wrong with events. `event`: only those of this name. Numbers of `pick` count all events.

    `delay`: by `seconds`. `duplicate`: posted `copies` times.
    """

    __pydantic_config__ = _STRICT

    does: EventFaultKind
    event: str = ""
    pick: Pick = ALL
    seconds: float = 0.0
    copies: int = 2


@dataclass(frozen=True, slots=True)
class ZaloScript:
    """Everything that can be scripted; docs/reference/simulators.md explains each field. Units: `_s` seconds."""

    __pydantic_config__ = _STRICT

    # Sign-in.
    token_life_s: float = 90_000.0
    refresh_life_s: float = 7_776_000.0
    code_life_s: float = 600.0
    refuse_consent: bool = False
    consent_oa: str = ""
    oauth_failure_status: int = 200

    # Requests and their answers.
    refuse: tuple[Refused, ...] = ()
    faults: tuple[Fault, ...] = ()
    off_zalo: tuple[str, ...] = ()
    answer_delay_s: float = 0.0
    template_rate_per_s: float = 0.0
    oa_rate_per_minute: int = 4_000
    require_tracking_id: bool = True
    day_starts: int = 7
    day_ends: int = 22
    night_tags: tuple[int, ...] = (2, 3)
    promotions_per_day: int = 1
    promotions_per_month: int = 30
    asset_life_s: float = 604_800.0
    uploads_per_month: int = 5_000
    journey_life_s: float = 604_800.0

    # What becomes of a message.
    undelivered: tuple[When, ...] = ()
    delivery_delay_s: float = 0.0
    early_events: bool = False
    seen: bool = False
    seen_delay_s: float = 0.0
    echoes: bool = False

    # How events are posted.
    events_url: str = ""
    ticked: tuple[str, ...] = ()
    event_faults: tuple[EventFault, ...] = ()
    event_order: Literal["kept", "newest_first"] = "kept"
    event_window: int = 32
    event_timeout_s: float = 2.0
    event_retries_s: tuple[float, ...] = (30.0, 300.0, 900.0, 1_800.0, 3_600.0)
    event_pace: float = 1.0


_SCRIPT: Final = TypeAdapter(ZaloScript)


def zalo_script_from(values: dict[str, Any], base: ZaloScript | None = None) -> ZaloScript:
    """Read a script, or a change of one, from the plain values of a JSON or TOML document.

    Errors: ConfigError naming each unknown or wrong field.
    """
    try:
        return _SCRIPT.validate_python({**zalo_script_values(base or ZaloScript()), **values})
    except ValidationError as wrong:
        fields = "; ".join(f"{'.'.join(map(str, error['loc']))}: {error['msg']}" for error in wrong.errors())
        raise ConfigError(f"the Zalo script is wrong: {fields}") from wrong


def zalo_script_values(script: ZaloScript) -> dict[str, Any]:
    """Give a script as plain values of a JSON document."""
    values: dict[str, Any] = _SCRIPT.dump_python(script, mode="json")
    return values
