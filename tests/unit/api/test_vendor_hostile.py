"""Bodies that no honest client sends: 400 in the envelope, memory flat, nothing stored."""

import asyncio
import json
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.native_api import House
from tests.support.vendor_calls import SEND, page_body, post, stored, stream

from loa.api import bodies
from loa.api.vendor.body import read_send
from loa.domain.rules import findings_of
from loa.errors import CallerError

GOOD = json.dumps(page_body())
MIB = 1024 * 1024


def replaced(old: str, new: str) -> bytes:
    assert old in GOOD
    return GOOD.replace(old, new).encode()


def with_ext(ext: str) -> bytes:
    return replaced('"ext": {}', f'"ext": {ext}')


def field(**given: Any) -> bytes:
    return json.dumps(page_body(**given)).encode()


def without(name: str) -> bytes:
    return json.dumps({key: value for key, value in page_body().items() if key != name}).encode()


HOSTILE: list[tuple[str, bytes, str]] = [
    ("nothing", b"", "body"),
    ("white space", b" \n\t ", "body"),
    ("no object", b"[]", "body"),
    ("a word", b'"send"', "body"),
    ("broken", b'{"destinations": [', "body"),
    ("a comma too much", replaced('"ext": {}', '"ext": {},'), "body"),
    ("two objects", GOOD.encode() * 2, "body"),
    ("single quotes", GOOD.replace('"', "'").encode(), "body"),
    ("a comment", b"// hi\n" + GOOD.encode(), "body"),
    ("byte order mark", b"\xef\xbb\xbf" + GOOD.encode(), "body"),
    ("UTF-16", GOOD.encode("utf-16"), "body"),
    ("Latin-1", replaced('"text": "string"', '"text": "caf\u00e9"').decode().encode("latin-1"), "body"),
    ("half a UTF-8 character", replaced('"text": "string"', '"text": "@"').replace(b"@", b"\xe1\xba"), "body"),
    ("a surrogate as UTF-8", replaced('"text": "string"', '"text": "@"').replace(b"@", b"\xed\xa0\x80"), "body"),
    ("a raw control character", replaced('"text": "string"', '"text": "a\nb"'), "body"),
    ("deep arrays", with_ext("[" * 100_000 + "]" * 100_000), "body"),
    ("deep objects", with_ext('{"a":' * 50_000 + "1" + "}" * 50_000), "body"),
    ("deep and never closed", b'{"ext":' + b"[" * 110_000, "body"),
    ("an ext deeper than allowed", with_ext('{"a":' + "[" * 20 + "]" * 20 + "}"), "ext"),
    ("a million small values", with_ext('{"a":[' + "1," * 1_000_000 + "1]}"), "body"),
    ("a million empty arrays", replaced('"ext": {}', '"other": [' + "[]," * 1_000_000 + "[]]"), "body"),
    ("a number without end", with_ext('{"a":' + "9" * 100_000 + "}"), "body"),
    ("too many destinations", field(destinations=["84912345678"] * 50_000), "destinations"),
    ("no destination", field(destinations=[]), "destinations"),
    ("destinations as text", field(destinations="84912345678"), "destinations"),
    ("destinations as object", field(destinations={"0": "84912345678"}), "destinations"),
    ("a destination as number", field(destinations=["84912345678", 84912345678]), "destinations[1]"),
    ("a destination as null", field(destinations=[None]), "destinations[0]"),
    ("a nested destination", field(destinations=[["84912345678"]]), "destinations[0]"),
    ("a destination in full-width digits", field(destinations=["８４９１２３４５６７８"]), "destinations[0]"),
    ("from as number", field(**{"from": 5}), "from"),
    ("from as null", field(**{"from": None}), "from"),
    ("from empty", field(**{"from": ""}), "from"),
    ("from of another", field(**{"from": "OTHER"}), "from"),
    ("text as array", field(text=["a"]), "text"),
    ("text empty", field(text=""), "text"),
    ("text of a megabyte", field(text="x" * 1_000_000), "text"),
    ("text not plain", field(text="Thu Hà"), "text"),
    ("lone high surrogate", replaced('"text": "string"', '"text": "a\\ud800"'), "text"),
    ("lone low surrogate", replaced('"text": "string"', '"text": "\\udc00a"'), "text"),
    ("surrogates the wrong way round", replaced('"text": "string"', '"text": "\\ude00\\ud83d"'), "text"),
    ("a surrogate and deep arrays", b'{"text":"\\ud800","ext":' + b"[" * 110_000, "body"),
    ("NUL in text", replaced('"text": "string"', '"text": "a\\u0000"'), "text"),
    ("NUL in a destination", field(destinations=["84912345678\0"]), "destinations[0]"),
    ("NUL in from", field(**{"from": "LOA\0"}), "from"),
    ("NUL in ext", with_ext('{"a":["\\u0000"]}'), "ext.a[0]"),
    ("NUL in a name", with_ext('{"a\\u0000":1}'), "ext"),
    ("text twice", replaced('"text": "string"', '"text": "string", "text": "string"'), "text"),
    ("text twice, once escaped", replaced('"text": "string"', '"text": "string", "te\\u0078t": "x"'), "text"),
    ("destinations twice", b'{"destinations":["a:b"],' + GOOD[1:].encode(), "destinations"),
    ("a name twice in ext", with_ext('{"x": {"y": 1, "y": 2}}'), "y"),
    ("a name twice, hidden by an escaped colon", with_ext('{"x":1,"x":"\\u003a"}'), "x"),
    ("a name twice, hidden by colons", with_ext('{"x":"::","x":"::::"}'), "x"),
    ("a name twice in an unknown member", replaced('"ext": {}', '"other": [{"a":1,"a":1}]'), "a"),
    ("NaN", with_ext('{"a": NaN}'), "ext.a"),
    ("Infinity", with_ext('{"a": [1, -Infinity]}'), "ext.a[1]"),
    ("a number beyond its range", replaced('"ext": {}', '"other": 1e999'), "other"),
    ("type unknown", field(type=3), "type"),
    ("type negative", field(type=-1), "type"),
    ("type as float", field(type=1.0), "type"),
    ("type as boolean", field(type=True), "type"),
    ("type as word", field(type="otp"), "type"),
    ("type with a zero in front", field(type="00"), "type"),
    ("type with a space", field(type=" 1"), "type"),
    ("type as null", field(type=None), "type"),
    ("useUnicode unknown", field(useUnicode=9), "useUnicode"),
    ("useUnicode as boolean", field(useUnicode=False), "useUnicode"),
    ("useUnicode as array", field(useUnicode=[0]), "useUnicode"),
    ("scheduled as number", field(scheduled=1795000000), "scheduled"),
    ("scheduled as object", field(scheduled={}), "scheduled"),
    ("requestId as number", field(requestId=5), "requestId"),
    ("requestId too long", field(requestId="x" * 51), "requestId"),
    ("requestId with a line break", field(requestId="a\nb"), "requestId"),
    ("ext as array", field(ext=[]), "ext"),
    ("ext as text", field(ext="{}"), "ext"),
    ("ext too large", field(ext={"a": "x" * 9_000}), "ext"),
    ("ext.ttl as word", field(ext={"ttl": "soon"}), "ext.ttl"),
    ("ext.callbackUrl of another scheme", field(ext={"callbackUrl": "file:///etc/passwd"}), "ext.callbackUrl"),
    *((f"without {name}", without(name), name) for name in ("destinations", "from", "text", "useUnicode", "type")),
]


