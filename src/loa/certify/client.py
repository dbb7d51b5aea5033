"""A client that writes down what it was promised: a line is synced to disk for every request that was acknowledged."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import aiohttp

OTP, TRANSACTIONAL, ADVERTISING = 2, 0, 1
CLASS_NAMES: Final = {OTP: "otp", TRANSACTIONAL: "transactional", ADVERTISING: "advertising"}
ACKNOWLEDGED: Final = (200, 201)
SENDER: Final = "LOA"
SHORT_TEXT: Final = "Your code is 1234"
LONG_TEXT: Final = "A long notice that takes several segments on the air. " * 6
PAGE: Final = 500


@dataclass
class Ask:
    """One request and what became of it. `statuses`: every answer, 0 for a broken connection."""

    request_id: str
    kind: int
    destinations: tuple[str, ...]
    text: str
    statuses: list[int] = field(default_factory=list)
    replies: list[dict[str, Any]] = field(default_factory=list)
    retry_after: str = ""

    @property
    def acknowledged(self) -> bool:
        """Whether any answer was a 2xx."""
        return bool(self.replies)

    @property
    def numbers(self) -> list[str]:
        """The destinations as the ledger and the SMSC write them."""
        return [f"84{destination[1:]}" for destination in self.destinations]

    def body(self) -> dict[str, Any]:
        """Write the request."""
        return {
            "destinations": list(self.destinations),
            "from": SENDER,
            "text": self.text,
            "requestId": self.request_id,
            "useUnicode": 1,
            "type": self.kind,
        }


class Client:
    """Sends, keeps what was asked in memory and what was promised on disk."""

    def __init__(self, journal: Path) -> None:
        self._file = os.open(journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._session: aiohttp.ClientSession | None = None
        self._numbers = 0
        self.key = ""
        self.url = ""
        self.asks: list[Ask] = []

    def ask(self, kind: int, destinations: int = 1, text: str = SHORT_TEXT) -> Ask:
        """Think of a request; every destination is a number of its own."""
        first = self._numbers + 1
        self._numbers += destinations
        numbers = tuple(f"09{12_000_000 + number:08d}" for number in range(first, first + destinations))
        ask = Ask(f"ask-{len(self.asks) + 1}", kind, numbers, text)
        self.asks.append(ask)
        return ask

    def asks_of_each_class(self) -> list[Ask]:
        """Think of a request of each class; the transactional one has two destinations."""
        return [self.ask(OTP), self.ask(TRANSACTIONAL, 2), self.ask(ADVERTISING)]

    async def point_at(self, url: str, key: str) -> None:
        """Talk to another incarnation of Loa."""
        await self.leave()
        self.url, self.key = url, key
        self._session = aiohttp.ClientSession(headers={"API-KEY": key})

    async def send(self, ask: Ask) -> int:
        """Send a request; give the status, 0 when no answer came."""
        assert self._session is not None
        try:
            async with self._session.post(f"{self.url}/api/vendor/v1/sms/send-message", json=ask.body()) as response:
                answer = await response.json()
                status = response.status
                ask.retry_after = response.headers.get("Retry-After", "")
        except aiohttp.ClientError:
            ask.statuses.append(0)
            return 0
        ask.statuses.append(status)
        if status in ACKNOWLEDGED:
            promise = {"requestId": ask.request_id, "numbers": ask.numbers, **answer["data"]}
            os.write(self._file, json.dumps(promise).encode() + b"\n")
            os.fsync(self._file)
            ask.replies.append(answer)
        return status

    async def get(self, path: str, **query: str | int) -> Any:
        """Read from the native API. Errors: aiohttp.ClientError."""
        assert self._session is not None
        async with self._session.get(f"{self.url}/api/v1/{path}", params=query, raise_for_status=True) as response:
            return await response.json()

    async def pages(self, path: str, member: str, **query: str | int) -> list[dict[str, Any]]:
        """Read a paged list to its end. Errors: aiohttp.ClientError."""
        rows: list[dict[str, Any]] = []
        cursor_name = "after" if member == "events" else "cursor"
        while True:
            page = await self.get(path, limit=PAGE, **query)
            rows += page[member]
            if not page["nextCursor"] or not page[member]:
                return rows
            query[cursor_name] = page["nextCursor"]

    async def leave(self) -> None:
        """Close connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def close(self) -> None:
        """Close connections and the journal."""
        await self.leave()
        os.close(self._file)


def unanswered(asks: Sequence[Ask]) -> list[Ask]:
    """Name the requests that were never acknowledged."""
    return [ask for ask in asks if not ask.acknowledged]
