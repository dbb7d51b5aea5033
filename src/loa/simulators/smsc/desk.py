"""What the simulated SMSC does with binds and submits, each as the script says."""

from collections import deque
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Final

from loa.ports.clock import Clock
from loa.simulators.alarms import Alarms
from loa.simulators.journal import Journal
from loa.simulators.smsc import record
from loa.simulators.smsc.deliveries import Deliveries
from loa.simulators.smsc.events import (
    BindRefused,
    Declined,
    Linked,
    Shown,
    SmscCounts,
    Taken,
    Unlinked,
    Watcher,
)
from loa.simulators.smsc.handset import Handset
from loa.simulators.smsc.ids import first_number, spell
from loa.simulators.smsc.judge import Fate, Judge, fortune, owed
from loa.simulators.smsc.link import Link
from loa.simulators.smsc.notice import Notice
from loa.simulators.smsc.script import Script
from loa.simulators.waits import Waits
from loa.smpp import commands as c
from loa.smpp import pdu as p
from loa.smpp import status as s
from loa.smpp import tlv
from loa.smpp.payload import content

SMSC_SYSTEM_ID: Final = "loa-smsc"
UNBIND_PATIENCE_S: Final = 5.0

Submit = p.SubmitSm | p.DataSm


@dataclass(frozen=True, slots=True)
class _Case:
    """One submit on its way through the desk."""

    link: Link
    pdu: Submit
    fate: Fate