@pytest.mark.parametrize(("body", "where"), [case[1:] for case in HOSTILE], ids=[case[0] for case in HOSTILE])
async def test_a_hostile_body_is_400_names_the_field_and_leaves_nothing(house: House, body: bytes, where: str) -> None:
    answer = await post(house, body)
    envelope = answer.json()
    assert (answer.status, envelope["code"], envelope["data"], envelope["referentId"]) == (400, 400, {}, "")
    assert where in envelope["errors"], envelope["errors"]
    assert await stored(house) == 0
    assert await house.ledger.warnings(house.tenant.id, 10) == []


@pytest.mark.parametrize(
    "media_type",
    ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/json",
     "application/jsonp", "application/json; charset=utf-16", "application/xml", "json"],
)  # fmt: skip
async def test_another_media_type_is_400(house: House, media_type: str) -> None:
    answer = await post(house, page_body(), headers={"content-type": media_type})
    assert (answer.status, list(answer.json()["errors"])) == (400, ["Content-Type"])
    assert await stored(house) == 0


@pytest.mark.parametrize(
    "media_type",
    ["application/json", "Application/JSON", "application/json; charset=utf-8", 'application/json;charset="UTF-8"',
     "application/vnd.partner+json"],
)  # fmt: skip
async def test_every_way_of_saying_json_is_taken(house: House, media_type: str) -> None:
    assert (await post(house, page_body(), headers={"content-type": media_type})).status == 201


