"""The part of the ledger that reads messages for people and programs."""

from abc import abstractmethod
from typing import Any

from loa.ledger.postgres import search
from loa.ports.channel import Attempt
from loa.ports.records import Found, MessageFilter, Row


class SearchReading:
    """See ports.ledger.Search."""

    @abstractmethod
    async def _read(self, query: Any, tenant_id: int | None = None) -> Any:
        """Run a query on a reading connection. Errors: StorageError."""

    async def submission(self, tenant_id: int, referent_id: str) -> Row | None:
        """See ports.ledger.Search."""
        return await self._read(lambda c: search.submission(c, tenant_id, referent_id), tenant_id)  # type: ignore[no-any-return]

    async def submission_by_token(self, token: str) -> Row | None:
        """See ports.ledger.Search: the token names no tenant, so this looks among all."""
        return await self._read(lambda c: search.submission_by_token(c, token))  # type: ignore[no-any-return]

    async def submission_messages(self, tenant_id: int, referent_id: str, after: int, limit: int) -> list[Row]:
        """See ports.ledger.Search."""
        return await self._read(  # type: ignore[no-any-return]
            lambda c: search.submission_messages(c, tenant_id, referent_id, after, limit), tenant_id
        )

    async def message(self, tenant_id: int, message_id: int) -> Row | None:
        """See ports.ledger.Search."""
        return await self._read(lambda c: search.message(c, tenant_id, message_id), tenant_id)  # type: ignore[no-any-return]

    async def timeline(self, tenant_id: int, message_id: int) -> Row | None:
        """See ports.ledger.Search."""
        return await self._read(lambda c: search.timeline(c, tenant_id, message_id), tenant_id)  # type: ignore[no-any-return]

    async def attempt(self, tenant_id: int, message_id: int, number: int) -> Attempt | None:
        """See ports.ledger.Search."""
        return await self._read(lambda c: search.attempt(c, tenant_id, message_id, number), tenant_id)  # type: ignore[no-any-return]

    async def messages_by_ref(self, tenant_id: int, ref: str, limit: int) -> list[int]:
        """See ports.ledger.Search."""
        return await self._read(lambda c: search.messages_by_ref(c, tenant_id, ref, limit), tenant_id)  # type: ignore[no-any-return]

    async def unknown_by_channel(self, tenant_id: int) -> list[Row]:
        """See ports.ledger.Search."""
        return await self._read(lambda c: search.unknown_by_channel(c, tenant_id), tenant_id)  # type: ignore[no-any-return]

    async def messages(self, tenant_id: int, wanted: MessageFilter, before: int | None, limit: int) -> list[Row]:
        """See ports.ledger.Search."""
        return await self._read(  # type: ignore[no-any-return]
            lambda c: search.messages(c, tenant_id, wanted, before, limit), tenant_id
        )

    async def find_messages(
        self, tenant_id: int, wanted: MessageFilter, before: int | None, limit: int, reach: int
    ) -> Found:
        """See ports.ledger.Search."""
        return await self._read(  # type: ignore[no-any-return]
            lambda c: search.find(c, tenant_id, wanted, before, limit, reach), tenant_id
        )

    async def unknown_waiting(self, tenant_id: int, since: int, limit: int) -> int:
        """See ports.ledger.Search."""
        return await self._read(lambda c: search.unknown_waiting(c, tenant_id, since, limit), tenant_id)  # type: ignore[no-any-return]

    async def events(self, tenant_id: int, after: int, limit: int) -> list[Row]:
        """See ports.ledger.Search."""
        return await self._read(lambda c: search.events(c, tenant_id, after, limit), tenant_id)  # type: ignore[no-any-return]

    async def last_event(self, tenant_id: int) -> int:
        """See ports.ledger.Search."""
        return await self._read(lambda c: search.last_event(c, tenant_id), tenant_id)  # type: ignore[no-any-return]

    async def warnings(self, tenant_id: int, limit: int) -> list[Row]:
        """See ports.ledger.Search."""
        return await self._read(lambda c: search.warnings(c, tenant_id, limit), tenant_id)  # type: ignore[no-any-return]

    async def orphans(self) -> list[Row]:
        """See ports.ledger.Search."""
        return await self._read(search.orphans)  # type: ignore[no-any-return]

    async def depths(self) -> list[Row]:
        """See ports.ledger.Search."""
        return await self._read(search.depths)  # type: ignore[no-any-return]
