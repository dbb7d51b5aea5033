"""Settings of one vendor channel: which gateway of the family, with which key, and how it wants its fields."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from loa.channels import fields
from loa.channels.fields import Choice, Number, Switch, Text, setting
from loa.domain.traffic import VENDOR_TYPES, TrafficClass
from loa.errors import ConfigError

PROVIDER_NAME = "vendor"
SEND_PATH = "/api/vendor/v1/sms/send-message"

_TYPES = {traffic_class: number for number, traffic_class in VENDOR_TYPES.items()}
_TYPE = Number(-99, 99)
# A claim lasts 90 seconds: connecting and answering together must end before it.
_CONNECT_S = Number(0.05, 20, whole=False)
_ANSWER_S = Number(0.05, 60, whole=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorSettings:
    """One upstream gateway as configured. Units: names ending in `_s` are seconds."""

    base_url: str = setting(Text(2048, 8), "Address of the gateway, for instance `https://sms.example.vn`.")
    api_key: str = setting(Text(512, 1), "Key that the gateway gave us, sent as `API-KEY`.", secret=True)
    window: int = setting(Number(1, 1_000), "Requests that may wait for their answer.", 50, basic=True)
    connect_timeout_s: float = setting(_CONNECT_S, "Time for connecting and TLS.", 10.0)
    response_timeout_s: float = setting(_ANSWER_S, "Time for the whole answer; after it the outcome is unknown.", 30.0)
    tls_verify: bool = setting(Switch(), "Whether the certificate of the gateway is checked.", True)
    tls_ca_file: str = setting(Text(4096), "Certificates to trust instead of the system's.", "")
    number_form: str = setting(Choice(("84", "+84", "0")), "How Vietnamese destinations are written.", "84")
    type_otp: int = setting(_TYPE, "`type` of one-time codes.", _TYPES[TrafficClass.OTP])
    type_transactional: int = setting(_TYPE, "`type` of transactional messages.", _TYPES[TrafficClass.TRANSACTIONAL])
    type_advertising: int = setting(_TYPE, "`type` of advertising.", _TYPES[TrafficClass.ADVERTISING])
    plain_mode: int = setting(Number(0, 2), "`useUnicode` of text that fits the plain alphabet.", 0)
    unicode_mode: int = setting(Number(0, 2), "`useUnicode` of text that needs Unicode.", 1)
    report_secret: str = setting(
        Text(255),
        "Secret of the endpoint by which the gateway, another Loa, signs its reports; they need no key of ours then.",
        "",
        secret=True,
    )
    price: int = setting(
        Number(0, 1_000_000), "What one segment costs, in VND; 0 where nobody has said.", 0, basic=True
    )

    @property
    def url(self) -> str:
        """Where messages are posted."""
        return self.base_url.rstrip("/") + SEND_PATH

    @property
    def types(self) -> dict[TrafficClass, int]:
        """The `type` of each class."""
        return {
            TrafficClass.OTP: self.type_otp,
            TrafficClass.TRANSACTIONAL: self.type_transactional,
            TrafficClass.ADVERTISING: self.type_advertising,
        }

    def written(self, destination: int) -> str:
        """Write a destination as the gateway wants it."""
        digits = str(destination)
        if self.number_form == "84" or not digits.startswith("84"):
            return digits
        return self.number_form + digits[2:] if self.number_form == "0" else "+" + digits


def read(given: Mapping[str, Any]) -> VendorSettings:
    """Read and check settings. Errors: ConfigError naming the field and how to cure it."""
    settings = fields.read(VendorSettings, PROVIDER_NAME, given)
    try:
        parts = urlsplit(settings.base_url)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and not (parts.query or parts.fragment)
        sound = sound and parts.username is None and (parts.port is None or parts.port > 0)
    except ValueError:
        sound = False
    if not sound:
        raise ConfigError(
            "vendor: base_url: give scheme and host only, for instance https://sms.example.vn",
            field="base_url",
            fault="no_site",
        )
    if not settings.api_key.isascii() or not settings.api_key.isprintable():
        raise ConfigError(
            "vendor: api_key: a key has printable ASCII characters only", field="api_key", fault="no_ascii"
        )
    return settings
