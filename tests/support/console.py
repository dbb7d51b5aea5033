"""The console's screens on a real socket, over a ledger with everything in it, for a visitor who is always the same."""

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.routing import Router

from loa.app.admin import Admin, rules_of
from loa.app.api_book import read_api_book
from loa.app.console import Acting, retelling, signing_in
from loa.app.console_exchanges import ConsoleExchanges
from loa.app.console_keys import ConsoleKeys
from loa.app.console_sending import ConsoleSending
from loa.app.faces import ways_of
from loa.app.servers import make_listener
from loa.channels.registry import providers
from loa.console.errands import Errands
from loa.console.headers import Headers
from loa.console.http import App, Receive, Scope, Send, read_form
from loa.console.language import Language, language_in
from loa.console.parts import Parts
from loa.console.screens import screens
from loa.console.streams import Streams
from loa.console.troubles import Trouble
from loa.console.visitor import Visitor
from loa.console.world import WORLD_VERBS
from loa.domain.batch_plan import BatchPlan, Source, as_json
from loa.domain.figures import Count, Kind
from loa.domain.lifecycle import State
from loa.domain.outcome import Accepted, Outcome, Refused
from loa.domain.roles import Role
from loa.domain.rules import Finding
from loa.domain.template import Parameter, Tag, Template
from loa.domain.traffic import TrafficClass
from loa.ledger.postgres.ledger import PostgresLedger
from loa.ledger.sqlite.ledger import SqliteLedger
from loa.ports.batches import BatchNote, BatchPart, BatchState, NewBatch
from loa.ports.channel import ChannelStatus, Rate
from loa.ports.grants import Tokens
from loa.ports.records import MessageFilter
from loa.ports.users import Actor, SignIn, User
from loa.settings.load import load
from loa.stages.batches import BatchStage
from loa.stages.destinations import read_one
from loa.stages.intake import Intake
from loa.stages.planning import Numbers, Planner
from loa.stages.registry import Registry
from loa.stages.signing_in import LASTS_MS, SigningIn
from tests.contract.ledger.values import DAY, claim, receipt, settlement, submission, tried
from tests.support.fakes import FakeClock, QuietProbe
from tests.support.full_ledger import MUCH_LATER, make_full
from tests.support.scripted_world import ScriptedWorld, sight_of

CORPUS = (
    "<script>window.hurt=1</script>",
    "\"><img src=x onerror='window.hurt=1'>",
    "'-window.hurt=1-'",
    "<svg/onload=window.hurt=1>",
    "{{7*7}}{%x%}",
    "javascript:window.hurt=1",
)
"""Texts that hurt where a page does not escape what it shows."""

SECRET = "never-to-be-seen"
"""Stands in the settings of a channel; no page may hold it."""

STATES = {
    1: ChannelStatus(True, 2, 2, 3, 50, rate=Rate(100, 40.5, 12), quota_left=480),
    2: ChannelStatus(False, 0, 1, 0, 10, CORPUS[0]),
    3: ChannelStatus(False, 0, 2, 0, 20, "connection refused"),
}


@dataclass
class Desk:
    """The screens with what a test sets and reads: who looks, signed in when, which looks at content were told, the
    world outside.

    `password`: of who looks; without one nobody is asked again.
    """

    ledger: SqliteLedger | PostgresLedger
    clock: FakeClock
    visitor: Visitor = field(default_factory=lambda: visitor(Role.OWNER))
    looks: list[str] = field(default_factory=list)
    errands: Errands = field(default_factory=Errands)
    streams: Streams = field(default_factory=Streams)
    world: ScriptedWorld | None = field(default_factory=lambda: ScriptedWorld(sight_of(CORPUS)))
    is_known: bool = True
    password: str = ""
    folder: Path = Path()
    signed_in_at: int = MUCH_LATER
    troubles: list[Trouble] = field(default_factory=list)

    async def known(self, _request: Request) -> bool:
        return self.is_known

    async def wrong(self) -> list[Trouble]:
        return self.troubles

    def parts(self) -> Parts:
        async def shown(_request: Request, message_id: str) -> None:
            self.looks.append(message_id)

        signing = signing_in(self.ledger, self.clock)
        return Parts(
            ledger=self.ledger,
            clock=self.clock,
            read_number=lambda text: read_one(text, Numbers()),
            channel_states=lambda: STATES,
            content_shown=shown,
            acts=Acting(self.verbs, signing),
            sending=self.sending(signing),
            signing=signing,
            retells=retelling(providers()),
            errands=self.errands,
            exchanges=ConsoleExchanges("9"),
            troubles=self.wrong,
            api=read_api_book,
            streams=self.streams,
            still_known=self.known,
            world=self.world,
        )

    async def verbs(self, verb: str, args: Mapping[str, Any], by: Actor | None = None) -> Any:
        if self.world is not None and verb in WORLD_VERBS:
            return await self.world.do(verb, **args)
        return await self.admin().do(verb, args, by)

    def sending(self, signing: SigningIn) -> ConsoleSending:
        registry, _, intake = self._intake()
        return ConsoleSending(intake, registry, self.ledger, self.clock, signing)

    def batch_stage(self) -> BatchStage:
        """Make what works on batches; a test has it do so."""
        registry, planner, intake = self._intake()
        keys = ConsoleKeys(registry, self.ledger, self.clock)
        return BatchStage(
            self.ledger,
            intake,
            planner,
            keys.of_batches,
            clock=self.clock,
            probe=QuietProbe(),
            remembered_ms=43_200_000,
        )

    def _intake(self) -> tuple[Registry, Planner, Intake]:
        registry = Registry(self.ledger, self.clock)
        planner = Planner(registry, simulated_providers=["sandbox"], ways=ways_of(providers()))
        return registry, planner, Intake(self.ledger, registry, planner, self.clock, QuietProbe())

    def admin(self) -> Admin:
        loaded = load(flags={"data_dir": str(self.folder)})
        return Admin(
            self.ledger,
            clock=self.clock,
            providers=providers(),
            rules=rules_of(loaded.settings, origins=loaded.origins),
        )

    def app(self) -> App:
        return Headers(Known(Router(screens(self.parts())), self))


