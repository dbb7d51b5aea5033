"""Runs one scenario of the ledger alone once: on one engine, by one process or two, empty or full, free or held."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import asyncpg

from ledger_history import fill_postgres, fill_sqlite
from ledger_life import IDLE_S, PATIENCE_S
from machine import Meter
from postgres_server import PostgresServer
from scenarios import Scenario
from tools import BENCH, BenchError, Json

TWO, HISTORY, HELD = "-2", "-history", "-held"
"""How the names of variants end: two processes; on a ledger that is full; with a snapshot held."""
APART = 10_000_000
"""Between the first destinations of two processes."""


class Worker:
    """One process that lives messages, see ledger_life.py."""

    def __init__(self, database: str, folder: Path, **options: object) -> None:
        words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
        command = [
            sys.executable,
            str(BENCH / "ledger_life.py"),
            "--database",
            database,
            "--folder",
            str(folder),
            *words,
        ]
        self._log = folder / "life.log"
        folder.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, start_new_session=True
            )
        self._hear()

    def _hear(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            said = [each.strip(" |") for each in self._log.read_text(errors="replace").splitlines() if "rror: " in each]
            raise BenchError(f"a process on the ledger ended: {said[-1] if said else 'no word'} (see {self._log})")
        return line

    def say(self) -> None:
        """Have it begin, or end."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def figures(self) -> Json:
        """Wait for its figures; it then waits for a word to end."""
        told: Json = json.loads(self._hear())
        return told

    def stop(self) -> None:
        """Let it end in order, or end it."""
        try:
            self.process.communicate("\n", timeout=PATIENCE_S)
        except (subprocess.TimeoutExpired, BrokenPipeError, ValueError):
            self.process.kill()
            self.process.wait()


class Grounds:
    """Where lives are led: one engine, a fresh ledger each time, and one with history, filled once a session."""

    def __init__(self, engine: str, work: Path, server: PostgresServer | None = None) -> None:
        self.engine = engine
        self._work = work
        self._server = server
        self._full = ""
        self.fill_seconds = 0.0
        self.filled = 0

    @property
    def server(self) -> PostgresServer | None:
        """The server, where there is one."""
        return self._server

    def up(self) -> None:
        """Have the server run, where there is one."""
        if self._server is not None:
            self._server.start()

    def down(self) -> None:
        """Let the machine be."""
        if self._server is not None:
            self._server.rest()

    def fresh(self, directory: Path) -> str:
        """Make a ledger that holds nothing and give its URL."""
        if self._server is None:
            return f"sqlite:///{directory / 'loa.db'}"
        url = self._server.fresh()
        self._server.checkpoint()
        return url

    def full(self, messages: int) -> str:
        """Give the ledger with history; the first time it is filled."""
        if not self._full:
            directory = self._work / f"history-{self.engine}"
            self._full = self.fresh(directory)
            run_workers(self._full, directory, messages=100, life="delivered")
            began = time.monotonic()
            if self._server is None:
                fill_sqlite(directory / "loa.db", messages)
            else:
                asyncio.run(fill_postgres(self._server.admin_url(self._full), messages))
            self.fill_seconds, self.filled = time.monotonic() - began, messages
            print(
                f"  {self.engine}: {messages:,} finished messages filled in, in {self.fill_seconds:.0f} s", flush=True
            )
        if self._server is not None:
            self._server.checkpoint()
        return self._full

    def done(self, url: str) -> None:
        """Forget a fresh ledger; the full one stays."""
        if self._server is not None and url != self._full:
            self._server.drop(url)

    def remove(self) -> None:
        """Delete what was filled; the server's goes with the server."""
        if self._server is None:
            shutil.rmtree(self._work / f"history-{self.engine}", ignore_errors=True)

    def pids(self) -> list[int]:
        return self._server.pids() if self._server is not None else []

    @contextmanager
    def held(self, url: str) -> Iterator[None]:
        """Hold a snapshot of the ledger open meanwhile, as a dump or a forgotten transaction does."""
        assert self._server is not None
        opened, over = threading.Event(), threading.Event()
        thread = threading.Thread(target=lambda: asyncio.run(_hold(self._server.admin_url(url), opened, over)))
        thread.start()
        if not opened.wait(PATIENCE_S):
            over.set()
            raise BenchError("the snapshot could not be opened")
        try:
            yield
        finally:
            over.set()
            thread.join()


async def _hold(url: str, opened: threading.Event, over: threading.Event) -> None:
    connection = await asyncpg.connect(url, timeout=30)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            await connection.fetchval("SELECT count(*) FROM loa.queue")
            opened.set()
            await asyncio.to_thread(over.wait)
    finally:
        await connection.close()


