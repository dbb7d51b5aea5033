"""The stages that this process runs: one small builder for each role, and who wakes whom.

Stages meet in the ledger only. Where two run in one process, the one that leaves work tells the other at once; in other
processes the ledger's hint, and looking again after a while, do the same.
"""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

from loa import __version__
from loa.app import translate
from loa.app.channel_host import ChannelHost
from loa.app.grants import charges_of
from loa.domain.traffic import OnUnknown, TrafficClass
from loa.notify.poster import HttpCallbackSender
from loa.ports.channel import Describes, Provider, ReceiptSink
from loa.ports.clock import Clock
from loa.ports.ledger import Ledger
from loa.ports.probe import Probe
from loa.settings.tree import Settings
from loa.stages.callbacks import CallbackStage
from loa.stages.custody import Custody
from loa.stages.figures import Counting
from loa.stages.receipts import ReceiptStage, Rematching
from loa.stages.registry import Registry, Snapshot
from loa.stages.sharing import Sharing
from loa.stages.silence import Abandoned
from loa.stages.templates import Source, TemplateStage
from loa.stages.upkeep import Upkeep

Loop = Callable[[], Coroutine[Any, Any, None]]


@dataclass(frozen=True, slots=True)
class Ground:
    """What every role stands on."""

    settings: Settings
    ledger: Ledger
    registry: Registry
    providers: Mapping[str, Provider]
    clock: Clock
    probe: Probe

    def policy(self, tenant_id: int, traffic_class: TrafficClass) -> tuple[int, OnUnknown]:
        """See ports.records.UnknownPolicy."""
        policy = self.registry.policies(tenant_id)[traffic_class]
        return policy.evidence_wait_s * 1000, policy.on_unknown

    def channel_name(self, channel_id: int) -> str:
        """Name a channel for people."""
        record = self.registry.channel(channel_id)
        return record.name if record is not None else str(channel_id)


class Dispatching:
    """Role dispatch: channels with their lanes and grants, and this process's share of them."""

    def __init__(
        self, ground: Ground, receipts: ReceiptSink, told: Callable[[], None], went_on: Callable[[], None]
    ) -> None:
        self._ground = ground
        self.custody = Custody(ground.ledger, clock=ground.clock, probe=ground.probe)
        self.host = ChannelHost(
            ground.ledger,
            ground.providers,
            tokens=self.custody.tokens,
            clock=ground.clock,
            probe=ground.probe,
            receipts=receipts,
            policy=ground.policy,
            rules=translate.dispatch_rules(ground.settings),
            told=told,
            went_on=went_on,
            drain_s=ground.settings.drain_s,
        )
        self.templates = TemplateStage(ground.ledger, clock=ground.clock, sources=self._sources)
        self.sharing = Sharing(ground.ledger, ground.clock, uses=self.host.uses, take=self.host.take)

    def _sources(self) -> list[Source]:
        """Name the channels that run here and whose providers can be asked for their templates."""
        return [
            Source(channel_id, running.plan.record.name, provider, running.plan.settings, running.tokens)
            for channel_id, running in self.host.running.items()
            if isinstance(provider := running.plan.provider, Describes)
        ]

    def follow(self, snapshot: Snapshot) -> None:
        """Take what channels there are now, and ask for a share of those that are new."""
        self.custody.follow(charges_of(snapshot.channels.values(), self._ground.providers))
        self.host.reconcile(snapshot.channels)
        self.sharing.ask()

    async def stop(self) -> None:
        """Ask for no more, stop every channel in order, and let a renewal that is under way come to its end."""
        self.sharing.stop()
        await self.host.stop()
        await self.custody.stop(self._ground.settings.drain_s)


class Calling:
    """Role callbacks: what posts, and what it posts with."""

    def __init__(self, ground: Ground) -> None:
        settings = ground.settings
        self._patience_s = min(settings.drain_s, settings.callbacks.timeout_s)
        self.sender = HttpCallbackSender(
            translate.guard_policy(settings),
            timeout_s=settings.callbacks.timeout_s,
            concurrency=settings.callbacks.concurrency,
            version=__version__,
        )
        self.stage = CallbackStage(
            ground.ledger,
            self.sender,
            clock=ground.clock,
            probe=ground.probe,
            rules=translate.callback_rules(settings),
        )

    async def stop(self) -> None:
        """Take no more, and wait for what is being posted."""
        await self.stage.drain(self._patience_s)


