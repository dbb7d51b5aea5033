"""The simulated outside of a demo, as its console sees and turns it; a Loa that serves real people has none."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

RUN: Final = 50
"""So many messages are sent before a crash that is to find some under way."""
ANSWERED: Final = 40
"""So many of them are answered for before it comes."""
WORLD_VERBS: Final = ("world.turn", "world.normal", "world.say", "world.follow", "world.crash")
"""What is asked for through `Acts`, so that the role is checked and the audit log knows."""


@dataclass(frozen=True, slots=True)
class Bubble:
    """One text on a handset.

    `network`: sms or zalo. `theirs`: the person wrote it; `reported`: the tenant's endpoint has heard of that.
    `encoding`: gsm7, ucs2 or "" where it has none; `parts` 0 likewise.
    """

    id: int
    at: int
    network: str
    sender: str
    text: str
    encoding: str = ""
    parts: int = 0
    theirs: bool = False
    reported: bool = False


@dataclass(frozen=True, slots=True)
class Handset:
    """One handset. `id`: counted from 1. `at`: when its newest text came. `follows`: whether it follows on Zalo."""

    id: int
    number: str
    at: int
    count: int
    follows: bool = False


@dataclass(frozen=True, slots=True)
class Reached:
    """What handsets got of a run: texts in all, and handsets that got any."""

    texts: int = 0
    handsets: int = 0


@dataclass(frozen=True, slots=True)
class Crash:
    """The last crash that was asked for. `run`: the mark in the texts that were sent for it, "" for none.

    `newest`: id of the newest message before it. `before`: what the ledger counted just before. `back_at`: 0 while the
    gateway is not back. Units: milliseconds since the epoch.
    """

    run: str
    newest: int
    before: Mapping[str, int]
    reached_before: Reached
    killed_at: int
    back_at: int = 0


@dataclass(frozen=True, slots=True)
class Sight:
    """The world at a moment. `version` changes whenever anything else here does.

    `handsets`: newest first. `chosen`: the handset that is looked at, None where there is none; `bubbles`: its newest
    texts, oldest first. `calls`: commands to paste into a shell, by name. `reached`: of the crash's run, as of now.
    """

    version: int
    handsets: tuple[Handset, ...] = ()
    chosen: Handset | None = None
    bubbles: tuple[Bubble, ...] = ()
    knobs: tuple[str, ...] = ()
    crash: Crash | None = None
    reached: Reached = field(default_factory=Reached)
    calls: Mapping[str, str] = field(default_factory=dict)


class World(Protocol):
    """The way to the simulators and to the supervisor."""

    @property
    def knobs(self) -> tuple[str, ...]:
        """The names of all knobs."""
        ...

    async def look(self, handset: int = 0) -> Sight:
        """Give what there is to see, on one handset or on the newest. Errors: StorageUnavailable where it is gone."""
        ...

    async def hold(self, run: str) -> None:
        """Leave all but the first messages of a run unanswered, so that some are under way when the crash comes."""
        ...

    async def do(self, verb: str, **args: Any) -> Any:
        """Do one of `WORLD_VERBS`. Errors: CallerError where it makes no sense; StorageUnavailable."""
        ...
