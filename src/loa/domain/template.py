"""Registered templates of a channel: what its provider has approved, and under which text the tenant knows it."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

ENABLED: Final = "enabled"
PENDING: Final = "pending"
REJECTED: Final = "rejected"
DISABLED: Final = "disabled"
DELETED: Final = "deleted"
"""What a template may be at its provider: only an enabled one may be sent."""


class Tag(IntEnum):
    """What a template may be used for; a lower tag is trusted more. The numbers are the provider's own."""

    TRANSACTION = 1
    CARE = 2
    PROMOTION = 3


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a template. Units: lengths in characters after NFC, 0 for no limit."""

    name: str
    kind: str = ""
    required: bool = True
    accepts_empty: bool = False
    min_length: int = 0
    max_length: int = 0


@dataclass(frozen=True, slots=True)
class Template:
    """One template of one channel, as the provider described it last.

    `status`: enabled, pending, rejected, disabled or deleted. `quality`: high, medium, low or "". `tag` None where the
    provider named none. `text`: how the message reads as plain text with its parameters as `<name>`, "" where nobody
    has said so. Units: prices in VND, timeout_ms the delivery time the price is owed for, 0 unknown; quotas -1 unknown.
    """

    channel_id: int
    template_id: str
    name: str
    status: str
    tag: Tag | None = None
    quality: str = ""
    price: int = 0
    price_to_user: int = 0
    timeout_ms: int = 0
    daily_quota: int = -1
    remaining_quota: int = -1
    parameters: tuple[Parameter, ...] = ()
    text: str = ""
    preview_url: str = ""
    reason: str = ""
    synced_at: int = 0
