"""Copies an embedded ledger into a PostgreSQL database, whole and proved, so that work goes on there.

May be killed at any moment and run again: each batch is written together with how far the copy came. The last steps
have an order: first the file is marked, so that no Loa starts on it, then the database is opened to Loa; between the
two neither can start, so nothing is ever sent by both.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from loa.app.ledgers import key_source
from loa.domain.callback_body import utc_text
from loa.errors import CannotOpen, ConfigError, StorageError
from loa.ledger.postgres.copying import Column, Mark, Target, differs, digest_of
from loa.ledger.postgres.days import day_of
from loa.ledger.sqlite.copying import STEPS, Key, Page, Source, Step
from loa.ledger.sqlite.moved import refuse_moved
from loa.ports.clock import Clock
from loa.ports.sealing import KeyState, KeyUse
from loa.seal.keyfile import NAME, KeyFile
from loa.seal.sealer import KeySource
from loa.settings.about import ledger_url
from loa.settings.secret import Secret
from loa.settings.tree import Settings

PAGE_ROWS: Final = 5_000

Progress = Callable[[str, int, int], None]
"""Told what is being done, how many rows of all are done with it, and how many there are."""


@dataclass(frozen=True, slots=True)
class Ends:
    """From where to where. `owner`: address of the role that owns the tables, "" where it is that of `url`.

    `keys`: the master keys that a Loa on the target will have; None: those beside the file.
    """

    path: Path
    url: str
    owner: str = ""
    keys: KeySource | None = None

    @property
    def master_keys(self) -> KeySource:
        """Where the master keys lie with which work goes on."""
        return self.keys or KeyFile(self.path.with_name(NAME))


@dataclass(frozen=True, slots=True)
class Copied:
    """What was copied. `again`: it had been before, and nothing was done now."""

    place: str
    rows: Mapping[str, int]
    again: bool = False


def ends(settings: Settings, source: str | None, target: str | None) -> Ends:
    """Read the two addresses; without them the file and the database that the settings name.

    Errors: ConfigError; what an address says is never repeated, it may hold a password.
    """
    own_file = source is None and not settings.on_postgres
    given = settings if own_file else replace(settings, database=Secret(source or ""))
    if ledger_url(given.database) or given.on_postgres:
        raise ConfigError("--from must be sqlite:///PATH, as in sqlite:////var/lib/loa/loa.db")
    wanted = settings if target is None else replace(settings, database=Secret(target))
    if ledger_url(wanted.database) or not wanted.on_postgres:
        raise ConfigError("name the target: --to postgresql://USER:PASSWORD@HOST:PORT/NAME, or the setting database")
    return Ends(given.ledger_path, wanted.database.reveal(), settings.postgres.owner.reveal(), key_source(settings))


async def copy_ledger(chosen: Ends, clock: Clock, progress: Progress, page_rows: int = PAGE_ROWS) -> Copied:
    """Copy a ledger, or go on with a copy that was broken off.

    Sealed values are copied as they are. Errors: NotFound, LedgerBusy, CallerError when the target is not empty,
    CannotOpen before anything is copied when a master key is missing, ConfigError, StorageError.
    """
    with closing(Source.open(chosen.path)) as source:
        _refuse_missing(source.master_keys, chosen)
        target = await Target.open(chosen.url, chosen.owner)
        try:
            return await _Copy(source, target, clock, progress, page_rows).run()
        finally:
            await target.close()


def _refuse_missing(keys: Mapping[str, KeyState], chosen: Ends) -> None:
    """Refuse a copy that could not be opened: there is no way back from it once work goes on. Errors: CannotOpen."""
    have, where = set(chosen.master_keys.read().ids), chosen.master_keys.where
    for key_id, state in keys.items():
        if state.use is not KeyUse.FORMER and key_id not in have:
            raise CannotOpen(
                f"the ledger {chosen.path} is sealed with master key {key_id}, which is not in {where}: bring it there"
                f" from the key file of that ledger, by default {chosen.path.with_name(NAME)}, or name that file with"
                " --set seal.key_file=PATH; every Loa on the target needs it too. Nothing was copied",
                key_id=key_id,
            )


class _Copy:
    def __init__(self, source: Source, target: Target, clock: Clock, progress: Progress, page_rows: int) -> None:
        self._source = source
        self._target = target
        self._clock = clock
        self._progress = progress
        self._page_rows = page_rows
        self._marks: dict[str, Mark] = {}
        self._columns: dict[str, list[Column]] = {}
        self._totals: dict[str, int] = {}
        self._day = 0

    async def run(self) -> Copied:
        source, target = self._source, self._target
        task = await target.task(source.identity)
        if task is None:
            refuse_moved(source.path)
            task = await target.begin(source.identity, day_of(self._clock.now()), [step.name for step in STEPS])
        self._day = task.day
        self._marks = dict(await target.marks())
        if not task.is_over:
            await self._make()
        if not source.moved_to:
            source.note_moved(target.place, utc_text(self._clock.now()))
        if not task.is_over:
            self._tell("opening the database", 0)
            await target.finish()
        return Copied(target.place, {step.name: self._mark(step).rows for step in STEPS}, task.is_over)

    async def _make(self) -> None:
        self._totals = await asyncio.to_thread(lambda: {step.name: self._source.total(step) for step in STEPS})
        for step in STEPS:
            self._columns[step.name] = await self._target.columns(step.name, self._source.columns(step))
            await self._copy(step)
        proved = 0
        for step in STEPS:
            self._tell(f"proving {step.name}", proved)
            await self._prove(step)
            proved += self._mark(step).rows
        source = self._source
        await self._target.settle(source.boot, source.revision, source.backup_at, source.master_keys, source.figured)

    def _mark(self, step: Step) -> Mark:
        return self._marks.get(step.name) or Mark(step.before)

    def _tell(self, what: str, done: int) -> None:
        self._progress(what, done, sum(self._totals.values()))

    async def _copy(self, step: Step) -> None:
        """Copy what is left of a table; the next page is read while this one is written."""
        reading = self._read(step, self._mark(step).after)
        try:
            while True:
                page, digest = await reading
                if not page.rows:
                    return
                reading = self._read(step, page.last)
                before = self._mark(step)
                mark = Mark(page.last, before.rows + len(page.rows), before.digest + digest)
                await self._target.write(step.name, self._columns[step.name], page.rows, mark)
                self._marks[step.name] = mark
                self._tell(f"copying {step.name}", sum(each.rows for each in self._marks.values()))
        finally:
            await asyncio.gather(reading, return_exceptions=True)

    def _read(self, step: Step, after: Key) -> "asyncio.Task[tuple[Page, int]]":
        columns = self._columns[step.name]

        def read() -> tuple[Page, int]:
            page = self._source.page(step, after, self._page_rows, self._day)
            return page, digest_of(columns, page.rows)

        return asyncio.create_task(asyncio.to_thread(read))

    async def _prove(self, step: Step) -> None:
        """Compare what was read, what the file holds, and what the server has. Errors: StorageError."""
        mark, total = self._mark(step), self._totals[step.name]
        if mark.rows != total:
            raise StorageError(f"of {step.name} {mark.rows} rows were read and {total} are there: run loa ledger check")
        given = (mark.rows, mark.digest)
        found = await self._target.prove(step.name, self._columns[step.name])
        if found != given:
            raise differs(step.name, given, found)
