"""The vendor provider: a gateway that speaks the vendor API, another Loa among them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from loa.channels import fields
from loa.channels.vendor import answers
from loa.channels.vendor import settings as own
from loa.channels.vendor.channel import VendorChannel, exchange
from loa.domain.receipt import Receipt
from loa.ports.channel import Attempt, Channel, ChannelContext, Exchange, Provider, ProviderInfo

SLOTS: Final = 4
"""Processes that may work on one channel at once, where its window is as large."""


class VendorProvider:
    """Checks settings, builds channels, reads reports."""

    info = ProviderInfo(
        name=own.PROVIDER_NAME,
        # Only some gateways of the family recognise repeats, and none for ever.
        removes_duplicates=False,
        takes_reports=True,
        secrets=fields.secrets_of(own.VendorSettings),
        settings=fields.describe(own.VendorSettings),
    )

    def check(self, settings: Mapping[str, Any]) -> Mapping[str, Any]:
        """Complete and check settings. Errors: ConfigError naming the field and how to cure it."""
        return fields.plain(own.read(settings))

    def slots(self, settings: Mapping[str, Any]) -> int:
        """Divide the window, into few slots so that each has several requests."""
        return min(SLOTS, own.read(settings).window)

    def part(self, settings: Mapping[str, Any], held: int) -> Mapping[str, Any]:
        """Give so many slots' part of the window, never rounded up."""
        whole = own.read(settings)
        return fields.plain(replace(whole, window=whole.window * held // min(SLOTS, whole.window)))

    def build(self, context: ChannelContext) -> Channel:
        """Build a channel. Errors: ConfigError, also for a certificate file that cannot be used."""
        return VendorChannel(context)

    def read_report(self, channel_id: int, report: Mapping[str, Any], now: int) -> Receipt | None:
        """Read a report that the gateway posted; None when it names no message or no status."""
        return answers.read_report(channel_id, report, now)

    def retell(self, settings: Mapping[str, Any], attempt: Attempt, claimed_at: int) -> Sequence[Exchange]:  # noqa: ARG002
        """Compose the request again; it depends on the message alone."""
        return [exchange(attempt, own.read(settings))]


PROVIDER: Provider = VendorProvider()
