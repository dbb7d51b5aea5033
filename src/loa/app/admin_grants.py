"""What an admin does with grants: looks at them, asks for a consent, brings a pair along. Tokens are never shown."""

from collections.abc import Mapping
from typing import Any, Final

from loa.api.consent.router import CALLBACK_PATH
from loa.app.admin_channels import channel_named
from loa.app.admin_people import Name, Shown, instant
from loa.app.grants import charge_of, charges_of
from loa.errors import CallerError, ConfigError, StorageUnavailable
from loa.ports.channel import Provider
from loa.ports.clock import Clock
from loa.ports.grants import Failed, Failure, Grant
from loa.ports.ledger import Ledger
from loa.stages.consent import Consents, keep_fresh
from loa.stages.custody import alarms_of, renewal_due_at
from loa.stages.renewal import Charge

_CURES: Final[Mapping[Failure, str]] = {
    Failure.UNSENT: "nothing was sent, so the token is as good as before: try again",
    Failure.UNSERVED: "it did nothing, so the token is as good as before: try again later",
    Failure.DOUBTFUL: "nobody can say whether the token is spent: do not send it again, run loa zalo connect {channel}",
    Failure.REFUSED: "the token is of no use, perhaps spent by the other system: run loa zalo connect {channel}",
}


class GrantDesk:
    """Grants as the ledger holds them. `public_url`: where people reach this Loa, "" where nobody said."""

    def __init__(self, ledger: Ledger, clock: Clock, providers: Mapping[str, Provider], public_url: str) -> None:
        self._ledger = ledger
        self._clock = clock
        self._providers = providers
        self._public_url = public_url

    async def list_grants(self) -> list[Shown]:
        """List the channels that work with grants, and how each grant stands."""
        grants = {grant.channel_id: grant for grant in await self._ledger.grants()}
        charges = charges_of(await self._ledger.channels(), self._providers)
        return [self._shown(charge, grants.get(channel_id)) for channel_id, charge in charges.items()]

    async def connect(self, *, name: Name, redirect_uri: str = "") -> Shown:
        """Make a link by which a person consents. Errors: NotFound, ConfigError."""
        charge = await self._charge(name)
        own = str(charge.settings.get("redirect_uri") or "")
        back = redirect_uri or own or (self._public_url.rstrip("/") + CALLBACK_PATH if self._public_url else "")
        if not back:
            raise ConfigError(
                "nobody said where the person comes back to: set server.public_url to the address at which this Loa is"
                f" reached from outside, or give --redirect-uri https://…{CALLBACK_PATH}",
                fault="no_return",
            )
        link, consent = await Consents(self._ledger, _no_channel, self._clock).ask(charge, back)
        return {"channel": name, "link": link, "redirectUri": back, "expiresAt": instant(consent.expires_at)}

    async def keep(self, *, name: Name, refresh_token: str) -> Shown:
        """Spend a refresh token that another system had on a pair of our own. Errors: NotFound, CallerError."""
        charge = await self._charge(name)
        if not refresh_token:
            raise CallerError("no_token", "the file holds no token")
        now = self._clock.now()
        answer = await charge.grantor.renew(charge.settings, refresh_token, now)
        if isinstance(answer, Failed):
            cure = _CURES[answer.failure].format(channel=charge.name)
            raise CallerError("no_grant", f"{charge.name}: no tokens came ({answer.reason}): {cure}")
        if not await keep_fresh(self._ledger, self._clock, charge.channel_id, answer, now):
            raise StorageUnavailable(
                f"the pair came and could not be stored: run loa zalo connect {charge.name} once the ledger is back"
            )
        return self._shown(charge, await self._ledger.grant(charge.channel_id))

    async def _charge(self, name: str) -> Charge:
        record = await channel_named(self._ledger, name)
        charge = charge_of(record, self._providers)
        if charge is not None:
            return charge
        provider = self._providers.get(record.provider)
        if provider is not None and provider.info.needs_grant:
            provider.check(record.settings)
        raise CallerError("no_grant", f"channel {name!r} works without a grant: its provider is {record.provider}")

    def _shown(self, charge: Charge, grant: Grant | None) -> Shown:
        now = self._clock.now()
        alarms = alarms_of(grant, now)
        shown: dict[str, Any] = {
            "channelId": charge.channel_id,
            "channel": charge.name,
            "state": _state(alarms),
            "alarms": list(alarms),
            "consentNeeded": grant.consent_needed or None if grant is not None else "never given",
        }
        if grant is None:
            return shown
        renews = None if grant.consent_needed else instant(renewal_due_at(grant))
        return {
            **shown,
            "version": grant.version,
            "issuedAt": instant(grant.issued_at),
            "accessExpiresAt": instant(grant.tokens.expires_at),
            "refreshExpiresAt": instant(grant.tokens.refresh_expires_at) if grant.tokens.refresh_expires_at else None,
            "renewsAt": renews,
        }


def _no_channel(_channel_id: int) -> Charge | None:
    """Give none: who only asks takes nothing."""
    return None


def _state(alarms: tuple[str, ...]) -> str:
    """Say in a word how a grant stands."""
    if {"no_grant", "consent_needed"} & set(alarms):
        return "consent needed"
    if "access_over" in alarms:
        return "over"
    return "late" if alarms else "good"
