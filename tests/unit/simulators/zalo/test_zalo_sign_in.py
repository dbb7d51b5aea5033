"""The rules of the sign-in: codes once and for ten minutes, refresh tokens once, verifiers, lives."""

import contextlib
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from tests.support.zalo_payloads import WORLD, payload

from loa.simulators.zalo.codes import BAD_APP, BAD_REFRESH, OLD_REFRESH, UNATTESTED
from loa.simulators.zalo.script import Fault, When, ZaloScript

CONSENT, EXCHANGE, REFRESH = (payload(f"oauth-{name}.request") for name in ("consent", "exchange", "refresh"))


class SignIn:
    """The token endpoint and the consent page of one platform, as a foreign client uses them."""

    def __init__(self, platform, client):
        self.platform, self.client = platform, client

    async def consent(self, **query):
        _, headers, _ = await self.client.ask(self.platform.url, CONSENT, query={**CONSENT["query"], **query})
        return {name: values[0] for name, values in parse_qs(urlsplit(headers["Location"]).query).items()}

    async def exchange(self, code, **form):
        return await self.client.json(self.platform.url, EXCHANGE, form={**EXCHANGE["form"], "code": code, **form})

    async def refresh(self, token, **form):
        form = {**REFRESH["form"], "refresh_token": token, **form}
        return await self.client.json(self.platform.url, REFRESH, form=form)

    async def works(self, access_token):
        """Give the code with which a reading call is answered."""
        headers = {"access_token": access_token}
        return (await self.client.json(self.platform.url, payload("quota.request"), headers=headers))["error"]


@pytest.fixture
def sign_in(zalo, client):
    async def start(**given):
        return SignIn(await zalo(**given), client)

    return start


async def test_a_code_is_good_once(sign_in):
    at = await sign_in()
    code = (await at.consent())["code"]
    pair = await at.exchange(code)
    assert await at.works(pair["access_token"]) == 0
    assert (await at.exchange(code))["error"] == UNATTESTED
    counts = at.platform.counts
    assert (counts.consents, counts.exchanges, counts.codes[UNATTESTED]) == (1, 1, 1)


async def test_a_code_is_good_for_ten_minutes(sign_in, clock):
    at = await sign_in()
    first, second = [(await at.consent())["code"] for _ in range(2)]
    clock.advance(599)
    assert "access_token" in await at.exchange(first)
    clock.advance(1)
    assert (await at.exchange(second))["error"] == UNATTESTED


async def test_a_wrong_verifier_spends_no_code(sign_in):
    at = await sign_in()
    code = (await at.consent())["code"]
    assert (await at.exchange(code, code_verifier="v" * 43))["error"] == UNATTESTED
    assert (await at.exchange(code, code_verifier="short"))["error"] == UNATTESTED
    assert "access_token" in await at.exchange(code)


async def test_a_challenge_is_needed_unless_the_console_has_one(sign_in):
    at = await sign_in()
    query = {name: value for name, value in CONSENT["query"].items() if name != "code_challenge"}
    status, _, body = await at.client.ask(at.platform.url, CONSENT, query=query)
    assert status == 200
    assert b"code_challenge" in body
    fixed = await sign_in(oa={"code_challenge": CONSENT["query"]["code_challenge"]})
    _, headers, _ = await fixed.client.ask(fixed.platform.url, CONSENT, query=query)
    code = parse_qs(urlsplit(headers["Location"]).query)["code"][0]
    assert "access_token" in await fixed.exchange(code)


async def test_a_person_may_say_no(sign_in):
    at = await sign_in(refuse_consent=True)
    assert await at.consent() == {"error": "consent_refused", "state": CONSENT["query"]["state"]}
    assert at.platform.counts.consents == 0


