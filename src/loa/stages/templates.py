"""Templates: what providers have approved for the channels of this process, read anew now and then and when asked.

A look never stands in the way of sending: it works beside it, one channel after another, and what cannot be read stays
as it was until a later look. Who looks is settled in the ledger, so processes that share a channel take turns; should
two look at once, both write the same.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from loa.domain.template import Template
from loa.observe.log import get_logger
from loa.ports.channel import Asking, Described, Describes
from loa.ports.clock import Clock
from loa.ports.grants import AccessTokens
from loa.ports.ledger import Templates
from loa.ports.records import TemplateLook
from loa.stages.loop import keep_running
from loa.stages.signal import Signal

TICK_S: Final = 5.0
EVERY_MS: Final = 3_600_000
RETRY_MS: Final = 300_000
GAP_MS: Final = 60_000
"""The shortest time from one look to the next, however often somebody asks: a provider may report changes in bursts."""

CLAIM_MS: Final = 900_000
"""Longer than any look takes: three thousand templates at ten a second make five minutes."""

NO_TOKEN: Final = "no_token"  # noqa: S105 - a reason, not a token

log = get_logger("loa.stages.templates")


@dataclass(frozen=True, slots=True)
class Source:
    """A channel of this process whose provider can be asked."""

    channel_id: int
    name: str
    provider: Describes
    settings: Mapping[str, Any]
    tokens: AccessTokens | None


def is_due(look: TemplateLook, now: int) -> bool:
    """Tell whether a channel is to be looked at now."""
    if look.claimed_until > now:
        return False
    since = now - look.begun_at
    if since < 0 or look.begun_at == 0:
        # Never yet, or before the clock was set back, which must not put the next look off for as long.
        return True
    asked = look.asked_at > look.begun_at
    return since >= (GAP_MS if asked else RETRY_MS if look.problem else EVERY_MS)


class TemplateStage:
    """Looks at every source that is due. `sources` names the channels that run here now."""

    def __init__(
        self,
        ledger: Templates,
        *,
        clock: Clock,
        sources: Callable[[], Sequence[Source]],
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self._sources = sources
        self._signal = Signal()
        self._seen: set[int] = set()

    def wake(self) -> None:
        """Look soon whether somebody has asked."""
        self._signal.set()

    async def changed(self, channel_id: int) -> None:
        """Note that a provider's side of a channel has changed; the process that runs it looks again soon.

        Errors: StorageError.
        """
        await self._ledger.ask_template_look(channel_id, self._clock.now())
        self.wake()

    async def run(self) -> None:
        """Look until cancelled."""
        await keep_running("templates", self._turn, self._clock)

    async def _turn(self) -> None:
        await self.tick()
        await self._signal.wait(TICK_S)

    async def tick(self) -> None:
        """Look at what is due, one channel after another. Errors: StorageError."""
        sources = self._sources()
        if not sources:
            return
        await self._ask_for_new(sources)
        looks = {look.channel_id: look for look in await self._ledger.template_looks()}
        for source in sources:
            if source.tokens is not None and not source.tokens.current():
                # Who was asked to look does so as soon as there is a token.
                continue
            if is_due(looks.get(source.channel_id, TemplateLook(source.channel_id)), self._clock.now()):
                await self._look(source)

    async def _ask_for_new(self, sources: Sequence[Source]) -> None:
        """Have channels looked at that were just taken up: nobody here heard what changed meanwhile."""
        here = {source.channel_id for source in sources}
        for channel_id in here - self._seen:
            await self._ledger.ask_template_look(channel_id, self._clock.now())
        self._seen = here

    async def _look(self, source: Source) -> None:
        begun = self._clock.now()
        if not await self._ledger.begin_template_look(source.channel_id, begun, begun + CLAIM_MS):
            return
        problem = "stopped"
        try:
            problem = await self._read(source)
        finally:
            await self._ledger.end_template_look(source.channel_id, self._clock.now(), problem)
        if problem:
            log.warning("the templates of a channel could not be read", channel=source.name, reason=problem)

    async def _read(self, source: Source) -> str:
        """Read and keep; give what went wrong, "" for nothing."""
        token = source.tokens.current() if source.tokens is not None else ""
        if source.tokens is not None and not token:
            return NO_TOKEN
        known = [each for each in await self._ledger.templates() if each.channel_id == source.channel_id]
        found = await source.provider.describe(
            source.settings, Asking(source.channel_id, token, tuple(known), self._clock.sleep)
        )
        if not isinstance(found, Described):
            if found.token and source.tokens is not None:
                source.tokens.spoiled(token)
            return found.reason
        await self._keep(source, found.templates)
        return found.problem

    async def _keep(self, source: Source, templates: Sequence[Template]) -> None:
        own = [replace(each, channel_id=source.channel_id, text="") for each in templates]
        changed = await self._ledger.put_templates(source.channel_id, own, self._clock.now())
        if changed:
            log.info("templates of a channel changed", channel=source.name, rows=len(own), count=changed)
