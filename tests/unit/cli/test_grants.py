"""`loa zalo`: a link is made, grants are listed without their tokens, a token of another system is brought along."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from types import MappingProxyType
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.support.grants import GrantedProvider, pair
from tests.unit.cli.conftest import Run

from loa.app.ledgers import open_ledger
from loa.app.probes import NoProbe
from loa.channels import registry
from loa.observe.clock import SystemClock
from loa.ports.grants import Failed, Failure
from loa.ports.ledger import Ledger
from loa.settings.load import load

PUBLIC = ("--set", "server.public_url=https://sms.example.vn/")


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[GrantedProvider]:
    made = GrantedProvider()
    monkeypatch.setattr(registry, "OWN", MappingProxyType({**registry.OWN, "granted": made}))
    yield made
    assert made.double == 0


@pytest.fixture
def shop(run: Run, provider: GrantedProvider) -> GrantedProvider:
    assert run("channels", "add", "shop", "granted").code == 0
    assert run("channels", "add", "trial", "sandbox").code == 0
    return provider


def at_the_ledger(work: Callable[[Ledger], Awaitable[object]]) -> None:
    async def do() -> None:
        ledger = await open_ledger(load().settings, NoProbe(), SystemClock(), briefly=True)
        try:
            await work(ledger)
        finally:
            await ledger.close()

    asyncio.run(do())


def test_a_link_leads_back_to_where_the_admin_says(run: Run, shop: GrantedProvider) -> None:
    made = run("zalo", "connect", "shop", *PUBLIC)
    assert made.code == 0, made.err
    assert urlsplit(made.out.strip()).netloc == "oauth.example"
    assert "https://sms.example.vn/v1/consent/callback" in made.err
    given = run("zalo", "connect", "shop", "--redirect-uri", "https://other.example/x", "--json").json
    assert given["redirectUri"] == "https://other.example/x"
    run("channels", "set", "shop", "--set", "redirect_uri=https://own.example/y")
    assert run("zalo", "connect", "shop", "--json", *PUBLIC).json["redirectUri"] == "https://own.example/y"


def test_what_was_asked_for_is_in_the_ledger(run: Run, shop: GrantedProvider) -> None:
    link = run("zalo", "connect", "shop", "--json", *PUBLIC).json["link"]
    (state,) = parse_qs(urlsplit(link).query)["state"]

    async def look(ledger: Ledger) -> None:
        taken = await ledger.take_consent(state, SystemClock().now())
        assert taken is not None
        assert taken.redirect_uri == "https://sms.example.vn/v1/consent/callback"

    at_the_ledger(look)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("connect", "shop"), 2, "server.public_url"),
        (("connect", "nothing", *PUBLIC), 4, "there is no channel 'nothing'"),
        (("connect", "trial", *PUBLIC), 2, "works without a grant"),
        (("token", "shop", "--refresh-token-file", "nowhere"), 2, "cannot read nowhere"),
        (("token", "shop", "--refresh-token-file", "-"), 2, "holds no token"),
    ],
)
def test_what_cannot_be_done_is_said(
    run: Run, shop: GrantedProvider, arguments: tuple[str, ...], code: int, said: str
) -> None:
    refused = run("zalo", *arguments)
    assert (refused.code, refused.out) == (code, "")
    assert said in refused.err


def test_grants_are_listed_without_tokens(run: Run, shop: GrantedProvider) -> None:
    (row,) = run("zalo", "grants", "--json").json
    assert (row["channel"], row["state"], row["consentNeeded"]) == ("shop", "consent needed", "never given")
    now = SystemClock().now()
    at_the_ledger(lambda ledger: ledger.keep(1, pair(1, now), now))
    listed = run("zalo", "grants", "--json")
    (row,) = listed.json
    assert (row["state"], row["alarms"], row["consentNeeded"]) == ("good", [], None)
    assert row["issuedAt"] < row["renewsAt"] < row["accessExpiresAt"] < row["refreshExpiresAt"]
    shown = run("zalo", "grants")
    for output in (listed.out, shown.out):
        assert "access-1" not in output
        assert "refresh-1" not in output


def test_a_token_of_another_system_is_spent_on_a_pair_of_our_own(run: Run, shop: GrantedProvider) -> None:
    Path("token").write_text("refresh-1\n", encoding="utf-8")
    done = run("zalo", "token", "shop", "--refresh-token-file", "token")
    assert (done.code, shop.sent) == (0, ["refresh-1"])
    assert run("zalo", "grants", "--json").json[0]["state"] == "good"
    run("zalo", "token", "shop", "--refresh-token-file", "-", given="refresh-2")
    assert run("zalo", "grants", "--json").json[0]["version"] == 2


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (Failure.UNSENT, "as good as before"),
        (Failure.UNSERVED, "try again later"),
        (Failure.DOUBTFUL, "do not send it again, run loa zalo connect shop"),
        (Failure.REFUSED, "run loa zalo connect shop"),
    ],
)
def test_a_token_that_brings_nothing_says_what_became_of_it(
    run: Run, shop: GrantedProvider, failure: Failure, said: str
) -> None:
    async def fails(_when: str) -> Failed:
        return Failed(failure, "because")

    shop.answer = fails
    refused = run("zalo", "token", "shop", "--refresh-token-file", "-", given="refresh-1")
    assert refused.code == 2
    assert said in refused.err
    assert "refresh-1" not in refused.err


def test_the_doctor_finds_who_must_consent(run: Run, shop: GrantedProvider) -> None:
    def finding() -> tuple[str, str]:
        found = run("doctor", "--json", "--set", "server.listen_port=0").json["findings"]
        (one,) = [each for each in found if each["name"] == "grant shop"]
        return one["level"], one["cure"] or ""

    assert finding() == ("fail", "loa zalo connect shop")
    now = SystemClock().now()
    at_the_ledger(lambda ledger: ledger.keep(1, pair(1, now), now))
    assert finding() == ("ok", "")
    at_the_ledger(lambda ledger: ledger.keep(1, pair(1, now - 86_400_000), now - 86_400_000))
    assert finding()[0] == "warn"
    at_the_ledger(lambda ledger: ledger.need_consent(1, "refused: -14014"))
    assert finding() == ("fail", "loa zalo connect shop")
