"""PDUs to bytes, checked: what we send is always well formed.

Texts are written by one `%` format each, because one pass over one string is several times faster than joining
encoded fields.

Source: SMPP 3.4 section 4, SMPP 5.0 section 4.
"""

from collections.abc import Callable
from struct import error as struct_error
from typing import Any, Final

from loa.smpp import pdu as p
from loa.smpp import tlv, wire
from loa.smpp.faults import EncodeError
from loa.smpp.wire import HEADER

_MESSAGE: Final = "%s\0%c%c%s\0%c%c%s\0%c%c%c%s\0%s\0%c%c%c%c%c"


def encode(pdu: p.Pdu, sequence: int | None = None) -> bytes:
    """Write one PDU, under its own sequence number or the given one.

    Errors: EncodeError when a field does not fit, holds a NUL, or is no Latin-1.
    """
    try:
        return _WRITERS[type(pdu)](pdu, pdu.sequence if sequence is None else sequence)
    except (UnicodeEncodeError, OverflowError, struct_error) as exc:
        raise EncodeError(f"{type(pdu).__name__}: a field does not fit: {exc}") from exc


def encode_submit_sm(pdu: p.SubmitSm, sequence: int) -> bytes:
    """Write one submit_sm; the same as `encode`, without the look-up.

    Errors: EncodeError as `encode`.
    """
    try:
        return _message(pdu, sequence)
    except (UnicodeEncodeError, OverflowError, struct_error) as exc:
        raise EncodeError(f"SubmitSm: a field does not fit: {exc}") from exc


class SubmitTemplate:
    """What many submit_sm of one sender share, written once.

    Everything but the sequence, the destination, the text and what `encode` takes comes from the model PDU.
    """

    __slots__ = ("_head", "_model", "_tail", "_tlvs")

    def __init__(self, model: p.SubmitSm) -> None:
        encode(model)
        self._model = model
        m = model
        self._head = (
            f"{m.service_type}\0{m.source_ton:c}{m.source_npi:c}{m.source}\0{m.destination_ton:c}{m.destination_npi:c}"
        ).encode("latin-1")
        self._tail = (
            f"{m.protocol_id:c}{m.priority:c}{m.schedule}\0{m.validity}\0"
            f"{m.registered_delivery:c}{m.replace_if_present:c}"
        ).encode("latin-1")
        self._tlvs = tlv.encode(m.tlvs)

    def encode(
        self,
        sequence: int,
        destination: str,
        short_message: bytes,
        *,
        data_coding: int = 0,
        esm_class: int = 0,
        tlvs: tlv.Tlvs = (),
    ) -> bytes:
        """Write one submit_sm of this template; `tlvs` follow those of the model.

        Errors: EncodeError as `encode`.
        """
        if len(destination) > wire.ADDRESS_LIMIT or "\0" in destination:
            raise EncodeError("SubmitSm: the destination does not fit")
        try:
            body = b"%b%b\0%c%b%c%c%c%b%b" % (
                self._head,
                destination.encode("latin-1"),
                esm_class,
                self._tail,
                data_coding,
                self._model.default_message_id,
                len(short_message),
                short_message,
                self._tlvs,
            )
            if tlvs:
                body += tlv.encode(tlvs)
            return HEADER.pack(16 + len(body), p.SubmitSm.command_id, 0, sequence) + body
        except (UnicodeEncodeError, OverflowError, struct_error) as exc:
            raise EncodeError(f"SubmitSm: a field does not fit: {exc}") from exc


def _check(name: str, *fields: tuple[str, int]) -> None:
    for value, limit in fields:
        if len(value) > limit:
            raise EncodeError(f"{name}: a text of {len(value)} characters where {limit} fit")
        if "\0" in value:
            raise EncodeError(f"{name}: a text with a NUL in it")


