"""The Zalo provider: Official Accounts with their template messages and their messages to users."""

from collections.abc import Mapping, Sequence
from typing import Any

import aiohttp

from loa.channels import fields
from loa.channels.zalo import content, events, oauth
from loa.channels.zalo import settings as own
from loa.channels.zalo.catalogue import read_catalogue
from loa.channels.zalo.channel import ZaloChannel
from loa.channels.zalo.requests import exchange
from loa.domain.receipt import Receipt
from loa.domain.template import Template
from loa.ports.channel import (
    Asking,
    Attempt,
    Channel,
    ChannelContext,
    Composed,
    Described,
    Exchange,
    Heard,
    Provider,
    ProviderInfo,
    Undescribed,
    Unfit,
    Unheard,
    Wish,
)
from loa.ports.grants import Consent, Failed, Tokens
from loa.ports.records import ChannelRecord


class ZaloProvider:
    """Checks settings, builds channels, makes contents, hears events, asks for tokens."""

    info = ProviderInfo(
        name=own.PROVIDER_NAME,
        # No source says that Zalo removes duplicates by our tracking id.
        removes_duplicates=False,
        secrets=fields.secrets_of(own.ZaloSettings),
        settings=fields.describe(own.ZaloSettings),
        reaches_users=True,
        needs_grant=True,
    )

    def check(self, settings: Mapping[str, Any]) -> Mapping[str, Any]:
        """Complete and check settings. Errors: ConfigError naming the field and how to cure it."""
        return fields.plain(own.read(settings))

    def slots(self, settings: Mapping[str, Any]) -> int:
        """Divide window and rate, into few slots so that each has several requests."""
        return min(own.SLOTS, own.read(settings).window)

    def part(self, settings: Mapping[str, Any], held: int) -> Mapping[str, Any]:
        """Give so many slots' part of window and rate, never rounded up."""
        return fields.plain(own.part(own.read(settings), held))

    def build(self, context: ChannelContext) -> Channel:
        """Build a channel. Errors: ConfigError, also for a certificate file that cannot be used."""
        return ZaloChannel(context)

    def read_report(self, channel_id: int, report: Mapping[str, Any], now: int) -> Receipt | None:  # noqa: ARG002
        """Give None: receipts come as signed events."""
        return None

    def compose(self, settings: Mapping[str, Any], templates: Sequence[Template], wish: Wish) -> Composed | Unfit:
        """Make what a channel would send for a request, or say why it cannot."""
        return content.compose(templates, wish, development=settings.get("development") is True)

    def retell(self, settings: Mapping[str, Any], attempt: Attempt, claimed_at: int) -> Sequence[Exchange]:  # noqa: ARG002
        """Compose the request again, without the token."""
        found = exchange(attempt, own.read(settings))
        return [] if found is None else [found]

    async def describe(self, settings: Mapping[str, Any], asking: Asking) -> Described | Undescribed:
        """Ask for all templates of the Official Account."""
        read = own.read(settings)
        connector = aiohttp.TCPConnector(limit=1, ssl=own.tls_of(read))
        async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as session:
            return await read_catalogue(session, read.business_url, asking)

    def hear(
        self, channels: Sequence[ChannelRecord], headers: Mapping[str, str], body: bytes, now: int
    ) -> Heard | Unheard:
        """Check who signed an event and read it."""
        return events.hear(channels, headers, body, now)

    def consent_link(self, settings: Mapping[str, Any], consent: Consent) -> str:
        """Give the address at which a person consents."""
        return oauth.consent_link(own.read(settings), consent)

    async def exchange(self, settings: Mapping[str, Any], code: str, consent: Consent, now: int) -> Tokens | Failed:
        """Turn the code of a consent into the first pair, with one request."""
        return await oauth.exchange(own.read(settings), code, consent, now)

    async def renew(self, settings: Mapping[str, Any], refresh_token: str, now: int) -> Tokens | Failed:
        """Spend a refresh token on a new pair, with one request."""
        return await oauth.renew(own.read(settings), refresh_token, now)


PROVIDER: Provider = ZaloProvider()
