"""Provider refs: the same message id, spelled one way in the response and another in the receipt.

The response may be hexadecimal and the receipt decimal or the reverse, zero-padded, in another case. A link
stores `normalise(response id, mode)` as the key of the attempt and looks receipts up by
`candidate_refs(receipt id, mode)`, best first. The raw spelling is kept beside both.
"""

from typing import Final, Literal, get_args

RefMode = Literal["same", "resp_hex_dlr_dec", "resp_dec_dlr_hex", "auto"]
MODES: Final[tuple[RefMode, ...]] = get_args(RefMode)

# 64 characters is the longest id, and more hexadecimal digits than that are no number.
_LONGEST: Final = 64
_HEX: Final = frozenset("0123456789abcdef")


def normalise(ref: str, mode: RefMode = "auto") -> str:
    """Give the key under which a ref from a response is stored.

    Shapes: case folded, surrounding space and leading zeros gone; decimal where the mode knows the response to
    be hexadecimal.
    """
    folded = _fold(ref)
    return _decimal(folded) or folded if mode == "resp_hex_dlr_dec" else folded


def candidate_refs(ref: str, mode: RefMode = "auto") -> tuple[str, ...]:
    """Give the keys under which the message of a receipt may be stored, best first, without repeats.

    Under `auto` the spelling itself comes first, then its number in the other base; a channel whose SMSC is
    known to mix bases is safer with its own mode, because a decimal ref can equal another's hexadecimal one.
    """
    folded = _fold(ref)
    if not folded:
        return ()
    if mode in ("same", "resp_hex_dlr_dec"):
        return (folded,)
    as_decimal = _decimal(folded)
    if mode == "resp_dec_dlr_hex":
        return (as_decimal or folded,)
    as_hex = _hexadecimal(folded)
    return tuple(dict.fromkeys(form for form in (folded, as_hex, as_decimal) if form))


def _fold(ref: str) -> str:
    folded = ref.strip(" \t\r\n\0").lower()
    return folded.lstrip("0") or folded[:1]


def _decimal(folded: str) -> str | None:
    """Read a folded ref as hexadecimal and spell it in decimal."""
    if 0 < len(folded) <= _LONGEST and _HEX.issuperset(folded):
        return str(int(folded, 16))
    return None


def _hexadecimal(folded: str) -> str | None:
    """Read a folded ref as decimal and spell it in hexadecimal."""
    if 0 < len(folded) <= _LONGEST and folded.isascii() and folded.isdigit():
        return f"{int(folded):x}"
    return None
