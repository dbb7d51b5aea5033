"""The SMPP provider: any SMSC that speaks SMPP 3.4 or 5.0."""

from collections.abc import Mapping, Sequence
from typing import Any

from loa.channels import fields
from loa.channels.smpp import settings as own
from loa.channels.smpp.channel import SmppChannel
from loa.channels.smpp.retelling import retell
from loa.domain.receipt import Receipt
from loa.ports.channel import Attempt, Channel, ChannelContext, Exchange, Provider, ProviderInfo


class SmppProvider:
    """Checks settings and builds channels."""

    info = ProviderInfo(
        name=own.PROVIDER_NAME,
        removes_duplicates=False,
        secrets=fields.secrets_of(own.SmppSettings),
        settings=fields.describe(own.SmppSettings),
    )

    def check(self, settings: Mapping[str, Any]) -> Mapping[str, Any]:
        """Complete and check settings. Errors: ConfigError naming the field and how to cure it."""
        return fields.plain(own.read(settings))

    def slots(self, settings: Mapping[str, Any]) -> int:
        """Divide by links: a slot is one link, or one pair of links."""
        return own.read(settings).links

    def part(self, settings: Mapping[str, Any], held: int) -> Mapping[str, Any]:
        """Give so many links and their part of the rate; the window is each link's own."""
        return fields.plain(own.part(own.read(settings), held))

    def build(self, context: ChannelContext) -> Channel:
        """Build a channel. Errors: ConfigError, also for TLS files that cannot be used."""
        return SmppChannel(context)

    def read_report(self, channel_id: int, report: Mapping[str, Any], now: int) -> Receipt | None:  # noqa: ARG002
        """Give None: receipts come over the links."""
        return None

    def retell(self, settings: Mapping[str, Any], attempt: Attempt, claimed_at: int) -> Sequence[Exchange]:
        """Compose the submit_sm of each segment again."""
        return retell(settings, attempt, claimed_at)


PROVIDER: Provider = SmppProvider()