async def test_a_compressed_body_is_400(house: House) -> None:
    answer = await post(house, page_body(), headers={"content-encoding": "gzip"})
    assert (answer.status, list(answer.json()["errors"])) == (400, ["Content-Encoding"])


def hundred_mib() -> Iterator[bytes]:
    chunk = b" " * 65_536
    yield GOOD[:-1].encode()
    for _ in range(100 * MIB // len(chunk)):
        yield chunk
    yield b"}"


@pytest.mark.parametrize("announced", [True, False], ids=["announced", "chunked"])
async def test_a_hundred_mebibytes_are_400_and_never_lie_in_memory(house: House, announced: bool) -> None:
    headers = {"content-length": str(100 * MIB)} if announced else None
    tracemalloc.start()
    try:
        status, envelope = await stream(house, hundred_mib(), headers=headers)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (status, list(envelope["errors"])) == (400, ["body"])
    assert peak < 12 * MIB
    assert await stored(house) == 0


async def test_a_body_just_within_the_limit_is_read_and_one_octet_more_is_not(house: House) -> None:
    padded = GOOD[:-1].encode() + b" " * (bodies.BODY_LIMIT - len(GOOD)) + b"}"
    assert len(padded) == bodies.BODY_LIMIT
    assert (await post(house, padded)).status == 201
    assert (await post(house, padded + b" ")).status == 400
    assert (await stream(house, [padded[:MIB], padded[MIB:]]))[0] == 200
    assert (await stream(house, [padded[:MIB], padded[MIB:], b" "]))[0] == 400


async def test_a_body_in_single_octets_is_put_together(house: House) -> None:
    status, envelope = await stream(house, [bytes([octet]) for octet in GOOD.encode()])
    assert (status, envelope["code"]) == (201, 201)


async def never() -> AsyncIterator[bytes]:
    yield GOOD[:10].encode()
    await asyncio.Event().wait()


async def test_a_body_that_never_ends_is_given_up(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "BODY_WAIT_S", 0.01)
    status, envelope = await stream(house, never())
    assert (status, list(envelope["errors"])) == (400, ["body"])
    assert await stored(house) == 0


async def test_nobody_is_answered_who_has_gone_away(house: House) -> None:
    events = [{"type": "http.request", "body": b"{", "more_body": True}, {"type": "http.disconnect"}]
    sent: list[Any] = []

    async def receive() -> Any:
        return events.pop(0)

    async def send(event: Any) -> None:
        sent.append(event)

    headers = [(b"api-key", house.key.encode()), (b"content-type", b"application/json")]
    scope = {"type": "http", "method": "POST", "path": SEND, "query_string": b"", "headers": headers, "client": None}
    await house.app(scope, receive, send)
    assert sent == []
    assert await stored(house) == 0


async def test_a_key_that_is_no_good_gets_no_body_read(house: House) -> None:
    assert (await post(house, b"\xff" * 1_000, key="nonsense")).status == 401


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(':a"\\', max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(":ab", max_size=2), inner, max_size=3),
    max_leaves=12,
)


@given(json_values, st.booleans())
def test_a_name_is_found_twice_exactly_when_it_stands_there_twice(value: Any, ascii_only: bool) -> None:
    """Colons in names and texts, escaped or not, neither hide a repeated name nor make one up."""
    plain = json.dumps(page_body(other=value), ensure_ascii=ascii_only)
    assert read_send(plain.encode()).text == "string"
    escaped = plain.replace("a:", "a\\u003a")
    assert read_send(escaped.encode()).text == "string"
    for body in (plain, escaped):
        twice = f'{{"other": {json.dumps(value)}, {body[1:]}'
        with pytest.raises(CallerError) as refused:
            read_send(twice.encode())
        assert ("other", "duplicate_key") in {(each.where, each.code) for each in findings_of(refused.value)}


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda text: ("{" + text).encode("utf-8", "surrogatepass")))
def test_any_octets_are_read_or_refused_and_nothing_else(body: bytes) -> None:
    with pytest.raises(CallerError) as refused:
        read_send(body)
    assert findings_of(refused.value)
