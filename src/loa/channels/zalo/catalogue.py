"""The templates of an Official Account, read from Zalo page by page, then one by one.

A page says which templates there are; only the detail of each says what its parameters are, what it costs and how much
of its quota is left. A template that is not enabled is asked for again only when its line on the page has changed.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import aiohttp

from loa.channels.zalo.described import listed, read_detail, read_line
from loa.domain.template import ENABLED, Template
from loa.ports.channel import Asking, Described, Undescribed

LIST_PATH: Final = "/template/all"
DETAIL_PATH: Final = "/template/info/v2"
PAGE_ROWS: Final = 100
PAGES_MAX: Final = 100
ANSWER_OCTETS: Final = 4 * 1024 * 1024
TIMEOUT_S: Final = 30.0
BETWEEN_S: Final = 0.1
"""Ten requests a second at most, where an app may make 4,000 a minute: sending never waits for this."""

TOKEN_CODES: Final = frozenset({-124, -216, -220})


class _Refusal(Exception):
    def __init__(self, reason: str, token: bool = False) -> None:
        super().__init__(reason)
        self.reason, self.token = reason, token


async def read_catalogue(session: aiohttp.ClientSession, origin: str, asking: Asking) -> Described | Undescribed:
    """Read all templates of the account that the token belongs to. `origin`: scheme and host of the business API."""
    calls = _Calls(session, origin.rstrip("/"), asking)
    try:
        lines = await _lines(calls)
        return await _details(calls, lines)
    except _Refusal as refusal:
        return Undescribed(refusal.reason, refusal.token)


async def _lines(calls: "_Calls") -> list[Mapping[str, Any]]:
    lines: list[Mapping[str, Any]] = []
    for page in range(PAGES_MAX):
        data = await calls.get(LIST_PATH, {"offset": page * PAGE_ROWS, "limit": PAGE_ROWS, "filterPreset": 0})
        if not isinstance(data, list):
            # Read as an empty page it would have every template taken for gone.
            raise _Refusal("answer_unreadable")
        lines += [row for row in data if isinstance(row, Mapping) and listed(row)]
        if len(data) < PAGE_ROWS:
            break
    return lines


async def _details(calls: "_Calls", lines: Sequence[Mapping[str, Any]]) -> Described:
    """Read what is new or changed. One that cannot be read stays as it was known, so that it is not taken for gone."""
    known = {each.template_id: each for each in calls.asking.known}
    found: dict[str, Template] = {}
    problem = ""
    for line in lines:
        short = read_line(calls.asking.channel_id, line)
        before = known.get(short.template_id)
        if before is not None and short.status != ENABLED and _same(before, short):
            found[short.template_id] = before
            continue
        try:
            data = await calls.get(DETAIL_PATH, {"template_id": short.template_id})
            found[short.template_id] = read_detail(short, data if isinstance(data, Mapping) else {})
        except _Refusal as refusal:
            if refusal.token:
                raise
            problem = problem or f"template {short.template_id}: {refusal.reason}"
            if before is not None:
                found[short.template_id] = replace(before, status=short.status)
    return Described(tuple(found.values()), problem)


def _same(before: Template, short: Template) -> bool:
    return (before.name, before.status, before.quality) == (short.name, short.status, short.quality)


class _Calls:
    """GET requests of one look, with a short pause before each but the first."""

    def __init__(self, session: aiohttp.ClientSession, origin: str, asking: Asking) -> None:
        self._session = session
        self._origin = origin
        self._begun = False
        self.asking = asking

    async def get(self, path: str, query: Mapping[str, Any]) -> Any:
        """Give the data of an answer. Errors: _Refusal."""
        if self._begun:
            await self.asking.pause(BETWEEN_S)
        self._begun = True
        try:
            async with self._session.get(
                self._origin + path,
                params={name: str(value) for name, value in query.items()},
                headers={"access_token": self.asking.token},
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=TIMEOUT_S),
            ) as answer:
                body = await answer.content.read(ANSWER_OCTETS)
                while not answer.content.at_eof() and len(body) < ANSWER_OCTETS:
                    body += await answer.content.read(ANSWER_OCTETS - len(body))
                status = answer.status
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
            raise _Refusal("connect_failed") from None
        except TimeoutError:
            raise _Refusal("response_timeout") from None
        except aiohttp.ClientError:
            raise _Refusal("connection_lost") from None
        return _data(status, body)


def _data(status: int, body: bytes) -> Any:
    """Take the envelope apart; it says what went wrong even under HTTP 200."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        said = None
    code = said.get("error") if isinstance(said, Mapping) else None
    if isinstance(code, int) and not isinstance(code, bool) and code != 0:
        raise _Refusal(f"zalo_{code}", token=code in TOKEN_CODES)
    if status != 200:
        raise _Refusal(f"http_{status}")
    if not isinstance(said, Mapping) or code != 0:
        raise _Refusal("answer_unreadable")
    return said.get("data")
