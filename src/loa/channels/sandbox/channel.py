"""A provider inside the process that reaches nobody: for test keys, demonstrations, and as the plainest example.

It answers by rule (see `rules`) and sends receipts after a delay of the gateway's clock. What it still owes comes at
once when it stops, and is lost when the process dies, as with a provider that went away.
"""

import asyncio
import heapq
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Any

from loa.channels import fields
from loa.channels.fields import Choice, Number, setting
from loa.channels.sandbox.rules import BY_NUMBER, RULES, Rule, rule_for
from loa.domain.lifecycle import State
from loa.domain.outcome import Accepted, Outcome
from loa.domain.receipt import Receipt
from loa.ports.channel import Attempt, ChannelContext, ChannelStatus, Settle, Step
from loa.ports.probe import Point

PROVIDER_NAME = "sandbox"


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxSettings:
    """How the sandbox behaves. Units: delays in seconds."""

    behaviour: str = setting(
        Choice((BY_NUMBER, *RULES)),
        "What happens to messages: by the last two digits, or one rule for all.",
        BY_NUMBER,
        basic=True,
    )
    answer_s: float = setting(Number(0, 3600, whole=False), "Delay of the answer to a hand-over.", 0.0)
    receipt_s: float = setting(
        Number(0, 86_400, whole=False), "Delay of the receipt after the answer.", 1.0, basic=True
    )
    window: int = setting(Number(1, 100_000), "Messages that may wait for their answer.", 1_000)
    price: int = setting(
        Number(0, 1_000_000), "What one segment costs, in VND; 0 where nobody has said.", 0, basic=True
    )


class SandboxChannel:
    """Answers by rule."""

    def __init__(self, context: ChannelContext) -> None:
        self._context = context
        self._settings = fields.read(SandboxSettings, PROVIDER_NAME, context.settings)
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()
        self._changed = asyncio.Event()
        self._open: dict[int, tuple[Attempt, Settle, Outcome]] = {}
        self._tickets = count()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Be ready at once."""
        self._task = asyncio.create_task(self._run())
        self._context.wake()

    def free(self, now: int) -> int:  # noqa: ARG002 - nothing here depends on the time
        """Tell how many attempts may be handed over now."""
        return max(0, self._settings.window - len(self._open)) if self._task is not None else 0

    def submit(self, attempts: Sequence[Attempt], settle: Settle) -> None:
        """Answer each attempt by its rule. Errors: the outcomes of the rules, see `rules`."""
        for attempt in attempts:
            rule = rule_for(attempt.destination, self._settings.behaviour)
            parts = range(1, attempt.segment_count + 1)
            refs = tuple(f"sb{attempt.message_id:x}-{attempt.number}-{part}" for part in parts)
            ticket = next(self._tickets)
            self._open[ticket] = (attempt, settle, rule.outcome(refs, attempt.number))
            self._later(self._settings.answer_s, partial(self._answer, ticket, rule, refs))

    def status(self) -> ChannelStatus:
        """Describe the channel now."""
        up = self._task is not None
        return ChannelStatus(
            ready=up,
            links_up=int(up),
            links=1,
            window_in_use=len(self._open),
            window_size=self._settings.window,
            detail="simulated: reaches no handset",
        )

    async def test(self) -> list[Step]:
        """Say that there is nothing to connect to."""
        return [Step("sandbox", True, "answers inside this process; reaches no handset")]

    async def stop(self, drain_s: float) -> None:
        """Take no more; give the answers that are owed at once, and receipts too where there is time to drain."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        while self._due and drain_s > 0:
            heapq.heappop(self._due)[2]()
        self._due.clear()
        for attempt, settle, outcome in list(self._open.values()):
            settle(attempt, outcome)
        self._open.clear()

    def _answer(self, ticket: int, rule: Rule, refs: tuple[str, ...]) -> None:
        attempt, settle, outcome = self._open.pop(ticket)
        settle(attempt, outcome)
        self._context.wake()
        delay_s = self._settings.receipt_s
        if rule.late:
            self._later(delay_s, partial(self._context.late, attempt, Accepted(refs)))
        if not isinstance(outcome, Accepted) and rule.answer != "unknown":
            return
        for place, (stat, state) in enumerate(rule.receipts):
            for ref in refs:
                receipt = partial(self._receipt, ref, attempt.destination, stat, state)
                self._later(delay_s * (1 + place * 0.1), partial(self._report, receipt))

    def _receipt(self, ref: str, destination: int, stat: str, state: State | None) -> Receipt:
        raw = f"id:{ref} stat:{stat}".encode()
        return Receipt(self._context.channel_id, (ref,), state, stat, destination, "", raw, self._context.clock.now())

    def _report(self, receipt: Callable[[], Receipt]) -> None:
        def acknowledge(stored: bool) -> None:
            if not stored and self._task is not None:
                self._later(self._settings.receipt_s, partial(self._report, receipt))

        self._context.probe.reached(Point.RECEIPT_READ)
        self._context.receipts(receipt(), acknowledge)

    def _later(self, delay_s: float, action: Callable[[], None]) -> None:
        heapq.heappush(self._due, (self._context.clock.monotonic() + delay_s, next(self._order), action))
        self._changed.set()

    async def _run(self) -> None:
        """Do what is due, in order of time."""
        clock = self._context.clock
        while True:
            self._changed.clear()
            now = clock.monotonic()
            while self._due and self._due[0][0] <= now:
                heapq.heappop(self._due)[2]()
            if not self._due:
                await self._changed.wait()
            elif not self._changed.is_set():
                await self._wait(self._due[0][0] - now)

    async def _wait(self, seconds: float) -> None:
        """Wait for the next action, or for an earlier one to be added."""
        waits = [
            asyncio.ensure_future(self._context.clock.sleep(seconds)),
            asyncio.ensure_future(self._changed.wait()),
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)


def read_settings(given: Mapping[str, Any]) -> SandboxSettings:
    """Read and check settings. Errors: ConfigError naming the field and how to cure it."""
    return fields.read(SandboxSettings, PROVIDER_NAME, given)
