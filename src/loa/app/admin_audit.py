"""What an admin reads of the audit log: entries by who, what, on whom and when, and whether the chain holds."""

from typing import Final

from loa.app.admin_people import Shown
from loa.domain.callback_body import utc_text
from loa.ports.users import Deed, Entry, Users

AUDIT_PAGE: Final = 1_000
LOOKED_AT: Final = 20_000
"""Entries that one call looks at: a filter that fits few of them must not read the whole log."""
SKEW_MS: Final = 86_400_000
"""A clock that was set back by less than this hides no entry."""


class _Wanted:
    """Which entries are wanted."""

    def __init__(self, who: str, verb: str, subject: str, since: int | None, until: int | None) -> None:
        self._who, self._verb, self._subject = who, verb.rstrip("."), subject
        self.since, self.until = since, until

    def fits(self, deed: Deed) -> bool:
        """Tell whether a deed is wanted."""
        return (
            self._who in ("", deed.who)
            and (self._verb in ("", deed.verb) or deed.verb.startswith(f"{self._verb}."))
            and self._subject in ("", deed.subject)
            and (self.since is None or deed.at >= self.since)
            and (self.until is None or deed.at < self.until)
        )


class AuditDesk:
    """The audit log."""

    def __init__(self, users: Users) -> None:
        self._users = users

    async def list_deeds(
        self,
        *,
        before: int | None = None,
        limit: int = 100,
        who: str = "",
        verb: str = "",
        subject: str = "",
        since: int | None = None,
        until: int | None = None,
        check: bool = True,
    ) -> Shown:
        """Give the audit log from new to old, and the first entry that does not fit, null where all do.

        `verb` is one, or the beginning of several up to a full stop. `until` is not included. `next`: the id below
        which to go on, null where nothing older is left; where few entries fit, a page may be short and have one.
        """
        wanted = _Wanted(who, verb, subject, since, until)
        entries, following = await self._find(wanted, before, max(1, min(limit, AUDIT_PAGE)))
        return {
            "entries": [_entry(each) for each in entries],
            "next": following,
            "broken": await self._users.check_audit() if check else None,
        }

    async def export(
        self,
        *,
        who: str = "",
        verb: str = "",
        subject: str = "",
        since: int | None = None,
        until: int | None = None,
    ) -> Shown:
        """Give the first page of entries that are taken out of Loa; `list_deeds` gives the following ones."""
        return await self.list_deeds(
            limit=AUDIT_PAGE, who=who, verb=verb, subject=subject, since=since, until=until, check=False
        )

    async def _find(self, wanted: _Wanted, before: int | None, limit: int) -> tuple[list[Entry], int | None]:
        position, seen = await self._start(wanted.until, before), 0
        found: list[Entry] = []
        while page := await self._users.audit(position, AUDIT_PAGE):
            for entry in page:
                if wanted.since is not None and entry.deed.at < wanted.since - SKEW_MS:
                    return found, None
                if not wanted.fits(entry.deed):
                    continue
                if len(found) == limit:
                    return found, found[-1].id
                found.append(entry)
            seen, position = seen + len(page), page[-1].id
            if seen >= LOOKED_AT:
                return found, position
        return found, None

    async def _start(self, until: int | None, before: int | None) -> int | None:
        """Find the id to begin below: numbered without a gap, entries can be halved by time."""
        newest = await self._users.audit(before, 1)
        if until is None or not newest:
            return before
        low, high = 1, newest[0].id + 1
        while low < high:
            middle = (low + high) // 2
            at = [each.deed.at for each in await self._users.audit(middle + 1, 1)]
            low, high = (low, middle) if at and at[0] >= until + SKEW_MS else (middle + 1, high)
        return low


def _entry(entry: Entry) -> Shown:
    deed = entry.deed
    return {
        "id": entry.id,
        "at": utc_text(deed.at),
        "who": deed.who,
        "verb": deed.verb,
        "subject": deed.subject,
        "before": dict(deed.before),
        "after": dict(deed.after),
        "address": deed.address,
    }
