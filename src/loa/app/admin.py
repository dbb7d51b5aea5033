"""Administration: every verb an admin has, by name, over one ledger.

The command line, the control socket of a running gateway and later the console all come through here, so each verb has
one meaning. Arguments and answers are plain JSON values; arguments are checked against the verb's signature.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ConfigDict, ValidationError, validate_call

from loa import __version__
from loa.app import translate
from loa.app.admin_audit import AuditDesk
from loa.app.admin_batches import BatchDesk
from loa.app.admin_channels import ChannelDesk
from loa.app.admin_endpoints import EndpointCare
from loa.app.admin_grants import GrantDesk
from loa.app.admin_messages import MessageDesk
from loa.app.admin_people import People
from loa.app.admin_reading import Reading
from loa.app.admin_restoring import RestoreDesk
from loa.app.admin_rules import RuleDesk
from loa.app.admin_seal import SealDesk
from loa.app.admin_system import SystemDesk
from loa.app.admin_templates import TemplateDesk
from loa.app.admin_users import UserDesk
from loa.app.admin_ways import EndpointDesk, RouteDesk
from loa.app.channel_host import ChannelHost
from loa.app.console import reached_at
from loa.app.ledgers import key_source
from loa.domain import msisdn
from loa.errors import CallerError
from loa.notify.guard import url_check
from loa.notify.poster import HttpCallbackSender
from loa.notify.signature import new_secret
from loa.ports.channel import Provider
from loa.ports.clock import Clock
from loa.ports.ledger import Ledger
from loa.ports.users import Actor
from loa.seal.sealer import KeySource
from loa.settings.load import Loaded
from loa.settings.outline import outline
from loa.settings.tree import Settings

Verb = Callable[..., Awaitable[Any]]
READING: Final = frozenset(
    {
        "list",
        "show",
        "status",
        "test",
        "try",
        "providers",
        "match",
        "messages",
        "message",
        "ping",
        "orphans",
        "lanes",
        "about",
        "export",
        "bundle",
    }
)
"""Last words of the verbs that change nothing."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What administration must know of the settings. `origins`: where each came from, as far as that is known."""

    url_reason: Callable[[str], str]
    read_number: Callable[[str], str | None]
    keys: KeySource
    sender: Callable[[], HttpCallbackSender]
    loaded: Loaded
    shares_ledger: bool = False
    public_url: str = ""
    console_url: str = ""


def rules_of(settings: Settings, url: str = "", origins: Mapping[str, str] | None = None) -> Rules:
    """Read the rules out of the settings.

    `url`: where a running gateway listens; `origins`: where each setting came from, where that is known. Errors:
    ConfigError.
    """
    numbers, guard = translate.numbers(settings), translate.guard_policy(settings)

    def read_number(raw: str) -> str | None:
        try:
            return msisdn.parse(raw, table=numbers.table, allow_countries=None, convert_2018=numbers.convert_2018)
        except msisdn.NumberRefused:
            return None

    return Rules(
        lambda url: url_check(url, guard),
        read_number,
        key_source(settings),
        lambda: HttpCallbackSender(guard, timeout_s=settings.callbacks.timeout_s, concurrency=1, version=__version__),
        Loaded(settings, origins or dict.fromkeys(outline(), "")),
        shares_ledger=settings.on_postgres,
        public_url=settings.server.public_url,
        console_url=reached_at(settings, url),
    )


async def _nobody_to_tell() -> None:
    """Do nothing: no gateway runs here that would have to read the directory again."""


def _of_people(people: People) -> dict[str, Verb]:
    return {
        "tenants.add": people.add_tenant,
        "tenants.list": people.list_tenants,
        "tenants.policies": people.set_policies,
        "keys.create": people.create_key,
        "keys.list": people.list_keys,
        "keys.revoke": people.revoke_key,
        "keys.rotate": people.rotate_key,
        "senders.add": people.add_sender,
        "senders.list": people.list_senders,
    }


def _of_channels(channels: ChannelDesk) -> dict[str, Verb]:
    return {
        "channels.add": channels.add,
        "channels.list": channels.list_channels,
        "channels.show": channels.show,
        "channels.set": channels.change,
        "channels.test": channels.test,
        "channels.try": channels.trial,
        "channels.providers": channels.list_providers,
        "channels.pause": channels.pause,
        "channels.resume": channels.resume,
    }


def _of_grants(grants: GrantDesk) -> dict[str, Verb]:
    return {
        "grants.list": grants.list_grants,
        "grants.connect": grants.connect,
        "grants.keep": grants.keep,
    }


def _of_templates(templates: TemplateDesk) -> dict[str, Verb]:
    return {
        "templates.list": templates.list_templates,
        "templates.show": templates.show,
        "templates.text": templates.set_text,
        "templates.sync": templates.sync,
        "templates.match": templates.match,
    }


def _of_routes(routes: RouteDesk) -> dict[str, Verb]:
    return {
        "routes.add": routes.add,
        "routes.list": routes.list_routes,
        "routes.move": routes.move,
        "routes.remove": routes.remove,
    }


