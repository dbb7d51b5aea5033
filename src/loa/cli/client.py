"""Calls to a running Loa with an API key: what `loa send` and `loa messages` work with.

The key and the address come from the settings `client.api_key` and `client.url`; without a key, a demo in the data
directory lends its own.
"""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

import aiohttp

from loa.app.demo_state import read_state
from loa.cli.failures import Refused, Unreachable
from loa.cli.terminal import Terminal
from loa.errors import Unauthorised

SEND_PATH: Final = "/api/vendor/v1/sms/send-message"
TIMEOUT_S: Final = 60.0


class Client:
    """One caller of one Loa."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self.url = url

    async def get(self, path: str, query: Mapping[str, Any] | None = None) -> Any:
        """Read something. Errors: Refused, Unreachable."""
        wanted = {name: _word(value) for name, value in (query or {}).items() if value not in (None, "", [])}
        return await self._call("GET", path, params=wanted)

    async def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """Hand something in. Errors: Refused, Unreachable."""
        return await self._call("POST", path, json=body)

    async def _call(self, method: str, path: str, **how: Any) -> Any:
        try:
            async with self._session.request(method, self.url + path, **how) as answer:
                text = await answer.text()
                status = answer.status
        except aiohttp.ClientConnectorError as error:
            message = f"no Loa answers at {self.url}: {error.strerror or error}; start one with: loa serve"
            raise Unreachable(message) from error
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise Unreachable(f"the Loa at {self.url} broke off: {type(error).__name__}") from error
        said = _read(text)
        if status >= 400:
            raise Refused(status, _refusal(status, said))
        return said


@asynccontextmanager
async def calling(terminal: Terminal) -> AsyncIterator[Client]:
    """Open a client by the settings. Errors: Unauthorised without a key, ConfigError."""
    key, url = _who(terminal)
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
    async with aiohttp.ClientSession(headers={"API-KEY": key}, timeout=timeout) as session:
        yield Client(session, url.rstrip("/"))


def demo_here(terminal: Terminal) -> bool:
    """Tell whether the key of the demo in the data directory is used."""
    return not terminal.settings.client.api_key and read_state(terminal.settings.data_dir) is not None


def _who(terminal: Terminal) -> tuple[str, str]:
    own = terminal.settings.client
    key = own.api_key.reveal()
    if key:
        return key, own.url
    demo = read_state(terminal.settings.data_dir)
    if demo is None:
        message = "no API key: set LOA_CLIENT__API_KEY, or client.api_key_file in the settings file"
        raise Unauthorised(message)
    chosen = terminal.loaded.origins["client.url"] != "default"
    return demo.api_key, own.url if chosen or not demo.url else demo.url


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _read(text: str) -> Any:
    try:
        return json.loads(text) if text else {}
    except ValueError:
        return {"detail": text[:200]}


def _refusal(status: int, said: Any) -> str:
    """Join what the API says, in its own language: an envelope or a problem."""
    if not isinstance(said, dict):
        return f"HTTP {status}"
    head = said.get("detail") or said.get("message") or f"HTTP {status}"
    errors = said.get("errors") or {}
    if isinstance(errors, dict):
        parts = [f"{where}: {text}" for where, text in errors.items()]
    else:
        parts = [f"{_place(each)}: {each.get('detail', '')}" for each in errors]
    return "; ".join([str(head).rstrip("."), *parts]) if parts else str(head)


def _place(error: Mapping[str, Any]) -> str:
    return str(error.get("pointer") or error.get("parameter") or error.get("header") or "body")
