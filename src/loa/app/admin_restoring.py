"""What an admin does with a ledger that was restored from a backup: lets it go on, with or without what waits in it."""

from collections import Counter
from typing import Final

from loa.app.admin_people import Shown, instant
from loa.domain.traffic import TrafficClass
from loa.errors import CallerError
from loa.ports.clock import Clock
from loa.ports.ledger import Ledger

HOLD_AT_ONCE: Final = 1_000


class RestoreDesk:
    """The release of a restored ledger."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock

    async def release(self, *, hold: bool) -> Shown:
        """Release a restored ledger; with `hold` all that waits in it ends as unknown before, and is never sent.

        The mark goes last, so a release that was broken off is simply done again. Errors: CallerError when the ledger
        is no restored one.
        """
        at = await self._ledger.backup_at()
        if at is None:
            raise CallerError(
                "not_restored",
                "this ledger was not restored from a backup, or is released: loa serve takes it as it is",
            )
        counts = await self._hold() if hold else await self._queued()
        for user in await self._ledger.users():
            # Some of them may have been ended since.
            await self._ledger.end_sign_ins(user.id)
        await self._ledger.release()
        messages = {each.label: counts[each.label] for each in TrafficClass}
        return {"backupAt": instant(at or None), "way": "hold" if hold else "send", "messages": messages}

    async def _hold(self) -> Counter[str]:
        ended: Counter[str] = Counter()
        while page := await self._ledger.hold(HOLD_AT_ONCE, self._clock.now()):
            ended.update({each.label: count for each, count in page.items()})
        return ended

    async def _queued(self) -> Counter[str]:
        waiting: Counter[str] = Counter()
        for row in await self._ledger.depths():
            waiting[row["class"]] += row["count"]
        return waiting
