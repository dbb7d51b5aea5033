"""Cutting a byte stream into frames: any cut of the stream gives the same frames.

Nothing here reads a body. Memory held is at most one frame and one chunk.
"""

from typing import Final

from loa.smpp.commands import HEADER_LENGTH
from loa.smpp.faults import ProtocolError

# A full message_payload (64 KiB) with its mandatory fields and a generous list of other parameters.
LARGEST_FRAME: Final = 64 * 1024 + 4096


class FrameBuffer:
    """Collect chunks of a stream and give whole frames, header included.

    Once a length is absurd the stream cannot be read any more: `fault` then holds the ProtocolError with the
    generic_nack that the peer is owed. The frames before it are still given; the next `feed` raises it.
    """

    __slots__ = ("_held", "_largest", "_wanted", "fault")

    def __init__(self, largest: int = LARGEST_FRAME) -> None:
        self._held = bytearray()
        self._wanted = 4
        self._largest = largest
        self.fault: ProtocolError | None = None

    @property
    def pending(self) -> int:
        """Count the octets of a frame that has not ended yet."""
        return len(self._held)

    def feed(self, data: bytes) -> list[bytes]:
        """Take one chunk and give every frame that is complete with it.

        Errors: ProtocolError (fatal) when the stream was already broken.
        """
        if self.fault is not None:
            raise self.fault
        if not self._held:
            frames, at = self._cut(data)
            if at < len(data):
                self._held += data[at:] if at else data
            return frames
        held = self._held
        held += data
        if len(held) < self._wanted:
            return []
        frames, at = self._cut(bytes(held))
        del held[:at]
        return frames

    def _cut(self, data: bytes) -> tuple[list[bytes], int]:
        """Cut frames off the front; leave in `_wanted` how many octets the rest needs at least."""
        frames: list[bytes] = []
        at, end = 0, len(data)
        while at + 4 <= end:
            length = int.from_bytes(data[at : at + 4], "big")
            if not HEADER_LENGTH <= length <= self._largest:
                self._refuse(length, data[at : at + HEADER_LENGTH])
                return frames, at if self.fault is None else end
            if at + length > end:
                self._wanted = length
                return frames, at
            frames.append(data[at : at + length])
            at += length
        self._wanted = 4
        return frames, at

    def _refuse(self, length: int, header: bytes) -> None:
        """Note the fault; a length below a header leaves no sequence number to answer."""
        if length < HEADER_LENGTH:
            self.fault = ProtocolError(f"a PDU of {length} octets", fatal=True)
        elif len(header) < HEADER_LENGTH:
            self._wanted = HEADER_LENGTH
        else:
            sequence = int.from_bytes(header[12:16], "big")
            self.fault = ProtocolError(f"a PDU of {length} octets", sequence=sequence, fatal=True)
