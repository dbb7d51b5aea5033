"""Receipts on their way to the clients they belong to: owed, due, written, answered, or written again."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Final

from loa.ports.clock import Clock
from loa.simulators.alarms import Alarms
from loa.simulators.smsc.events import SmscCounts, Taken
from loa.simulators.smsc.judge import Judge
from loa.simulators.smsc.link import Link
from loa.simulators.smsc.notice import Notice
from loa.simulators.smsc.outbox import Outbox
from loa.simulators.smsc.receipt import write_receipt
from loa.smpp import status as s
from loa.smpp.pdu import DataSm, DeliverSm

LATER: Final = frozenset({s.ESME_RX_T_APPN, s.ESME_RSYSERR, s.ESME_RMSGQFUL, s.ESME_RTHROTTLED})
"""What a client answers to have a receipt sent again; any other refusal ends it."""


class Deliveries:
    """One outbox for each system_id; `told` hears of every receipt that is done with."""

    def __init__(
        self,
        judge: Judge,
        clock: Clock,
        alarms: Alarms,
        counts: SmscCounts,
        told: Callable[[Notice, int], None],
    ) -> None:
        self._judge = judge
        self._clock = clock
        self._alarms = alarms
        self._counts = counts
        self._told = told
        self._outboxes: dict[str, Outbox] = {}
        self._pumps_due: set[str] = set()
        self._looking = False

    def join(self, link: Link) -> None:
        """Let a bound link carry what its system_id is owed."""
        self._outbox(link.system_id).join(link)
        self.resume(link.system_id)

    def leave(self, link: Link) -> None:
        """Owe again what a lost link carried."""
        self._outbox(link.system_id).leave(link)
        self.resume(link.system_id)

    def owe(self, origin: int, taken: Taken) -> None:
        """Owe every receipt of one segment, each as often as the script says."""
        script = self._judge.script
        for stat in taken.owes:
            for copy in range(script.receipt_copies):
                self._counts.receipts_waiting += 1
                notice = Notice(origin, taken, stat)
                after_s = script.receipt_delay_s + copy * script.receipt_gap_s
                self._alarms.after(after_s, partial(self._enqueue, taken.system_id, notice))

    def deliver(self, system_id: str, pdu: DeliverSm | DataSm) -> None:
        """Owe a ready PDU."""
        self._counts.receipts_waiting += 1
        self._enqueue(system_id, Notice(pdu=pdu))

    def answered(self, system_id: str, notice: Notice, status: int) -> None:
        """Be done with a receipt, or send it again when the client says "later"."""
        self.resume(system_id)
        if status == s.ESME_ROK:
            self._counts.receipts_acked += 1
        else:
            self._counts.receipts_nacked += 1
            if status in LATER:
                self._alarms.after(self._judge.script.receipt_retry_s, partial(self._enqueue, system_id, notice))
                return
        self._counts.receipts_waiting -= 1
        self._told(notice, status)

    def resume(self, system_id: str | None = None) -> None:
        """Pump at the end of this turn: what becomes due together can be reordered and leaves together."""
        for name in tuple(self._outboxes) if system_id is None else (system_id,):
            if name not in self._pumps_due:
                self._pumps_due.add(name)
                asyncio.get_running_loop().call_soon(self.pump, name)

    def pump(self, system_id: str) -> None:
        """Write what there is room for, now."""
        self._pumps_due.discard(system_id)
        self._outbox(system_id).pump(self._judge.script)

    def _enqueue(self, system_id: str, notice: Notice) -> None:
        self._outbox(system_id).add(notice)
        self.resume(system_id)

    def _outbox(self, system_id: str) -> Outbox:
        found = self._outboxes.get(system_id)
        if found is None:
            found = self._outboxes[system_id] = Outbox(self._carry)
        return found

    def _carry(self, link: Link, notice: Notice) -> None:
        pdu = notice.pdu
        if pdu is None:
            assert notice.taken is not None
            pdu = write_receipt(self._judge.script, notice.taken, notice.stat, self._clock.now())
        link.carry(notice, pdu, self._clock.monotonic())
        self._counts.receipts_sent += 1
        self._look_later()

    def _look_later(self) -> None:
        if not self._looking:
            self._looking = True
            self._alarms.after(self._judge.script.receipt_timeout_s / 2, self._send_overdue)

    def _send_overdue(self) -> None:
        """Send again what was never answered; look again while anything is on its way."""
        self._looking = False
        sent_before = self._clock.monotonic() - self._judge.script.receipt_timeout_s
        for system_id, outbox in self._outboxes.items():
            if outbox.late(sent_before):
                self._look_later()
            self.resume(system_id)
