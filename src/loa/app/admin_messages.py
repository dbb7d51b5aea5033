"""What an admin does with messages: say what became of them, and take them back."""

from collections import Counter
from typing import Annotated, Final

from pydantic import Field, StringConstraints

from loa.app.admin_people import DEFAULT_TENANT, Name, Shown, tenant_named
from loa.domain.ids import message_id_from
from loa.domain.ruling import Effect, Ruling
from loa.errors import CallerError
from loa.ports.clock import Clock
from loa.ports.ledger import Ledger
from loa.ports.records import Decision

AT_ONCE: Final = 500
MessageIds = Annotated[tuple[str, ...], Field(min_length=1, max_length=AT_ONCE)]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300)]


class MessageDesk:
    """Messages of a tenant, by their public ids."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock

    async def settle(
        self, *, messages: MessageIds, ruling: Ruling, reason: Reason, who: Name, tenant: Name = DEFAULT_TENANT
    ) -> Shown:
        """Say what became of unknown messages, or that dead letters are dealt with; nothing is sent.

        Errors: NotFound, CallerError.
        """
        owner = await tenant_named(self._ledger, tenant)
        ids = {message_number(each): each for each in messages}
        decision = Decision(ruling, reason, who, self._clock.now())
        effects = await self._ledger.rule(owner.id, list(ids), decision)
        return _shown({ids[number]: effect for number, effect in effects.items()})

    async def cancel(self, *, messages: MessageIds, tenant: Name = DEFAULT_TENANT) -> Shown:
        """Take back messages that are still queued. Errors: NotFound, CallerError."""
        owner = await tenant_named(self._ledger, tenant)
        ids = {each: message_number(each) for each in messages}
        now = self._clock.now()
        effects = {}
        for public, number in ids.items():
            effects[public] = _CANCELLED[await self._ledger.cancel_message(owner.id, number, now)]
        return _shown(effects)


_CANCELLED: Final = {True: Effect.DONE, False: Effect.UNFIT, None: Effect.MISSING}


def message_number(public: str) -> int:
    """Read the public id of a message. Errors: CallerError."""
    number = message_id_from(public)
    if number is None:
        raise CallerError("message_id", f"{public!r} is no id of a message; it looks like msg_1B4")
    return number


def _shown(effects: dict[str, Effect]) -> Shown:
    counts = Counter(effects.values())
    return {
        **{effect.value: counts[effect] for effect in Effect},
        "messages": {public: effect.value for public, effect in effects.items()},
    }