class Known:
    """Puts the visitor, the form and the language where the gate puts them."""

    def __init__(self, app: App, desk: Desk) -> None:
        self._app, self._desk = app, desk

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        plain = scope["method"] == "POST" and "multipart" not in request.headers.get("content-type", "")
        form = await request.body() if plain else b""
        state = scope.setdefault("state", {})
        looks = self._desk.visitor
        state["visitor"], state["form"] = looks, read_form(form)
        state["user"] = User(looks.user_id, looks.name, looks.role, self._desk.password, "", 0, 0)
        begun = self._desk.signed_in_at
        state["sign_in"] = SignIn("0" * 64, looks.user_id, begun, begun, begun + LASTS_MS, "192.0.2.7", "Firefox")
        state["language"] = language_in(scope, Language.VIETNAMESE)
        await self._app(scope, receive, send)


def visitor(role: Role) -> Visitor:
    return Visitor(1, "lan", role, "form-token")


async def fill(path: Path) -> None:
    """Fill a ledger with everything."""
    await make_full(path)
    ledger = await SqliteLedger.open(path, probe=QuietProbe())
    await ledger.add_channel("viettel", "smpp", {})
    await _hurtful(ledger)
    while await ledger.count_figures(1_000):
        pass
    await ledger.note_queue_ages([Count(0, MUCH_LATER, Kind.QUEUE_AGE, TrafficClass.OTP, 1, 0, "", 2_500)])
    await _zalo(ledger)
    await _batches(ledger)
    await ledger.close()


async def _zalo(ledger: SqliteLedger) -> None:
    """Add a channel with templates, of which one hurts, a grant and a look that failed."""
    secrets = {"app_secret": SECRET, "oa_secret_key": SECRET}
    channel = await ledger.add_channel("shop", "zalo", {"app_id": "42", "oa_id": "57", **secrets})
    codes = (Parameter("otp", "string", max_length=6), Parameter(CORPUS[0], required=False))
    templates = [
        Template(
            channel.id, "11", "Mã xác thực", "enabled", Tag.TRANSACTION, "high", 300, 200, 3_600_000, 500, 499, codes
        ),
        Template(channel.id, "12", CORPUS[1], "rejected", reason=CORPUS[0], preview_url=CORPUS[5]),
    ]
    await ledger.put_templates(channel.id, templates, MUCH_LATER - 60_000)
    await ledger.set_template_text(channel.id, "11", "Mã của bạn là <otp>.")
    await ledger.begin_template_look(channel.id, MUCH_LATER - 60_000, MUCH_LATER)
    await ledger.end_template_look(channel.id, MUCH_LATER - 50_000, CORPUS[3])
    await ledger.keep(channel.id, Tokens("access", "refresh", MUCH_LATER + DAY, MUCH_LATER + 90 * DAY), MUCH_LATER - 1)


async def open_desk(path: Path) -> Desk:
    """Put the screens on a filled ledger."""
    return Desk(await SqliteLedger.open(path, probe=QuietProbe()), FakeClock(MUCH_LATER), folder=path.parent)


