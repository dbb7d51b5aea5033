"""The console in this process, and the one-time links that lead into it."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Protocol

from starlette.requests import Request

from loa import __version__
from loa.api.boundary import App, Boundary
from loa.api.texts import Language as Spoken
from loa.app.api_book import read_api_book
from loa.app.console_exchanges import ConsoleExchanges
from loa.app.console_troubles import Look, Watch
from loa.console.acts import ACTS
from loa.console.build import build_console, fault_page
from loa.console.http import address_of
from loa.console.language import Language
from loa.console.looks import looks
from loa.console.parts import Parts
from loa.console.screens import HANDSETS, HOME, STILL_OPEN, screens
from loa.console.sending import Sending
from loa.console.streams import Streams
from loa.console.world import World
from loa.domain.roles import Role, may
from loa.errors import Forbidden, LoaError
from loa.ports.channel import ChannelStatus, Provider, Retells
from loa.ports.clock import Clock
from loa.ports.ledger import Ledger
from loa.ports.users import Actor, Purpose, Users
from loa.settings.tree import Settings
from loa.stages.passwords import Passwords
from loa.stages.signing_in import SigningIn

ROLE: Final = "console"
PATH: Final = "/console"
DEMO_USER: Final = "demo"
_WORDS: Final = {Purpose.FIRST_RUN: "first-run", Purpose.SET_UP: "set-up", Purpose.ENTER: "enter"}
_EVERY_ADDRESS: Final = ("//0.0.0.0:", "//[::]:")


def signing_in(users: Users, clock: Clock) -> SigningIn:
    """Give what signs people in."""
    return SigningIn(users, clock, Passwords())


class Verbs(Protocol):
    """Has a verb of administration done; `by`: who wants it, for verbs that write the audit log themselves."""

    def __call__(self, verb: str, args: Mapping[str, Any], by: Actor | None = None) -> Awaitable[Any]:
        """Do it. Errors: those of the verb."""
        ...


class Acting:
    """The console's way to the verbs of administration: see loa.console.acts."""

    def __init__(self, verbs: Verbs, signing: SigningIn) -> None:
        self._verbs = verbs
        self._signing = signing

    async def read(self, verb: str, /, **args: Any) -> Any:
        """See loa.console.acts.Acts."""
        return await self._verbs(verb, args)

    async def do(self, request: Request, verb: str, /, **args: Any) -> Any:
        """See loa.console.acts.Acts."""
        act, user = ACTS[verb], request.state.user
        if not may(user.role, act.needs):
            raise Forbidden("forbidden", f"the role {user.role} does not allow {verb}")
        subject, address = str(args.get(act.subject, "")), address_of(request.scope)
        told = {name: args[name] for name in act.told if name in args}
        if not act.tells_itself:
            await self._signing.note(user, verb, subject, after=told, address=address)
        try:
            return await self._verbs(verb, args, Actor(user.id, user.name, address))
        except LoaError as error:
            await self._signing.note(user, f"{verb}.refused", subject, after={"error": error.code}, address=address)
            raise


def console_of(
    ledger: Ledger,
    clock: Clock,
    language: str,
    *,
    read_number: Callable[[str], str | None],
    channel_states: Callable[[], Mapping[int, ChannelStatus]],
    verbs: Verbs,
    sending: Callable[[SigningIn], Sending],
    providers: Mapping[str, Provider],
    disk_low: int,
    ending: Callable[[], bool],
    world: World | None = None,
) -> App:
    """Make the console's application, which answers for its own faults. Units: disk_low in octets."""
    signing = signing_in(ledger, clock)

    async def content_shown(request: Request, message_id: str) -> None:
        await signing.note(request.state.user, "messages.content", message_id, address=address_of(request.scope))

    async def still_known(request: Request) -> bool:
        return await signing.lasts(request.state.sign_in, request.state.user.role)

    console = build_console(
        signing,
        language=Language(language),
        pages=screens(
            Parts(
                ledger=ledger,
                clock=clock,
                read_number=read_number,
                channel_states=channel_states,
                content_shown=content_shown,
                acts=Acting(verbs, signing),
                sending=sending(signing),
                streams=Streams(ending),
                still_known=still_known,
                signing=signing,
                retells=retelling(providers),
                world=world,
                exchanges=ConsoleExchanges(__version__),
                troubles=Watch(Look(ledger, clock, channel_states, disk_low), clock).troubles,
                api=read_api_book,
            )
        ),
        looks=looks(),
        home=HOME if world is None else HANDSETS,
        still_open=STILL_OPEN,
    )
    return Boundary(console, fault_page(looks()), Spoken(language))


def retelling(providers: Mapping[str, Provider]) -> Mapping[str, Retells]:
    """Name the providers that can show what they sent."""
    return {name: each for name, each in providers.items() if isinstance(each, Retells)}


def link_to(purpose: Purpose, secret: str, url: str) -> str:
    """Write a one-time link. `url`: where people reach this Loa."""
    return f"{url.rstrip('/')}{PATH}/{_WORDS[purpose]}/{secret}"


def reached_at(settings: Settings, url: str) -> str:
    """Say where people reach the console. `url`: where this process listens, "" where none does."""
    if settings.server.public_url:
        return settings.server.public_url
    own = url or f"http://127.0.0.1:{settings.server.listen_port}"
    for every in _EVERY_ADDRESS:
        own = own.replace(every, "//localhost:")
    return own


async def first_link(users: Users, clock: Clock, settings: Settings, url: str) -> str | None:
    """Make the link by which the owner is made; None where there are users, or no console runs here.

    Errors: StorageError.
    """
    if ROLE not in settings.roles:
        return None
    secret = await signing_in(users, clock).first_link()
    return None if secret is None else link_to(Purpose.FIRST_RUN, secret, reached_at(settings, url))


async def demo_link(users: Users, clock: Clock, settings: Settings, url: str) -> str:
    """Make a link that signs the demo's own owner in without a password; "" where no console runs here.

    Errors: StorageError.
    """
    if ROLE not in settings.roles:
        return ""
    user = await users.user(DEMO_USER) or await users.add_user(DEMO_USER, Role.OWNER, clock.now())
    return link_to(Purpose.ENTER, await signing_in(users, clock).enter_link(user), reached_at(settings, url))
