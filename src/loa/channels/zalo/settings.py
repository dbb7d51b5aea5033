"""Settings of one Zalo channel: which app and Official Account, where Zalo is, how fast, and in which hours."""

import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from math import nextafter
from typing import Any, Final
from urllib.parse import urlsplit

from loa.channels import fields
from loa.channels.fields import Choice, Number, Switch, Text, setting
from loa.domain.hours import AllowedHours
from loa.domain.template import Tag
from loa.errors import ConfigError

PROVIDER_NAME: Final = "zalo"
SLOTS: Final = 4
"""Processes that may work on one channel at once, where its window is as large."""

ALWAYS: Final = "always"
PLAIN, HASHED = "plain", "hashed"
URLS: Final = ("oauth_url", "openapi_url", "business_url")
HEADER_VALUES: Final = ("app_secret", "oa_secret_key", "app_id", "oa_id")

_SPAN: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-(?:([01]\d|2[0-3]):([0-5]\d)|24:00)")
_DAY_MINUTES: Final = 24 * 60
_VERIFIER: Final = re.compile(r"[A-Za-z0-9._~-]{43,128}")
# A claim lasts 90 seconds: connecting and answering together must end before it.
_CONNECT_S: Final = Number(0.05, 20, whole=False)
_ANSWER_S: Final = Number(0.05, 60, whole=False)


@dataclass(frozen=True, slots=True)
class Span:
    """A daily span of hours."""

    takes: str = "`always` or a span, for instance `07:00-22:00`"

    def read(self, value: object) -> str:
        """Give the span. Errors: ValueError."""
        if value == ALWAYS or (isinstance(value, str) and span(value) is not None):
            return str(value)
        raise ValueError(f"give {ALWAYS} or a span from earlier to later, for instance 07:00-22:00")


def span(written: str) -> AllowedHours | None:
    """Read a span of hours in Vietnam's time, None when it is none."""
    found = _SPAN.fullmatch(written)
    if found is None:
        return None
    opening = int(found[1]) * 60 + int(found[2])
    closing = _DAY_MINUTES if found[3] is None else int(found[3]) * 60 + int(found[4])
    return AllowedHours(opening, closing, closing) if opening < closing else None


@dataclass(frozen=True, slots=True, kw_only=True)
class ZaloSettings:
    """One Official Account as configured. Units: names ending in `_s` are seconds."""

    app_id: str = setting(Text(64, 1), "Id of the app on developers.zalo.me.")
    app_secret: str = setting(Text(255, 1), "Secret key of the app; signs us in at the token endpoint.", secret=True)
    oa_id: str = setting(Text(64, 1), "Id of the Official Account.")
    oa_secret_key: str = setting(
        Text(255),
        "OA Secret Key of the app's page for events; without it no event is believed.",
        "",
        secret=True,
        basic=True,
    )
    oauth_url: str = setting(Text(2048, 8), "Where consent and tokens are.", "https://oauth.zaloapp.com")
    openapi_url: str = setting(Text(2048, 8), "Where Official Account messages go.", "https://openapi.zalo.me")
    business_url: str = setting(
        Text(2048, 8), "Where template messages to numbers go.", "https://business.openapi.zalo.me"
    )
    redirect_uri: str = setting(
        Text(2048), "Official Account Callback Url saved for the app; empty for the one that Loa serves.", ""
    )
    pkce_verifier: str = setting(
        Text(128),
        "Code verifier where the app has a fixed pair saved; empty for a new pair each time.",
        "",
        secret=True,
    )
    number_form: str = setting(Choice((PLAIN, HASHED)), "Whether Zalo is given numbers, or their SHA-256 sums.", PLAIN)
    development: bool = setting(
        Switch(), "Whether every template message to a number is a trial, which reaches administrators only.", False
    )
    window: int = setting(Number(1, 2_000), "Requests that may wait for their answer.", 100)
    rate_per_s: float = setting(Number(0, 100_000, whole=False), "Messages a second; 0: no limit.", 0.0)
    connect_timeout_s: float = setting(_CONNECT_S, "Time for connecting and TLS.", 10.0)
    response_timeout_s: float = setting(_ANSWER_S, "Time for the whole answer; after it the outcome is unknown.", 30.0)
    hours_transaction: str = setting(Span(), "Hours of templates of tag 1, transaction, in Vietnam's time.", ALWAYS)
    hours_care: str = setting(Span(), "Hours of templates of tag 2, customer care, as of January 2026.", "07:00-22:00")
    hours_promotion: str = setting(Span(), "Hours of templates of tag 3, promotion, as of January 2026.", "07:00-22:00")
    otp_reserve: int = setting(
        Number(0, 1_000_000), "Messages of the daily quota kept for one-time codes, however few were sent so far.", 100
    )
    owner: str = setting(
        Text(255), "Tenant whose Official Account it is; empty for the only one that routes over it.", "", basic=True
    )
    tls_verify: bool = setting(Switch(), "Whether the certificate of Zalo is checked.", True)
    tls_ca_file: str = setting(Text(4096), "Certificates to trust instead of the system's.", "")

    def hours(self, tag: int) -> AllowedHours | None:
        """Give the hours of templates with a tag, None for round the clock; those of an unknown one are the longest."""
        written = {Tag.CARE: self.hours_care, Tag.PROMOTION: self.hours_promotion}.get(
            tag,  # type: ignore[call-overload]
            self.hours_transaction,
        )
        return span(written)