def _frame(command_id: int, status: int, sequence: int, body: str, tlvs: tlv.Tlvs = ()) -> bytes:
    raw = body.encode("latin-1")
    if tlvs:
        raw += tlv.encode(tlvs)
    return HEADER.pack(16 + len(raw), command_id, status, sequence) + raw


def _message(m: p.SubmitSm | p.DeliverSm, sequence: int) -> bytes:
    service_type, source, destination = m.service_type, m.source, m.destination
    schedule, validity, text = m.schedule, m.validity, m.short_message
    if (
        len(source) > wire.ADDRESS_LIMIT
        or len(destination) > wire.ADDRESS_LIMIT
        or len(service_type) > wire.SERVICE_TYPE_LIMIT
        or len(schedule) > wire.TIME_LIMIT
        or len(validity) > wire.TIME_LIMIT
        or "\0" in source + destination + service_type + schedule + validity
    ):
        _check(
            type(m).__name__,
            (service_type, wire.SERVICE_TYPE_LIMIT),
            (source, wire.ADDRESS_LIMIT),
            (destination, wire.ADDRESS_LIMIT),
            (schedule, wire.TIME_LIMIT),
            (validity, wire.TIME_LIMIT),
        )
    body = (
        _MESSAGE
        % (
            service_type,
            m.source_ton,
            m.source_npi,
            source,
            m.destination_ton,
            m.destination_npi,
            destination,
            m.esm_class,
            m.protocol_id,
            m.priority,
            schedule,
            validity,
            m.registered_delivery,
            m.replace_if_present,
            m.data_coding,
            m.default_message_id,
            len(text),
        )
    ).encode("latin-1")
    if m.tlvs:
        text += tlv.encode(m.tlvs)
    return HEADER.pack(16 + len(body) + len(text), m.command_id, 0, sequence) + body + text


def _bind(b: p.BindRequest, sequence: int) -> bytes:
    _check(
        "BindRequest",
        (b.system_id, wire.SYSTEM_ID_LIMIT),
        (b.password, wire.PASSWORD_LIMIT),
        (b.system_type, wire.SYSTEM_TYPE_LIMIT),
        (b.address_range, wire.ADDRESS_RANGE_LIMIT),
    )
    body = (
        f"{b.system_id}\0{b.password}\0{b.system_type}\0"
        f"{b.interface_version:c}{b.address_ton:c}{b.address_npi:c}{b.address_range}\0"
    )
    return _frame(b.command_id, 0, sequence, body)


def _bind_resp(b: p.BindResponse, sequence: int) -> bytes:
    _check("BindResponse", (b.system_id, wire.SYSTEM_ID_LIMIT))
    bare = b.status and not b.system_id and not b.tlvs
    return _frame(b.command_id, b.status, sequence, "" if bare else f"{b.system_id}\0", b.tlvs)


def _outbind(o: p.Outbind, sequence: int) -> bytes:
    _check("Outbind", (o.system_id, wire.SYSTEM_ID_LIMIT), (o.password, wire.PASSWORD_LIMIT))
    return _frame(o.command_id, 0, sequence, f"{o.system_id}\0{o.password}\0")


def _id_resp(r: p.SubmitSmResp | p.DataSmResp, sequence: int) -> bytes:
    _check(type(r).__name__, (r.message_id, wire.MESSAGE_ID_LIMIT))
    bare = r.status and not r.message_id and not r.tlvs
    return _frame(r.command_id, r.status, sequence, "" if bare else f"{r.message_id}\0", r.tlvs)


def _deliver_resp(r: p.DeliverSmResp, sequence: int) -> bytes:
    _check("DeliverSmResp", (r.message_id, wire.MESSAGE_ID_LIMIT))
    return _frame(r.command_id, r.status, sequence, f"{r.message_id}\0", r.tlvs)


