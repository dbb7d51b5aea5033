"""What this process serves over HTTP: API and console where those are its roles, health and metrics in any case."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from ipaddress import ip_network
from typing import Any

from loa import __version__
from loa.api.app import VendorParts, build_api, by_path
from loa.api.auth import Authenticator
from loa.api.boundary import App
from loa.api.consent.router import CALLBACK_PATH, build_consent
from loa.api.hooks.router import PREFIX as HOOKS
from loa.api.hooks.router import build_hooks
from loa.api.texts import Language
from loa.api.v1.build import build_native
from loa.api.v1.parts import Parts
from loa.app import translate
from loa.app.console import PATH as CONSOLE
from loa.app.console import ROLE as CONSOLE_ROLE
from loa.app.console import Verbs, console_of
from loa.app.console_keys import ConsoleKeys
from loa.app.console_sending import ConsoleSending
from loa.app.grants import charge_of
from loa.app.roles import Ground, Loop
from loa.app.servers import OnlyPaths
from loa.console.world import World
from loa.domain import msisdn
from loa.notify.guard import url_check
from loa.notify.signature import is_signed, new_secret
from loa.ports.channel import ChannelStatus, Composes, Hears, Provider, ReceiptSink
from loa.ports.ledger import Ledger
from loa.ports.records import AcceptResult, NewSubmission
from loa.stages.batches import BatchStage
from loa.stages.consent import Consents
from loa.stages.fitting import Ways
from loa.stages.hearing import Hearing
from loa.stages.intake import Intake
from loa.stages.planning import Planner
from loa.stages.renewal import Charge
from loa.stages.signing_in import SigningIn

BATCHES_ROLE = "upkeep"
"""Batches go on by themselves, as what time brings about does: also while nobody looks at the console."""
HEALTH_PATHS = frozenset({"/metrics", "/livez", "/readyz"})
ANYWHERE = (ip_network("0.0.0.0/0"), ip_network("::/0"))


def ways_of(providers: Mapping[str, Provider]) -> Ways:
    """Say what providers can do beside carrying text."""
    return Ways(
        composers={name: each for name, each in providers.items() if isinstance(each, Composes)},
        reaching_users=frozenset(name for name, each in providers.items() if each.info.reaches_users),
    )


class _Announcing:
    """Intake's way to the ledger: tells dispatch that there is something new."""

    def __init__(self, ledger: Ledger, due: Callable[[], None]) -> None:
        self._ledger = ledger
        self._due = due

    async def accept(self, submission: NewSubmission) -> AcceptResult:
        """See ports.ledger.Submissions."""
        result = await self._ledger.accept(submission)
        self._due()
        return result

    async def cancel(self, tenant_id: int, referent_id: str, now: int) -> int | None:
        """See ports.ledger.Submissions."""
        return await self._ledger.cancel(tenant_id, referent_id, now)

    async def cancel_message(self, tenant_id: int, message_id: int, now: int) -> bool | None:
        """See ports.ledger.Submissions."""
        return await self._ledger.cancel_message(tenant_id, message_id, now)


