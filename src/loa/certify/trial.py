"""What a stage works with: fresh worlds, a lot to draw by, and a place for what came of it."""

import contextlib
import random
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import aiohttp

from loa.certify.engines import Engine, Faults, Store
from loa.certify.invariants import Violated, Violation, shown
from loa.certify.process import Program
from loa.certify.report import Stage
from loa.certify.world import PATIENCE_S, World, open_world
from loa.errors import LoaError
from loa.simulators.smsc.script import Script

ROUNDS: Final = 20
STORM: Final = 20
STOPS: Final = 3
SERVER_KILLS: Final = 3
SHOWN_LEDGER: Final = "ledger.jsonl"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be tried. `only`: names of stages, all when empty. `patience_s`: how long recovery may take."""

    seed: int
    rounds: int = ROUNDS
    storm: int = STORM
    stops: int = STOPS
    server_kills: int = SERVER_KILLS
    patience_s: float = PATIENCE_S
    program: Program = field(default_factory=Program)
    only: frozenset[str] = frozenset()


class Trial:
    """One stage under way. `step` is called after each fault that was tried."""

    def __init__(self, plan: Plan, engine: Engine, folder: Path, stage: Stage, step: Callable[[], None]) -> None:
        self.plan = plan
        self.engine = engine
        self.folder = folder
        self.stage = stage
        self.chance = random.Random(f"{plan.seed} {stage.name}")
        self.step = step
        self._worlds = 0

    def tried(self) -> None:
        """Note that a fault was tried."""
        self.stage.tried += 1
        self.step()

    @asynccontextmanager
    async def world(self, script: Script | None = None, *, faults: Faults = "none") -> AsyncIterator[World]:
        """Open a world of its own; its folder goes when all went well. Errors: Violated, NotTried."""
        self._worlds += 1
        directory = self.folder / str(self._worlds)
        directory.mkdir(parents=True)
        store = self.engine.store(directory)
        try:
            await store.prepare(faults)
            async with open_world(
                directory, store, script, program=self.plan.program, patience_s=self.plan.patience_s
            ) as world:
                try:
                    yield world
                except Violated:
                    await _keep(world, store)
                    raise
                except (aiohttp.ClientError, LoaError, TimeoutError) as error:
                    words = world.process.last_words() if world.process is not None else ()
                    text = f"Loa did not answer: {type(error).__name__}: {error}"
                    raise Violated(Violation("recovery", text, words)) from error
                finally:
                    self._count(world)
        finally:
            await store.remove()
        shutil.rmtree(directory)

    def _count(self, world: World) -> None:
        self.stage.recoveries += world.recoveries
        if world.found is not None:
            self.stage.messages += len(world.found.messages)
            self.stage.lost += world.found.lost
            self.stage.repeated += world.found.repeated
            self.stage.bound += world.found.bound


async def _keep(world: World, store: Store) -> None:
    """Keep what the ledger holds beside the journals, and what the API showed of it."""
    if world.found is not None:
        lines = [*world.found.timelines.values(), *world.found.feed]
        (world.directory / SHOWN_LEDGER).write_text("".join(f"{line}\n" for line in shown(*lines)), encoding="utf-8")
    # A server that is gone has nothing to tell; the violation is told all the same.
    with contextlib.suppress(LoaError):
        await store.keep(world.directory)
