"""Which channels a message may use, in which order. Pure: rules in, plan out."""

from collections.abc import Iterable
from dataclasses import dataclass

from loa.domain.traffic import TrafficClass


@dataclass(frozen=True, slots=True)
class Route:
    """One rule; an empty condition matches everything. Rules are read in order of position, the first match wins."""

    id: int
    position: int
    channels: tuple[int, ...]
    sender: str = ""
    traffic_class: TrafficClass | None = None
    carrier: str = ""

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