def _of_endpoints(endpoints: EndpointDesk, care: EndpointCare) -> dict[str, Verb]:
    return {
        "endpoints.add": endpoints.add,
        "endpoints.list": endpoints.list_endpoints,
        "endpoints.enable": endpoints.enable,
        "endpoints.change": care.change,
        "endpoints.rotate_secret": care.rotate_secret,
        "endpoints.retire_secret": care.retire_secret,
        "endpoints.test": care.test,
        "callbacks.replay": endpoints.replay,
    }


def _of_reading(reading: Reading) -> dict[str, Verb]:
    return {
        "reading.messages": reading.messages,
        "reading.message": reading.message,
        "ledger.ping": reading.ping,
        "ledger.orphans": reading.orphans,
        "ledger.lanes": reading.lanes,
        "about": reading.about,
    }


def _of_messages(messages: MessageDesk) -> dict[str, Verb]:
    return {
        "messages.settle": messages.settle,
        "messages.cancel": messages.cancel,
    }


def _of_users(users: UserDesk) -> dict[str, Verb]:
    return {
        "users.add": users.add,
        "users.list": users.list_users,
        "users.role": users.set_role,
        "users.disable": users.disable,
        "users.enable": users.enable,
        "users.reset_link": users.reset_link,
    }


def _of_audit(audit: AuditDesk) -> dict[str, Verb]:
    return {
        "users.audit.list": audit.list_deeds,
        "users.audit.export": audit.export,
    }


def _of_batches(batches: BatchDesk) -> dict[str, Verb]:
    return {
        "batches.add": batches.add,
        "batches.check": batches.check,
        "batches.start": batches.start,
        "batches.show": batches.show,
        "batches.pause": batches.pause,
        "batches.resume": batches.resume,
        "batches.stop": batches.stop,
        "batches.remove": batches.remove,
    }


def _of_seal(seal: SealDesk) -> dict[str, Verb]:
    return {
        "seal.status": seal.status,
        "seal.prepare": seal.prepare,
        "seal.begin": seal.begin,
        "seal.step": seal.step,
        "seal.end": seal.end,
        "seal.abandon": seal.abandon,
    }


class Admin:
    """The verbs. `host` and `url`: those of the gateway that runs in this process; `changed` is told of changes."""

    def __init__(
        self,
        ledger: Ledger,
        *,
        clock: Clock,
        providers: Mapping[str, Provider],
        rules: Rules,
        host: ChannelHost | None = None,
        url: str = "",
        changed: Callable[[], Awaitable[object]] = _nobody_to_tell,
    ) -> None:
        people = People(ledger, clock)
        reading = Reading(ledger, clock, rules.read_number, url)
        self._changed = changed
        self._users = UserDesk(ledger, clock, rules.console_url)
        channels = ChannelDesk(ledger, clock, providers, host)
        seal = SealDesk(ledger, clock, rules.keys, shared=rules.shares_ledger, is_running=bool(url))
        system = SystemDesk(ledger, clock, rules.loaded, url)
        self._verbs: dict[str, Verb] = {
            **_of_people(people),
            **_of_channels(channels),
            **_of_grants(GrantDesk(ledger, clock, providers, rules.public_url)),
            **_of_templates(TemplateDesk(ledger, clock, providers)),
            **_of_routes(RouteDesk(ledger, clock)),
            **_of_endpoints(
                EndpointDesk(ledger, clock, rules.url_reason, new_secret),
                EndpointCare(ledger, clock, new_secret, rules.sender, __version__),
            ),
            **_of_reading(reading),
            **_of_messages(MessageDesk(ledger, clock)),
            **_of_batches(BatchDesk(ledger, clock)),
            "rules.show": RuleDesk(ledger, rules.loaded.settings, rules.loaded.origins).show,
            **_of_users(self._users),
            **_of_audit(AuditDesk(ledger)),
            "ledger.release": RestoreDesk(ledger, clock).release,
            **_of_seal(seal),
            "system.show": system.show,
            "system.bundle": system.bundle(reading.lanes, seal.status, channels.list_channels),
        }

    @property
    def verbs(self) -> tuple[str, ...]:
        """Every verb there is."""
        return tuple(self._verbs)

    async def do(self, verb: str, args: Mapping[str, Any] | None = None, by: Actor | None = None) -> Any:
        """Do what a verb says.

        Shapes: args by name, JSON values; the answer is a JSON value. `by`: who has it done, where that is known; the
        verbs of users write it into the audit log themselves.
        Errors: CallerError for an unknown verb or wrong arguments, and those of the verb.
        """
        found = self._named(verb, by)
        if found is None:
            raise CallerError("unknown_verb", f"there is no verb {verb!r}")
        try:
            # The arguments of a coroutine function are checked when it is awaited.
            answer = await _CHECKED(found)(**(args or {}))
        except ValidationError as wrong:
            raise CallerError("wrong_arguments", _said(wrong)) from None
        if verb.rpartition(".")[2] not in READING:
            await self._changed()
        return answer

    def _named(self, verb: str, by: Actor | None) -> Verb | None:
        own = _of_users(self._users.acted_by(by)) if by is not None else {}
        return own.get(verb) or self._verbs.get(verb)


_CHECKED: Final = validate_call(config=ConfigDict(hide_input_in_errors=True))


def _said(wrong: ValidationError) -> str:
    """Say what is wrong without repeating a value, which may be a secret."""
    return "; ".join(f"{'.'.join(map(str, error['loc']))}: {error['msg']}" for error in wrong.errors())
