"""The two frames that make up nearly all traffic, read in one pass each.

Each function reads only what it is sure to read as `loa.smpp` would; anything else gives None and takes the full way. A
property test holds the two ways together.
"""

import re
from struct import Struct
from typing import Final

from loa.channels.smpp.states import STATES
from loa.domain.lifecycle import State
from loa.smpp import commands as c
from loa.smpp.receipt import state_of

SUBMIT_SM_RESP: Final = c.SUBMIT_SM_RESP.to_bytes(4, "big")
DELIVER_SM: Final = c.DELIVER_SM.to_bytes(4, "big")

Answer = tuple[int, int, str]
"""Sequence, status, message id."""

ReceiptFrame = tuple[int, bytes, State | None, str, str, str, str]
"""Sequence, octets of the text, state, stat, id, err, source address."""

_STATUS_AND_SEQUENCE: Final = Struct(">II")
_STAT_WORDS: Final = ("DELIVRD", "UNDELIV", "EXPIRED", "REJECTD", "DELETED", "ACCEPTD", "ENROUTE", "UNKNOWN")
_STATS: Final[dict[bytes, tuple[str, State | None]]] = {
    word.encode(): (word, STATES.get(state_of(word) or 0)) for word in _STAT_WORDS
}
_RECEIPT: Final = re.compile(
    # service_type, source, destination, esm_class 4 and no times; then the text in the order of the specification
    rb"[^\0]{0,5}\0..([0-9]{1,20})\0..[^\0]{0,20}\0\x04..\0\0....(.)"
    rb"(id:([0-9A-Za-z-]{1,64}) sub:\w* dlvrd:\w* submit date:\w* done date:\w* "
    rb"stat:([A-Z]{7}) err:(\w*)(?: [Tt]ext:.*)?)\Z",
    re.DOTALL,
)


def read_answer(frame: bytes) -> Answer | None:
    """Read a submit_sm_resp without parameters."""
    end = frame.find(0, 16)
    if end != len(frame) - 1:
        return None
    status, sequence = _STATUS_AND_SEQUENCE.unpack_from(frame, 8)
    return sequence, status, frame[16:end].decode("latin-1")


def read_receipt(frame: bytes) -> ReceiptFrame | None:
    """Read a deliver_sm that is a receipt in the usual words, without parameters."""
    found = _RECEIPT.match(frame, 16)
    if found is None:
        return None
    source, length, text, ref, stat, error = found.groups()
    known = _STATS.get(stat)
    if known is None or length[0] != len(text):
        return None
    sequence = int.from_bytes(frame[12:16], "big")
    return sequence, text, known[1], known[0], ref.decode(), error.decode(), source.decode()
