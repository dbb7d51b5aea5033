"""What an admin sees of the system as a whole: program, ledger, processes, settings with their origin, parts."""

import asyncio
import os
import platform
import sys
from collections.abc import Awaitable, Callable
from typing import Any, Final

from loa import __version__
from loa.app.admin_files import file_state
from loa.app.admin_people import Shown, instant
from loa.app.admin_postgres import look_at, place, remarks
from loa.app.inventory import packages
from loa.errors import NotFound, StorageError
from loa.observe.redact import scrub
from loa.ports.clock import Clock
from loa.ports.ledger import Ledger
from loa.settings.load import Loaded
from loa.settings.show import rows
from loa.settings.tree import Settings

Ask = Callable[[], Awaitable[Any]]
_QUIET: Final = ("detail", "settings")
"""Of a channel, what a support bundle leaves out: words of others, and what it signs in with."""


class SystemDesk:
    """The system. `loaded`: the settings of this process; `url`: where it listens, "" where it is no gateway."""

    def __init__(self, ledger: Ledger, clock: Clock, loaded: Loaded, url: str) -> None:
        self._ledger = ledger
        self._clock = clock
        self._loaded = loaded
        self._url = url

    async def show(self) -> Shown:
        """Say which program runs where, how its ledger does, who shares it, and by which settings."""
        return {
            "at": instant(self._clock.now()),
            "program": self._program(),
            "ledger": await self._store(),
            "restoredAt": instant(await self._ledger.backup_at()),
            "settings": [row._asdict() for row in rows(self._loaded)],
            "packages": [each._asdict() for each in packages()],
        }

    @property
    def _settings(self) -> Settings:
        return self._loaded.settings

    def _program(self) -> Shown:
        return {
            "version": __version__,
            "python": sys.version.split()[0],
            "platform": platform.platform(terse=True),
            "pid": os.getpid(),
            "url": self._url or None,
            "roles": list(self._settings.roles),
            "workers": self._settings.server.workers,
        }

    async def _store(self) -> Shown:
        known = {
            "engine": self._ledger.engine,
            "diskFree": self._ledger.disk_free(),
            "writable": self._ledger.writable(),
            "commitMs": await self._commit(),
        }
        return {**known, **(await self._database() if self._settings.on_postgres else await self._file())}

    async def _commit(self) -> float | None:
        """Say how long one empty commit takes; None where none can be made now. Units: milliseconds."""
        before = self._clock.monotonic()
        try:
            await self._ledger.ping()
        except StorageError:
            return None
        return round((self._clock.monotonic() - before) * 1000, 2)

    async def _file(self) -> Shown:
        path = self._settings.ledger_path
        try:
            state = await asyncio.to_thread(file_state, path)
        except (NotFound, StorageError) as error:
            return {"place": str(path), "problem": str(error)}
        return {"place": str(path), "octets": state.octets, "schema": state.schema, "serves": state.serves}

    async def _database(self) -> Shown:
        try:
            state = await look_at(self._settings)
        except StorageError as error:
            return {"place": place(self._settings), "problem": str(error)}
        return {
            "place": state.place,
            "server": state.version,
            "octets": state.octets,
            "schema": state.schema.schema,
            "serves": state.serves,
            "connections": {"used": state.connections.used, "most": state.connections.most},
            "members": [
                {
                    "name": each.name,
                    "version": each.version,
                    "startedAt": instant(each.started_at),
                    "seenAt": instant(each.seen_at),
                    "slots": each.slots,
                }
                for each in state.members
            ],
            "remarks": [
                {"about": each.about, "weight": each.weight.value, "text": each.text, "cure": each.cure}
                for each in remarks(state)
            ],
        }

    def bundle(self, lanes: Ask, seal: Ask, channels: Ask) -> Ask:
        """Give the verb that puts together what somebody who helps wants to see: no secret, number, text or name."""

        async def bundle() -> Shown:
            shown = await self.show()
            return {
                **shown,
                "lanes": await lanes(),
                "seal": await seal(),
                "channels": [_redacted(each) for each in await channels()],
            }

        return bundle


def _redacted(channel: Shown) -> Shown:
    kept = {name: value for name, value in channel.items() if name not in _QUIET}
    if kept.get("problem"):
        kept["problem"] = scrub(kept["problem"])
    if kept.get("status"):
        kept["status"] = {name: value for name, value in kept["status"].items() if name not in _QUIET}
    return kept
