"""API workers are started, watched, restarted and ended, and never outlive whoever watches them."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import uvloop

from loa.app import workers
from loa.app.servers import bind, bind_several
from loa.app.workers import Workers, of_a_worker, of_the_parent, read, written
from loa.errors import ConfigError
from loa.observe.clock import SystemClock
from loa.settings.load import Loaded, load
from loa.settings.secret import Secret
from loa.settings.tree import Settings

WORKER = """
import json, os, signal, sys
given = json.loads(sys.stdin.readline())
name = os.path.join(given["settings"]["data_dir"], str(os.getpid()))
os.stat(given["socket"])
def end(number, frame):
    os.rename(name, name + ".asked")
    sys.exit(0)
signal.signal(signal.SIGTERM, signal.SIG_IGN if STUBBORN else end)
open(name, "w").close()
print("ready", flush=True)
sys.stdin.read()
os.rename(name, name + ".orphan")
"""
"""Speaks as a worker does: notes itself as a file, and how it ended as the ending of the file's name."""


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"uvloop": uvloop.new_event_loop}


def settings(directory: Path, count: int) -> Settings:
    made = Settings(data_dir=directory, drain_s=0.1)
    return replace(made, server=replace(made.server, workers=count, admin_port=9100))


@asynccontextmanager
async def at_work(
    directory: Path, count: int = 2, *, stubborn: bool = False, clock: SystemClock | None = None
) -> AsyncIterator[Workers]:
    with ExitStack() as sockets:
        bound = [sockets.enter_context(each) for each in bind_several("127.0.0.1", 0, count)]
        command = (sys.executable, "-c", WORKER.replace("STUBBORN", str(stubborn)))
        built = Workers(Loaded(settings(directory, count), {}), bound, command, clock or SystemClock())
        async with asyncio.timeout(20):
            await built.start()
            try:
                yield built
            finally:
                await built.stop()


def endings(directory: Path) -> list[str]:
    return sorted(path.suffix for path in directory.iterdir())


async def test_all_serve_before_the_start_is_over_and_each_is_asked_to_end(tmp_path: Path) -> None:
    async with at_work(tmp_path, 3) as running:
        assert {path.name for path in tmp_path.iterdir()} == {str(pid) for pid in running.pids}
        assert len(running.pids) == 3
    assert endings(tmp_path) == [".asked"] * 3
    assert running.pids == []


async def test_a_worker_that_dies_is_started_again_after_pauses_that_grow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []

    class Watched(SystemClock):
        async def sleep(self, seconds: float) -> None:
            if seconds in (0.01, 0.02, 0.03):
                pauses.append(seconds)
            await super().sleep(seconds)

    monkeypatch.setattr(workers, "FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr(workers, "LONGEST_PAUSE_S", 0.03)
    async with at_work(tmp_path, 1, clock=Watched()) as running:
        for _ in range(4):
            (pid,) = running.pids
            os.kill(pid, signal.SIGKILL)
            while running.pids in ([pid], []) or not (tmp_path / str(running.pids[0])).exists():
                await asyncio.sleep(0)
        assert pauses == [0.01, 0.02, 0.03, 0.03]


async def test_a_worker_that_does_not_end_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "GRACE_S", 0.1)
    async with at_work(tmp_path, 1, stubborn=True):
        pass
    assert endings(tmp_path) == [""]


async def test_workers_end_when_whoever_watches_them_is_gone(tmp_path: Path) -> None:
    async with at_work(tmp_path, 2) as running:
        for process in running._running.values():
            assert process.stdin is not None
            process.stdin.close()
        while endings(tmp_path) != [".orphan"] * 2:
            await asyncio.sleep(0)
        running._stopping.set()


def test_a_port_that_somebody_has_is_refused_although_it_could_be_shared() -> None:
    with ExitStack() as sockets:
        first = [sockets.enter_context(each) for each in bind_several("127.0.0.1", 0, 2)]
        port = first[0].getsockname()[1]
        assert {each.getsockname()[1] for each in first} == {port}
        with pytest.raises(ConfigError, match="choose another port"):
            bind_several("127.0.0.1", port, 2)
        with pytest.raises(ConfigError, match="choose another port"):
            bind("127.0.0.1", port)


def test_a_worker_reads_the_very_settings_of_its_parent(tmp_path: Path) -> None:
    flags = {
        "database": "postgresql://loa:hush@127.0.0.1/loa",
        "callbacks.ports": "443,9000",
        "server.workers": 3,
        "server.admin_port": 9100,
    }
    parents = load(flags=flags).settings
    loaded, number = read(written(of_a_worker(parents, 2), 5, {"language": "default"}))
    own = loaded.settings
    assert loaded.origins == {"language": "default"}
    assert number == 5
    assert own == of_a_worker(parents, 2)
    assert own.database == Secret("postgresql://loa:hush@127.0.0.1/loa")
    assert (own.roles, own.server.workers, own.server.admin_port) == (("api", "console"), 1, 9102)
    assert set(of_the_parent(parents).roles) & {"api", "console"} == set()
    assert set(of_the_parent(parents).roles) | {"api", "console"} == set(parents.roles)
