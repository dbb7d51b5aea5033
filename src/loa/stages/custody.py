"""Custody: keeps the grants of channels alive, and tells each channel the token to work with.

One custodian a channel, each with a loop of its own, so that one channel's failure holds up no other. Every process
that runs channels keeps every grant, whichever channels it works on now: one that takes a channel over has its token
already. Who of them renews is settled in the ledger; the others read the new pair there. The rules of a renewal: see
`renewal`; what may happen to a token: docs/explain/zalo-tokens.md.
"""

import asyncio
from collections.abc import Callable, Mapping
from random import Random
from typing import Final

from loa.domain.retry import send_delay_ms
from loa.observe import metrics
from loa.observe.log import get_logger
from loa.ports.clock import Clock
from loa.ports.grants import Grant, Grants
from loa.ports.probe import Probe
from loa.stages.loop import keep_running
from loa.stages.renewal import Charge, Renewer, Result
from loa.stages.signal import Signal

TICK_S: Final = 5.0
EVERY_MS: Final = 12 * 3_600_000
"""A pair is replaced at half of its access token's life, but twice a day at least: once a day leaves an hour of slack
with tokens of 25 hours."""

EARLY: Final = 0.05
JITTER: Final = 0.1
"""So much earlier than it must a pair is replaced, and by up to so much more: before anybody is alarmed, and in each
process at another time, so that they do not all ask for the right at once."""

GAP_MS: Final = 60_000
"""A pair is never replaced sooner: a provider may refuse every token that it gives."""

SPOILT_S: Final = 600.0
"""After this a token that was refused is tried once more while it is current: a provider may have erred."""

log = get_logger("loa.stages.custody")


