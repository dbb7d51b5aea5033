"""The page to which a person comes back: good once, in time, in both languages, and without a secret in it."""

import io
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from tests.support.fakes import EPOCH, FakeClock
from tests.support.grants import Issuer, MemoryGrants, pair
from tests.support.native_api import Answer, call

from loa.api.consent.router import CALLBACK_PATH, build_consent
from loa.errors import StorageUnavailable
from loa.ports.grants import Failed, Failure, Grant
from loa.stages.consent import LASTS_MS, Consents
from loa.stages.renewal import Charge

BACK = f"https://loa.example{CALLBACK_PATH}"


class World:
    """A channel, its provider, and the callback as the main listener has it."""

    def __init__(self) -> None:
        self.ledger, self.clock, self.issuer = MemoryGrants.fresh(), FakeClock(), Issuer()
        self.charges = {3: Charge(3, "shop", self.issuer, {"oa_id": "77"})}
        self.serve(self.ledger)

    def serve(self, ledger: MemoryGrants) -> None:
        self.consents = Consents(ledger, self.charges.get, self.clock)
        self.app = build_consent(self.consents)

    async def link(self) -> str:
        """Ask for a consent; the state in the link."""
        link, consent = await self.consents.ask(self.charges[3], BACK)
        assert len(consent.verifier) == 43
        (state,) = parse_qs(urlsplit(link).query)["state"]
        return state

    async def back(self, method: str = "GET", path: str = CALLBACK_PATH, **given: str) -> Answer:
        return await call(self.app, method, f"{path}?{urlencode(given)}", {}, b"")


@pytest.fixture
def world() -> World:
    return World()


async def test_a_consent_that_comes_back_is_a_grant(world: World) -> None:
    state = await world.link()
    page = await world.back(state=state, code="good", oa_id="77")
    assert page.status == 200
    assert await world.ledger.grant(3) == Grant(3, pair(2), EPOCH, 1)
    for text in ("Kênh shop đã được cấp quyền", "Channel shop may work"):
        assert text in page.body.decode()


async def test_it_ends_the_need_for_one(world: World) -> None:
    await world.ledger.keep(3, pair(1), EPOCH)
    await world.ledger.need_consent(3, "refused")
    await world.back(state=await world.link(), code="good")
    assert await world.ledger.grant(3) == Grant(3, pair(2), EPOCH, 2)


async def test_the_page_runs_nothing_names_no_secret_and_is_not_kept(world: World, log_lines: io.StringIO) -> None:
    state = await world.link()
    page = await world.back(state=state, code="good")
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert (page.headers["referrer-policy"], page.headers["cache-control"]) == ("no-referrer", "no-store")
    for secret in (state, "access-", "refresh-", "=good"):
        assert secret not in page.body.decode()
        assert secret not in log_lines.getvalue()


async def test_a_link_is_good_once(world: World) -> None:
    state = await world.link()
    await world.back(state=state, code="good")
    page = await world.back(state=state, code="good")
    assert (page.status, world.issuer.codes) == (400, 1)
    assert "loa zalo connect" in page.body.decode()


async def test_a_link_is_good_for_ten_minutes(world: World) -> None:
    state = await world.link()
    world.clock.advance(LASTS_MS / 1000)
    assert (await world.back(state=state, code="good")).status == 400
    assert await world.ledger.grant(3) is None


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"state": "x", "code": "good"},
        {"state": "s" * 43, "code": "good"},
        {"state": "s" * 43, "code": "c" * 5_000},
        {"state": "é" * 43, "code": "good"},
    ],
)
async def test_a_state_that_is_not_ours_gets_a_page_that_says_what_to_do(
    world: World, given: Mapping[str, str]
) -> None:
    await world.link()
    page = await world.back(**given)
    assert page.status == 400
    assert "loa zalo connect" in page.body.decode()


async def test_who_declines_may_consent_by_the_same_link(world: World) -> None:
    state = await world.link()
    assert (await world.back(state=state, error="denied")).status == 400
    assert (await world.back(state=state, code="good")).status == 200


async def test_another_account_than_the_channels_gives_nothing(world: World) -> None:
    page = await world.back(state=await world.link(), code="good", oa_id="78")
    assert (page.status, world.issuer.codes) == (400, 0)
    assert await world.ledger.grant(3) is None


async def test_a_refused_code_leaves_the_old_grant(world: World) -> None:
    await world.ledger.keep(3, pair(1), EPOCH)
    page = await world.back(state=await world.link(), code="<script>")
    assert (page.status, "refused: code" in page.body.decode()) == (502, True)
    assert await world.ledger.grant(3) == Grant(3, pair(1), EPOCH, 1)


async def test_half_a_pair_and_hostile_words_do_no_harm(world: World) -> None:
    answers: list[Any] = [replace(pair(2), access_token=""), Failed(Failure.DOUBTFUL, "<b>html</b>")]

    async def exchange(*_: object) -> Any:
        return answers.pop(0)

    world.issuer.exchange = exchange  # type: ignore[method-assign]
    assert (await world.back(state=await world.link(), code="good")).status == 502
    page = await world.back(state=await world.link(), code="good")
    assert "<b>" not in page.body.decode()
    assert await world.ledger.grant(3) is None


async def test_a_channel_that_went_away_meanwhile(world: World) -> None:
    state = await world.link()
    world.charges.clear()
    assert (await world.back(state=state, code="good")).status == 400


@pytest.mark.parametrize(
    ("well", "status"), [([False], 503), ([True, False, False, True], 200), ([True, *[False] * 100], 503)]
)
async def test_a_pair_that_came_is_stored_however_the_ledger_stumbles(
    world: World, well: list[bool], status: int
) -> None:
    state, passes = await world.link(), iter(well)

    async def stumble(name: str) -> None:
        if name == "write" and not next(passes):
            raise StorageUnavailable("away")

    async def at_once(seconds: float) -> None:
        world.clock.advance(seconds)

    world.clock.sleep = at_once  # type: ignore[method-assign]
    world.serve(world.ledger.through(stumble))
    assert (await world.back(state=state, code="good")).status == status
    assert (await world.ledger.grant(3) is not None) == (status == 200)


async def test_only_get_on_its_own_path(world: World) -> None:
    state = await world.link()
    posted = await world.back("POST", state=state, code="good")
    assert (posted.status, posted.headers["allow"]) == (405, "GET")
    assert (await world.back(path=CALLBACK_PATH + "/x", state=state, code="good")).status == 400
    assert (await world.back(state=state, code="good")).status == 200