def read(given: Mapping[str, Any]) -> ZaloSettings:
    """Read and check settings. Errors: ConfigError naming the field and how to cure it."""
    settings = fields.read(ZaloSettings, PROVIDER_NAME, given)
    for name in URLS:
        if not _sound(getattr(settings, name)):
            raise ConfigError(
                f"zalo: {name}: give scheme and host only, for instance https://openapi.zalo.me",
                field=name,
                fault="no_site",
            )
    for name in HEADER_VALUES:
        value = getattr(settings, name)
        if not value.isascii() or not value.isprintable() or value != value.strip():
            raise ConfigError(
                f"zalo: {name}: printable ASCII characters without spaces around", field=name, fault="no_ascii"
            )
    if settings.pkce_verifier and not _VERIFIER.fullmatch(settings.pkce_verifier):
        raise ConfigError(
            "zalo: pkce_verifier: 43 to 128 letters, digits and - . _ ~, as RFC 7636 has it",
            field="pkce_verifier",
            fault="no_verifier",
        )
    if settings.redirect_uri and not settings.redirect_uri.startswith(("https://", "http://")):
        raise ConfigError(
            "zalo: redirect_uri: give a full address, beginning with https://", field="redirect_uri", fault="no_address"
        )
    return settings


def _sound(url: str) -> bool:
    try:
        parts = urlsplit(url)
        plain = not (parts.query or parts.fragment) and parts.username is None and parts.path.isascii()
        known = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False
    return plain and known and url.isascii() and url.isprintable() and " " not in url


def part(whole: ZaloSettings, held: int) -> ZaloSettings:
    """Give the settings of `held` of the slots, with their part of window and rate, never rounded up."""
    slots = min(SLOTS, whole.window)
    exact = Fraction(whole.rate_per_s) * held / slots
    rate = float(exact)
    if rate > exact:
        rate = nextafter(rate, 0.0)
    return replace(whole, window=whole.window * held // slots, rate_per_s=rate)


def tls_of(settings: ZaloSettings) -> ssl.SSLContext:
    """Give what checks Zalo's certificate. Errors: ConfigError for a file that cannot be used."""
    if not settings.tls_ca_file:
        return _system_tls(settings.tls_verify)
    try:
        return _tls(settings.tls_verify, settings.tls_ca_file)
    except OSError as wrong:
        raise ConfigError(f"zalo: tls_ca_file cannot be used: {wrong}", field="tls_ca_file") from wrong


@cache
def _system_tls(verify: bool) -> ssl.SSLContext:
    """Read the system's certificates once: that takes longer than a hundred messages."""
    return _tls(verify, None)


def _tls(verify: bool, ca_file: str | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
