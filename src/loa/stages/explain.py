"""The dry run: what a plan means, said for people. Nothing is decided here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from loa.domain.destination import is_user, written
from loa.domain.msisdn import Msisdn
from loa.domain.routes import Step
from loa.domain.rules import Finding, Verdict
from loa.domain.traffic import TrafficClass
from loa.ports.records import ChannelRecord
from loa.stages.destinations import carrier_of, read_destination
from loa.stages.planning import Plan, Planner
from loa.text.refusals import CharacterAt


@dataclass(frozen=True, slots=True)
class StepFate:
    """One step of a destination's route plan. `said`: how what it sends was made. Units: VND; None waits for ever."""

    channel: str
    silent_after_s: int | None
    price: int
    on_delivery: bool
    said: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class DestinationFate:
    """What would become of one destination.

    `msisdn`: its normal form, "" where it has none. `carrier`: a hint. `route`: names of the channels in order.
    `repeats`: the index of the same number before it. `finding`: why it cannot be reached.
    """

    index: int
    written: str
    msisdn: str = ""
    carrier: str = ""
    route: tuple[str, ...] = ()
    steps: tuple[StepFate, ...] = ()
    repeats: int | None = None
    finding: Finding | None = None


@dataclass(frozen=True, slots=True)
class TextFate:
    """What would become of the text. `forcing`: the characters that make it UCS-2. Units: septets or 16-bit units."""

    text: str
    encoding: str
    segment_count: int
    units: int
    limit: int
    forcing: tuple[CharacterAt, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """What would become of a request.

    `would_be_accepted` is what the real call decides; `denied` is answered 403, `findings` are answered 400.
    Units: times in milliseconds since the epoch.
    """

    would_be_accepted: bool
    traffic_class: TrafficClass
    sender: str
    text: TextFate | None
    destinations: tuple[DestinationFate, ...]
    verdicts: tuple[Verdict, ...]
    ruleset: str
    wished_at: int
    due_at: int
    expires_at: int
    denied: tuple[Finding, ...]
    findings: tuple[Finding, ...]
    left_out: Mapping[str, tuple[Finding, ...]] = field(default_factory=dict)
    """Why channels of the route cannot carry it, by their names."""


def describe(plan: Plan, planner: Planner, channels: Mapping[int, ChannelRecord]) -> Explanation:
    """Say what a plan means."""
    return Explanation(
        would_be_accepted=plan.would_be_accepted,
        traffic_class=plan.request.traffic_class,
        sender=plan.request.sender,
        text=_text(plan),
        destinations=_destinations(plan, planner, channels),
        verdicts=tuple(plan.verdicts),
        ruleset=planner.rules.version,
        wished_at=plan.wished_at,
        due_at=plan.due_at,
        expires_at=plan.expires_at,
        denied=tuple(plan.denied),
        findings=tuple(plan.findings),
        left_out={
            channels[channel_id].name: unfit.findings
            for fits in (plan.fits, plan.user_fits)
            for channel_id, unfit in fits.unfit.items()
            if channel_id in channels
        },
    )


def _text(plan: Plan) -> TextFate | None:
    composed = plan.composed
    if composed is None:
        return None
    return TextFate(
        composed.text, composed.encoding.value, composed.segments, composed.units, composed.limit, composed.forcing
    )


def _destinations(plan: Plan, planner: Planner, channels: Mapping[int, ChannelRecord]) -> tuple[DestinationFate, ...]:
    if len(plan.request.destinations) > planner.limits.destinations_max:
        return ()
    wrong = dict(zip(plan.sorted.bad, plan.sorted.findings, strict=True))
    routes = {
        number: tuple(_step(plan, step, channels[step.channel_id]) for step in route if step.channel_id in channels)
        for route, group in plan.sorted.plans
        for number in group
    }
    first: dict[int, int] = {}
    fates = []
    for index, asked in enumerate(plan.request.destinations):
        destination = read_destination(asked, planner.numbers)
        if destination is None:
            fates.append(DestinationFate(index, asked, finding=wrong.get(index)))
            continue
        before = first.setdefault(destination, index)
        steps = routes.get(destination, ())
        fates.append(
            DestinationFate(
                index=index,
                written=asked,
                msisdn=written(destination),
                carrier="" if is_user(destination) else carrier_of(Msisdn(str(destination)), planner.numbers),
                route=tuple(step.channel for step in steps),
                steps=steps,
                repeats=before if before != index else None,
                finding=wrong.get(index),
            )
        )
    return tuple(fates)


def _step(plan: Plan, step: Step, channel: ChannelRecord) -> StepFate:
    composed = plan.fits.composed.get(step.channel_id) or plan.user_fits.composed.get(step.channel_id)
    return StepFate(
        channel=channel.name,
        silent_after_s=step.patience_ms // 1000 or None,
        price=step.price,
        on_delivery=step.on_delivery,
        said={} if composed is None else composed.said,
    )