class Faces:
    """Builds the applications.

    `due`: told that messages were accepted; `told`: that callbacks may be owed; `changed`: that a provider's side of a
    channel changed; `draining`: whether the process stops; `verbs`: has administration do something;
    `channel_states`: how the channels stand that run here, by id; `world`: the simulated outside, in a demo.
    """

    def __init__(
        self,
        ground: Ground,
        *,
        receipts: ReceiptSink,
        due: Callable[[], None],
        told: Callable[[], None],
        changed: Callable[[int], Awaitable[None]],
        draining: Callable[[], bool],
        verbs: Verbs,
        channel_states: Callable[[], Mapping[int, ChannelStatus]] = dict,
        world: World | None = None,
    ) -> None:
        self._ground = ground
        self._receipts = receipts
        self._told = told
        self._changed = changed
        self._draining = draining
        self._verbs = verbs
        self._channel_states = channel_states
        self._world = world
        self._guard = translate.guard_policy(ground.settings)
        self._authenticator = Authenticator(ground.registry)
        self._planner = self._build_planner()
        self._intake = self._build_intake(due)
        self._native = self._native_parts()

    def main(self) -> Any:
        """Give what the main listener serves: API and console as the roles say, health and metrics in any case."""
        pages = {CONSOLE: self._console()} if CONSOLE_ROLE in self._ground.settings.roles else {}
        if "api" not in self._ground.settings.roles:
            return by_path(pages, OnlyPaths(build_native(self._native), HEALTH_PATHS))
        consents = Consents(self._ground.ledger, self._charge_of, self._ground.clock)
        hooks = build_hooks(self._hearing(), Language(self._ground.settings.language))
        more = {CALLBACK_PATH: build_consent(consents), HOOKS: hooks, **pages}
        return build_api(self._vendor_parts(), self._native, more=more)

    def _console(self) -> App:
        ground = self._ground
        return console_of(
            ground.ledger,
            ground.clock,
            ground.settings.language,
            read_number=self._native.read_number,
            channel_states=self._channel_states,
            verbs=self._verbs,
            sending=self._console_sending,
            ending=self._draining,
            providers=ground.providers,
            world=self._world,
            disk_low=4 * (ground.settings.limits.disk_free_min_bytes + ground.settings.ledger.reserve_bytes),
        )

    def _console_sending(self, signing: SigningIn) -> ConsoleSending:
        ground = self._ground
        return ConsoleSending(self._intake, ground.registry, ground.ledger, ground.clock, signing)

    def admin(self) -> Any:
        """Give what the admin listener serves: health and metrics, to whoever reaches it."""
        return OnlyPaths(build_native(replace(self._native, metrics_from=ANYWHERE)), HEALTH_PATHS)

    def loops(self) -> list[Loop]:
        """Give what goes on, beside answering, until it is cancelled: batches need the intake that is built here."""
        ground = self._ground
        if BATCHES_ROLE not in ground.settings.roles:
            return []
        keys = ConsoleKeys(ground.registry, ground.ledger, ground.clock)
        stage = BatchStage(
            ground.ledger,
            self._intake,
            self._planner,
            keys.of_batches,
            clock=ground.clock,
            probe=ground.probe,
            remembered_ms=translate.keep_ms(ground.settings)["request_ids"] // 2,
        )
        return [stage.run]

    def _build_planner(self) -> Planner:
        ground, settings = self._ground, self._ground.settings
        return Planner(
            ground.registry,
            rules=translate.ruleset(settings),
            numbers=translate.numbers(settings),
            limits=translate.planning_limits(settings),
            simulated_providers=[name for name, provider in ground.providers.items() if provider.info.simulated],
            check_url=self._check_url,
            ways=ways_of(ground.providers),
        )

    def _build_intake(self, due: Callable[[], None]) -> Intake:
        ground = self._ground
        announcing = _Announcing(ground.ledger, due)
        limits = translate.intake_limits(ground.settings)
        return Intake(announcing, ground.registry, self._planner, ground.clock, ground.probe, limits)

    def _charge_of(self, channel_id: int) -> Charge | None:
        record = self._ground.registry.channel(channel_id)
        return charge_of(record, self._ground.providers) if record is not None else None

    def _hearing(self) -> Hearing:
        ground = self._ground
        return Hearing(
            {name: each for name, each in ground.providers.items() if isinstance(each, Hears)},
            ground.registry,
            ground.ledger,
            ground.clock,
            receipts=self._receipts,
            told=self._told,
            changed=self._changed,
        )

    def _check_url(self, url: str) -> str:
        return url_check(url, self._guard)

    def _vendor_parts(self) -> VendorParts:
        ground = self._ground
        readers = {name: each.read_report for name, each in ground.providers.items() if each.info.takes_reports}
        return VendorParts(
            self._authenticator,
            self._intake,
            ground.registry,
            ground.clock,
            self._receipts,
            readers,
            is_signed,
            body_limit=ground.settings.limits.body_bytes_max,
            language=Language(ground.settings.language),
        )

    def _native_parts(self) -> Parts:
        ground, settings = self._ground, self._ground.settings
        numbers = translate.numbers(settings)

        def read_number(raw: str) -> str | None:
            try:
                return msisdn.parse(raw, table=numbers.table, allow_countries=None, convert_2018=numbers.convert_2018)
            except msisdn.NumberRefused:
                return None

        return Parts(
            ground.ledger,
            ground.clock,
            self._authenticator,
            self._intake.explain,
            read_number,
            self._check_url,
            new_secret,
            ground.registry.refresh,
            draining=self._draining,
            body_limit=settings.limits.body_bytes_max,
            language=Language(settings.language),
            version=__version__,
        )
