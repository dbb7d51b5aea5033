"""Consent and tokens: what is asked of the token endpoint, and what each failure allows."""

import asyncio
import json
from urllib.parse import parse_qsl, urlsplit

import pytest
from aiohttp import web
from tests.support.fakes import EPOCH
from tests.support.zalo_payloads import WORLD, payload

from loa.channels.registry import OWN
from loa.channels.zalo.oauth import challenge, read_tokens
from loa.ports.grants import Consent, Failed, Failure, Grantor, Tokens
from loa.wire.wire import Answer

VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CONSENT = Consent(7, "state-of-the-fixtures", VERIFIER, WORLD["redirect_uri"], EPOCH, EPOCH + 600_000)
PAIR = Tokens(
    WORLD["access_token"], WORLD["refresh_token"], EPOCH + 90_000_000, refresh_expires_at=EPOCH + 90 * 86_400_000
)


def settings(**changes):
    return {name: WORLD[name] for name in ("app_id", "app_secret", "oa_id")} | changes


def answered(body, status=200, fault=""):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(status, fault, raw, written=True)


def provider():
    found = OWN["zalo"]
    assert isinstance(found, Grantor)
    return found


def test_the_link_is_the_one_of_the_files():
    link = provider().consent_link(settings(), CONSENT)
    wanted = payload("oauth-consent.request")
    parts = urlsplit(link)
    assert (parts.hostname, parts.path) == (wanted["host"], wanted["path"])
    assert dict(parse_qsl(parts.query)) == wanted["query"]


def test_a_fixed_pair_of_the_console_is_used_where_there_is_one():
    fixed = "v" * 43
    link = provider().consent_link(settings(pkce_verifier=fixed), CONSENT)
    assert dict(parse_qsl(urlsplit(link).query))["code_challenge"] == challenge(fixed)


@pytest.fixture
async def endpoint():
    """Answer with a pair; note what was asked."""
    asked = []

    async def answer(request):
        asked.append((request.method, request.path, dict(request.headers), dict(await request.post())))
        return web.json_response(payload("oauth-tokens.answer").body)

    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}", asked
    await runner.cleanup()


@pytest.mark.parametrize("name", ["oauth-exchange", "oauth-refresh"])
async def test_each_is_one_request_as_the_files_have_it(endpoint, name):
    url, asked = endpoint
    wanted = payload(f"{name}.request")
    given = settings(oauth_url=url)
    if name == "oauth-exchange":
        found = await provider().exchange(given, "code-of-the-fixtures", CONSENT, EPOCH)
    else:
        found = await provider().renew(given, WORLD["refresh_token"], EPOCH)
    assert found == PAIR
    ((method, path, headers, form),) = asked
    assert (method, path, form) == (wanted["method"], wanted["path"], wanted["form"])
    assert {name: headers[name] for name in wanted["headers"]} == wanted["headers"]


async def test_where_nobody_answers_the_token_was_not_sent():
    given = settings(oauth_url="http://127.0.0.1:9", connect_timeout_s=1)
    assert await provider().renew(given, "r", EPOCH) == Failed(Failure.UNSENT, "connect")


@pytest.mark.parametrize("verb", ["cut", "silent"])
async def test_where_the_answer_is_lost_the_token_may_be_spent(verb):
    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        if verb == "silent":
            await silence.wait()
        writer.close()

    silence = asyncio.Event()
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    given = settings(oauth_url=f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", response_timeout_s=0.1)
    found = await provider().renew(given, "r", EPOCH)
    assert found == Failed(Failure.DOUBTFUL, {"cut": "connect", "silent": "timeout"}[verb])
    silence.set()
    server.close()


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("oauth-refused-app", "zalo_-14002"),
        ("oauth-refused-redirect", "zalo_-14003"),
        ("oauth-refused-spent", "zalo_-14014"),
        ("oauth-refused-expired", "zalo_-14020"),
        ("oauth-refused-shapeless", "error_without_code"),
    ],
)
def test_an_error_body_of_any_shape_is_a_refusal_although_it_comes_with_200(name, reason):
    file = payload(f"{name}.answer")
    assert read_tokens(answered(file.body, file["status"]), EPOCH) == Failed(Failure.REFUSED, reason)
    assert read_tokens(answered(file.body, 400), EPOCH) == Failed(Failure.REFUSED, reason)
    assert read_tokens(answered(file.body, 503), EPOCH) == Failed(Failure.UNSERVED, "http_503")


PAIR_BODY = payload("oauth-tokens.answer").body


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (Answer(fault="host_not_found"), Failed(Failure.UNSENT, "host_not_found")),
        (Answer(fault="timeout", written=True), Failed(Failure.DOUBTFUL, "timeout")),
        (answered(PAIR_BODY, fault="protocol"), Failed(Failure.DOUBTFUL, "protocol")),
        (answered(b"<html>", 502), Failed(Failure.UNSERVED, "http_502")),
        (answered(b"", 429), Failed(Failure.UNSERVED, "http_429")),
        (answered(b"<html>"), Failed(Failure.DOUBTFUL, "answer_unreadable")),
        (answered([PAIR_BODY]), Failed(Failure.DOUBTFUL, "answer_unreadable")),
        (answered({}), Failed(Failure.DOUBTFUL, "no_pair")),
        (answered({"error": 0}), Failed(Failure.DOUBTFUL, "no_pair")),
        (answered({**PAIR_BODY, "refresh_token": ""}), Failed(Failure.DOUBTFUL, "half_a_pair")),
        (answered({**PAIR_BODY, "access_token": ""}), Failed(Failure.DOUBTFUL, "half_a_pair")),
        (answered({**PAIR_BODY, "access_token": None, "refresh_token": ""}), Failed(Failure.DOUBTFUL, "no_pair")),
        (answered({**PAIR_BODY, "refresh_token": "a\r\nb"}), Failed(Failure.DOUBTFUL, "half_a_pair")),
        (answered({"access_token": "a", "error": -14014}), Failed(Failure.DOUBTFUL, "half_a_pair")),
        (answered(b"no", 403), Failed(Failure.REFUSED, "http_403")),
    ],
)
def test_what_is_no_whole_pair_is_no_pair(answer, found):
    assert read_tokens(answer, EPOCH) == found


@pytest.mark.parametrize(
    ("life", "ms"), [("3600", 3_600_000), (3_600, 3_600_000), (None, 90_000_000), ("soon", 90_000_000)]
)
def test_the_life_of_a_token_is_text_or_number_or_the_usual_one(life, ms):
    found = read_tokens(answered({**PAIR_BODY, "expires_in": life}), EPOCH)
    assert found.expires_at == EPOCH + ms


def test_tokens_and_secrets_are_in_no_text_about_them():
    shown = repr((PAIR, CONSENT, OWN["zalo"].check(settings())))
    assert WORLD["access_token"] not in repr(PAIR)
    assert VERIFIER not in repr(CONSENT)
    assert set(OWN["zalo"].info.secrets) == {"app_secret", "oa_secret_key", "pkce_verifier"}
    assert shown