class Stages:
    """What this process does beside listening, as its roles say."""

    def __init__(self, ground: Ground) -> None:
        roles = ground.settings.roles
        self._ground = ground
        self._roles = roles
        self.receipts = ReceiptStage(
            ground.ledger,
            clock=ground.clock,
            probe=ground.probe,
            batch_max=ground.settings.receipts.batch_max,
            applied=self.wake,
        )
        self.upkeep = Upkeep(
            ground.ledger,
            clock=ground.clock,
            policy=ground.policy,
            keep_ms=translate.keep_ms(ground.settings),
            channel_names=ground.channel_name,
            requeued=self.due,
            told=self.told,
        )
        self.calling = Calling(ground) if "callbacks" in roles else None
        self.dispatching = (
            Dispatching(ground, self.receipts.offer, self.told, self.due) if "dispatch" in roles else None
        )

    @property
    def host(self) -> ChannelHost | None:
        """The channels of this process, None where it has none."""
        return self.dispatching.host if self.dispatching is not None else None

    # who wakes whom

    def due(self) -> None:
        """Messages may be due."""
        if self.dispatching is not None:
            self.dispatching.host.wake()

    def told(self) -> None:
        """Callbacks may be owed."""
        if self.calling is not None:
            self.calling.stage.wake()

    async def templates_changed(self, channel_id: int) -> None:
        """Have the process that runs a channel look again, because its provider said so. Errors: StorageError."""
        if self.dispatching is not None:
            await self.dispatching.templates.changed(channel_id)
        else:
            await self._ground.ledger.ask_template_look(channel_id, self._ground.clock.now())

    def wake(self) -> None:
        """Anything may have to be done."""
        self.told()
        self.due()
        if self.dispatching is not None:
            self.dispatching.custody.look()

    def follow(self, snapshot: Snapshot) -> None:
        """Take up what the directory says now."""
        if self.calling is not None:
            self.calling.stage.remember(snapshot.endpoints.values())
        if self.dispatching is not None:
            self.dispatching.follow(snapshot)

    # its life

    async def begin(self) -> None:
        """Settle what former runs left open, then take up the directory; channels begin to connect.

        Errors: StorageError.
        """
        await self.upkeep.recover()
        self.follow(self._ground.registry.snapshot)
        if self.dispatching is not None:
            await self.dispatching.sharing.tick()
            await self.dispatching.host.settle()
        self._ground.ledger.listen(self.wake)

    def loops(self) -> list[Loop]:
        """Give what goes on until it is cancelled."""
        loops: list[Loop] = []
        if self.dispatching is not None:
            loops += [self.dispatching.sharing.run, self.dispatching.templates.run]
        if self.dispatching is not None or "api" in self._roles:
            loops += [self.receipts.run, self.receipts.run_learning]
        if self.calling is not None:
            loops += self.calling.stage.loops()
        if "upkeep" in self._roles:
            ground = self._ground
            loops += [self.upkeep.run, Abandoned(ground.ledger, ground.clock, self.due).run]
            loops.append(Counting(ground.ledger, ground.clock).run)
        elif "receipts" in self._roles:
            loops.append(Rematching(self._ground.ledger, self._ground.clock, self.wake).run)
        return loops

    def measure(self) -> None:
        """Set the metrics that are read off now and then."""
        if self.dispatching is not None:
            self.dispatching.host.measure()
            self.dispatching.custody.measure()

    async def stop(self) -> None:
        """Hand nothing more over, and let what is in flight come to its end and be recorded."""
        if self.dispatching is not None:
            await self.dispatching.stop()
            await self.receipts.drain()
        if self.calling is not None:
            await self.calling.stop()

    async def close(self) -> None:
        """Close what is open to the outside."""
        if self.calling is not None:
            await self.calling.sender.close()
