"""Optional parameters (TLVs): tags, names, and reading and writing of the list.

A list of TLVs is a tuple of `(tag, value)`: order and repeats survive, unknown tags are kept.

Source: SMPP 5.0 section 4.8; vendor tags are 0x1400 to 0x3FFF.
"""

from struct import Struct
from typing import Final

from loa.smpp.faults import EncodeError

Tlv = tuple[int, bytes]
Tlvs = tuple[Tlv, ...]

DEST_ADDR_SUBUNIT: Final = 0x0005
DEST_NETWORK_TYPE: Final = 0x0006
SOURCE_ADDR_SUBUNIT: Final = 0x000D
QOS_TIME_TO_LIVE: Final = 0x0017
PAYLOAD_TYPE: Final = 0x0019
ADDITIONAL_STATUS_INFO_TEXT: Final = 0x001D
RECEIPTED_MESSAGE_ID: Final = 0x001E
MS_MSG_WAIT_FACILITIES: Final = 0x0030
PRIVACY_INDICATOR: Final = 0x0201
SOURCE_SUBADDRESS: Final = 0x0202
DEST_SUBADDRESS: Final = 0x0203
USER_MESSAGE_REFERENCE: Final = 0x0204
USER_RESPONSE_CODE: Final = 0x0205
SOURCE_PORT: Final = 0x020A
DESTINATION_PORT: Final = 0x020B
SAR_MSG_REF_NUM: Final = 0x020C
LANGUAGE_INDICATOR: Final = 0x020D
SAR_TOTAL_SEGMENTS: Final = 0x020E
SAR_SEGMENT_SEQNUM: Final = 0x020F
SC_INTERFACE_VERSION: Final = 0x0210
NUMBER_OF_MESSAGES: Final = 0x0304
CALLBACK_NUM: Final = 0x0381
DPF_RESULT: Final = 0x0420
SET_DPF: Final = 0x0421
MS_AVAILABILITY_STATUS: Final = 0x0422
NETWORK_ERROR_CODE: Final = 0x0423
MESSAGE_PAYLOAD: Final = 0x0424
DELIVERY_FAILURE_REASON: Final = 0x0425
MORE_MESSAGES_TO_SEND: Final = 0x0426
MESSAGE_STATE: Final = 0x0427
CONGESTION_STATE: Final = 0x0428
USSD_SERVICE_OP: Final = 0x0501
SOURCE_NETWORK_ID: Final = 0x060D
DEST_NETWORK_ID: Final = 0x060E
DEST_ADDR_NP_RESOLUTION: Final = 0x0611
ALERT_ON_MESSAGE_DELIVERY: Final = 0x130C
ITS_REPLY_TYPE: Final = 0x1380

VENDOR_FIRST: Final = 0x1400
VENDOR_LAST: Final = 0x3FFF

NAMES: Final[dict[int, str]] = {
    value: name.lower()
    for name, value in globals().items()
    if name.isupper() and isinstance(value, int) and not name.startswith("VENDOR_")
}

_HEAD = Struct(">HH")


def tag_name(tag: int) -> str:
    """Name any tag, known or not, for a log line or a trace."""
    name = NAMES.get(tag)
    if name is not None:
        return name
    return f"vendor parameter 0x{tag:04X}" if VENDOR_FIRST <= tag <= VENDOR_LAST else f"parameter 0x{tag:04X}"


def find(tlvs: Tlvs, tag: int) -> bytes | None:
    """Give the value of the first TLV with this tag."""
    for found, value in tlvs:
        if found == tag:
            return value
    return None


def find_int(tlvs: Tlvs, tag: int) -> int | None:
    """Give the first TLV with this tag as a number of whatever width it came in; an empty one is none."""
    value = find(tlvs, tag)
    return int.from_bytes(value, "big") if value else None


def encode(tlvs: Tlvs) -> bytes:
    """Write a list of TLVs in its order.

    Errors: EncodeError when a tag or a value does not fit its 16 bits.
    """
    parts = []
    for tag, value in tlvs:
        if not 0 <= tag <= 0xFFFF or len(value) > 0xFFFF:
            raise EncodeError(f"parameter 0x{tag:X} with {len(value)} octets does not fit")
        parts.append(_HEAD.pack(tag, len(value)))
        parts.append(value)
    return b"".join(parts)


def decode(body: bytes, start: int) -> tuple[Tlvs, int]:
    """Read TLVs from `start` to the end, and say how many octets are left over.

    Shapes: 0 left is a clean end; 1 to 3 are stray octets, dropped; below 0 the last value is cut off by so many
    and keeps the octets there are.
    """
    end = len(body)
    found = []
    while start + 4 <= end:
        tag, length = _HEAD.unpack_from(body, start)
        start += 4
        found.append((tag, body[start : start + length]))
        start += length
    return tuple(found), end - start
