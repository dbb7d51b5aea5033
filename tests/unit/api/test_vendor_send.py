"""The send call, as the vendor's page has it."""

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from tests.support.fakes import EPOCH
from tests.support.native_api import Answer, House
from tests.support.vendor_calls import CALLBACK, SEND, page_body, post, stored

from loa.domain.keys import keep
from loa.errors import StorageFull, StorageUnavailable


async def test_the_body_of_the_vendors_page_is_accepted_verbatim(house: House) -> None:
    answer = await post(house, json.dumps(page_body(), indent=2).encode())
    body = answer.json()
    assert answer.status == 201
    assert list(body) == ["code", "data", "message", "referentId"]
    assert body["code"] == 201
    assert list(body["data"]) == ["token"]
    assert body["referentId"].startswith("sub_")
    row = await house.ledger.submission_by_token(body["data"]["token"])
    assert row is not None
    assert row["referent_id"] == body["referentId"]
    assert await stored(house) == 1


async def test_the_example_of_our_own_page_is_accepted(house: House) -> None:
    page = (Path(__file__).parents[3] / "docs/reference/vendor-api.md").read_text("utf-8")
    [example] = re.findall(r"-d '(\{.*?\n\})'", page, re.DOTALL)
    assert (await post(house, example.encode())).status == 201


async def test_every_answer_says_what_it_is_and_carries_its_own_id(house: House) -> None:
    answers = [await post(house, page_body()), await post(house, {}), await house.call("GET", SEND)]
    for answer in answers:
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["cache-control"] == "no-store"
        assert int(answer.headers["content-length"]) == len(answer.body)
        assert answer.headers["x-request-id"].startswith("req_")
        assert answer.json()["code"] == answer.status
    assert len({answer.headers["x-request-id"] for answer in answers}) == 3


@pytest.mark.parametrize(("use_unicode", "kind"), [(0, 0), ("0", "0"), (1, "2"), ("2", 1)])
async def test_numbers_and_numerals_are_both_read(house: House, use_unicode: Any, kind: Any) -> None:
    assert (await post(house, page_body(useUnicode=use_unicode, type=kind))).status == 201


@pytest.mark.parametrize(("kind", "label"), [(0, "transactional"), (1, "advertising"), (2, "otp")])
async def test_the_type_names_the_class(house: House, kind: int, label: str) -> None:
    body = (await post(house, page_body(type=kind))).json()
    row = await house.ledger.submission(house.tenant.id, body["referentId"])
    assert row is not None
    assert row["class"] == label


async def test_optional_fields_may_be_left_out_or_null(house: House) -> None:
    short = {name: value for name, value in page_body().items() if name not in {"scheduled", "requestId", "ext"}}
    assert (await post(house, short)).status == 201
    assert (await post(house, page_body(scheduled=None, requestId=None, ext=None))).status == 201
    assert (await post(house, page_body(scheduled="", requestId=""))).status == 201


async def test_unknown_members_are_read_over(house: House) -> None:
    assert (await post(house, page_body(telco="viettel", nested={"a:b": [1, {"c": ":"}]}))).status == 201


@pytest.mark.parametrize(
    ("written", "due_in_s"),
    [
        ("2026-11-18T12:06:40Z", 3_600),
        ("2026-11-18T19:06:40+07:00", 3_600),
        ("2026-11-18T19:06:40", 3_600),
        ("2026-11-18 19:06:40", 3_600),
        ("18-11-2026 19:06", 3_560),
        ("18/11/2026 19:06", 3_560),
        ("2020-01-01 00:00:00", 0),
    ],
)
async def test_every_time_format_leads_to_the_same_moment(house: House, written: str, due_in_s: int) -> None:
    body = (await post(house, page_body(scheduled=written))).json()
    row = await house.ledger.submission(house.tenant.id, body["referentId"])
    assert row is not None
    assert row["due_at"] == EPOCH + due_in_s * 1_000


@pytest.mark.parametrize("written", ["tomorrow", "9999-12-31T23:59:59Z", "32/01/2027 10:00"])
async def test_a_time_that_cannot_be_kept_is_refused(house: House, written: str) -> None:
    answer = await post(house, page_body(scheduled=written))
    assert (answer.status, list(answer.json()["errors"])) == (400, ["scheduled"])
    assert await stored(house) == 0


async def test_the_first_answer_comes_again_for_the_same_id_and_body(house: House) -> None:
    first, again = await post(house, page_body()), await post(house, page_body())
    assert (first.status, again.status) == (201, 200)
    assert again.json()["code"] == 200
    for name in ("data", "referentId"):
        assert again.json()[name] == first.json()[name]
    assert await stored(house) == 1


