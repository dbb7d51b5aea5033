"""The numbers of SMPP: command ids, address kinds, classes of message, data codings, receipt requests.

Plain ints, never enums, because a peer may send any number and every number must survive. Statuses are in
`status`, optional parameters in `tlv`.

Source: SMPP 3.4 and 5.0, sections 4.7 and 4.8.
"""

from typing import Final

HEADER_LENGTH: Final = 16
RESPONSE_BIT: Final = 0x80000000
VERSION_34: Final = 0x34
VERSION_50: Final = 0x50

BIND_RECEIVER: Final = 0x00000001
BIND_TRANSMITTER: Final = 0x00000002
QUERY_SM: Final = 0x00000003
SUBMIT_SM: Final = 0x00000004
DELIVER_SM: Final = 0x00000005
UNBIND: Final = 0x00000006
REPLACE_SM: Final = 0x00000007
CANCEL_SM: Final = 0x00000008
BIND_TRANSCEIVER: Final = 0x00000009
OUTBIND: Final = 0x0000000B
ENQUIRE_LINK: Final = 0x00000015
SUBMIT_MULTI: Final = 0x00000021
ALERT_NOTIFICATION: Final = 0x00000102
DATA_SM: Final = 0x00000103

GENERIC_NACK: Final = 0x80000000
BIND_RECEIVER_RESP: Final = 0x80000001
BIND_TRANSMITTER_RESP: Final = 0x80000002
QUERY_SM_RESP: Final = 0x80000003
SUBMIT_SM_RESP: Final = 0x80000004
DELIVER_SM_RESP: Final = 0x80000005
UNBIND_RESP: Final = 0x80000006
REPLACE_SM_RESP: Final = 0x80000007
CANCEL_SM_RESP: Final = 0x80000008
BIND_TRANSCEIVER_RESP: Final = 0x80000009
ENQUIRE_LINK_RESP: Final = 0x80000015
SUBMIT_MULTI_RESP: Final = 0x80000021
DATA_SM_RESP: Final = 0x80000103

BINDS: Final = frozenset({BIND_RECEIVER, BIND_TRANSMITTER, BIND_TRANSCEIVER})

_REQUEST_NAMES: Final = {
    BIND_RECEIVER: "bind_receiver",
    BIND_TRANSMITTER: "bind_transmitter",
    QUERY_SM: "query_sm",
    SUBMIT_SM: "submit_sm",
    DELIVER_SM: "deliver_sm",
    UNBIND: "unbind",
    REPLACE_SM: "replace_sm",
    CANCEL_SM: "cancel_sm",
    BIND_TRANSCEIVER: "bind_transceiver",
    OUTBIND: "outbind",
    ENQUIRE_LINK: "enquire_link",
    SUBMIT_MULTI: "submit_multi",
    ALERT_NOTIFICATION: "alert_notification",
    DATA_SM: "data_sm",
}

# Kinds of number (TON) and numbering plans (NPI).
TON_UNKNOWN: Final = 0
TON_INTERNATIONAL: Final = 1
TON_NATIONAL: Final = 2
TON_NETWORK_SPECIFIC: Final = 3
TON_SUBSCRIBER: Final = 4
TON_ALPHANUMERIC: Final = 5
TON_ABBREVIATED: Final = 6
NPI_UNKNOWN: Final = 0
NPI_ISDN: Final = 1
NPI_DATA: Final = 3
NPI_TELEX: Final = 4
NPI_LAND_MOBILE: Final = 6
NPI_NATIONAL: Final = 8
NPI_PRIVATE: Final = 9
NPI_ERMES: Final = 10
NPI_INTERNET: Final = 14
NPI_WAP: Final = 18

# esm_class: bits 2 to 5 say what the message is, bits 6 and 7 what its text carries.
ESM_RECEIPT: Final = 0x04
ESM_DELIVERY_ACK: Final = 0x08
ESM_USER_ACK: Final = 0x10
ESM_CONVERSATION_ABORT: Final = 0x18
ESM_INTERMEDIATE: Final = 0x20
ESM_KIND_MASK: Final = 0x3C
ESM_UDHI: Final = 0x40
ESM_REPLY_PATH: Final = 0x80

RECEIPT_NONE: Final = 0x00
RECEIPT_FINAL: Final = 0x01
RECEIPT_FAILURE: Final = 0x02
RECEIPT_SUCCESS: Final = 0x03
RECEIPT_INTERMEDIATE: Final = 0x10

CODING_DEFAULT: Final = 0x00
CODING_ASCII: Final = 0x01
CODING_OCTETS: Final = 0x02
CODING_LATIN1: Final = 0x03
CODING_OCTETS_ALT: Final = 0x04
CODING_JIS: Final = 0x05
CODING_CYRILLIC: Final = 0x06
CODING_HEBREW: Final = 0x07
CODING_UCS2: Final = 0x08
CODING_ISO2022_JP: Final = 0x0A
CODING_EUC_KR: Final = 0x0E

# message_state, as query_sm_resp and the message_state parameter carry it.
STATE_SCHEDULED: Final = 0
STATE_ENROUTE: Final = 1
STATE_DELIVERED: Final = 2
STATE_EXPIRED: Final = 3
STATE_DELETED: Final = 4
STATE_UNDELIVERABLE: Final = 5
STATE_ACCEPTED: Final = 6
STATE_UNKNOWN: Final = 7
STATE_REJECTED: Final = 8
STATE_SKIPPED: Final = 9


def command_name(command_id: int) -> str:
    """Name any command id, known or not, for a log line or a trace."""
    if command_id == GENERIC_NACK:
        return "generic_nack"
    name = _REQUEST_NAMES.get(command_id & ~RESPONSE_BIT)
    if name is None:
        return f"command 0x{command_id:08X}"
    return f"{name}_resp" if command_id & RESPONSE_BIT else name
