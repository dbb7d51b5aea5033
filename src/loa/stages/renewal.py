"""One renewal of a grant: whatever breaks in between, a refresh token is sent once, and a pair that came is kept.

The order is the whole of it. The right is taken and the grant read again in one statement; the token is marked as spent
and that is on disk; then, and never otherwise, one request leaves. What comes back is on disk before anybody works with
it. A mark without a newer pair, found by whoever takes the right next, means that nobody can say what became of the
token: it is never sent again, and a person has to consent.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, assert_never

from loa.errors import ConfigError, StorageError
from loa.observe import metrics
from loa.observe.log import get_logger
from loa.ports.clock import Clock
from loa.ports.grants import Failed, Failure, Grantor, Grants, Renewal, Tokens
from loa.ports.probe import Point, Probe

RIGHT_MS: Final = 120_000
"""How long the right to renew lasts: longer than everything that is done under it, MARK_S and REQUEST_S together. A
lock that was shorter than the HTTP time-out has made two workers spend one token elsewhere."""

MARK_S: Final = 15.0
"""When marking the token took longer than this, it is not sent."""

REQUEST_S: Final = 90.0
"""When the request took longer than this, it is given up. A provider's own time-outs are shorter: Zalo's settings allow
20 seconds for connecting and 60 for the answer."""

STORE_RETRY_S: Final = 0.5
INTERRUPTED: Final = "interrupted"
"""A token was marked as spent, and whoever did so is gone."""

log = get_logger("loa.stages.custody")


@dataclass(frozen=True, slots=True)
class Charge:
    """A channel whose grant is kept here."""

    channel_id: int
    name: str
    grantor: Grantor
    settings: Mapping[str, Any]


class Result(StrEnum):
    """How a renewal ended."""

    KEPT = "kept"
    """A new pair is on disk."""
    HELD = "held"
    """Another has the right, or this one lost it in time."""
    OVERTAKEN = "overtaken"
    """The grant is not what it was: there is a newer pair, or a person is needed already."""
    AGAIN = "again"
    """Nothing was spent; the same token may be sent later."""
    PERSON = "person"
    """Only a person can go on."""


class Renewer:
    """Renews the grants of any channel, one call each; calls for several may run at once."""

    def __init__(self, ledger: Grants, clock: Clock, probe: Probe) -> None:
        self._ledger = ledger
        self._clock = clock
        self._probe = probe

    async def renew(self, charge: Charge, version: int) -> Result:
        """Renew the pair of this version. Errors: StorageError; then nothing was sent that had come to an answer."""
        now, begun = self._clock.now(), self._clock.monotonic()
        renewal = await self._ledger.begin_renewal(charge.channel_id, now, now + RIGHT_MS)
        if renewal is None:
            return Result.HELD
        grant, over_at = renewal.grant, begun + RIGHT_MS / 1000
        if grant.version != version or grant.consent_needed:
            await self._ledger.end_renewal(renewal)
            return Result.OVERTAKEN
        if grant.spent_at is not None:
            return await self._leave_to_a_person(charge, renewal, INTERRUPTED, over_at)
        if not await self._mark(renewal, begun):
            return Result.HELD
        self._probe.reached(Point.GRANT_MARKED)
        answer = await self._ask(charge, grant.tokens.refresh_token, now)
        if isinstance(answer, Tokens):
            return await self._keep(charge, renewal, answer, now)
        return await self._failed(charge, renewal, answer, over_at)

    async def _mark(self, renewal: Renewal, begun: float) -> bool:
        """Mark the token, in time; where that fails nothing has left, and the mark is taken back."""
        marked = False
        try:
            marked = await self._ledger.mark_spent(renewal, self._clock.now())
        except StorageError:
            # It may be on disk although the answer was lost.
            await self._unmark(renewal, begun + RIGHT_MS / 1000)
            raise
        if marked and self._clock.monotonic() - begun > MARK_S:
            await self._unmark(renewal, begun + RIGHT_MS / 1000)
            return False
        return marked

    async def _unmark(self, renewal: Renewal, over_at: float) -> None:
        if await self._insist(lambda: self._ledger.mark_unspent(renewal), over_at):
            await self._ledger.end_renewal(renewal)

    async def _ask(self, charge: Charge, refresh_token: str, now: int) -> Tokens | Failed:
        try:
            async with asyncio.timeout(REQUEST_S):
                answer = await charge.grantor.renew(charge.settings, refresh_token, now)
        except TimeoutError:
            return Failed(Failure.DOUBTFUL, "silence")
        if isinstance(answer, Tokens) and not (answer.access_token and answer.refresh_token):
            return Failed(Failure.DOUBTFUL, "half_a_pair")
        return answer

    async def _keep(self, charge: Charge, renewal: Renewal, tokens: Tokens, now: int) -> Result:
        self._probe.reached(Point.GRANT_ANSWERED)
        # The pair exists nowhere else: this goes on until it is on disk.
        kept = await self._insist(lambda: self._ledger.keep(charge.channel_id, tokens, now, renewal), math.inf)
        if not kept:
            # Either it was on disk already, its answer lost, or a person was quicker.
            return self._count(Result.OVERTAKEN, "overtaken")
        self._probe.reached(Point.GRANT_KEPT)
        log.info("the grant of a channel was renewed", channel=charge.name)
        return self._count(Result.KEPT, "kept")

    async def _failed(self, charge: Charge, renewal: Renewal, failed: Failed, over_at: float) -> Result:
        match failed.failure:
            case Failure.UNSENT | Failure.UNSERVED:
                await self._unmark(renewal, over_at)
                log.warning("a grant was not renewed; it is tried again", channel=charge.name, reason=failed.reason)
                return self._count(Result.AGAIN, str(failed.failure))
            case Failure.DOUBTFUL | Failure.REFUSED:
                reason = f"{failed.failure}: {failed.reason}"
                return await self._leave_to_a_person(charge, renewal, reason, over_at)
            case _:
                assert_never(failed.failure)

    async def _leave_to_a_person(self, charge: Charge, renewal: Renewal, reason: str, over_at: float) -> Result:
        await self._insist(lambda: self._ledger.need_consent(charge.channel_id, reason, renewal), over_at)
        log.warning(
            "a channel's grant cannot be renewed until a person consents again", channel=charge.name, reason=reason
        )
        return self._count(Result.PERSON, reason.partition(":")[0])

    async def _insist(self, call: Callable[[], Awaitable[bool]], until: float) -> bool:
        """Make a call of the ledger until it goes through; once it is too late its error is passed on."""
        while True:
            try:
                return await call()
            except (StorageError, ConfigError) as error:
                # The second where the key is not there by which it is sealed: somebody may bring it back.
                if self._clock.monotonic() >= until:
                    raise
                log.warning("what became of a grant could not be stored; it is tried again", error=error)
                await self._clock.sleep(STORE_RETRY_S)

    def _count(self, result: Result, word: str) -> Result:
        metrics.grant_renewals_total.labels(word).inc()
        return result
