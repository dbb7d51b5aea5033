"""What an admin does with channels; their settings are checked by the provider, secrets are never shown."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final, Protocol

from loa.app.admin_people import Name, Shown
from loa.app.channel_host import ChannelHost
from loa.app.grants import KeptToken
from loa.app.probes import NoProbe
from loa.domain.receipt import Receipt
from loa.errors import ConfigError, NotFound
from loa.ports.channel import ChannelContext, ChannelStatus, Describes, Provider, SettingField
from loa.ports.clock import Clock
from loa.ports.grants import AccessTokens, Grants
from loa.ports.ledger import Directory
from loa.ports.records import ChannelRecord
from loa.stages.owners import SETTING as OWNER

STARS: Final = "********"


async def channel_named(ledger: Directory, name: str) -> ChannelRecord:
    """Find a channel. Errors: NotFound."""
    for record in await ledger.channels():
        if record.name == name:
            return record
    raise NotFound(f"there is no channel {name!r}; see: loa channels list")


class ChannelLedger(Directory, Grants, Protocol):
    """The roles that are worked with here."""


class ChannelDesk:
    """Channels as the ledger holds them, and how they do where a gateway runs them."""

    def __init__(
        self, ledger: ChannelLedger, clock: Clock, providers: Mapping[str, Provider], host: ChannelHost | None
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self._providers = providers
        self._host = host

    async def list_providers(self) -> list[Shown]:
        """List the providers that a channel can be of, with the settings that each declares."""
        return [
            {
                "name": name,
                "simulated": provider.info.simulated,
                "needsGrant": provider.info.needs_grant,
                "describes": isinstance(provider, Describes),
                "settings": [_field(each) for each in provider.info.settings],
            }
            for name, provider in self._providers.items()
        ]

    async def add(self, *, name: Name, provider: str, settings: dict[str, Any]) -> Shown:
        """Add a channel. Errors: ConfigError naming the setting and the cure; CallerError when the name is taken."""
        checked = self._provider(provider).check(settings)
        await self._check_owner(checked)
        kept = {each: checked.get(each, value) for each, value in settings.items()}
        return self._shown(await self._ledger.add_channel(name, provider, kept))

    async def list_channels(self) -> list[Shown]:
        """List channels, in short."""
        return [self._shown(record) for record in await self._ledger.channels()]

    async def show(self, *, name: Name) -> Shown:
        """Show one channel with all its settings, also those left at their defaults. Errors: NotFound."""
        record = await channel_named(self._ledger, name)
        provider = self._providers.get(record.provider)
        if provider is None:
            return self._shown(record)
        return {**self._shown(record), "allSettings": _masked(provider, provider.check(record.settings))}

    async def change(self, *, name: Name, settings: dict[str, Any], unset: tuple[str, ...] = ()) -> Shown:
        """Change settings of a channel; the running one is built again. Errors: NotFound, ConfigError."""
        record = await channel_named(self._ledger, name)
        wanted = _merged(record, settings, unset)
        checked = self._provider(record.provider).check(wanted)
        await self._check_owner(checked)
        kept = {each: checked.get(each, value) for each, value in wanted.items()}
        changed = await self._ledger.change_channel(name, settings=kept)
        return self._shown(changed or record)

    async def pause(self, *, name: Name) -> Shown:
        """Hand nothing more over; receipts still come in. Errors: NotFound."""
        return await self._set_paused(name, paused=True)

    async def resume(self, *, name: Name) -> Shown:
        """Go on handing over. Errors: NotFound."""
        return await self._set_paused(name, paused=False)

    async def test(self, *, name: Name) -> Shown:
        """Try the connection step by step, beside the running links. Errors: NotFound, ConfigError."""
        return await self._tested(await channel_named(self._ledger, name))

    async def trial(
        self, *, provider: str, settings: dict[str, Any], name: str = "", unset: tuple[str, ...] = ()
    ) -> Shown:
        """Try settings step by step before they are kept: those of a new channel, or changes of the one named.

        Errors: NotFound, ConfigError.
        """
        if not name:
            return await self._tested(ChannelRecord(0, "", provider, settings))
        record = await channel_named(self._ledger, name)
        return await self._tested(replace(record, settings=_merged(record, settings, unset)))

    async def _tested(self, record: ChannelRecord) -> Shown:
        provider = self._provider(record.provider)
        checked = provider.check(record.settings)
        await self._check_owner(checked)
        tokens = KeptToken(await self._ledger.grant(record.id)) if provider.info.needs_grant else None
        channel = provider.build(self._context(record, checked, tokens))
        steps = await channel.test()
        return {
            "name": record.name,
            "ok": bool(steps) and all(step.ok for step in steps),
            "steps": [{"name": step.name, "ok": step.ok, "detail": step.detail} for step in steps],
        }

    async def _set_paused(self, name: str, *, paused: bool) -> Shown:
        record = await self._ledger.change_channel(name, paused=paused)
        if record is None:
            raise NotFound(f"there is no channel {name!r}; see: loa channels list")
        return self._shown(record)

    async def _check_owner(self, settings: Mapping[str, Any]) -> None:
        """Refuse an owner whom nobody knows: what comes in would be told to nobody. Errors: ConfigError."""
        owner = settings.get(OWNER)
        if owner and owner not in {tenant.name for tenant in await self._ledger.tenants()}:
            raise ConfigError(
                f"{OWNER} = {owner!r}: there is no such tenant; see: loa tenants list", field=OWNER, fault="no_owner"
            )

    def _provider(self, name: str) -> Provider:
        provider = self._providers.get(name)
        if provider is None:
            raise ConfigError(f"there is no provider {name!r}; choose of: {', '.join(sorted(self._providers))}")
        return provider

    def _context(
        self, record: ChannelRecord, settings: Mapping[str, Any], tokens: AccessTokens | None
    ) -> ChannelContext:
        return ChannelContext(
            channel_id=record.id,
            name=record.name,
            clock=self._clock,
            probe=NoProbe(),
            receipts=_not_stored,
            wake=_nothing_to_do,
            settings=settings,
            tokens=tokens,
        )

    def _shown(self, record: ChannelRecord) -> Shown:
        provider = self._providers.get(record.provider)
        return {
            "id": record.id,
            "name": record.name,
            "provider": record.provider,
            "paused": record.paused,
            "settings": _masked(provider, record.settings),
            **self._running(record),
        }

    def _running(self, record: ChannelRecord) -> Shown:
        """Say how a channel does; nothing where no gateway runs."""
        if self._host is None:
            return {"status": None, "problem": None}
        running = self._host.running.get(record.id)
        status = None if running is None else _status(running.channel.status())
        return {"status": status, "problem": self._host.broken.get(record.id)}


def _merged(record: ChannelRecord, settings: Mapping[str, Any], unset: tuple[str, ...]) -> dict[str, Any]:
    return {each: value for each, value in {**record.settings, **settings}.items() if each not in unset}


def _field(declared: SettingField) -> Shown:
    return {
        "name": declared.name,
        "kind": declared.kind.value,
        "takes": declared.takes,
        "meaning": declared.meaning,
        "default": declared.default,
        "needed": declared.needed,
        "secret": declared.secret,
        "basic": declared.basic,
        "low": declared.low,
        "high": declared.high,
        "whole": declared.whole,
        "options": list(declared.options),
    }


def _not_stored(_receipt: Receipt, stored: Callable[[bool], None]) -> None:
    """Take no receipt: a test stores nothing, so the peer keeps it."""
    stored(False)


def _nothing_to_do() -> None:
    """Wake nobody: a test dispatches nothing."""


def _status(status: ChannelStatus) -> Shown:
    return {
        "ready": status.ready,
        "linksUp": status.links_up,
        "links": status.links,
        "windowInUse": status.window_in_use,
        "windowSize": status.window_size,
        "detail": status.detail or None,
    }


def _masked(provider: Provider | None, settings: Mapping[str, Any]) -> Shown:
    """Show settings; of a provider that is not installed nobody knows which are secret."""
    if provider is None:
        return dict.fromkeys(settings, STARS)
    secrets = provider.info.secrets
    return {name: STARS if name in secrets and value else value for name, value in settings.items()}
