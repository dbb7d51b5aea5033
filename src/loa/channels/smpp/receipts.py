"""What the peer delivers: receipts become `Receipt` and are acknowledged once they are on disk.

Nothing that a peer delivers can stop a link: what cannot be read is acknowledged, counted and logged. Messages from
handsets are acknowledged and counted; nothing takes them yet.
"""

from collections.abc import Callable
from functools import partial
from typing import Final

from loa.channels.smpp.express import ReceiptFrame
from loa.channels.smpp.known import KnownRefs
from loa.channels.smpp.linklog import LinkLog
from loa.channels.smpp.settings import SmppSettings
from loa.channels.smpp.states import STATES
from loa.domain.receipt import Receipt
from loa.ports.channel import ReceiptSink
from loa.ports.probe import Point, Probe
from loa.smpp import commands as c
from loa.smpp import receipt as texts
from loa.smpp import tlv
from loa.smpp.pdu import DataSm, DeliverSm
from loa.smpp.receipt import ReceiptText
from loa.smpp.status import ESME_ROK, ESME_RX_T_APPN
from loa.smpp.wire import HEADER

_LOG_EVERY: Final = 1_000


def destination_of(address: str) -> int:
    """Read the number a receipt speaks of, 0 when it is none.

    Shapes: "84912345678", "+84912345678", "0084912345678" and the Vietnamese "0912345678" give 84912345678.
    """
    digits = address.removeprefix("+")
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 20:
        return 0
    if digits.startswith("00"):
        digits = digits[2:]
    elif digits.startswith("0") and len(digits) == 10:
        digits = "84" + digits[1:]
    return int(digits or "0")


def to_receipt(found: ReceiptText, source: str, channel_id: int, known: KnownRefs, now: int) -> Receipt | None:
    """Give the receipt as the ledger wants it, or None when it names no message.

    A receipt that names its message twice, in a parameter and in the text, offers both spellings.
    """
    destination = destination_of(source)
    forms = (form for ref in found.refs for form in known.forms(ref, destination))
    refs = tuple(dict.fromkeys(form for form in forms if form))
    if not refs:
        return None
    state = STATES.get(found.state) if found.state is not None else None
    detail = found.error
    if found.network_error is not None:
        detail = f"{detail} network {found.network_error[0]}/{found.network_error[1]}".lstrip()
    return Receipt(channel_id, refs, state, found.stat, destination, detail, found.raw, now)


class Deliveries:
    """The incoming side of one link: reads, offers, and collects acknowledgements to be written together."""

    def __init__(
        self,
        settings: SmppSettings,
        channel_id: int,
        known: KnownRefs,
        probe: Probe,
        sink: ReceiptSink,
        flush: Callable[[], None],
        log: LinkLog,
    ) -> None:
        self._unflagged = settings.receipt_without_esm_class
        self._known = known
        self._limit = settings.receipts_pending
        self._channel_id = channel_id
        self._probe = probe
        self._sink = sink
        self._flush = flush
        self._log = log
        self._acks: list[bytes] = []
        self.pending = 0
        self.inbound = 0
        self.unreadable = 0
        self.put_off = 0

    def take(self, message: DeliverSm | DataSm, now: int) -> None:
        """Take one delivery. Units: now in milliseconds since the epoch."""
        answer_id = message.command_id | c.RESPONSE_BIT
        sequence = message.sequence
        # A handset can write the words of a receipt, but not this parameter.
        unflagged = self._unflagged or tlv.find(message.tlvs, tlv.RECEIPTED_MESSAGE_ID) is not None
        found = texts.read(message, allow_unflagged=unflagged)
        if found is None:
            self.inbound += 1
            self._note("message from a handset left aside", self.inbound)
            self._acknowledge(answer_id, sequence, ESME_ROK)
            return
        if self._full(answer_id, sequence):
            return
        receipt = to_receipt(found, message.source, self._channel_id, self._known, now)
        if receipt is None:
            self.unreadable += 1
            self._note("receipt names no message", self.unreadable)
            self._acknowledge(answer_id, sequence, ESME_ROK)
            return
        self._offer(receipt, answer_id, sequence)

    def take_usual(self, frame: ReceiptFrame, now: int) -> None:
        """Take one receipt that was read in one pass. Units: now in milliseconds since the epoch."""
        sequence, text, state, stat, ref, error, source = frame
        if self._full(c.DELIVER_SM_RESP, sequence):
            return
        destination = int(source) if source[0] != "0" else destination_of(source)
        refs = self._known.forms(ref, destination)
        receipt = Receipt(self._channel_id, refs, state, stat, destination, error, text, now)
        self._offer(receipt, c.DELIVER_SM_RESP, sequence)

    def _offer(self, receipt: Receipt, answer_id: int, sequence: int) -> None:
        self._probe.reached(Point.RECEIPT_READ)
        self.pending += 1
        self._sink(receipt, partial(self._stored, answer_id, sequence))

    def _full(self, answer_id: int, sequence: int) -> bool:
        """Put a receipt off when too many wait for the disk."""
        if self.pending < self._limit:
            return False
        self.put_off += 1
        self._note("too many receipts at once, asked the peer to send again", self.put_off)
        self._acknowledge(answer_id, sequence, ESME_RX_T_APPN)
        return True

    def acks(self) -> bytes:
        """Give the acknowledgements to write, and forget them."""
        acks = b"".join(self._acks)
        self._acks.clear()
        return acks

    def _stored(self, answer_id: int, sequence: int, stored: bool) -> None:
        self.pending -= 1
        self._acknowledge(answer_id, sequence, ESME_ROK if stored else ESME_RX_T_APPN)

    def _acknowledge(self, answer_id: int, sequence: int, status: int) -> None:
        if not self._acks:
            self._flush()
        self._acks.append(HEADER.pack(17, answer_id, status, sequence) + b"\0")

    def _note(self, event: str, count: int) -> None:
        if count == 1 or count % _LOG_EVERY == 0:
            self._log.warning(event, count=count)