async def test_the_same_body_written_in_another_way_is_the_same_body(house: House) -> None:
    first = await post(house, page_body())
    other = dict(reversed(page_body(useUnicode="0", type="0", ext=None, unknown=5).items()))
    again = await post(house, json.dumps(other, indent=3).encode())
    assert again.status == 200
    assert again.json()["data"] == first.json()["data"]


@pytest.mark.parametrize(
    "change",
    [
        {"text": "strinh"},
        {"destinations": ["84912345679"]},
        {"destinations": ["84912345678", "84912345679"]},
        {"useUnicode": 1},
        {"type": 2},
        {"scheduled": "2024-12-20T03:33:44.758Z"},
        {"ext": {"metadata": 1}},
    ],
)
async def test_another_body_under_the_same_id_is_new_and_warned_of(house: House, change: dict[str, Any]) -> None:
    await post(house, page_body())
    answer = await post(house, page_body(**change))
    assert answer.status == 201
    assert answer.headers["x-loa-warning"] == "request_id_reused"
    assert len(await house.ledger.warnings(house.tenant.id, 10)) == 1


async def test_a_strict_key_gets_400_for_another_body_and_200_for_the_same(house: House) -> None:
    strict = await house.new_key(frozenset({"send"}), request_id_mode="strict")
    statuses = [
        (await post(house, body, key=strict)).status for body in (page_body(), page_body(), page_body(text="other"))
    ]
    assert statuses == [201, 200, 400]
    assert await stored(house) == 1


async def test_a_key_without_recognition_sends_every_time(house: House) -> None:
    off = await house.new_key(frozenset({"send"}), request_id_mode="off")
    assert [(await post(house, page_body(), key=off)).status for _ in range(2)] == [201, 201]


async def test_another_tenants_id_is_not_mine(house: House) -> None:
    mine = await post(house, page_body())
    theirs = await post(house, page_body(), key=house.other_key)
    assert theirs.status == 201
    assert theirs.json()["referentId"] != mine.json()["referentId"]


async def test_a_key_may_carry_the_success_code_its_client_was_written_for(house: House) -> None:
    zero = await house.new_key(frozenset({"send"}), success_code=0)
    first, again = await post(house, page_body(), key=zero), await post(house, page_body(), key=zero)
    assert [(answer.status, answer.json()["code"]) for answer in (first, again)] == [(201, 0), (200, 0)]
    refused = await post(house, {}, key=zero)
    assert (refused.status, refused.json()["code"]) == (400, 400)


async def test_every_bad_destination_is_named_by_its_index(house: House) -> None:
    answer = await post(house, page_body(destinations=["x", "84912345678", "5656", "0912345"]))
    assert answer.status == 400
    assert list(answer.json()["errors"]) == ["destinations[0]", "destinations[2]", "destinations[3]"]
    assert await stored(house) == 0


async def test_skipped_destinations_are_told_in_the_answer_and_in_its_repeat(house: House) -> None:
    body = page_body(destinations=["x", "84912345678"], ext={"onInvalid": "skip"})
    first, again = await post(house, body), await post(house, body)
    assert first.json()["data"]["skipped"] == again.json()["data"]["skipped"] == [0]


@pytest.mark.parametrize(
    ("accept_language", "message"),
    [
        ("vi", "Yêu cầu không hợp lệ."),
        ("vi-VN,vi;q=0.9,en;q=0.8", "Yêu cầu không hợp lệ."),
        ("en;q=0.8, vi;q=0.9", "Yêu cầu không hợp lệ."),
        ("en-GB", "The request is not valid."),
        ("fr", "The request is not valid."),
        (";;;q=,", "The request is not valid."),
    ],
)
async def test_people_are_spoken_to_in_their_language(house: House, accept_language: str, message: str) -> None:
    answer = await post(house, page_body(text=""), headers={"accept-language": accept_language})
    assert answer.json()["message"] == message
    assert answer.headers["content-language"] in {"vi", "en"}


async def refusals_of_keys(house: House) -> list[Answer]:
    expired = await house.new_key(frozenset({"send"}), expires_at=EPOCH)
    revoked = await house.new_key(frozenset({"send"}), revoked_at=EPOCH)
    inside = await house.new_key(frozenset({"send"}), networks=("10.0.0.0/8", "2001:db8::/32"))
    unknown = keep("loa_live_" + "0" * 38).secret
    calls = [
        post(house, page_body(), key=None),
        post(house, page_body(), key="nonsense"),
        post(house, page_body(), key="khóa-được-tiếp-nhận"),
        post(house, page_body(), key=unknown),
        post(house, page_body(), key=house.key[:-1] + ("0" if house.key[-1] != "0" else "1")),
        post(house, page_body(), key=expired),
        post(house, page_body(), key=revoked),
        post(house, page_body(), key=inside),
        post(house, page_body(), key=inside, client="::1"),
        post(house, page_body(), key=inside, client=None),
    ]
    return [await each for each in calls]


