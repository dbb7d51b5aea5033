"""Named points in the code where a test can wait, hold, fail or kill the process.

One mechanism serves races and crashes. The default does nothing; LOA_PROBE arms it in a real process (see app/probes).
"""

from enum import StrEnum
from typing import Protocol


class Point(StrEnum):
    """Every named point. F-numbers are those of the fault catalogue in docs/explain/reliability.md."""

    INTAKE_PARSED = "intake.parsed"  # F01
    LEDGER_IN_ACCEPT = "ledger.in_accept"  # F02: rows written, not yet committed
    INTAKE_COMMITTED = "intake.committed"  # F03
    DISPATCH_CLAIMED = "dispatch.claimed"  # F04
    LINK_HALF_WRITTEN = "link.half_written"  # F05
    LINK_WRITTEN = "link.written"  # F06
    DISPATCH_ANSWERED = "dispatch.answered"  # F07: response read, not yet committed
    DISPATCH_RECORDED = "dispatch.recorded"  # F08
    RECEIPT_READ = "receipt.read"  # F09: read, not yet committed
    RECEIPT_STORED = "receipt.stored"  # F10: committed, not yet acknowledged
    BATCH_SUBMITTED = "batch.submitted"  # F46: a slice is on disk, its batch does not know
    BATCH_RECORDED = "batch.recorded"  # F46: its batch knows
    SILENCE_ASKED = "silence.asked"  # the provider was asked, the next step has not begun
    CALLBACK_POSTED = "callback.posted"  # F11: posted, not yet recorded
    GRANT_MARKED = "grant.marked"  # F45: refresh token marked as spent, not yet sent
    GRANT_ANSWERED = "grant.answered"  # F45: new pair read, not yet committed
    GRANT_KEPT = "grant.kept"  # F45: new pair committed, not yet used


class Probe(Protocol):
    """Told when a point is reached. Called from any thread; must be cheap."""

    def armed(self, point: Point) -> bool:
        """Tell whether anything waits at `point`, so that costly ways there are only gone when needed."""
        ...

    def reached(self, point: Point) -> None:
        """Note that the program stands at `point`."""
        ...
