"""Writing receipts the way one SMSC or another does.

Source: SMPP 3.4 appendix B; peers seen in 2026.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

from loa.simulators.smsc.events import Taken
from loa.simulators.smsc.ids import spell
from loa.simulators.smsc.script import Script
from loa.smpp import commands as c
from loa.smpp import tlv
from loa.smpp.pdu import DataSm, DeliverSm

STATES: Final = {
    "ENROUTE": c.STATE_ENROUTE,
    "DELIVRD": c.STATE_DELIVERED,
    "EXPIRED": c.STATE_EXPIRED,
    "DELETED": c.STATE_DELETED,
    "UNDELIV": c.STATE_UNDELIVERABLE,
    "ACCEPTD": c.STATE_ACCEPTED,
    "UNKNOWN": c.STATE_UNKNOWN,
    "REJECTD": c.STATE_REJECTED,
}
_ERRORS: Final = {"UNDELIV": "001", "EXPIRED": "027", "REJECTD": "008", "DELETED": "009"}
_LAYOUTS: Final = {"10": "%y%m%d%H%M", "12": "%y%m%d%H%M%S"}
_VIETNAM: Final = timedelta(hours=7)
_NETWORK_GSM: Final = 3


def write_receipt(script: Script, taken: Taken, stat: str, now: int) -> DeliverSm | DataSm:
    """Write the receipt that reports `stat` of one segment. Units: now in milliseconds."""
    error = taken.error or script.receipt_error or _ERRORS.get(stat, "000")
    text = "" if script.receipt_form == "tlv" else _text(script, taken, stat, error, now)
    tlvs = _tlvs(script, taken, stat, error)
    flag = c.ESM_RECEIPT if script.receipt_flagged else 0
    source_ton, source_npi = _kind(taken.destination)
    destination_ton, destination_npi = _kind(taken.source)
    if script.receipt_pdu == "data_sm":
        return DataSm(
            source_ton=source_ton,
            source_npi=source_npi,
            source=taken.destination,
            destination_ton=destination_ton,
            destination_npi=destination_npi,
            destination=taken.source,
            esm_class=flag,
            tlvs=((tlv.MESSAGE_PAYLOAD, text.encode("latin-1", "replace")), *tlvs) if text else tlvs,
        )
    return DeliverSm(
        source_ton=source_ton,
        source_npi=source_npi,
        source=taken.destination,
        destination_ton=destination_ton,
        destination_npi=destination_npi,
        destination=taken.source,
        esm_class=flag,
        short_message=text.encode("latin-1", "replace"),
        tlvs=tlvs,
    )


def _text(script: Script, taken: Taken, stat: str, error: str, now: int) -> str:
    ref = spell(taken.number, script.receipt_id)
    submitted, done = _date(script, taken.at), _date(script, now)
    if script.receipt_form == "comma":
        return f"{ref},{submitted},{done},{stat},{error}"
    delivered = "001" if stat == "DELIVRD" else "000"
    excerpt = taken.text[:20].encode("ascii", "replace").decode("ascii")
    return (
        f"id:{ref} sub:001 dlvrd:{delivered} submit date:{submitted} done date:{done} "
        f"stat:{stat} err:{error} text:{excerpt}"
    )


def _tlvs(script: Script, taken: Taken, stat: str, error: str) -> tlv.Tlvs:
    echo: tlv.Tlvs = ()
    if script.echo_reference and taken.reference is not None:
        echo = ((tlv.USER_MESSAGE_REFERENCE, taken.reference),)
    if script.receipt_form in ("text", "comma"):
        return echo
    code = int(error) if error.isascii() and error.isdigit() else 0
    return (
        (tlv.RECEIPTED_MESSAGE_ID, spell(taken.number, script.receipt_id).encode("latin-1") + b"\0"),
        (tlv.MESSAGE_STATE, bytes((STATES[stat],))),
        (tlv.NETWORK_ERROR_CODE, bytes((_NETWORK_GSM,)) + (code & 0xFFFF).to_bytes(2, "big")),
        *echo,
    )


def _date(script: Script, at: int) -> str:
    """Write an instant as the clock on a Vietnamese SMSC's wall shows it, without saying so."""
    if script.receipt_dates == "empty":
        return ""
    local = datetime.fromtimestamp(at / 1000, UTC) + _VIETNAM
    return local.strftime(_LAYOUTS[script.receipt_dates])


def _kind(address: str) -> tuple[int, int]:
    """Give the kind of number and the numbering plan of an address."""
    if address.isascii() and address.isdigit():
        return c.TON_INTERNATIONAL, c.NPI_ISDN
    return c.TON_ALPHANUMERIC, c.NPI_UNKNOWN