async def _hurtful(ledger: SqliteLedger) -> None:
    """Put the corpus into every field that somebody outside can write."""
    at = MUCH_LATER - 60_000
    await ledger.add_tenant(CORPUS[0], at)
    await ledger.add_channel(CORPUS[1], "sandbox", {})
    for number, text in enumerate(CORPUS):
        new = submission(
            numbers=[84_900_000_000 + number], sender=text, text=text, request_id=text, at=at + number, endpoint_id=1
        )
        await ledger.accept(new)
    attempts = [each for each in await claim(ledger, at + 100) if each.text in CORPUS]
    refused = [Refused(each.text, lasting=True) for each in attempts[:3]]
    taken = [Accepted((f"{each.text}-{n}",)) for n, each in enumerate(attempts[3:])]
    outcomes: list[Outcome] = [*refused, *taken]
    await ledger.record([settlement(a, o, at + 200) for a, o in zip(attempts, outcomes, strict=True)])
    told = [
        receipt(f"{text}-{n}", detail=text, stat=text, raw=text.encode(), state=State.UNDELIVERED, received_at=at + 300)
        for n, text in enumerate(CORPUS[3:])
    ]
    await ledger.store(told)
    due = await ledger.claim_due(100, 100, at + 400, at + 500, [])
    await ledger.record_tries(
        [tried(each.id, 1, at=at + 450, error=CORPUS[0], delivered=False, status=0, next_at=at + 9_999) for each in due]
    )


async def _batches(ledger: SqliteLedger) -> None:
    """Leave batches 2 to 4 beside the first one, which runs: a draft, one that is checked, one that is finished."""
    for state in (BatchState.DRAFT, BatchState.CHECKED, BatchState.FINISHED):
        new = NewBatch(1, CORPUS[0], "lan", ("phone", *CORPUS), True, MUCH_LATER)
        batch = await ledger.add_batch(new)
        await ledger.add_batch_rows(batch, 0, [(f"09123456{n:02}", *CORPUS) for n in range(10)])
        await ledger.end_loading(batch.id, 10)
        if state is BatchState.DRAFT:
            continue
        plan = BatchPlan(0, Source(value=CORPUS[0]), Source(value="LOA"), Source(value="transactional"))
        await ledger.set_batch_plan(batch.id, as_json(plan))
        await ledger.claim_batch(batch.id, "here", MUCH_LATER, MUCH_LATER + 1)
        bad = {
            2: Finding("destinations", "batch_repeated"),
            3: Finding("from", "sender_unknown", {"sender": CORPUS[0]}),
        }
        counts, findings = {"good": 8, "bad": 2, "segments": 8}, {"batch_repeated": 1, "sender_unknown": 1}
        await ledger.note_checked(batch.id, "here", BatchNote(0, 10, bad, counts, findings))
        if state is BatchState.FINISHED:
            await ledger.start_batch(batch.id, 0, 0, MUCH_LATER)
            await ledger.claim_batch(batch.id, "here", MUCH_LATER, MUCH_LATER + 1)
            await ledger.begin_slice(batch.id, "here", 10, MUCH_LATER, MUCH_LATER + 1)
            (row,) = await ledger.messages(1, MessageFilter(), None, 1)
            part = BatchPart(0, 10, MUCH_LATER, [(row["referent_id"], (0, 1))], bad, {"sent": 8, "left": 2})
            await ledger.record_slice(batch.id, part)


@dataclass
class ServedDesk:
    """Screens that a browser can reach. `do`: has something done on their loop."""

    url: str
    desk: Desk
    loop: asyncio.AbstractEventLoop

    def do(self, work: Callable[[Desk], Awaitable[Any]]) -> Any:
        async def run() -> Any:
            return await work(self.desk)

        return asyncio.run_coroutine_threadsafe(run(), self.loop).result(30)

    def look_again(self) -> None:
        """Let time pass for a stream that waits, so that it looks once more."""

        async def pass_time(desk: Desk) -> None:
            while not desk.clock.waiting:
                await asyncio.sleep(0)
            desk.clock.advance(1)

        self.do(pass_time)


@contextmanager
def serve_desk(directory: Path) -> Iterator[ServedDesk]:
    """Serve the screens until the block ends."""
    ready = threading.Event()
    running: list[ServedDesk] = []
    stop = asyncio.Event()

    async def life() -> None:
        with socket.socket() as bound:
            bound.bind(("127.0.0.1", 0))
            bound.listen()
            await fill(directory / "loa.db")
            desk = await open_desk(directory / "loa.db")
            listener = make_listener(desk.app(), keep_alive_s=5)
            serving = asyncio.create_task(listener.serve(sockets=[bound]))
            url = f"http://127.0.0.1:{bound.getsockname()[1]}"
            running.append(ServedDesk(url, desk, asyncio.get_running_loop()))
            ready.set()
            await stop.wait()
            listener.should_exit = listener.force_exit = True
            await serving
            await desk.ledger.close()

    def run() -> None:
        try:
            asyncio.run(life())
        finally:
            ready.set()

    thread = threading.Thread(target=run)
    thread.start()
    ready.wait(30)
    assert running, "the screens did not start"
    try:
        yield running[0]
    finally:
        running[0].loop.call_soon_threadsafe(stop.set)
        thread.join(30)