async def test_every_key_that_is_no_good_gets_the_same_401(house: House) -> None:
    answers = await refusals_of_keys(house)
    assert {answer.status for answer in answers} == {401}
    assert len({answer.body for answer in answers}) == 1
    assert len({tuple(sorted(set(answer.headers.items()) - _ids(answer))) for answer in answers}) == 1
    assert await stored(house) == 0


def _ids(answer: Answer) -> set[tuple[str, str]]:
    return {("x-request-id", answer.headers["x-request-id"])}


@pytest.mark.parametrize("client", ["10.1.2.3", "::ffff:10.1.2.3", "2001:db8::1"])
async def test_a_key_works_from_inside_its_networks(house: House, client: str) -> None:
    inside = await house.new_key(frozenset({"send"}), networks=("10.0.0.0/8", "2001:db8::/32"))
    assert (await post(house, page_body(), key=inside, client=client)).status == 201


async def test_a_key_brought_from_another_gateway_works_once_it_is_imported(house: House) -> None:
    secret = "old-gateway-key-0123456789"
    assert (await post(house, page_body(), key=secret)).status == 401
    kept = keep(secret)
    minted = await house.new_key(frozenset({"send"}))
    [sample] = [key for key in await house.ledger.keys() if key.digest == keep(minted).digest]
    values = {name: getattr(sample, name) for name in sample.__slots__}
    await house.ledger.add_key(type(sample)(**{**values, "digest": kept.digest, "display": kept.display}))
    await house.registry.refresh()
    assert (await post(house, page_body(), key=secret)).status == 201


async def test_using_a_key_is_noted(house: House) -> None:
    await post(house, page_body())
    await house.registry.flush_used()
    [key] = [key for key in await house.ledger.keys() if key.digest == keep(house.key).digest]
    assert key.last_used_at == EPOCH


async def test_a_key_that_may_not_send_this_gets_403_and_the_reason(house: House) -> None:
    otp = await house.new_key(frozenset({"send:otp"}))
    reader = await house.new_key(frozenset({"read:messages"}))
    for key in (otp, reader):
        answer = await post(house, page_body(type=1), key=key)
        assert (answer.status, list(answer.json()["errors"])) == (403, ["type"])
    assert (await post(house, page_body(type=2), key=otp)).status == 201
    assert await stored(house) == 1


@pytest.mark.parametrize(
    "path", ["/api/vendor", "/api/vendor/", "/api/vendor/v1/sms", SEND + "/", "/api/vendor/v1/zalo/list-oa"]
)
async def test_an_unknown_path_is_404_in_the_envelope(house: House, path: str) -> None:
    answer = await house.call("POST", path, page_body())
    assert (answer.status, answer.json()["code"], answer.json()["data"]) == (404, 404, {})


@pytest.mark.parametrize("path", [SEND, CALLBACK])
@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
async def test_another_method_is_405_with_the_one_that_is_allowed(house: House, path: str, method: str) -> None:
    answer = await house.call(method, path)
    assert (answer.status, answer.headers["allow"], answer.json()["code"]) == (405, "POST", 405)


async def test_head_has_no_body(house: House) -> None:
    answer = await house.call("HEAD", SEND)
    assert (answer.status, answer.body) == (405, b"")


class _Broken:
    """A ledger whose commits fail in one way."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    async def accept(self, _: object) -> None:
        raise self._error


def break_ledger(house: House, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    monkeypatch.setattr(house.ledger, "accept", _Broken(error).accept)


@pytest.mark.parametrize(
    ("error", "wait"),
    [
        (StorageUnavailable("away"), "5"),
        (StorageFull("full"), "60"),
        (StorageUnavailable("overloaded", retry_after_s=1), "1"),
    ],
)
async def test_what_passes_by_itself_is_503_with_a_time_to_wait(
    house: House, monkeypatch: pytest.MonkeyPatch, error: Exception, wait: str
) -> None:
    break_ledger(house, monkeypatch, error)
    answer = await post(house, page_body())
    assert (answer.status, answer.headers["retry-after"], answer.json()["code"]) == (503, wait, 503)


async def test_a_fault_of_ours_is_500_in_the_envelope_and_its_log_holds_no_secret(
    house: House, monkeypatch: pytest.MonkeyPatch, log_lines: io.StringIO
) -> None:
    break_ledger(house, monkeypatch, RuntimeError("84912345678 said canary"))
    answer = await post(house, page_body(text="canary text"))
    body = answer.json()
    assert (answer.status, body["code"], body["data"]) == (500, 500, {})
    assert answer.headers["x-request-id"] in body["message"]
    [line] = log_lines.getvalue().splitlines()
    assert json.loads(line)["request_id"] == answer.headers["x-request-id"]
    assert "RuntimeError" in line
    for secret in ("canary", "84912345678", house.key):
        assert secret not in line + answer.body.decode()
