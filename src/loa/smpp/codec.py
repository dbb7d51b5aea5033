"""PDUs to bytes and bytes to PDUs.

Reading is lenient unless asked otherwise: see `wire`. Unknown commands, statuses, parameters and codings come
through as they are. Hot PDUs (submit_sm, deliver_sm and their responses) have a direct path; whatever it
stumbles over is read again field by field. Knows no session and no socket.

Source: SMPP 3.4 section 4, SMPP 5.0 section 4.
"""

from collections.abc import Callable
from struct import Struct
from struct import error as struct_error
from typing import Final

from loa.smpp import commands as c
from loa.smpp import pdu as p
from loa.smpp.encoding import SubmitTemplate, encode, encode_submit_sm
from loa.smpp.tlv import Tlvs
from loa.smpp.tlv import decode as decode_tlvs
from loa.smpp.wire import (
    ADDRESS_LIMIT,
    ADDRESS_RANGE_LIMIT,
    HEADER,
    LONG_ADDRESS_LIMIT,
    MESSAGE_ID_LIMIT,
    PASSWORD_LIMIT,
    SERVICE_TYPE_LIMIT,
    SYSTEM_ID_LIMIT,
    SYSTEM_TYPE_LIMIT,
    TIME_LIMIT,
    Reader,
)

__all__ = ["SubmitTemplate", "decode", "encode", "encode_submit_sm"]

_TAIL: Final = Struct(">BBBBB")


def decode(frame: bytes | bytearray | memoryview, *, strict: bool = False) -> p.Pdu:
    """Read one frame, header included.

    Errors: ProtocolError when the frame is shorter than a header, when a submit_sm is cut short, or, with
    `strict`, at any oddity. Nothing else is ever raised.
    """
    raw = frame if isinstance(frame, bytes) else bytes(frame)
    if not strict:
        fast = _FAST.get(raw[4:8])
        if fast is not None:
            try:
                return fast(raw)
            except (ValueError, IndexError, struct_error):
                pass
    reader = Reader(raw, strict=strict)
    read = _READERS.get(reader.command_id)
    if read is None:
        return p.UnknownPdu(reader.command_id, reader.status, reader.sequence, raw[16:])
    found = read(reader)
    reader.finish()
    return found


# --- direct paths: any exception means "read it field by field" -------------------------------------------


def _fast_id_resp(kind: Callable[[int, int, str, Tlvs], p.Pdu]) -> Callable[[bytes], p.Pdu]:
    def read(raw: bytes) -> p.Pdu:
        _, _, status, sequence = HEADER.unpack_from(raw)
        if status:
            raise ValueError
        end = raw.index(0, 16)
        tlvs = () if end + 1 == len(raw) else decode_tlvs(raw, end + 1)[0]
        return kind(sequence, 0, raw[16:end].decode("latin-1"), tlvs)

    return read


def _fast_message(kind: Callable[..., p.Pdu]) -> Callable[[bytes], p.Pdu]:
    def read(raw: bytes) -> p.Pdu:
        index = raw.index
        service_end = index(0, 16)
        source_end = index(0, service_end + 3)
        destination_end = index(0, source_end + 3)
        schedule_end = index(0, destination_end + 4)
        validity_end = index(0, schedule_end + 1)
        registered, replace, coding, default_id, length = _TAIL.unpack_from(raw, validity_end + 1)
        start = validity_end + 6
        end = start + length
        if end > len(raw):
            raise ValueError
        tlvs, left = ((), 0) if end == len(raw) else decode_tlvs(raw, end)
        if left < 0:
            raise ValueError
        return kind(
            int.from_bytes(raw[12:16], "big"),
            raw[16:service_end].decode("latin-1"),
            raw[service_end + 1],
            raw[service_end + 2],
            raw[service_end + 3 : source_end].decode("latin-1"),
            raw[source_end + 1],
            raw[source_end + 2],
            raw[source_end + 3 : destination_end].decode("latin-1"),
            raw[destination_end + 1],
            raw[destination_end + 2],
            raw[destination_end + 3],
            raw[destination_end + 4 : schedule_end].decode("latin-1"),
            raw[schedule_end + 1 : validity_end].decode("latin-1"),
            registered,
            replace,
            coding,
            default_id,
            raw[start:end],
            tlvs,
        )

    return read


_FAST: Final[dict[bytes, Callable[[bytes], p.Pdu]]] = {
    c.SUBMIT_SM_RESP.to_bytes(4, "big"): _fast_id_resp(p.SubmitSmResp),
    c.DELIVER_SM_RESP.to_bytes(4, "big"): _fast_id_resp(p.DeliverSmResp),
    c.DELIVER_SM.to_bytes(4, "big"): _fast_message(p.DeliverSm),
    c.SUBMIT_SM.to_bytes(4, "big"): _fast_message(p.SubmitSm),
}


# --- field by field ---------------------------------------------------------------------------------------


def _bind(r: Reader) -> p.Pdu:
    return p.BindRequest(
        r.command_id,
        r.sequence,
        r.text(SYSTEM_ID_LIMIT),
        r.text(PASSWORD_LIMIT),
        r.text(SYSTEM_TYPE_LIMIT),
        r.octet(),
        r.octet(),
        r.octet(),
        r.text(ADDRESS_RANGE_LIMIT),
    )


