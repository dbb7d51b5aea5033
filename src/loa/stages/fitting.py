"""Fits the steps of a route to one request: which can carry it, what each sends, how long it may stay silent."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from loa.domain.routes import LEARNED, RoutePlan, RouteStep, Step
from loa.domain.rules import Finding
from loa.domain.traffic import TrafficClass
from loa.ports.channel import Composed, Composes, Unfit, Wish
from loa.ports.records import ChannelRecord
from loa.stages.registry import Registry

SILENT_S: Final[Mapping[TrafficClass, int]] = {
    TrafficClass.OTP: 20,
    TrafficClass.TRANSACTIONAL: 120,
    TrafficClass.ADVERTISING: 600,
}
"""How long a step may stay silent whose usual time is to be learned and is not known yet."""
SILENT_LEAST_S: Final = 3


@dataclass(frozen=True, slots=True)
class Ways:
    """What the providers of channels can do, by the provider's name.

    `composers`: make what is sent instead of the text. `reaching_users`: take user ids as destinations.
    """

    composers: Mapping[str, Composes] = field(default_factory=dict)
    reaching_users: frozenset[str] = frozenset()
    silent_s: Mapping[TrafficClass, int] = field(default_factory=lambda: SILENT_S)


@dataclass(slots=True)
class Fits:
    """What became of the channels that one request might go over, by their ids."""

    composed: dict[int, Composed] = field(default_factory=dict)
    unfit: dict[int, Unfit] = field(default_factory=dict)

    @property
    def rich(self) -> dict[int, Mapping[str, Any]]:
        """What they send instead of the text."""
        return {channel_id: found.rich for channel_id, found in self.composed.items()}

    @property
    def wrong(self) -> list[Finding]:
        """What the caller asked for and got wrong, each once."""
        said = [finding for unfit in self.unfit.values() if unfit.wrong for finding in unfit.findings]
        return list({(finding.where, finding.code): finding for finding in said}.values())

    @property
    def missing(self) -> list[Finding]:
        """Why channels were left out."""
        said = [finding for unfit in self.unfit.values() for finding in unfit.findings]
        return list({(finding.where, finding.code): finding for finding in said}.values())


@dataclass(frozen=True, slots=True)
class Fitter:
    """Fits steps to one request. `segments`: of the text, for the price over SMS; `sms`: whether SMS may be used."""

    registry: Registry
    ways: Ways
    wish: Wish
    segments: int
    due_at: int
    sms: bool
    fits: Fits

    def plan(self, steps: Iterable[RouteStep]) -> RoutePlan:
        """Give the plan that these steps make, () for none."""
        known = [(step, self.registry.channel(step.channel_id)) for step in steps if step.is_open(self.due_at)]
        found = [(step, channel) for step, channel in known if channel is not None]
        # The caller's wish for no SMS speaks of what follows another channel, not of a sender that has nothing else.
        sms = self.sms or not any(channel.provider in self.ways.composers for _, channel in found)
        fitted = [self._fit(step, channel, sms=sms) for step, channel in found]
        return tuple(step for step in fitted if step is not None)

    def _fit(self, step: RouteStep, channel: ChannelRecord, *, sms: bool) -> Step | None:
        patience_ms = self._patience_s(step) * 1000
        composer = self.ways.composers.get(channel.provider)
        if composer is not None:
            found = self._compose(channel, composer)
            return None if found is None else Step(channel.id, patience_ms, found.price, found.on_delivery)
        if self.wish.users or not sms:
            return None
        return Step(channel.id, patience_ms, self.segments * _price(channel))

    def _compose(self, channel: ChannelRecord, composer: Composes) -> Composed | None:
        if self.wish.users and channel.provider not in self.ways.reaching_users:
            return None
        known = self.fits.composed.get(channel.id)
        if known is None and channel.id not in self.fits.unfit:
            templates = self.registry.snapshot.templates.get(channel.id, ())
            found = composer.compose(channel.settings, templates, self.wish)
            if isinstance(found, Unfit):
                self.fits.unfit[channel.id] = found
            else:
                known = self.fits.composed[channel.id] = found
        return known

    def _patience_s(self, step: RouteStep) -> int:
        if step.wait_s is None:
            return 0
        if step.wait_s != LEARNED:
            return step.wait_s
        traffic_class = self.wish.traffic_class
        usual = self.registry.usual_waits.get((step.channel_id, traffic_class))
        return max(SILENT_LEAST_S, self.ways.silent_s[traffic_class] if usual is None else usual)


def _price(channel: ChannelRecord) -> int:
    price = channel.settings.get("price", 0)
    return price if isinstance(price, int) else 0
