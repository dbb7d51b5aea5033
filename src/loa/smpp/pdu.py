"""The PDUs of SMPP as values: immutable, every integer an int, every TLV kept.

Texts of the protocol (addresses, ids) are `str` with one character per octet (Latin-1), so whatever a peer
sends survives a round trip. Message text is `bytes`; `payload` reads it. Reading and writing is in `codec`.
`sequence` 0 means "not yet numbered": the session numbers requests when it sends them.

Source: SMPP 3.4 section 4 and SMPP 5.0 section 4.
"""

from dataclasses import dataclass, field
from typing import ClassVar

from loa.smpp import commands as c
from loa.smpp.tlv import Tlvs


@dataclass(frozen=True, slots=True)
class BindRequest:
    """Ask to open a session; `command_id` is one of the three binds."""

    command_id: int
    sequence: int = 0
    system_id: str = ""
    password: str = field(default="", repr=False)
    system_type: str = ""
    interface_version: int = c.VERSION_34
    address_ton: int = 0
    address_npi: int = 0
    address_range: str = ""


@dataclass(frozen=True, slots=True)
class BindResponse:
    """Answer a bind; `command_id` names which one."""

    command_id: int
    sequence: int = 0
    status: int = 0
    system_id: str = ""
    tlvs: Tlvs = ()


@dataclass(frozen=True, slots=True)
class Outbind:
    """An SMSC asks a client to bind as receiver; it has no response."""

    command_id: ClassVar[int] = c.OUTBIND
    sequence: int = 0
    system_id: str = ""
    password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class _Message:
    """The body that submit_sm and deliver_sm share."""

    sequence: int = 0
    service_type: str = ""
    source_ton: int = 0
    source_npi: int = 0
    source: str = ""
    destination_ton: int = 0
    destination_npi: int = 0
    destination: str = ""
    esm_class: int = 0
    protocol_id: int = 0
    priority: int = 0
    schedule: str = ""
    validity: str = ""
    registered_delivery: int = 0
    replace_if_present: int = 0
    data_coding: int = 0
    default_message_id: int = 0
    short_message: bytes = b""
    tlvs: Tlvs = ()


@dataclass(frozen=True, slots=True)
class SubmitSm(_Message):
    """Hand one segment to the SMSC."""

    command_id: ClassVar[int] = c.SUBMIT_SM


@dataclass(frozen=True, slots=True)
class DeliverSm(_Message):
    """The SMSC hands over a message from a handset, or a receipt."""

    command_id: ClassVar[int] = c.DELIVER_SM


@dataclass(frozen=True, slots=True)
class SubmitSmResp:
    """Answer a submit_sm; `message_id` is the provider ref as spelled by the SMSC."""

    command_id: ClassVar[int] = c.SUBMIT_SM_RESP
    sequence: int = 0
    status: int = 0
    message_id: str = ""
    tlvs: Tlvs = ()


@dataclass(frozen=True, slots=True)
class DeliverSmResp:
    """Answer a deliver_sm; `message_id` stays empty by the specification."""

    command_id: ClassVar[int] = c.DELIVER_SM_RESP
    sequence: int = 0
    status: int = 0
    message_id: str = ""
    tlvs: Tlvs = ()


@dataclass(frozen=True, slots=True)
class DataSm:
    """A message whose text is always in the message_payload parameter; either side may send it."""

    command_id: ClassVar[int] = c.DATA_SM
    sequence: int = 0
    service_type: str = ""
    source_ton: int = 0
    source_npi: int = 0
    source: str = ""
    destination_ton: int = 0
    destination_npi: int = 0
    destination: str = ""
    esm_class: int = 0
    registered_delivery: int = 0
    data_coding: int = 0
    tlvs: Tlvs = ()


@dataclass(frozen=True, slots=True)
class DataSmResp:
    """Answer a data_sm."""

    command_id: ClassVar[int] = c.DATA_SM_RESP
    sequence: int = 0
    status: int = 0
    message_id: str = ""
    tlvs: Tlvs = ()


