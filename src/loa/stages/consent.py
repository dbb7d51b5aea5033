"""Consent: the link by which a person gives a channel its grant, and what comes back by it.

Who asks, who serves the callback and who runs the channel may be three processes: they meet in the ledger. A state is
good once and for ten minutes; the pair that a code is exchanged for is on disk before anybody is told.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from loa.errors import ConfigError, StorageError
from loa.observe.log import get_logger
from loa.ports.clock import Clock
from loa.ports.grants import Consent, Failed, Grants, Tokens
from loa.stages.renewal import STORE_RETRY_S, Charge

LASTS_MS: Final = 600_000
"""As long as a code lasts (Zalo, 2026)."""

STATE_OCTETS: Final = 32
STORE_S: Final = 20.0
"""How long storing a pair is tried while a person waits for the page."""

ChargeOf = Callable[[int], Charge | None]
"""Gives a channel that works with grants by its id, None where there is none that can be asked."""

log = get_logger("loa.stages.consent")


class Ending(StrEnum):
    """How a consent ended."""

    GIVEN = "given"
    NO_STATE = "no_state"
    """There is no such link: used before, too old, or never ours."""
    NO_CODE = "no_code"
    """The person did not consent; the link is still good."""
    OTHER_OWNER = "other_owner"
    """Somebody consented for another account than the channel's settings name."""
    NOT_GIVEN = "not_given"
    """The provider gave no pair for the code."""
    NOT_KEPT = "not_kept"
    """The pair came and could not be stored."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The end of a consent, and the channel's name where it is known."""

    ending: Ending
    channel: str = ""
    reason: str = ""


class Consents:
    """Asks for consents and takes them. `owners`: members of what comes back that must equal a channel's setting."""

    def __init__(
        self, ledger: Grants, charge_of: ChargeOf, clock: Clock, *, owners: tuple[str, ...] = ("oa_id",)
    ) -> None:
        self._ledger = ledger
        self._charge_of = charge_of
        self._clock = clock
        self._owners = owners

    async def ask(self, charge: Charge, redirect_uri: str) -> tuple[str, Consent]:
        """Give the link by which a person consents, once what it was made with is on disk. Errors: StorageError."""
        now = self._clock.now()
        # The verifier has 43 characters, the fewest that RFC 7636 allows and the number that Zalo asks for.
        state, verifier = secrets.token_urlsafe(STATE_OCTETS), secrets.token_urlsafe(STATE_OCTETS)
        consent = Consent(charge.channel_id, state, verifier, redirect_uri, now, now + LASTS_MS)
        link = charge.grantor.consent_link(charge.settings, consent)
        await self._ledger.ask_consent(consent)
        return link, consent

    async def take(self, given: Mapping[str, str]) -> Ended:
        """Take what the provider sent a person back with. Errors: StorageError; then the link may be used up."""
        state, code = given.get("state", ""), given.get("code", "")
        if not code:
            return Ended(Ending.NO_CODE)
        consent = await self._ledger.take_consent(state, self._clock.now())
        charge = self._charge_of(consent.channel_id) if consent is not None else None
        if consent is None or charge is None:
            return Ended(Ending.NO_STATE)
        ended = await self._exchange(charge, consent, code, given)
        level = log.info if ended.ending is Ending.GIVEN else log.warning
        level("a consent came back", channel=charge.name, result=ended.ending, reason=ended.reason)
        return ended

    async def _exchange(self, charge: Charge, consent: Consent, code: str, given: Mapping[str, str]) -> Ended:
        for name in self._owners:
            wanted = str(charge.settings.get(name) or "")
            if wanted and given.get(name, wanted) != wanted:
                return Ended(Ending.OTHER_OWNER, charge.name, name)
        now = self._clock.now()
        answer = await charge.grantor.exchange(charge.settings, code, consent, now)
        if isinstance(answer, Failed):
            return Ended(Ending.NOT_GIVEN, charge.name, f"{answer.failure}: {answer.reason}")
        if not answer.access_token or not answer.refresh_token:
            return Ended(Ending.NOT_GIVEN, charge.name, "half_a_pair")
        kept = await keep_fresh(self._ledger, self._clock, charge.channel_id, answer, now)
        return Ended(Ending.GIVEN if kept else Ending.NOT_KEPT, charge.name)


async def keep_fresh(ledger: Grants, clock: Clock, channel_id: int, tokens: Tokens, now: int) -> bool:
    """Keep a pair that exists nowhere else, for a person who waits; False when the ledger is away for too long."""
    until = clock.monotonic() + STORE_S
    while True:
        try:
            return await ledger.keep(channel_id, tokens, now)
        except (StorageError, ConfigError) as error:
            log.warning("a fresh grant could not be stored", channel_id=channel_id, error=error)
            if clock.monotonic() >= until:
                return False
            await clock.sleep(STORE_RETRY_S)
