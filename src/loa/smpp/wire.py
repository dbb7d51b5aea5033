"""Reading the fields of one frame in order, leniently or strictly, and the lengths that fields may have.

Lenient reading never gives up on an odd field: a text without its NUL reaches to the end of the frame, a
field past the end is empty or 0. Strict reading raises at the first oddity. A submit_sm that is cut short is
refused in both modes: sending half a text helps nobody.
"""

from struct import Struct
from typing import Final

from loa.smpp import tlv
from loa.smpp.commands import HEADER_LENGTH, RESPONSE_BIT, SUBMIT_SM, command_name
from loa.smpp.faults import ProtocolError
from loa.smpp.status import (
    ESME_RINVCMDLEN,
    ESME_RINVMSGLEN,
    ESME_RINVTLVSTREAM,
)

HEADER: Final = Struct(">IIII")

# Characters without the NUL. Binds take more than the text's 15 and 8, because some SMSCs give out more.
SYSTEM_ID_LIMIT: Final = 64
PASSWORD_LIMIT: Final = 64
SYSTEM_TYPE_LIMIT: Final = 12
ADDRESS_RANGE_LIMIT: Final = 40
SERVICE_TYPE_LIMIT: Final = 5
ADDRESS_LIMIT: Final = 20
LONG_ADDRESS_LIMIT: Final = 64
TIME_LIMIT: Final = 16
MESSAGE_ID_LIMIT: Final = 64
SHORT_MESSAGE_LIMIT: Final = 255


class Reader:
    """Walk over the fields of one frame; see the module for what lenient and strict mean."""

    __slots__ = ("_at", "_refuse_cut", "_strict", "command_id", "frame", "sequence", "status")

    def __init__(self, frame: bytes, *, strict: bool) -> None:
        if len(frame) < HEADER_LENGTH:
            raise ProtocolError(f"a header of {len(frame)} octets", fatal=True)
        length, self.command_id, self.status, self.sequence = HEADER.unpack_from(frame)
        self.frame = frame
        self._at = HEADER_LENGTH
        self._strict = strict
        self._refuse_cut = strict or self.command_id == SUBMIT_SM
        if strict and length != len(frame):
            self._fail(f"length says {length}, there are {len(frame)} octets", ESME_RINVCMDLEN)

    def _fail(self, reason: str, status: int) -> None:
        name = command_name(self.command_id)
        raise ProtocolError(
            f"{name}: {reason}",
            status=status,
            sequence=self.sequence,
            answer_id=self.command_id | RESPONSE_BIT,
        )

    def only_tlvs(self) -> tlv.Tlvs:
        """Read all that is left as optional parameters if it is nothing else, as some refusals are written."""
        if self.frame[self._at : self._at + 1].isalnum():
            return ()
        found, left = tlv.decode(self.frame, self._at)
        if left or not all(tag and value for tag, value in found):
            return ()
        self._at = len(self.frame)
        return found

    @property
    def at_end(self) -> bool:
        """Say whether no octet is left."""
        return self._at >= len(self.frame)

    def text(self, limit: int) -> str:
        """Read a text up to its NUL."""
        start = self._at
        end = self.frame.find(0, start)
        if end < 0:
            if self._refuse_cut:
                self._fail("a text without its NUL", ESME_RINVCMDLEN)
            end = len(self.frame)
        self._at = end + 1
        if self._strict and end - start > limit:
            self._fail(f"a text of {end - start} characters where {limit} fit", ESME_RINVCMDLEN)
        return self.frame[start:end].decode("latin-1")

    def octet(self) -> int:
        """Read one octet as a number."""
        at = self._at
        self._at = at + 1
        if at < len(self.frame):
            return self.frame[at]
        if self._refuse_cut:
            self._fail("it ends too early", ESME_RINVCMDLEN)
        return 0

    def octets(self, count: int) -> bytes:
        """Read `count` octets."""
        start = self._at
        self._at = start + count
        if self._refuse_cut and self._at > len(self.frame):
            self._fail("the text is shorter than it says", ESME_RINVMSGLEN)
        return self.frame[start : self._at]

    def tlvs(self) -> tlv.Tlvs:
        """Read all that is left as optional parameters."""
        found, left = tlv.decode(self.frame, self._at)
        if (self._refuse_cut and left < 0) or (self._strict and left > 0):
            self._fail("optional parameters end in the middle", ESME_RINVTLVSTREAM)
        self._at = len(self.frame)
        return found

    def finish(self) -> None:
        """Refuse octets after the last field, when strict."""
        if self._strict and self._at < len(self.frame):
            self._fail(f"{len(self.frame) - self._at} octets too many", ESME_RINVCMDLEN)