class Desk:
    """The owner of all links: everything the simulator knows and does, without its socket."""

    def __init__(self, script: Script, clock: Clock, journal: Journal, on_event: Watcher, keep: int) -> None:
        self._clock = clock
        self._journal = journal
        self._emit = on_event
        self._judge = Judge(script)
        self._alarms = Alarms(clock)
        self._handset = Handset()
        self._numbers = count(first_number(clock.now()))
        self.counts = SmscCounts()
        self.waits = Waits(self.counts)
        self.links: set[Link] = set()
        self.taken: deque[Taken] = deque(maxlen=keep)
        self.deliveries = Deliveries(self._judge, clock, self._alarms, self.counts, self._told)

    @property
    def script(self) -> Script:
        """The script in force."""
        return self._judge.script

    def change(self, script: Script, *, recount: bool) -> None:
        """Put another script in force."""
        self._judge.change(script, recount=recount)
        self.deliveries.resume()

    def close(self) -> None:
        """Cut every link and forget what was still to come."""
        self._alarms.clear()
        for link in tuple(self.links):
            link.cut()

    # --- what links tell ---

    def opened(self, link: Link) -> None:
        """Note a new connection."""
        self.links.add(link)
        self.counts.connections += 1
        self.waits.changed()

    def lost(self, link: Link) -> None:
        """Forget a connection; what it carried is owed again."""
        self.links.discard(link)
        self.counts.connections -= 1
        if link.kind:
            self.counts.links -= 1
            self.deliveries.leave(link)
            self._emit(Unlinked(self._clock.now(), link.system_id))
        self.waits.changed()

    def enquired(self, times: int) -> None:
        """Count enquire_link."""
        self.counts.enquiries += times
        self.waits.changed()

    def faulted(self, faults: int) -> None:
        """Count what no SMPP client may send."""
        self.counts.faults += faults
        self.waits.changed()

    def freed(self, link: Link) -> None:
        """Write more receipts to a client that reads again."""
        self.deliveries.resume(link.system_id)

    def requested(self, link: Link, pdu: p.Request) -> None:
        """Do what a client asks."""
        match pdu:
            case p.SubmitSm() | p.DataSm():
                self._submit(link, pdu)
            case p.BindRequest():
                self._alarms.after(self.script.bind_delay_s, partial(self._bind, link, pdu))
            case p.Unbind():
                self.counts.unbinds += 1
                link.respond(p.UnbindResp(pdu.sequence))
                link.finish()
            case p.QuerySm():
                link.respond(p.QuerySmResp(pdu.sequence, s.ESME_RQUERYFAIL))
            case p.CancelSm():
                link.respond(p.CancelSmResp(pdu.sequence, s.ESME_RCANCELFAIL))
            case _:
                self.faulted(1)
        self.waits.changed()

    def answered(self, link: Link, notice: Notice, status: int) -> None:
        """Note what a client says to a receipt."""
        self.deliveries.answered(link.system_id, notice, status)
        self.waits.changed()

    def _told(self, notice: Notice, status: int) -> None:
        if notice.taken is not None:
            told = notice.told(self._clock.now(), status)
            self._journal.append(record.told_line(told))
            self._emit(told)

    # --- binds ---

    def _bind(self, link: Link, pdu: p.BindRequest) -> None:
        self.counts.binds += 1
        status = self._bind_status(pdu)
        if status:
            self.counts.binds_refused += 1
            self._emit(BindRefused(self._clock.now(), pdu.system_id, status))
            link.respond(p.BindResponse(pdu.command_id | c.RESPONSE_BIT, pdu.sequence, status))
            link.finish()
        else:
            self._let_in(link, pdu)
        self.waits.changed()

    def _bind_status(self, pdu: p.BindRequest) -> int:
        script = self.script
        if script.refuse_binds is not None and script.refuse_binds.pick.picks(self.counts.binds):
            return script.refuse_binds.status
        if script.system_id and pdu.system_id != script.system_id:
            return s.ESME_RINVSYSID
        if script.password and pdu.password != script.password:
            return s.ESME_RINVPASWD
        bound = sum(link.bound and link.system_id == pdu.system_id for link in self.links)
        return s.ESME_RALYBND if 0 < script.max_binds <= bound else s.ESME_ROK

    def _let_in(self, link: Link, pdu: p.BindRequest) -> None:
        version = ((tlv.SC_INTERFACE_VERSION, bytes((c.VERSION_34,))),)
        answer = p.BindResponse(pdu.command_id | c.RESPONSE_BIT, pdu.sequence, 0, SMSC_SYSTEM_ID, version)
        link.system_id = pdu.system_id
        if not link.respond(answer):
            return
        self.counts.links += 1
        self._emit(Linked(self._clock.now(), link.system_id, link.kind))
        self.deliveries.join(link)
        if self.script.enquire_s > 0:
            self._alarms.after(self.script.enquire_s, partial(self._enquire, link))

    def _enquire(self, link: Link) -> None:
        if link.ask(p.EnquireLink()) and self.script.enquire_s > 0:
            self._alarms.after(self.script.enquire_s, partial(self._enquire, link))

    def unbind(self, link: Link) -> None:
        """Ask a client to go; one that does not answer is closed."""
        if link.ask(p.Unbind()):
            self._alarms.after(UNBIND_PATIENCE_S, link.finish)

    # --- submits ---

    def _submit(self, link: Link, pdu: Submit) -> None:
        self.counts.submits += 1
        fate = self._judge.fate(pdu.destination, self._clock.monotonic())
        case = _Case(link, pdu, fate)
        if fate.reset == "before_accept":
            link.reset()
        elif fate.status:
            self.counts.refused += 1
            self._emit(Declined(self._clock.now(), link.system_id, pdu.destination, fate.status))
            self._alarms.after(fate.delay_s, partial(self._respond, case, fate.status, ""))
        else:
            self._accept(case)

    def _accept(self, case: _Case) -> None:
        """Choose how the message ends, and answer once it is on disk."""
        link, pdu, script, number, read = case.link, case.pdu, self.script, next(self._numbers), content(case.pdu)
        group = f"{link.system_id}/{pdu.source}/{pdu.destination}/{read.part.reference if read.part else number}"
        end = fortune(script, pdu.destination, group)
        taken = Taken(
            at=self._clock.now(),
            number=number,
            message_id=spell(number, script.response_id),
            system_id=link.system_id,
            source=pdu.source,
            destination=pdu.destination,
            text=read.text,
            part=read.part,
            sequence=pdu.sequence,
            data_coding=pdu.data_coding,
            owes=owed(script, read.part, pdu.registered_delivery, end.stat),
            error=end.error,
            reference=tlv.find(pdu.tlvs, tlv.USER_MESSAGE_REFERENCE),
        )
        shown = self._handset.show(taken) if end.stat == "DELIVRD" else None
        self._journal.append(record.taken_line(taken), partial(self._settle, case, taken, shown))

    def _settle(self, case: _Case, taken: Taken, shown: Shown | None) -> None:
        self.counts.accepted += 1
        self.taken.append(taken)
        self._emit(taken)
        if shown is not None:
            self.counts.messages += 1
            self._emit(shown)
        early = self.script.early_receipts
        if early:
            self.deliveries.owe(id(case.link), taken)
            self.deliveries.pump(taken.system_id)
        self._alarms.after(case.fate.delay_s, partial(self._answer, case, taken, told_early=early))
        self.waits.changed()

    def _answer(self, case: _Case, taken: Taken, *, told_early: bool) -> None:
        fate = case.fate
        if fate.reset == "before_response":
            case.link.reset()
        elif fate.dropped:
            self.counts.responses_dropped += 1
        else:
            if fate.garbage:
                case.link.write(self.script.garbage_bytes)
            self._respond(case, s.ESME_ROK, taken.message_id)
        if fate.reset == "after_response":
            case.link.finish()
        if not told_early:
            self.deliveries.owe(id(case.link), taken)
        self.waits.changed()

    def _respond(self, case: _Case, status: int, message_id: str) -> None:
        congestion = self.script.congestion
        tlvs: tlv.Tlvs = () if congestion is None else ((tlv.CONGESTION_STATE, bytes((congestion,))),)
        kind = p.SubmitSmResp if isinstance(case.pdu, p.SubmitSm) else p.DataSmResp
        for _ in range(case.fate.copies):
            if case.link.respond(kind(case.pdu.sequence, status, message_id, tlvs)):
                self.counts.responses += 1
        if case.fate.unbind:
            self.unbind(case.link)
        self.waits.changed()
