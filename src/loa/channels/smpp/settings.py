"""Settings of one SMPP channel: where the SMSC is, how to bind, how fast, and which habits the peer has.

The defaults are the plain text of SMPP 3.4; each setting exists because some SMSC differs there.
"""

import ipaddress
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from loa.channels import fields
from loa.channels.fields import Choice, Number, Switch, Table, Text, about, setting
from loa.errors import ConfigError
from loa.smpp import commands as c
from loa.smpp.outcomes import NAMES as STATUS_CLASSES
from loa.smpp.outcomes import StatusClass
from loa.smpp.refs import MODES, RefMode
from loa.smpp.tlv import Tlvs
from loa.text.segments import Joining

PROVIDER_NAME = "smpp"

JOINING = {"udh8": Joining.UDH, "udh16": Joining.UDH_WIDE, "sar": Joining.SAR, "payload": Joining.PAYLOAD}
RECEIPTS_ASKED = {"final": c.RECEIPT_FINAL, "failure": c.RECEIPT_FAILURE, "none": c.RECEIPT_NONE}


def _code(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    return int(str(value), 0)


def _tag(value: object) -> str:
    try:
        number = _code(value)
    except ValueError:
        number = -1
    if not 0 < number <= 0xFFFF:
        raise ValueError(f"{value} is no parameter tag; give 1 to 0xFFFF, for instance 0x1401")
    return f"0x{number:04X}"


def _octets(value: object) -> str:
    try:
        return bytes.fromhex(str(value)).hex()
    except ValueError:
        raise ValueError("give the value of a parameter as hexadecimal octets, for instance 0a01") from None


def _status(value: object) -> str:
    try:
        number = _code(value)
    except ValueError:
        number = 0
    if not 0 < number <= 0xFFFFFFFF:
        raise ValueError(f"{value} is no error status; give 1 or more, for instance 0x401")
    return f"0x{number:X}"


def _status_class(value: object) -> str:
    if value not in STATUS_CLASSES:
        raise ValueError(f"{value} is no kind of answer; choose one of {', '.join(STATUS_CLASSES)}")
    return str(value)


_SECONDS = Number(0.05, 86_400, whole=False)
# A claim lasts 90 seconds: an answer must have come, or be given up, before it ends.
_ANSWER_S = Number(0.05, 80, whole=False)
_OCTET = Number(0, 255)


@dataclass(frozen=True, slots=True, kw_only=True)
class SmppSettings:
    """One SMPP channel as configured. Units: names ending in `_s` are seconds; `rate` is segments a second."""

    host: str = setting(Text(255, 1), "Name or address of the SMSC.")
    port: int = setting(Number(1, 65_535), "Port of the SMSC.", 2775, basic=True)
    system_id: str = setting(Text(64, 1), "Account name of the bind.")
    password: str = setting(Text(64), "Password of the bind.", "", secret=True, basic=True)
    system_type: str = setting(Text(12), "System type of the bind; most SMSCs want none.", "")
    address_range: str = setting(Text(40), "Address range of the bind; most SMSCs want none.", "")
    mode: str = setting(
        Choice(("transceiver", "separate")),
        "One session both ways, or one for each direction.",
        "transceiver",
    )
    links: int = setting(
        Number(1, 32), "Sessions (pairs of sessions with `separate`) held open at once.", 1, basic=True
    )
    window: int = setting(Number(1, 10_000), "Segments a link may have unanswered.", 10, basic=True)
    rate: float = setting(
        Number(0, 100_000, whole=False), "Segments a second, all links together; 0: no limit.", 0.0, basic=True
    )
    enquire_link_s: float = setting(_SECONDS, "Silence after which the peer is asked whether it is there.", 30.0)
    response_timeout_s: float = setting(
        _ANSWER_S, "Time to wait for an answer; after it the outcome of a message is unknown.", 60.0
    )
    bind_timeout_s: float = setting(_SECONDS, "Time for connecting, TLS and bind together.", 15.0)
    reconnect_first_s: float = setting(_SECONDS, "First wait before connecting again; it doubles each time.", 1.0)
    reconnect_longest_s: float = setting(_SECONDS, "Longest wait before connecting again.", 60.0)
    tls: bool = setting(Switch(), "Whether the connection is TLS from its first octet.", False, basic=True)
    tls_verify: bool = setting(Switch(), "Whether the certificate and name of the SMSC are checked.", True)
    tls_ca_file: str = setting(Text(4096), "Certificates to trust instead of the system's.", "")
    tls_server_name: str = setting(Text(255), "Name the certificate must bear; empty for `host`.", "")
    tls_cert_file: str = setting(Text(4096), "Certificate we show, for SMSCs that ask for one.", "")
    tls_key_file: str = setting(Text(4096), "Key of that certificate, when it is in a file of its own.", "")
    service_type: str = setting(Text(5), "Service type of every message.", "")
    source_ton: int = setting(_OCTET, "Kind of number of a brandname.", c.TON_ALPHANUMERIC)
    source_npi: int = setting(_OCTET, "Numbering plan of a brandname.", c.NPI_UNKNOWN)
    number_ton: int = setting(_OCTET, "Kind of number of a sender of nine digits or more.", c.TON_INTERNATIONAL)
    number_npi: int = setting(_OCTET, "Numbering plan of such a sender.", c.NPI_ISDN)
    short_ton: int = setting(_OCTET, "Kind of number of a sender of up to eight digits.", c.TON_NETWORK_SPECIFIC)
    short_npi: int = setting(_OCTET, "Numbering plan of such a sender.", c.NPI_UNKNOWN)
    dest_ton: int = setting(_OCTET, "Kind of number of the destination.", c.TON_INTERNATIONAL)
    dest_npi: int = setting(_OCTET, "Numbering plan of the destination.", c.NPI_ISDN)
    protocol_id: int = setting(_OCTET, "Protocol id of every message.", 0)
    priority: int = setting(_OCTET, "Priority flag of every message.", 0)
    default_alphabet: str = setting(Choice(("gsm", "latin1", "ascii")), "What the SMSC takes data_coding 0 for.", "gsm")
    packed: bool = setting(Switch(), "Whether septets are packed, eight in seven octets.", False)
    gsm_data_coding: int = setting(_OCTET, "data_coding of text in the default alphabet.", c.CODING_DEFAULT)
    ucs2_data_coding: int = setting(_OCTET, "data_coding of Unicode text.", c.CODING_UCS2)
    long_message: str = setting(
        Choice(tuple(JOINING)),
        "How segments are joined: header with 8- or 16-bit reference, SAR, or one payload.",
        "udh8",
    )
    forbidden_characters: str = setting(Text(200), "Characters the peer does not take; such messages are refused.", "")
    validity: bool = setting(Switch(), "Whether the lifetime of a message is passed on, as a relative time.", True)
    registered_delivery: str = setting(Choice(tuple(RECEIPTS_ASKED)), "Which receipts are asked for.", "final")
    receipt_id_mode: str = setting(
        Choice(MODES), "How the id in a receipt is spelled beside the id in the response.", "auto"
    )
    receipt_without_esm_class: bool = setting(
        Switch(), "Whether a message that reads like a receipt is one although its esm_class does not say so.", False
    )
    receipts_pending: int = setting(
        Number(1, 1_000_000), "Receipts held until they are on disk; more are left to the peer for a while.", 10_000
    )
    price: int = setting(
        Number(0, 1_000_000), "What one segment costs, in VND; 0 where nobody has said.", 0, basic=True
    )
    extra_tlvs: dict[str, str] = field(
        default_factory=dict,
        metadata=about(Table("tag: hexadecimal octets", _tag, _octets), "Parameters added to every message."),
    )
    status_map: dict[str, str] = field(
        default_factory=dict,
        metadata=about(
            Table("status: " + ", ".join(STATUS_CLASSES), _status, _status_class),
            "What a status of this peer means, where the table is wrong for it.",
        ),
    )

    @property
    def joining(self) -> Joining:
        """How segments find each other again."""
        return JOINING[self.long_message]

    @property
    def ref_mode(self) -> RefMode:
        """How ids of receipts are spelled."""
        return next(mode for mode in MODES if mode == self.receipt_id_mode)

    @property
    def tlvs(self) -> Tlvs:
        """The extra parameters as they are sent."""
        return tuple((int(tag, 16), bytes.fromhex(value)) for tag, value in self.extra_tlvs.items())

    @property
    def statuses(self) -> dict[int, StatusClass]:
        """The statuses that mean something else here."""
        return {int(status, 16): STATUS_CLASSES[kind] for status, kind in self.status_map.items()}

    @property
    def plain_text_risk(self) -> bool:
        """Whether passwords and messages travel unprotected over what looks like a public network."""
        if self.tls:
            return False
        try:
            return ipaddress.ip_address(self.host).is_global
        except ValueError:
            return self.host != "localhost" and "." in self.host

    def source_kind(self, sender: str) -> tuple[int, int]:
        """Give kind and plan of a sender: brandname, long number or short code."""
        if not sender.isdigit():
            return self.source_ton, self.source_npi
        return (self.short_ton, self.short_npi) if len(sender) <= 8 else (self.number_ton, self.number_npi)


def read(given: Mapping[str, Any]) -> SmppSettings:
    """Read and check the settings of a channel. Errors: ConfigError naming the field and how to cure it."""
    settings = fields.read(SmppSettings, PROVIDER_NAME, given)
    for name in ("system_id", "password", "system_type", "address_range", "service_type"):
        if not getattr(settings, name).isascii():
            raise ConfigError(
                f"smpp: {name}: SMPP carries ASCII here; write it without accents", field=name, fault="no_ascii"
            )
    if settings.packed and settings.default_alphabet != "gsm":
        raise ConfigError(
            "smpp: packed needs default_alphabet gsm: other alphabets have no septets",
            field="packed",
            fault="packed_alphabet",
        )
    if settings.packed and settings.long_message == "payload":
        raise ConfigError(
            "smpp: packed cannot go with long_message payload; choose udh8", field="packed", fault="packed_payload"
        )
    if settings.reconnect_first_s > settings.reconnect_longest_s:
        raise ConfigError(
            "smpp: reconnect_first_s is longer than reconnect_longest_s; lower the first",
            field="reconnect_first_s",
            fault="reconnect_order",
        )
    if not settings.tls and (settings.tls_cert_file or settings.tls_ca_file or settings.tls_server_name):
        raise ConfigError("smpp: TLS files are set but tls is false; set tls to true", field="tls", fault="tls_off")
    if settings.tls_key_file and not settings.tls_cert_file:
        raise ConfigError("smpp: tls_key_file needs tls_cert_file", field="tls_key_file", fault="key_alone")
    return settings


def part(whole: SmppSettings, held: int) -> SmppSettings:
    """Give the settings of `held` of the links, with their part of the rate, never rounded up."""
    exact = Fraction(whole.rate) * held / whole.links
    rate = float(exact)
    if rate > exact:
        rate = math.nextafter(rate, 0.0)
    return replace(whole, links=held, rate=rate)
