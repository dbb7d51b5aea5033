"""Batches: checks the rows of tables that somebody handed in, and sends them, through the one intake.

A slice of rows is begun in the ledger, handed to intake, and recorded. What intake gets of a slice follows from its
rows and the batch's plan alone, under request ids made of the numbers of batch and row, by a key that is strict about
them: whoever does a slice again, after a crash or beside another, sends nothing twice. Who works on a batch is settled
in the ledger, for the sake of order, not of safety.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from loa.domain.batch_plan import LEFT_OUT, STOPPED, Line, Renderer, from_json, together
from loa.domain.rules import Finding, findings_of
from loa.errors import CallerError, Forbidden, StorageError
from loa.observe.log import get_logger
from loa.ports.batches import Batch, Batches, BatchPart, BatchRows, BatchState
from loa.ports.clock import Clock
from loa.ports.ledger import Search
from loa.ports.probe import Point, Probe
from loa.ports.records import MessageFilter
from loa.stages.batch_checks import Checks
from loa.stages.intake import Intake
from loa.stages.loop import keep_running
from loa.stages.planning import Planner
from loa.stages.registry import Principal
from loa.stages.request import SendRequest, fingerprint
from loa.stages.signal import Signal

TICK_S: Final = 0.25
CLAIM_MS: Final = 15_000
RENEW_S: Final = 5.0
SLICES_A_SECOND: Final = 4
SUBMITTED_AT_ONCE: Final = 100
"""Submissions that wait for one commit: what a batch takes of the room that intake has for all."""
LEFT_ALONE_S: Final = 5.0
CLOCK_BACK_MS: Final = 3_600_000
"""How far a clock may have been set back between the begin of a slice and its submissions."""

log = get_logger("loa.stages.batches")

Principals = Callable[[int, bool], Awaitable[Principal]]
"""Gives who batches of a tenant are sent by, over real channels or not."""


class BatchLedger(Batches, Search, Protocol):
    """The roles this works on."""


@dataclass(slots=True)
class _Outcome:
    sent: list[tuple[str, tuple[int, ...]]]
    left: dict[int, Finding]


class BatchStage:
    """Works on every batch that is to be worked on, a chunk or slice of each in turn.

    `remembered_ms`: how long the ledger surely recognises a request id.
    """

    def __init__(
        self,
        ledger: BatchLedger,
        intake: Intake,
        planner: Planner,
        principals: Principals,
        *,
        clock: Clock,
        probe: Probe,
        remembered_ms: int,
    ) -> None:
        self._ledger = ledger
        self._intake = intake
        self._planner = planner
        self._principals = principals
        self._clock = clock
        self._probe = probe
        self._remembered_ms = remembered_ms
        self._checks = Checks(ledger, planner, principals, clock)
        self._owner = secrets.token_hex(8)
        self._held: dict[int, float] = {}
        self._free_at: dict[int, float] = {}
        self._signal = Signal()

    def wake(self) -> None:
        """Look soon whether there is something to do."""
        self._signal.set()

    async def run(self) -> None:
        """Work until cancelled."""
        await keep_running("batches", self._turn, self._clock)

    async def _turn(self) -> None:
        if not await self.tick():
            await self._signal.wait(TICK_S)

    async def tick(self) -> bool:
        """Do the next piece of every batch; tell whether anything was done. Errors: StorageError."""
        batches = await self._ledger.open_batches(self._clock.now())
        self._forget({each.id for each in batches})
        free = [each for each in batches if self._free_at.get(each.id, 0) <= self._clock.monotonic()]
        return any([await self._try(each) for each in free])

    def _forget(self, ids: set[int]) -> None:
        self._held = {key: at for key, at in self._held.items() if key in ids}
        self._free_at = {key: at for key, at in self._free_at.items() if key in ids}
        self._checks.forget(ids)

    async def _try(self, batch: Batch) -> bool:
        """Do the next piece of a batch; one in which that fails is left for a while, so that it holds up no other."""
        before = self._free_at.get(batch.id, 0.0)
        self._free_at[batch.id] = self._clock.monotonic() + LEFT_ALONE_S
        try:
            done = await self._step(batch, before)
        except StorageError:
            self._free_at[batch.id] = before
            raise
        return done

    async def _step(self, batch: Batch, free_at: float) -> bool:
        """Do the next piece; afterwards the batch is free again, as its rate says."""
        began = self._clock.monotonic()
        # Sending asks the ledger again whether the batch is ours; telling what was sent does not.
        held = batch.state is not BatchState.STOPPED and began - self._held.get(batch.id, -RENEW_S) < RENEW_S
        sent = await self._work(batch) if held else None
        if sent is None:
            claimed = await self._claim(batch)
            sent = None if claimed is None else await self._work(claimed)
        earlier = max(free_at, began - 1 / SLICES_A_SECOND)
        self._free_at[batch.id] = earlier + sent / batch.rate if sent and batch.rate else free_at
        return sent is not None

    async def _work(self, batch: Batch) -> int | None:
        """Do the next piece of a batch that is ours; None where it is not, or is not to be worked on any more.

        Gives how many messages were handed in.
        """
        if batch.state is BatchState.CHECKING:
            return 0 if await self._checks.step(batch, self._owner) else None
        if batch.state is BatchState.STOPPED:
            return await self._settle(batch)
        return await self._send(batch)

    async def _claim(self, batch: Batch) -> Batch | None:
        """Take the right to work on a batch, or renew it."""
        at, now = self._clock.monotonic(), self._clock.now()
        claimed = await self._ledger.claim_batch(batch.id, self._owner, now, now + CLAIM_MS)
        if claimed is None:
            self._held.pop(batch.id, None)
        else:
            self._held[batch.id] = at
        return claimed

    # sending

    async def _send(self, batch: Batch) -> int | None:
        """Send the next slice, or the one that was begun and not recorded."""
        rows = await self._ledger.batch_rows(batch, batch.position)
        if rows is None:
            return None
        now = self._clock.now()
        most = max(1, batch.rate // SLICES_A_SECOND) if batch.rate else len(rows.rows)
        end = min(batch.position + most, rows.first + len(rows.rows))
        begun = await self._ledger.begin_slice(batch.id, self._owner, end, now, now + CLAIM_MS)
        if begun is None or begun.position != batch.position:
            return None
        lines, outcome = _lines(begun, rows)
        if not await self._submit_all(begun, lines, outcome, again=batch.unfinished):
            return None
        self._probe.reached(Point.BATCH_SUBMITTED)
        await self._record(begun, outcome)
        self._probe.reached(Point.BATCH_RECORDED)
        return len(lines)

    async def _settle(self, batch: Batch) -> int | None:
        """Record a slice that a stop met between its begin and its record: what of it was sent, and that is all."""
        rows = await self._ledger.batch_rows(batch, batch.position)
        if rows is None:
            return None
        lines, outcome = _lines(batch, rows)
        use_unicode = from_json(batch.plan).use_unicode
        for group in together(lines, self._planner.limits.destinations_max):
            known = await self._known(batch, _request(batch, group, use_unicode))
            _note(outcome, group, known or Finding("", STOPPED))
        await self._record(batch, outcome)
        return 0

    async def _submit_all(self, batch: Batch, lines: list[Line], outcome: _Outcome, *, again: bool) -> bool:
        """Hand the lines of a slice to intake, so many at once that they share commits; False where it is ours no more.

        The claim is kept all the while: others may tell then what of a slice was sent.
        """
        principal = await self._principals(batch.tenant_id, batch.live)
        use_unicode = from_json(batch.plan).use_unicode
        groups = together(lines, self._planner.limits.destinations_max)
        renewed = self._clock.monotonic()
        for first in range(0, len(groups), SUBMITTED_AT_ONCE):
            if self._clock.monotonic() - renewed >= RENEW_S:
                renewed = self._clock.monotonic()
                if await self._claim(batch) is None:
                    return False
            some = groups[first : first + SUBMITTED_AT_ONCE]
            requests = [_request(batch, group, use_unicode) for group in some]
            taken = await asyncio.gather(*(self._submit(batch, principal, each, again=again) for each in requests))
            for group, result in zip(some, taken, strict=True):
                _note(outcome, group, result)
        return True

    async def _submit(
        self, batch: Batch, principal: Principal, request: SendRequest, *, again: bool
    ) -> tuple[str, Sequence[int]] | Finding:
        """Hand one request in; gives its submission and which destinations it leaves out, or what stands against it."""
        if again and self._clock.now() - batch.slice_begun_at > self._remembered_ms:
            # The ledger may not know the request id any more, but it knows the submission.
            known = await self._known(batch, request)
            if known is not None:
                return known
        try:
            taken = await self._intake.submit(principal, request, fingerprint(request))
        except (CallerError, Forbidden) as error:
            # What is refused now may have been taken before the crash.
            known = await self._known(batch, request) if again else None
            found = findings_of(error)
            return known or (found[0] if found else Finding("", error.code))
        skipped = taken.answer.get("skipped", ())
        return taken.referent_id, skipped if isinstance(skipped, Sequence) else ()

    async def _known(self, batch: Batch, request: SendRequest) -> tuple[str, Sequence[int]] | None:
        # However late: whoever found it begun may have submitted it days after.
        wanted = MessageFilter(request_id=request.request_id, since=batch.slice_begun_at - CLOCK_BACK_MS)
        rows = await self._ledger.messages(batch.tenant_id, wanted, None, 1)
        if not rows:
            return None
        found = await self._ledger.submission(batch.tenant_id, rows[0]["referent_id"])
        return (rows[0]["referent_id"], () if found is None else found["answer"].get("skipped", ()))

    async def _record(self, batch: Batch, outcome: _Outcome) -> None:
        count = batch.slice_end - batch.position
        sent = sum(len(rows) for _, rows in outcome.sent)
        counts = {"sent": sent, "left": count - sent}
        part = BatchPart(batch.position, count, self._clock.now(), outcome.sent, outcome.left, counts)
        recorded = await self._ledger.record_slice(batch.id, part)
        if recorded and batch.slice_end >= batch.row_count and batch.state is not BatchState.STOPPED:
            log.info("a batch is finished", tenant_id=batch.tenant_id, rows=batch.row_count)


def _lines(batch: Batch, rows: BatchRows) -> tuple[list[Line], _Outcome]:
    """Make the lines of a slice; with what stands against the other rows."""
    renderer = Renderer(from_json(batch.plan), batch.columns)
    outcome = _Outcome([], {})
    lines: list[Line] = []
    for number in range(batch.position, batch.slice_end):
        line = rows.bad.get(number) or renderer.line(number, rows.rows[number - rows.first])
        if isinstance(line, Finding):
            outcome.left[number] = line
        else:
            lines.append(line)
    return lines, outcome


def _request(batch: Batch, group: list[Line], use_unicode: int) -> SendRequest:
    first = group[0]
    return SendRequest(
        destinations=[line.destination for line in group],
        sender=first.sender,
        text=first.text,
        use_unicode=use_unicode,
        traffic_class=first.traffic_class,
        scheduled=first.schedule,
        request_id=first.request_id or f"batch-{batch.id}-{first.row + 1}",
        ext={"onInvalid": "skip"},
    )


def _note(outcome: _Outcome, group: list[Line], result: tuple[str, Sequence[int]] | Finding) -> None:
    if isinstance(result, Finding):
        outcome.left.update((line.row, result) for line in group)
        return
    referent_id, skipped = result
    left_out = set(skipped)
    outcome.left.update((group[place].row, Finding("destinations", LEFT_OUT)) for place in left_out)
    rows = tuple(line.row for place, line in enumerate(group) if place not in left_out)
    outcome.sent.append((referent_id, rows))
