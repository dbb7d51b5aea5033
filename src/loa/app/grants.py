"""Which channels work with grants, and a look at a grant for who does not keep it."""

from collections.abc import Iterable, Mapping

from loa.errors import ConfigError
from loa.ports.channel import Provider
from loa.ports.grants import Grant, Grantor
from loa.ports.records import ChannelRecord
from loa.stages.renewal import Charge


def charge_of(record: ChannelRecord, providers: Mapping[str, Provider]) -> Charge | None:
    """Give a channel whose grant can be kept, None where it works without, or its settings are wrong."""
    provider = providers.get(record.provider)
    if provider is None or not provider.info.needs_grant or not isinstance(provider, Grantor):
        return None
    try:
        return Charge(record.id, record.name, provider, provider.check(record.settings))
    except ConfigError:
        # Whoever runs the channel says so.
        return None


def charges_of(records: Iterable[ChannelRecord], providers: Mapping[str, Provider]) -> dict[int, Charge]:
    """Give every channel whose grant can be kept, by id."""
    found = (charge_of(record, providers) for record in records)
    return {charge.channel_id: charge for charge in found if charge is not None}


class KeptToken:
    """The access token as the ledger had it a moment ago, for one try of a channel: nothing is renewed for it."""

    def __init__(self, grant: Grant | None) -> None:
        self._token = grant.tokens.access_token if grant is not None else ""

    def current(self) -> str:
        """See ports.grants.AccessTokens."""
        return self._token

    def spoiled(self, token: str) -> None:
        """See ports.grants.AccessTokens: who runs the channel finds out by itself."""
