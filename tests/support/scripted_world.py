"""A simulated outside for the console's screens, that shows what a test says and notes what it is told."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from loa.app.demo_knobs import KNOBS
from loa.console.world import Bubble, Crash, Handset, Reached, Sight
from loa.errors import CallerError

AT = 1_795_000_000_000
BEFORE = {"accepted": 5, "waiting": 2, "delivered": 3, "unknown": 0, "failed": 0}


def sight_of(texts: Sequence[str]) -> Sight:
    """Show two handsets, one of them with these texts, after a crash."""
    handsets = (Handset(2, "84912345678", AT, len(texts) + 2, follows=True), Handset(1, "84987654321", AT - 60_000, 1))
    bubbles = (
        Bubble(1, AT, "sms", "LOA-DEMO", "Mã xác thực của bạn là 482913. Không chia sẻ mã này.", "ucs2", 2),
        Bubble(2, AT + 1000, "zalo", "", "Còn hàng không?", theirs=True, reported=True),
        *(Bubble(3 + at, AT + 2000, "zalo", text, text) for at, text in enumerate(texts)),
    )
    crash = Crash("", 2**40, BEFORE, Reached(), AT, AT + 812)
    calls = {
        "sms": "curl -sS -X POST http://127.0.0.1:8080/x -H 'API-KEY: loa_live_key'",
        "zalo": "curl",
        "test": "curl",
    }
    return Sight(7, handsets, handsets[0], bubbles, ("drop_response",), crash, Reached(), calls)


@dataclass
class ScriptedWorld:
    """See loa.console.world.World. `told`: every verb with its arguments; `refuses`: what stands against the next."""

    sight: Sight
    told: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    held: list[str] = field(default_factory=list)
    refuses: CallerError | None = None

    @property
    def knobs(self) -> tuple[str, ...]:
        return tuple(KNOBS)

    async def look(self, handset: int = 0) -> Sight:
        chosen = next((each for each in self.sight.handsets if each.id == handset), self.sight.chosen)
        return replace(self.sight, chosen=chosen)

    async def hold(self, run: str) -> None:
        self.held.append(run)

    async def do(self, verb: str, **args: Any) -> Any:
        if self.refuses is not None:
            raise self.refuses
        self.told.append((verb, args))
