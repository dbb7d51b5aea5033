"""Runs a certificate: every stage after the other, on one engine, in a folder of its own."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, Protocol, get_args

from loa.app.control_wire import socket_path
from loa.certify.engines import Engine, NotTried
from loa.certify.invariants import Violated
from loa.certify.kills import CASES, named_points, orderly_stops, random_kills, storm
from loa.certify.power import Loss
from loa.certify.report import Certificate, Stage
from loa.certify.storage import STALLS, full_disk, power_cuts, server_restarts, stalls
from loa.certify.trial import Plan, Trial
from loa.errors import ConfigError
from loa.observe.clock import SystemClock


@dataclass(frozen=True, slots=True)
class StageKind:
    """A stage there is. `steps`: how many steps of progress it has, by plan and engine."""

    name: str
    what: str
    run: Callable[[Trial], Awaitable[None]]
    steps: Callable[[Plan, Engine], int]


STAGES: Final = (
    StageKind("points", "SIGKILL at every named point (F01–F11), then a restart", named_points, lambda *_: len(CASES)),
    StageKind("stalls", "storage that stalls, and SIGKILL while it does (F20)", stalls, lambda *_: STALLS),
    StageKind("random", "SIGKILL at random moments under load (F13)", random_kills, lambda plan, _: plan.rounds),
    StageKind("storm", "restart after restart while clients go on (F40)", storm, lambda plan, _: plan.storm),
    StageKind("stops", "SIGTERM under load: nothing is left unknown (F42)", orderly_stops, lambda plan, _: plan.stops),
    StageKind(
        "power",
        "the power is cut (F14)",
        power_cuts,
        lambda plan, engine: len(get_args(Loss)) if engine.server is None else plan.server_kills,
    ),
    StageKind("server", "the ledger's server is killed, and held for 10 s (F18, F20)", server_restarts, lambda *_: 2),
    StageKind(
        "disk",
        "a full disk (F16), and for Loa's own file a disk whose syncs fail (F15)",
        full_disk,
        lambda _, engine: 2 if engine.server is None else 1,
    ),
)


SOCKET_PATH_MAX: Final = 107
"""Octets of a unix socket's path on Linux."""
WORLDS_MAX: Final = 9_999


class Watcher(Protocol):
    """Hears how a certificate goes on."""

    def begins(self, stage: Stage, steps: int) -> None:
        """Hear that a stage begins."""
        ...

    def steps_on(self, stage: Stage) -> None:
        """Hear that a stage has come one step further."""
        ...

    def ends(self, stage: Stage) -> None:
        """Hear that a stage has ended."""
        ...


async def certify(plan: Plan, engine: Engine, watcher: Watcher) -> Certificate:
    """Try everything. The evidence is kept when a promise was broken. Errors: ConfigError, StorageError."""
    clock = SystemClock()
    started_at, began = clock.now(), clock.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="loa-certify-"))
    broken = False
    try:
        _check_length(folder)
        try:
            version = await engine.start(folder)
            stages = [await _stage(kind, plan, engine, folder, watcher) for kind in STAGES]
        finally:
            await engine.stop()
        broken = any(stage.violations for stage in stages)
    finally:
        if not broken:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
    return Certificate(
        engine=engine.name,
        engine_version=version,
        seed=plan.seed,
        rounds=plan.rounds,
        storm=plan.storm,
        started_at=started_at,
        stages=stages,
        took_s=clock.monotonic() - began,
        evidence=folder if broken else None,
    )


def _check_length(folder: Path) -> None:
    longest = max((kind.name for kind in STAGES), key=len)
    if len(os.fsencode(socket_path(folder / longest / f"{WORLDS_MAX}"))) > SOCKET_PATH_MAX:
        message = (
            f"{folder.parent} has too long a name for the sockets below it: set TMPDIR to a folder with a shorter one"
        )
        raise ConfigError(message)


async def _stage(kind: StageKind, plan: Plan, engine: Engine, folder: Path, watcher: Watcher) -> Stage:
    stage = Stage(kind.name, kind.what)
    if plan.only and kind.name not in plan.only:
        stage.not_tried = "left out on the command line"
        return stage
    clock = SystemClock()
    began = clock.monotonic()
    watcher.begins(stage, kind.steps(plan, engine))
    try:
        await kind.run(Trial(plan, engine, folder / kind.name, stage, partial(watcher.steps_on, stage)))
    except Violated as violated:
        stage.violations += violated.violations
    except NotTried as reason:
        stage.not_tried = str(reason)
    stage.took_s = clock.monotonic() - began
    watcher.ends(stage)
    return stage
