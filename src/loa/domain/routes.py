"""Which channels a message may use, in which order, and how long each is given. Pure: rules in, plan out.

A *route* is a rule of a tenant, made of route steps with conditions. A *route plan* is what became of it for one
message when it was accepted: the steps whose conditions held, with their time and price, frozen on the message.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, NamedTuple

from loa.domain.hours import VIETNAM_OFFSET_MS
from loa.domain.traffic import TrafficClass

LEARNED: Final = 0
"""A step's wait that follows how long receipts of its channel and class usually take."""
DAY_MINUTES: Final = 24 * 60
PLANS_KEPT: Final = 4_096


class Step(NamedTuple):
    """One step of a route plan.

    `patience_ms`: how long the step may stay without a receipt before the next one begins, 0 for as long as it likes.
    `price`: what the message costs on this step, in VND; `on_delivery`: only if the step delivers it.
    """

    channel_id: int
    patience_ms: int = 0
    price: int = 0
    on_delivery: bool = False


RoutePlan = tuple[Step, ...]


def plan_of(*channel_ids: int) -> RoutePlan:
    """Give the plan that tries channels one after the other, each only after a refusal by the one before."""
    return tuple(Step(channel_id) for channel_id in channel_ids)


def plan_text(plan: RoutePlan) -> str:
    """Write a plan as it is stored.

    Shapes: `3/30000:200d,1:350` is channel 3 for 30 seconds at 200 VND if delivered, then channel 1 at 350 VND.
    """
    return ",".join(map(_step_text, plan))


def _step_text(step: Step) -> str:
    patience = f"/{step.patience_ms}" if step.patience_ms else ""
    price = f":{step.price}{'d' if step.on_delivery else ''}" if step.price else ""
    return f"{step.channel_id}{patience}{price}"


def is_priced(stored: str) -> bool:
    """Tell whether any step of a stored plan has a price, without reading it."""
    return ":" in stored


@lru_cache(maxsize=PLANS_KEPT)
def read_plan(stored: str) -> RoutePlan:
    """Read a stored plan. A few plans serve nearly all messages, so they are kept."""
    return tuple(map(_read_step, stored.split(",")))


def _read_step(stored: str) -> Step:
    rest, _, price = stored.partition(":")
    channel, _, patience = rest.partition("/")
    amount = price.removesuffix("d")
    return Step(int(channel), int(patience or 0), int(amount or 0), price != amount)


@dataclass(frozen=True, slots=True)
class DailyHours:
    """A daily span in Vietnam's time, over midnight where it ends before it begins. Units: minutes after midnight."""

    begin: int
    end: int

    def holds(self, at: int) -> bool:
        """Tell whether an instant (milliseconds since the epoch) lies within."""
        minute = (at + VIETNAM_OFFSET_MS) // 60_000 % DAY_MINUTES
        if self.begin <= self.end:
            return self.begin <= minute < self.end
        return minute >= self.begin or minute < self.end


@dataclass(frozen=True, slots=True)
class RouteStep:
    """One step of a route; conditions left empty always hold.

    `wait_s`: how long it may stay silent before the next step begins; None for ever, LEARNED for what is usual there.
    """

    channel_id: int
    wait_s: int | None = None
    classes: tuple[TrafficClass, ...] = ()
    carriers: tuple[str, ...] = ()
    hours: DailyHours | None = None

    def suits(self, traffic_class: TrafficClass, carrier: str) -> bool:
        """Tell whether messages of such a class and carrier take this step, at the right hour."""
        return (not self.classes or traffic_class in self.classes) and (not self.carriers or carrier in self.carriers)

    def is_open(self, due_at: int) -> bool:
        """Tell whether a message that is due then takes this step."""
        return self.hours is None or self.hours.holds(due_at)


def step_as_json(step: RouteStep) -> Mapping[str, Any]:
    """Give a route step as it is stored: only what is set."""
    members: dict[str, Any] = {"channel": step.channel_id}
    if step.wait_s is not None:
        members["wait_s"] = step.wait_s
    if step.classes:
        members["classes"] = [int(each) for each in step.classes]
    if step.carriers:
        members["carriers"] = list(step.carriers)
    if step.hours is not None:
        members["hours"] = [step.hours.begin, step.hours.end]
    return members


def step_from_json(members: Mapping[str, Any]) -> RouteStep:
    """Read a stored route step."""
    hours = members.get("hours")
    return RouteStep(
        channel_id=members["channel"],
        wait_s=members.get("wait_s"),
        classes=tuple(map(TrafficClass, members.get("classes", ()))),
        carriers=tuple(members.get("carriers", ())),
        hours=None if hours is None else DailyHours(*hours),
    )


@dataclass(frozen=True, slots=True)
class Route:
    """One rule; an empty condition matches everything. Rules are read in order of position, the first match wins."""

    id: int
    position: int
    steps: tuple[RouteStep, ...]
    sender: str = ""
    traffic_class: TrafficClass | None = None
    carrier: str = ""

    @property
    def channels(self) -> tuple[int, ...]:
        """The channels of its steps."""
        return tuple(step.channel_id for step in self.steps)

    @property
    def by_carrier(self) -> bool:
        """Whether it asks for the carrier of a number anywhere."""
        return bool(self.carrier) or any(step.carriers for step in self.steps)

    def matches(self, sender: str, traffic_class: TrafficClass, carrier: str) -> bool:
        """Tell whether a message falls under this rule."""
        return (
            (not self.sender or self.sender == sender)
            and (self.traffic_class is None or self.traffic_class == traffic_class)
            and (not self.carrier or self.carrier == carrier)
        )


def choose(routes: Iterable[Route], sender: str, traffic_class: TrafficClass, carrier: str) -> Route | None:
    """Give the first rule that matches, or None when no channel may carry the message."""
    for route in routes:
        if route.matches(sender, traffic_class, carrier):
            return route
    return None