async def test_a_refresh_token_is_good_once_and_a_second_time_is_counted(sign_in):
    at = await sign_in()
    first = await at.refresh(WORLD["refresh_token"])
    second = await at.refresh(first["refresh_token"])
    assert (await at.refresh(first["refresh_token"]))["error"] == BAD_REFRESH
    assert (await at.refresh("never-given"))["error"] == BAD_REFRESH
    counts = at.platform.counts
    assert (counts.refreshes, counts.double_refresh) == (2, 1)
    assert await at.works(second["access_token"]) == await at.works(first["access_token"]) == 0


async def test_a_refresh_token_grows_old(sign_in, clock):
    at = await sign_in(refresh_life_s=100)
    clock.advance(100)
    assert (await at.refresh(WORLD["refresh_token"]))["error"] == OLD_REFRESH


async def test_a_token_lives_for_as_many_seconds_as_the_script_says(sign_in, clock):
    at = await sign_in(token_life_s=2)
    pair = await at.refresh(WORLD["refresh_token"])
    assert pair["expires_in"] == "2"
    clock.advance(1.999)
    assert await at.works(pair["access_token"]) == 0
    clock.advance(0.001)
    assert await at.works(pair["access_token"]) == -124
    assert at.platform.counts.bad_tokens == 1


async def test_each_surface_has_its_own_codes_for_tokens(sign_in, clock):
    at = await sign_in(token_life_s=60)
    request = payload("oa-text.request")
    unknown = await at.client.json(at.platform.url, request, headers={"access_token": "x"})
    at.platform.acts.revoke(refresh=False)
    gone = await at.client.json(at.platform.url, request)
    assert (unknown["error"], gone["error"]) == (-216, -220)
    assert "access_token" in await at.refresh(WORLD["refresh_token"])
    at.platform.acts.revoke()
    assert (await at.refresh(WORLD["refresh_token"]))["error"] == BAD_REFRESH


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"headers": {**REFRESH["headers"], "secret_key": "wrong"}}, UNATTESTED),
        ({"form": {**REFRESH["form"], "grant_type": "password"}}, UNATTESTED),
        ({"form": {**REFRESH["form"], "app_id": "1"}}, BAD_APP),
    ],
)
async def test_what_is_wrong_is_refused_and_spends_nothing(sign_in, changes, code):
    at = await sign_in()
    assert (await at.client.json(at.platform.url, REFRESH, **changes))["error"] == code
    assert "access_token" in await at.refresh(WORLD["refresh_token"])


async def test_a_failure_may_come_with_another_status(sign_in):
    at = await sign_in(oauth_failure_status=400)
    status, _, _ = await at.client.ask(at.platform.url, REFRESH, form={**REFRESH["form"], "app_id": "1"})
    assert status == 400


@pytest.mark.parametrize(("does", "double"), [("truncated", 1), ("status", 0)])
async def test_an_answer_may_be_lost_after_the_token_was_spent_or_before(sign_in, does, double):
    at = await sign_in(faults=(Fault(does, When("oauth")),))
    with contextlib.suppress(aiohttp.ClientError):
        assert (await at.client.ask(at.platform.url, REFRESH))[0] == 500
    at.platform.change(ZaloScript())
    answer = await at.refresh(WORLD["refresh_token"])
    assert ("access_token" in answer) is not bool(double)
    assert at.platform.counts.double_refresh == double


async def test_a_new_run_on_the_same_journal_knows_which_tokens_are_spent(sign_in, tmp_path):
    journal = {"journal": tmp_path / "zalo.jsonl"}
    at = await sign_in(options=journal)
    pair = await at.refresh(WORLD["refresh_token"])
    given, _ = at.platform.tokens()
    sent = await at.client.json(at.platform.url, payload("template-send.request"))
    await at.platform.stop()
    again = await sign_in(options=journal)
    assert await again.works(given) == await again.works(pair["access_token"]) == 0
    query = {"message_id": sent["data"]["msg_id"]}
    status = await again.client.json(again.platform.url, payload("message-status.request"), query=query)
    assert status["data"]["status"] == 0
    assert "access_token" in await again.refresh(pair["refresh_token"])
    assert (await again.refresh(WORLD["refresh_token"]))["error"] == BAD_REFRESH
    assert again.platform.counts.double_refresh == 1