def run_workers(
    database: str,
    folder: Path,
    processes: int = 1,
    *,
    pids: list[int] | None = None,
    meanwhile: AbstractContextManager[None] | None = None,
    **options: object,
) -> Json:
    """Have processes lead lives at the same time, once all are ready; give what they did together."""
    workers: list[Worker] = []
    try:
        for number in range(processes):
            first = number * APART
            # One that is alone knows that it is done when it has nothing left.
            idle = 0.0 if processes == 1 else IDLE_S
            workers.append(Worker(database, folder / f"node-{number + 1}", first=first, idle=idle, **options))
        with meanwhile or nullcontext():
            meter = Meter([worker.process.pid for worker in workers], [], pids or [])
            meter.start()
            for worker in workers:
                worker.say()
            told = [worker.figures() for worker in workers]
            return _together(told, meter.stop())
    finally:
        for worker in workers:
            worker.stop()


def _together(told: list[Json], used: dict[str, float]) -> Json:
    begun, ended = min(each["firstNs"] for each in told), max(each["lastNs"] for each in told)
    summed = {name: sum(each[name] for each in told) for name in ("accepted", "claimed", "sent", "delivered", "told")}
    claiming = sum(each["claimSeconds"] for each in told) / len(told)
    halves = [each["rssMiB"][len(each["rssMiB"]) // 2 :] for each in told]
    return {
        **summed,
        **used,
        "seconds": max(1, ended - begun) / 1e9,
        "rowsPerSecond": summed["accepted"] / max(1, ended - begun) * 1e9,
        "claimsPerSecond": summed["claimed"] / max(claiming, 1e-9),
        "rssStartMiB": sum(each["rssMiB"][0] for each in told),
        "rssEndMiB": sum(each["rssMiB"][-1] for each in told),
        "rssGrowthMiB": max(half[-1] - half[0] for half in halves),
    }


def measure_life(grounds: Grounds, scenario: Scenario, variant: str, directory: Path, scale: float) -> dict[str, Any]:
    """One run of one variant: each life of the scenario in turn. Units: as the names say; CPU a 1,000 messages."""
    grounds.up()
    try:
        figures: dict[str, Any] = {"engine": grounds.engine}
        for life in scenario.lives:
            messages = max(scenario.destinations * 10, round(scenario.messages * scale))
            history = max(1_000, round(scenario.history * scale)) if variant.endswith(HISTORY) else 0
            led = _lead(grounds, scenario, variant, directory / life, life, messages, history)
            figures |= _figures(life, led, messages)
        if grounds.filled:
            figures |= {"fillSeconds": grounds.fill_seconds, "historyMessages": grounds.filled}
        return figures
    finally:
        grounds.down()


def _lead(
    grounds: Grounds, scenario: Scenario, variant: str, directory: Path, life: str, messages: int, history: int
) -> Json:
    directory.mkdir(parents=True, exist_ok=True)
    processes = 2 if variant.endswith(TWO) else 1
    url = grounds.full(history) if history else grounds.fresh(directory)
    try:
        return run_workers(
            url,
            directory,
            processes,
            pids=grounds.pids(),
            meanwhile=grounds.held(url) if variant.endswith(HELD) else None,
            life=life,
            messages=messages // processes,
            destinations=scenario.destinations,
            callers=scenario.connections,
        )
    finally:
        grounds.done(url)


def _figures(life: str, led: Json, messages: int) -> dict[str, Any]:
    """Name what one life came to; what names no life is that of the longest, which comes last."""
    reached = led["sent"] if life == "sent" else led["delivered"]
    figures = {
        f"{life}PerSecond": led["rowsPerSecond"],
        f"{life}CpuSecondsPer1000": led["gatewayCpuSeconds"] / messages * 1000,
        f"{life}Missing": led["accepted"] - reached,
        "claimsPerSecond": led["claimsPerSecond"],
        "othersShare": led["othersShare"],
        "peakRssMiB": led["peakRssMiB"],
        "rssStartMiB": led["rssStartMiB"],
        "rssEndMiB": led["rssEndMiB"],
        "rssGrowthMiB": led["rssGrowthMiB"],
        life: led,
    }
    if "databaseCpuSeconds" in led:
        figures[f"{life}DatabaseCpuSecondsPer1000"] = led["databaseCpuSeconds"] / messages * 1000
        figures[f"{life}AllCpuSecondsPer1000"] = (
            (led["gatewayCpuSeconds"] + led["databaseCpuSeconds"]) / messages * 1000
        )
        figures |= {"databaseMiB": led["databaseMiB"], "databaseSharedMiB": led["databaseSharedMiB"]}
    return figures