@dataclass(frozen=True, slots=True)
class EnquireLink:
    """Ask whether the peer is alive."""

    command_id: ClassVar[int] = c.ENQUIRE_LINK
    sequence: int = 0


@dataclass(frozen=True, slots=True)
class EnquireLinkResp:
    """Say that we are alive."""

    command_id: ClassVar[int] = c.ENQUIRE_LINK_RESP
    sequence: int = 0
    status: int = 0
    tlvs: Tlvs = ()


@dataclass(frozen=True, slots=True)
class Unbind:
    """Ask to end the session."""

    command_id: ClassVar[int] = c.UNBIND
    sequence: int = 0


@dataclass(frozen=True, slots=True)
class UnbindResp:
    """Agree to end the session."""

    command_id: ClassVar[int] = c.UNBIND_RESP
    sequence: int = 0
    status: int = 0
    tlvs: Tlvs = ()


@dataclass(frozen=True, slots=True)
class GenericNack:
    """Refuse a PDU that could not be understood; `sequence` is 0 when even that was unreadable."""

    command_id: ClassVar[int] = c.GENERIC_NACK
    sequence: int = 0
    status: int = 0
    tlvs: Tlvs = ()


@dataclass(frozen=True, slots=True)
class QuerySm:
    """Ask what became of a message."""

    command_id: ClassVar[int] = c.QUERY_SM
    sequence: int = 0
    message_id: str = ""
    source_ton: int = 0
    source_npi: int = 0
    source: str = ""


@dataclass(frozen=True, slots=True)
class QuerySmResp:
    """Answer a query_sm; `message_state` is a number of `commands.STATE_*`."""

    command_id: ClassVar[int] = c.QUERY_SM_RESP
    sequence: int = 0
    status: int = 0
    message_id: str = ""
    final_date: str = ""
    message_state: int = 0
    error_code: int = 0
    tlvs: Tlvs = ()


@dataclass(frozen=True, slots=True)
class CancelSm:
    """Take back a message by its id, or all of one source and destination when the id is empty."""

    command_id: ClassVar[int] = c.CANCEL_SM
    sequence: int = 0
    service_type: str = ""
    message_id: str = ""
    source_ton: int = 0
    source_npi: int = 0
    source: str = ""
    destination_ton: int = 0
    destination_npi: int = 0
    destination: str = ""


@dataclass(frozen=True, slots=True)
class CancelSmResp:
    """Answer a cancel_sm."""

    command_id: ClassVar[int] = c.CANCEL_SM_RESP
    sequence: int = 0
    status: int = 0
    tlvs: Tlvs = ()


@dataclass(frozen=True, slots=True)
class AlertNotification:
    """The SMSC says that a handset can be reached again; it has no response."""

    command_id: ClassVar[int] = c.ALERT_NOTIFICATION
    sequence: int = 0
    source_ton: int = 0
    source_npi: int = 0
    source: str = ""
    esme_ton: int = 0
    esme_npi: int = 0
    esme: str = ""
    tlvs: Tlvs = ()


@dataclass(frozen=True, slots=True)
class UnknownPdu:
    """A PDU with a command id that this codec does not read; the body is kept raw."""

    command_id: int
    status: int = 0
    sequence: int = 0
    body: bytes = b""


Request = (
    BindRequest
    | Outbind
    | SubmitSm
    | DeliverSm
    | DataSm
    | EnquireLink
    | Unbind
    | QuerySm
    | CancelSm
    | AlertNotification
)
Response = (
    BindResponse
    | SubmitSmResp
    | DeliverSmResp
    | DataSmResp
    | EnquireLinkResp
    | UnbindResp
    | GenericNack
    | QuerySmResp
    | CancelSmResp
)
Pdu = Request | Response | UnknownPdu
