"""HTTP listeners: uvicorn with its signal handling left to the gateway."""

import asyncio
import contextlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from loa.errors import ConfigError

BACKLOG = 2_048


class _Joined:
    """A transport whose writes of one turn of the loop leave in one system call.

    uvicorn writes head and body of an answer apart; together they cost a fifth of an accept.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._held: list[bytes] = []

    def write(self, data: bytes) -> None:
        """Hold the data until the end of this turn."""
        if not self._held:
            self._loop.call_soon(self._flush)
        self._held.append(data)

    def _flush(self) -> None:
        held, self._held = self._held, []
        if held:
            self._transport.write(held[0] if len(held) == 1 else b"".join(held))

    def close(self) -> None:
        """Write what is held, then close."""
        self._flush()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class OnlyPaths:
    """Lets some paths through to an application and knows no other."""

    def __init__(self, app: Any, paths: frozenset[str]) -> None:
        self._app = app
        self._paths = paths

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one request; a path that is not listed is answered as unknown by the application itself."""
        known = scope["path"] in self._paths
        await self._app(scope if known else {**scope, "path": "/", "raw_path": b"/"}, receive, send)


class _Protocol(HttpToolsProtocol):
    """uvicorn's protocol over a joined transport."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a new connection."""
        super().connection_made(cast("asyncio.Transport", _Joined(transport, self.loop)))


class Listener(uvicorn.Server):
    """One uvicorn server on sockets that were bound beforehand."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to whoever runs the gateway."""
        yield


def make_listener(
    app: Any, *, keep_alive_s: int, trusted_proxies: tuple[str, ...] = (), drain_s: float = 30.0
) -> Listener:
    """Build a server for an ASGI application; it logs nothing of its own and adds no headers.

    When it stops, requests under way have `drain_s` to come to their end.
    """
    return Listener(
        uvicorn.Config(
            app,
            loop="uvloop",
            http=_Protocol,
            ws="none",
            lifespan="off",
            access_log=False,
            log_config=None,
            server_header=False,
            date_header=False,
            backlog=BACKLOG,
            timeout_keep_alive=keep_alive_s,
            timeout_graceful_shutdown=max(1, round(drain_s)),
            proxy_headers=bool(trusted_proxies),
            forwarded_allow_ips=list(trusted_proxies) or None,
        )
    )


def bind_several(host: str, port: int, count: int) -> list[socket.socket]:
    """Bind so many TCP listeners to one port: the kernel spreads new connections over them. Errors: as `bind`."""
    # A port that somebody has must be refused here too, where sharing it would be allowed.
    alone = bind(host, port)
    port = alone.getsockname()[1]
    alone.close()
    return [bind(host, port, shared=True) for _ in range(count)]


def bind(host: str, port: int, *, shared: bool = False) -> socket.socket:
    """Bind a TCP listener; `shared` lets others of this user have the port too.

    Errors: ConfigError that says what to choose instead.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, int(shared))
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        message = f"cannot listen on {host}:{port}: {error.strerror}; choose another port with --port"
        raise ConfigError(message, host=host, port=port) from error
    listener.setblocking(False)
    return listener


def is_free(host: str, port: int) -> bool:
    """Tell whether a port of this machine can be had."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, port))
        except OSError:
            return False
    return True


def url_of(bound: socket.socket) -> str:
    """Write the address of a TCP listener."""
    host, port = bound.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def bind_local(path: Path) -> socket.socket:
    """Bind the control socket: a file only this user may use."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        listener.bind(str(path))
    except OSError as error:
        listener.close()
        raise ConfigError(f"cannot make the control socket {path}: {error}; use a shorter data directory") from error
    finally:
        os.umask(before)
    listener.listen(64)
    listener.setblocking(False)
    return listener
