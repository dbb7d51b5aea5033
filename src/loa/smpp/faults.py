"""What can be wrong with bytes or with a PDU: our mistake and the peer's mistake are different errors."""

from loa import errors
from loa.smpp.commands import GENERIC_NACK, RESPONSE_BIT
from loa.smpp.status import ESME_RINVCMDLEN, status_name


class ProtocolError(errors.ProtocolError):
    """The peer sent something that SMPP does not allow, with the answer that it is owed.

    `fatal` says that the stream can no longer be read: answer, then drop the connection. Otherwise the
    session goes on. `answer_id` is the command id of the answer: generic_nack, or the response of the
    request when its header was sound.
    """

    code = "smpp_protocol"

    def __init__(
        self,
        reason: str,
        *,
        status: int = ESME_RINVCMDLEN,
        sequence: int = 0,
        answer_id: int = GENERIC_NACK,
        fatal: bool = False,
    ) -> None:
        super().__init__(f"{reason} ({status_name(status)})", status=status, sequence=sequence)
        self.reason = reason
        self.status = status
        self.sequence = sequence
        self.answer_id = answer_id
        self.fatal = fatal

    @property
    def answer(self) -> bytes:
        """Give the PDU to send back: a header without a body."""
        fields = (16, self.answer_id | RESPONSE_BIT, self.status, self.sequence)
        return b"".join((field & 0xFFFFFFFF).to_bytes(4, "big") for field in fields)


class EncodeError(errors.LoaError, ValueError):
    """A PDU of ours cannot be written: a field is too long, out of range or holds a NUL."""

    code = "smpp_encode"


class SessionError(errors.LoaError):
    """We tried to send what the state of the session forbids."""

    code = "smpp_session"
