"""Checking the rows of a batch: what intake would do with each, by the planner it plans with; nothing is sent."""

import asyncio
from array import array
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Final

from loa.domain.batch_plan import REPEATED, Line, Renderer, from_json, together
from loa.domain.rules import Finding
from loa.ports.batches import Batch, Batches, BatchNote, BatchRows
from loa.ports.clock import Clock
from loa.stages.destinations import NO_ROUTE, read_destination
from loa.stages.planning import Plan, Planner
from loa.stages.registry import Principal
from loa.stages.request import SendRequest

NOBODY_LEFT: Final = "no_destination"
PLANS_IN_A_ROW: Final = 20
"""Plans drawn before others have their turn: drawing holds the loop."""


class Seen:
    """Which numbers were met with which text: hashes in one flat table, 8 to 32 octets for each row there may be."""

    def __init__(self, most: int) -> None:
        self._mask = (1 << max(4, (2 * most).bit_length())) - 1
        self._table = array("Q", bytes(8 * (self._mask + 1)))

    def met(self, *what: object) -> bool:
        """Note something; tell whether it was met before."""
        wanted = (hash(what) & 0xFFFF_FFFF_FFFF_FFFF) or 1
        place = wanted & self._mask
        while (found := self._table[place]) != 0:
            if found == wanted:
                return True
            place = (place + 1) & self._mask
        self._table[place] = wanted
        return False


class Checks:
    """Checks batches chunk by chunk; what was met in those before is known to one process only."""

    def __init__(
        self,
        ledger: Batches,
        planner: Planner,
        principals: Callable[[int, bool], Awaitable[Principal]],
        clock: Clock,
    ) -> None:
        self._ledger = ledger
        self._planner = planner
        self._principals = principals
        self._clock = clock
        self._seen: dict[int, tuple[int, Seen]] = {}

    def forget(self, but: set[int]) -> None:
        """Let go of what was met in batches that are not under way."""
        self._seen = {key: value for key, value in self._seen.items() if key in but}

    async def step(self, batch: Batch, owner: str) -> bool:
        """Check the next chunk; False where somebody else does."""
        known = self._seen.get(batch.id)
        if batch.checked and (known is None or known[0] != batch.checked):
            # Another process checked so far, or this one before it was started again.
            self._seen.pop(batch.id, None)
            await self._ledger.restart_check(batch.id, owner)
            return True
        seen = Seen(batch.row_count) if known is None or not batch.checked else known[1]
        rows = await self._ledger.batch_rows(batch, batch.checked)
        if rows is None:
            return False
        note = await self._check(batch, rows, seen)
        noted = await self._ledger.note_checked(batch.id, owner, note)
        if noted:
            self._seen[batch.id] = (note.first + note.count, seen)
        return noted

    async def _check(self, batch: Batch, rows: BatchRows, seen: Seen) -> BatchNote:
        principal = await self._principals(batch.tenant_id, batch.live)
        plan = from_json(batch.plan)
        renderer = Renderer(plan, batch.columns)
        bad: dict[int, Finding] = {}
        counts: Counter[str] = Counter()
        lines: list[Line] = []
        for number, row in enumerate(rows.rows, start=rows.first):
            line = renderer.line(number, row)
            if isinstance(line, Finding):
                bad[number] = line
            elif self._is_repeat(line, seen):
                bad[number] = Finding("destinations", REPEATED)
            else:
                lines.append(line)
        for place, group in enumerate(together(lines, self._planner.limits.destinations_max)):
            if place % PLANS_IN_A_ROW == 0:
                await asyncio.sleep(0)
            self._draw(principal, group, plan.use_unicode, bad, counts)
        counts["bad"] = len(bad)
        counts["good"] = len(rows.rows) - len(bad)
        findings = Counter(each.code for each in bad.values())
        return BatchNote(rows.first, len(rows.rows), bad, +counts, findings)

    def _is_repeat(self, line: Line, seen: Seen) -> bool:
        number = read_destination(line.destination, self._planner.numbers)
        return number is not None and seen.met(number, line.text, line.sender)

    def _draw(
        self, principal: Principal, group: list[Line], use_unicode: int, bad: dict[int, Finding], counts: Counter[str]
    ) -> None:
        first = group[0]
        request = SendRequest(
            destinations=[line.destination for line in group],
            sender=first.sender,
            text=first.text,
            use_unicode=use_unicode,
            traffic_class=first.traffic_class,
            scheduled=first.schedule,
            ext={"onInvalid": "skip"},
        )
        plan = self._planner.draw(principal, request, self._clock.now())
        bad.update(_against(plan, group))
        if plan.would_be_accepted and plan.composed is not None:
            for route, numbers in plan.sorted.plans:
                counts["segments"] += plan.composed.segments * len(numbers)
                counts["cost"] += (route[0].price if route else 0) * len(numbers)


def _against(plan: Plan, group: list[Line]) -> dict[int, Finding]:
    """Name the rows of a group that would not be sent, each with why."""
    found = {group[place].row: why for place, why in zip(plan.sorted.bad, plan.sorted.findings, strict=True)}
    if plan.would_be_accepted:
        return found
    # That no route and no number is left follows from what is wrong with the whole: what can be cured is named.
    whole = [each for each in plan.denied + plan.findings if each.code != NOBODY_LEFT]
    own = {row: why for row, why in found.items() if why.code != NO_ROUTE or not whole}
    return {line.row: own.get(line.row) or (whole or plan.findings)[0] for line in group}