def _bind_resp(r: Reader) -> p.Pdu:
    system_id = "" if r.at_end else r.text(SYSTEM_ID_LIMIT)
    return p.BindResponse(r.command_id, r.sequence, r.status, system_id, r.tlvs())


def _outbind(r: Reader) -> p.Pdu:
    return p.Outbind(r.sequence, r.text(SYSTEM_ID_LIMIT), r.text(PASSWORD_LIMIT))


def _message(kind: Callable[..., p.Pdu]) -> Callable[[Reader], p.Pdu]:
    def read(r: Reader) -> p.Pdu:
        return kind(
            r.sequence,
            r.text(SERVICE_TYPE_LIMIT),
            r.octet(),
            r.octet(),
            r.text(ADDRESS_LIMIT),
            r.octet(),
            r.octet(),
            r.text(ADDRESS_LIMIT),
            r.octet(),
            r.octet(),
            r.octet(),
            r.text(TIME_LIMIT),
            r.text(TIME_LIMIT),
            r.octet(),
            r.octet(),
            r.octet(),
            r.octet(),
            r.octets(r.octet()),
            r.tlvs(),
        )

    return read


def _data(r: Reader) -> p.Pdu:
    return p.DataSm(
        r.sequence,
        r.text(SERVICE_TYPE_LIMIT),
        r.octet(),
        r.octet(),
        r.text(LONG_ADDRESS_LIMIT),
        r.octet(),
        r.octet(),
        r.text(LONG_ADDRESS_LIMIT),
        r.octet(),
        r.octet(),
        r.octet(),
        r.tlvs(),
    )


def _id_resp(kind: Callable[..., p.Pdu]) -> Callable[[Reader], p.Pdu]:
    def read(r: Reader) -> p.Pdu:
        if r.status and (tlvs := r.only_tlvs()):
            return kind(r.sequence, r.status, "", tlvs)
        message_id = "" if r.at_end else r.text(MESSAGE_ID_LIMIT)
        return kind(r.sequence, r.status, message_id, r.tlvs())

    return read


def _query(r: Reader) -> p.Pdu:
    return p.QuerySm(r.sequence, r.text(MESSAGE_ID_LIMIT), r.octet(), r.octet(), r.text(ADDRESS_LIMIT))


def _query_resp(r: Reader) -> p.Pdu:
    if r.at_end:
        return p.QuerySmResp(r.sequence, r.status)
    return p.QuerySmResp(
        r.sequence,
        r.status,
        r.text(MESSAGE_ID_LIMIT),
        r.text(TIME_LIMIT),
        r.octet(),
        r.octet(),
        r.tlvs(),
    )


def _cancel(r: Reader) -> p.Pdu:
    return p.CancelSm(
        r.sequence,
        r.text(SERVICE_TYPE_LIMIT),
        r.text(MESSAGE_ID_LIMIT),
        r.octet(),
        r.octet(),
        r.text(ADDRESS_LIMIT),
        r.octet(),
        r.octet(),
        r.text(ADDRESS_LIMIT),
    )


def _alert(r: Reader) -> p.Pdu:
    return p.AlertNotification(
        r.sequence,
        r.octet(),
        r.octet(),
        r.text(LONG_ADDRESS_LIMIT),
        r.octet(),
        r.octet(),
        r.text(LONG_ADDRESS_LIMIT),
        r.tlvs(),
    )


def _bare(kind: Callable[..., p.Pdu]) -> Callable[[Reader], p.Pdu]:
    return lambda r: kind(r.sequence)


def _bare_resp(kind: Callable[..., p.Pdu]) -> Callable[[Reader], p.Pdu]:
    return lambda r: kind(r.sequence, r.status, r.tlvs())


_READERS: Final[dict[int, Callable[[Reader], p.Pdu]]] = {
    c.BIND_TRANSMITTER: _bind,
    c.BIND_RECEIVER: _bind,
    c.BIND_TRANSCEIVER: _bind,
    c.BIND_TRANSMITTER_RESP: _bind_resp,
    c.BIND_RECEIVER_RESP: _bind_resp,
    c.BIND_TRANSCEIVER_RESP: _bind_resp,
    c.OUTBIND: _outbind,
    c.SUBMIT_SM: _message(p.SubmitSm),
    c.DELIVER_SM: _message(p.DeliverSm),
    c.SUBMIT_SM_RESP: _id_resp(p.SubmitSmResp),
    c.DELIVER_SM_RESP: _id_resp(p.DeliverSmResp),
    c.DATA_SM: _data,
    c.DATA_SM_RESP: _id_resp(p.DataSmResp),
    c.QUERY_SM: _query,
    c.QUERY_SM_RESP: _query_resp,
    c.CANCEL_SM: _cancel,
    c.CANCEL_SM_RESP: _bare_resp(p.CancelSmResp),
    c.ENQUIRE_LINK: _bare(p.EnquireLink),
    c.ENQUIRE_LINK_RESP: _bare_resp(p.EnquireLinkResp),
    c.UNBIND: _bare(p.Unbind),
    c.UNBIND_RESP: _bare_resp(p.UnbindResp),
    c.GENERIC_NACK: _bare_resp(p.GenericNack),
    c.ALERT_NOTIFICATION: _alert,
}