def renewal_due_at(grant: Grant) -> int:
    """Tell when a pair is to be replaced at the latest."""
    return grant.issued_at + min(max(0, grant.tokens.expires_at - grant.issued_at) // 2, EVERY_MS)


def alarms_of(grant: Grant | None, now: int) -> tuple[str, ...]:
    """Name what a person should know of a grant: stable words."""
    if grant is None:
        return ("no_grant",)
    tokens, age = grant.tokens, now - grant.issued_at
    found = {
        "consent_needed": bool(grant.consent_needed),
        "access_over": tokens.expires_at <= now,
        "access_half_life": age > (tokens.expires_at - grant.issued_at) / 2,
        "refresh_half_life": tokens.refresh_expires_at > 0 and age > (tokens.refresh_expires_at - grant.issued_at) / 2,
    }
    return tuple(word for word, so in found.items() if so)


def _nobody() -> None:
    """Wake nobody: the channel does not run here."""


class Custodian:
    """Keeps one channel's grant; the channel's ports.grants.AccessTokens. `charge` None: it cannot be renewed now."""

    def __init__(self, charge: Charge, ledger: Grants, renewer: Renewer, clock: Clock, chance: Random) -> None:
        self.charge: Charge | None = charge
        self.name = charge.name
        self.wake: Callable[[], None] = _nobody
        self.grant: Grant | None = None
        self.renewing = False
        self.stopping = False
        self._id = charge.channel_id
        self._ledger = ledger
        self._renewer = renewer
        self._clock = clock
        self._chance = chance
        self._signal = Signal()
        self._read_once = False
        self._seen_at = 0.0
        self._due_at = 0
        self._due_in_s = 0.0
        self._spoilt_at: float | None = None
        self._failures = 0
        self._retry_at = 0.0
        self._said: tuple[str, ...] = ()

    # what the channel asks

    def current(self) -> str:
        """See ports.grants.AccessTokens."""
        grant = self.grant
        if grant is None or grant.tokens.expires_at <= self._clock.now() or self._spoilt_lately():
            return ""
        return grant.tokens.access_token

    def spoiled(self, token: str) -> None:
        """See ports.grants.AccessTokens."""
        if self.grant is not None and token == self.grant.tokens.access_token and not self._spoilt_lately():
            self._spoilt_at = self._clock.monotonic()
            log.warning("a provider takes an access token no more", channel=self.name)
            self._signal.set()

    def _spoilt_lately(self) -> bool:
        return self._spoilt_at is not None and self._clock.monotonic() - self._spoilt_at < SPOILT_S

    # its loop

    def look(self) -> None:
        """Look soon: something may have changed."""
        self._signal.set()

    async def run(self) -> None:
        """Keep the grant until cancelled."""
        await keep_running("custody", self._turn, self._clock)

    async def _turn(self) -> None:
        await self.tick()
        await self._signal.wait(TICK_S)

    async def tick(self) -> None:
        """Read the grant, and renew it where that is due. Errors: StorageError."""
        await self._read()
        self._watch()
        charge, grant = self.charge, self.grant
        if charge is None or grant is None or self.stopping or not self._is_due(grant):
            return
        self.renewing = True
        try:
            result = await self._renewer.renew(charge, grant.version)
        finally:
            self.renewing = False
        if result is Result.AGAIN:
            self._failures += 1
            self._retry_at = self._clock.monotonic() + send_delay_ms(self._failures, self._chance.random()) / 1000
        elif result is not Result.HELD:
            await self._read()
            self._watch()

    async def _read(self) -> None:
        """Take what is on disk: nothing else is ever worked with."""
        grant, known = await self._ledger.grant(self._id), self.grant
        self.grant, self._read_once = grant, True
        if grant is None or (known is not None and known.version == grant.version):
            return
        self._seen_at, self._spoilt_at = self._clock.monotonic(), None
        self._failures, self._retry_at = 0, 0.0
        early = (renewal_due_at(grant) - grant.issued_at) * (EARLY + JITTER * self._chance.random())
        self._due_at = renewal_due_at(grant) - int(early)
        self._due_in_s = max(0, self._due_at - self._clock.now()) / 1000
        self.wake()

    def _is_due(self, grant: Grant) -> bool:
        since_s = self._clock.monotonic() - self._seen_at
        if grant.consent_needed or self._clock.monotonic() < self._retry_at:
            return False
        if grant.spent_at is not None:
            # Somebody is at it, or died over it: who takes the right finds out.
            return True
        if 0 <= self._clock.now() - grant.issued_at < GAP_MS and since_s < GAP_MS / 1000:
            return False
        # By either clock: the wall clock may have been set back.
        return self._spoilt_lately() or self._clock.now() >= self._due_at or since_s >= self._due_in_s

    # what people are told

    def alarms(self) -> tuple[str, ...]:
        """Name what a person should know now; nothing before the grant was read."""
        return alarms_of(self.grant, self._clock.now()) if self._read_once else ()

    def _watch(self) -> None:
        """Say each alarm once when it begins."""
        alarms = self.alarms()
        for word in alarms:
            if word not in self._said:
                log.warning("the grant of a channel needs looking after", channel=self.name, reason=word)
        self._said = alarms

    def measure(self) -> None:
        """Set the metrics of the grant."""
        if not self._read_once:
            return
        person = {"no_grant", "consent_needed"} & set(self.alarms())
        metrics.grant_consent_needed.labels(self.name).set(1 if person else 0)
        if self.grant is not None:
            tokens, now = self.grant.tokens, self._clock.now()
            metrics.grant_access_seconds.labels(self.name).set((tokens.expires_at - now) / 1000)
            if tokens.refresh_expires_at:
                metrics.grant_refresh_seconds.labels(self.name).set((tokens.refresh_expires_at - now) / 1000)


class Custody:
    """The custodians of a process."""

    def __init__(self, ledger: Grants, *, clock: Clock, probe: Probe, chance: Random | None = None) -> None:
        self._ledger = ledger
        self._clock = clock
        self._chance = chance or Random()
        self._renewer = Renewer(ledger, clock, probe)
        self._kept: dict[int, tuple[Custodian, asyncio.Task[None]]] = {}

    def follow(self, charges: Mapping[int, Charge]) -> None:
        """Take what channels work with grants now, by id. Of one that is gone the token is told, but not renewed."""
        for channel_id, (custodian, _) in self._kept.items():
            custodian.charge = charges.get(channel_id)
        for channel_id, charge in charges.items():
            if channel_id not in self._kept:
                custodian = Custodian(charge, self._ledger, self._renewer, self._clock, self._chance)
                task = asyncio.create_task(custodian.run(), name=f"custody {charge.name}")
                self._kept[channel_id] = custodian, task

    def tokens(self, channel_id: int, wake: Callable[[], None]) -> Custodian | None:
        """Give a channel's view of its grant; `wake` is called when there is another token."""
        if channel_id not in self._kept:
            return None
        custodian, _ = self._kept[channel_id]
        custodian.wake = wake
        return custodian

    def look(self) -> None:
        """Have every custodian look: another process may have left something."""
        for custodian, _ in self._kept.values():
            custodian.look()

    def measure(self) -> None:
        """Set the metrics of all grants."""
        for custodian, _ in self._kept.values():
            custodian.measure()

    async def stop(self, patience_s: float) -> None:
        """Begin no renewal, and let one that is under way come to its end: cut off, it would need a person."""
        until = self._clock.monotonic() + patience_s
        for custodian, _ in self._kept.values():
            custodian.stopping = True
        while any(custodian.renewing for custodian, _ in self._kept.values()) and self._clock.monotonic() < until:
            await self._clock.sleep(0.01)
        tasks = [task for _, task in self._kept.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
