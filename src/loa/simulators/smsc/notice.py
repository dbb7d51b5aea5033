"""A receipt that is owed to a client, or anything else that is to be delivered to it."""

from dataclasses import dataclass

from loa.simulators.smsc.events import Taken, Told
from loa.smpp.pdu import DataSm, DeliverSm


@dataclass(frozen=True, slots=True)
class Notice:
    """Either the state of one segment, written when it is sent, or a ready PDU.

    `origin`: which connection the segment came over.
    """

    origin: int = 0
    taken: Taken | None = None
    stat: str = ""
    pdu: DeliverSm | DataSm | None = None

    def told(self, at: int, status: int) -> Told:
        """Say what the client answered to the receipt of a segment."""
        assert self.taken is not None
        return Told(at, self.taken.number, self.taken.destination, self.stat, status)