def _data(d: p.DataSm, sequence: int) -> bytes:
    _check(
        "DataSm",
        (d.service_type, wire.SERVICE_TYPE_LIMIT),
        (d.source, wire.LONG_ADDRESS_LIMIT),
        (d.destination, wire.LONG_ADDRESS_LIMIT),
    )
    body = (
        f"{d.service_type}\0{d.source_ton:c}{d.source_npi:c}{d.source}\0"
        f"{d.destination_ton:c}{d.destination_npi:c}{d.destination}\0"
        f"{d.esm_class:c}{d.registered_delivery:c}{d.data_coding:c}"
    )
    return _frame(d.command_id, 0, sequence, body, d.tlvs)


def _query(q: p.QuerySm, sequence: int) -> bytes:
    _check("QuerySm", (q.message_id, wire.MESSAGE_ID_LIMIT), (q.source, wire.ADDRESS_LIMIT))
    body = f"{q.message_id}\0{q.source_ton:c}{q.source_npi:c}{q.source}\0"
    return _frame(q.command_id, 0, sequence, body)


def _query_resp(q: p.QuerySmResp, sequence: int) -> bytes:
    _check("QuerySmResp", (q.message_id, wire.MESSAGE_ID_LIMIT), (q.final_date, wire.TIME_LIMIT))
    bare = q.status and q == p.QuerySmResp(q.sequence, q.status)
    body = f"{q.message_id}\0{q.final_date}\0{q.message_state:c}{q.error_code:c}"
    return _frame(q.command_id, q.status, sequence, "" if bare else body, q.tlvs)


def _cancel(k: p.CancelSm, sequence: int) -> bytes:
    _check(
        "CancelSm",
        (k.service_type, wire.SERVICE_TYPE_LIMIT),
        (k.message_id, wire.MESSAGE_ID_LIMIT),
        (k.source, wire.ADDRESS_LIMIT),
        (k.destination, wire.ADDRESS_LIMIT),
    )
    body = (
        f"{k.service_type}\0{k.message_id}\0{k.source_ton:c}{k.source_npi:c}{k.source}\0"
        f"{k.destination_ton:c}{k.destination_npi:c}{k.destination}\0"
    )
    return _frame(k.command_id, 0, sequence, body)


def _alert(a: p.AlertNotification, sequence: int) -> bytes:
    _check("AlertNotification", (a.source, wire.LONG_ADDRESS_LIMIT), (a.esme, wire.LONG_ADDRESS_LIMIT))
    body = f"{a.source_ton:c}{a.source_npi:c}{a.source}\0{a.esme_ton:c}{a.esme_npi:c}{a.esme}\0"
    return _frame(a.command_id, 0, sequence, body, a.tlvs)


def _bare(request: p.EnquireLink | p.Unbind, sequence: int) -> bytes:
    return HEADER.pack(16, request.command_id, 0, sequence)


def _bare_resp(response: p.EnquireLinkResp | p.UnbindResp | p.GenericNack | p.CancelSmResp, sequence: int) -> bytes:
    return _frame(response.command_id, response.status, sequence, "", response.tlvs)


def _unknown(pdu: p.UnknownPdu, sequence: int) -> bytes:
    return HEADER.pack(16 + len(pdu.body), pdu.command_id, pdu.status, sequence) + pdu.body


_WRITERS: Final[dict[type, Callable[[Any, int], bytes]]] = {
    p.BindRequest: _bind,
    p.BindResponse: _bind_resp,
    p.Outbind: _outbind,
    p.SubmitSm: _message,
    p.DeliverSm: _message,
    p.SubmitSmResp: _id_resp,
    p.DeliverSmResp: _deliver_resp,
    p.DataSm: _data,
    p.DataSmResp: _id_resp,
    p.QuerySm: _query,
    p.QuerySmResp: _query_resp,
    p.CancelSm: _cancel,
    p.CancelSmResp: _bare_resp,
    p.EnquireLink: _bare,
    p.EnquireLinkResp: _bare_resp,
    p.Unbind: _bare,
    p.UnbindResp: _bare_resp,
    p.GenericNack: _bare_resp,
    p.AlertNotification: _alert,
    p.UnknownPdu: _unknown,
}
