"""What the tree says of each setting beside its type and default: the text for people, and which values are good."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any

from loa.settings.secret import Secret

Check = Callable[[Any], str]
"""Gives what is wrong with a value and how it should look, "" when it is fine."""


@dataclass(frozen=True, slots=True)
class About:
    """The text of one setting and the limits of its values; `choices` empty means any."""

    doc: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    check: Check | None = None

    def wrong_with(self, value: object) -> str:
        """Say what is wrong with a value of the right type, "" when nothing is."""
        if isinstance(value, int | float) and not self._in_range(value):
            return f"must be {self.bounds()}"
        if self.choices and value not in self.choices:
            return f"must be one of: {', '.join(self.choices)}"
        return self.check(value) if self.check else ""

    def _in_range(self, value: float) -> bool:
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)

    def bounds(self) -> str:
        """Say the allowed values in a few words, "" when there is no limit."""
        if self.choices:
            return ", ".join(f"`{choice}`" for choice in self.choices)
        if self.low is not None and self.high is not None:
            return f"{self.low:,} to {self.high:,}"
        if self.low is not None:
            return f"{self.low:,} or more"
        return ""


def about(
    doc: str,
    *,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] = (),
    check: Check | None = None,
) -> Mapping[str, About]:
    """Make the metadata of a dataclass field."""
    return {"about": About(doc, low, high, choices, check)}


def networks(value: tuple[str, ...]) -> str:
    """Check a list of networks in CIDR form."""
    for text in value:
        try:
            ip_network(text)
        except ValueError:
            return f"{text!r} is not a network; write for instance 10.20.0.0/16 or 192.0.2.7/32"
    return ""


def ports(value: tuple[int, ...]) -> str:
    """Check a list of TCP ports."""
    wrong = [str(port) for port in value if not 1 <= port <= 65535]
    return f"not ports: {', '.join(wrong)}; a port is 1 to 65535" if wrong else ""


def some_of(words: tuple[str, ...]) -> Check:
    """Make a check of a list that may hold these words and is not empty."""

    def check(value: tuple[str, ...]) -> str:
        wrong = [word for word in value if word not in words]
        if wrong:
            return f"names {', '.join(wrong)}, which there is not; choose of: {', '.join(words)}"
        return "" if value else f"must not be empty; choose of: {', '.join(words)}"

    return check


def time_of_day(value: str) -> str:
    """Check a time of day."""
    if re.fullmatch(r"(?:[01]\d|2[0-3]):[0-5]\d|24:00", value):
        return ""
    return 'must be a time of day such as "07:00"'


def countries(value: tuple[str, ...]) -> str:
    """Check a list of ISO 3166 country codes."""
    wrong = [code for code in value if not re.fullmatch(r"[A-Z]{2}", code)]
    return f"not country codes: {', '.join(wrong)}; write two capitals, such as VN" if wrong else ""


_POSTGRES = re.compile(r"postgres(?:ql)?://[^/?#]*/[^/?#]+(?:\?[^#]*)?")


def ledger_url(value: Secret) -> str:
    """Check the ledger's address; what it says is never repeated, it may hold a password."""
    url = value.reveal()
    if not url or re.fullmatch(r"sqlite:///[^?#]+", url) or _POSTGRES.fullmatch(url):
        return ""
    return "must be sqlite:///PATH or postgresql://USER:PASSWORD@HOST:PORT/NAME, or empty for loa.db in the data folder"


def owner_url(value: Secret) -> str:
    """Check the address of the role that owns the tables."""
    if not value or _POSTGRES.fullmatch(value.reveal()):
        return ""
    return "must be postgresql://USER:PASSWORD@HOST:PORT/NAME, or empty for the role of database"


def web_address(value: str) -> str:
    """Check the address of a site."""
    if not value or re.fullmatch(r"https?://[^/?#@\s]+(?:/[^?#\s]*)?", value):
        return ""
    return "must be an address such as https://sms.example.vn, without query, or empty"
