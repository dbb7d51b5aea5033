"""How secrets and personal data look where people read them: logs, metrics, error texts.

Everything here is one-way: nothing in the result leads back to the value. Storage and callbacks do not use this.
"""

import re
from urllib.parse import urlsplit

from loa.errors import LoaError

BULLET = "•"

_NUMBER_RUN = re.compile(r"(?<!\d)\+?\d{9,15}(?!\d)")
_WRITTEN_NUMBER = re.compile(r"(?<!\d)(?:\+|0|84)\d{0,3}(?:[ .-]\d{2,4}){2,4}(?!\d)")
_SECRETS = re.compile(r"(?:loa_(?:live|test)_|whsec_|whsk_|Bearer\s+|Basic\s+)[A-Za-z0-9+/=_-]{4,}")
_URL = re.compile(r"\b(https?)://[^\s'\"<>]+", re.IGNORECASE)


def mask_msisdn(number: int | str) -> str:
    """Show the first and last two digits of a phone number: `84•••••••67`.

    Shapes: fewer than six characters are hidden whole.
    """
    digits = str(number).removeprefix("+").removeprefix("-")
    if len(digits) < 6:
        return BULLET * len(digits)
    return digits[:2] + BULLET * (len(digits) - 4) + digits[-2:]


def _mask_written(found: re.Match[str]) -> str:
    digits = sum(map(str.isdigit, found.group()))
    return BULLET * 8 if digits >= 9 else found.group()


def key_display(key: str) -> str:
    """Show the first eight and last four characters of an API key, enough to recognise it; shorter keys not at all."""
    if len(key) == 13 and key[8] == "…":
        return key
    if len(key) < 16:
        return BULLET * 8
    return f"{key[:8]}…{key[-4:]}"


def text_summary(text: str) -> str:
    """Tell the length of a message text, and whether it needs Unicode, instead of the text."""
    return f"{len(text)} {'plain' if text.isascii() else 'unicode'} characters"


def url_origin(url: str) -> str:
    """Keep scheme, host and port of a URL: paths, queries and credentials may hold a tenant's secrets."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port is not None else ""
    except ValueError:
        return "…"
    host = parts.hostname or ""
    if not parts.scheme or not host:
        return "…"
    return f"{parts.scheme}://[{host}]{port}" if ":" in host else f"{parts.scheme}://{host}{port}"


def speaks_safely(error: BaseException) -> bool:
    """Tell whether an exception's text is made by Loa, the system or the database, and so holds no tenant's data."""
    return isinstance(error, LoaError | OSError) or type(error).__module__.partition(".")[0] == "apsw"


def error_text(error: BaseException) -> str:
    """Give the text of an exception that speaks safely, else only its type."""
    kind = type(error).__qualname__
    return scrub(f"{kind}: {error}") if speaks_safely(error) else kind


def scrub(text: str, limit: int = 300) -> str:
    """Mask what looks like a phone number, a key or a URL's private part in free text, and cut it to one short line.

    The last net under texts that other programs wrote; our own lines do not rely on it.
    """
    line = text.partition("\n")[0]
    line = _URL.sub(lambda found: url_origin(found.group()), line)
    line = _SECRETS.sub(BULLET * 8, line)
    line = _NUMBER_RUN.sub(lambda found: mask_msisdn(found.group()), line)
    line = _WRITTEN_NUMBER.sub(_mask_written, line)
    return line if len(line) <= limit else line[: limit - 1] + "…"
