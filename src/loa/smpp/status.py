"""Command statuses of SMPP, and a readable name for every int a peer may send.

What a status means for a message is in `outcomes`.

Source: SMPP 5.0 section 4.7.6 (3.4: section 5.1.3).
"""

from typing import Final

ESME_ROK: Final = 0x00
ESME_RINVMSGLEN: Final = 0x01
ESME_RINVCMDLEN: Final = 0x02
ESME_RINVCMDID: Final = 0x03
ESME_RINVBNDSTS: Final = 0x04
ESME_RALYBND: Final = 0x05
ESME_RINVPRTFLG: Final = 0x06
ESME_RINVREGDLVFLG: Final = 0x07
ESME_RSYSERR: Final = 0x08
ESME_RINVSRCADR: Final = 0x0A
ESME_RINVDSTADR: Final = 0x0B
ESME_RINVMSGID: Final = 0x0C
ESME_RBINDFAIL: Final = 0x0D
ESME_RINVPASWD: Final = 0x0E
ESME_RINVSYSID: Final = 0x0F
ESME_RCANCELFAIL: Final = 0x11
ESME_RREPLACEFAIL: Final = 0x13
ESME_RMSGQFUL: Final = 0x14
ESME_RINVSERTYP: Final = 0x15
ESME_RINVNUMDESTS: Final = 0x33
ESME_RINVDLNAME: Final = 0x34
ESME_RINVDESTFLAG: Final = 0x40
ESME_RINVSUBREP: Final = 0x42
ESME_RINVESMCLASS: Final = 0x43
ESME_RCNTSUBDL: Final = 0x44
ESME_RSUBMITFAIL: Final = 0x45
ESME_RINVSRCTON: Final = 0x48
ESME_RINVSRCNPI: Final = 0x49
ESME_RINVDSTTON: Final = 0x50
ESME_RINVDSTNPI: Final = 0x51
ESME_RINVSYSTYP: Final = 0x53
ESME_RINVREPFLAG: Final = 0x54
ESME_RINVNUMMSGS: Final = 0x55
ESME_RTHROTTLED: Final = 0x58
ESME_RINVSCHED: Final = 0x61
ESME_RINVEXPIRY: Final = 0x62
ESME_RINVDFTMSGID: Final = 0x63
ESME_RX_T_APPN: Final = 0x64
ESME_RX_P_APPN: Final = 0x65
ESME_RX_R_APPN: Final = 0x66
ESME_RQUERYFAIL: Final = 0x67
ESME_RINVTLVSTREAM: Final = 0xC0
ESME_RTLVNOTALLWD: Final = 0xC1
ESME_RINVTLVLEN: Final = 0xC2
ESME_RMISSINGTLV: Final = 0xC3
ESME_RINVTLVVAL: Final = 0xC4
ESME_RDELIVERYFAILURE: Final = 0xFE
ESME_RUNKNOWNERR: Final = 0xFF
ESME_RSERTYPUNAUTH: Final = 0x100
ESME_RPROHIBITED: Final = 0x101
ESME_RSERTYPUNAVAIL: Final = 0x102
ESME_RSERTYPDENIED: Final = 0x103
ESME_RINVDCS: Final = 0x104
ESME_RINVSRCADDRSUBUNIT: Final = 0x105
ESME_RINVDSTADDRSUBUNIT: Final = 0x106
ESME_RINVBCASTFREQINT: Final = 0x107
ESME_RINVBCASTALIAS_NAME: Final = 0x108
ESME_RINVBCASTAREAFMT: Final = 0x109
ESME_RINVNUMBCAST_AREAS: Final = 0x10A
ESME_RINVBCASTCNTTYPE: Final = 0x10B
ESME_RINVBCASTMSGCLASS: Final = 0x10C
ESME_RBCASTFAIL: Final = 0x10D
ESME_RBCASTQUERYFAIL: Final = 0x10E
ESME_RBCASTCANCELFAIL: Final = 0x10F
ESME_RINVBCAST_REP: Final = 0x110
ESME_RINVBCASTSRVGRP: Final = 0x111
ESME_RINVBCASTCHANIND: Final = 0x112

VENDOR_FIRST: Final = 0x400
VENDOR_LAST: Final = 0x4FF

NAMES: Final[dict[int, str]] = {
    value: name for name, value in globals().items() if name.startswith("ESME_") and isinstance(value, int)
}


def is_vendor(status: int) -> bool:
    """Say whether the specification leaves this status to the maker of the peer."""
    return VENDOR_FIRST <= status <= VENDOR_LAST


def status_name(status: int) -> str:
    """Name any status for people; one that no table knows keeps its number.

    Shapes: 0x58 -> "ESME_RTHROTTLED", 0x401 -> "vendor status 0x401", 0x9999 -> "status 0x9999".
    """
    name = NAMES.get(status)
    if name is not None:
        return name
    return f"vendor status 0x{status:X}" if is_vendor(status) else f"status 0x{status:X}"
