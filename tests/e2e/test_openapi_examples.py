"""Every example of the document is sent to the running API, and is answered as the document shows."""

import json
import re
import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import jsonschema_rs
import pytest
import requests
from tests.support.fakes import EPOCH
from tests.support.history import deliver, hand_over, post_callback
from tests.support.native_api import EVERYTHING, House
from tests.support.served import Served, serve

from loa.api.v1.build import describe
from loa.domain.template import Parameter, Template

DOCUMENT: dict[str, Any] = json.loads(describe())
OPERATIONS: dict[str, tuple[str, str, dict[str, Any]]] = {
    operation["operationId"]: (method.upper(), path, operation)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
}
SEND = OPERATIONS["sendMessage"][2]["requestBody"]["content"]["application/json"]["example"]
EXAMPLE_SUBMISSION = OPERATIONS["sendMessage"][2]["responses"]["201"]["content"]["application/json"]["example"]


TEMPLATE = Template(0, "302117", "Xác nhận đơn hàng", "enabled", parameters=(Parameter("order_code"),))


def _resolved(answer: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in answer:
        return answer
    found: dict[str, Any] = DOCUMENT["components"]["responses"][answer["$ref"].rpartition("/")[2]]
    return found


def _examples() -> Iterator[tuple[str, str, str, Any]]:
    for name, (_, _, operation) in OPERATIONS.items():
        for status, answer in operation["responses"].items():
            for media_type, content in _resolved(answer).get("content", {}).items():
                if "example" in content:
                    yield name, status, media_type, content["example"]


EXAMPLES = list(_examples())


def _fits(schema: dict[str, Any], value: Any) -> None:
    validator = jsonschema_rs.Draft202012Validator({**schema, "components": DOCUMENT["components"]})
    assert not [f"{list(error.instance_path)}: {error.message}" for error in validator.iter_errors(value)]


@pytest.mark.parametrize(("name", "status", "media_type", "example"), EXAMPLES)
def test_an_example_fits_its_own_schema(name: str, status: str, media_type: str, example: Any) -> None:
    _fits(_resolved(OPERATIONS[name][2]["responses"][status])["content"][media_type]["schema"], example)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with serve(tmp_path) as running:
        yield running


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One running API for tests that change nothing in it."""
    with serve(tmp_path_factory.mktemp("standing")) as running:
        yield running


async def _lived(house: House) -> dict[str, str]:
    """Make what the examples speak of exist, and say what stands for what."""
    await house.ledger.put_templates(house.channel.id, [TEMPLATE], EPOCH)
    await house.ledger.set_template_text(house.channel.id, TEMPLATE.template_id, "Don <order_code> da xong.")
    await house.call("POST", "/api/v1/endpoints", {"url": "https://example.com/loa", "default": True})
    sent = await house.send(SEND["destinations"], **{name: SEND[name] for name in ("text", "requestId", "ext")})
    await hand_over(house)
    await deliver(house)
    await post_callback(house, delivered=False, over=True)
    await house.call("POST", "/api/vendor/v1/sms/send-message", {**SEND, "text": "another"})
    return {
        EXAMPLE_SUBMISSION["referentId"]: sent["referentId"],
        EXAMPLE_SUBMISSION["data"]["token"]: sent["data"]["token"],
    }


def _swapped(value: Any, stands_for: dict[str, str]) -> Any:
    text = json.dumps(value)
    for example, real in stands_for.items():
        text = text.replace(example, real)
    return json.loads(text)


def _request(name: str, served: Served, stands_for: dict[str, str], key: str = "") -> requests.Response:
    method, path, operation = OPERATIONS[name]
    given = {
        each["name"]: (each["in"], each["example"]) for each in operation.get("parameters", ()) if "example" in each
    }
    given = _swapped(given, stands_for)
    for _, parameter, _, _ in string.Formatter().parse(path):
        if parameter:
            path = path.replace(f"{{{parameter}}}", str(given[parameter][1]))
    query = {parameter: value for parameter, (place, value) in given.items() if place == "query"}
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("example")
    return requests.request(
        method,
        f"{served.url}{path}?{urlencode(query)}",
        headers={"API-KEY": key or served.house.key},
        json=None if body is None else _swapped(body, stands_for),
        timeout=10,
    )


def _shape(value: Any, at: str = "") -> set[str]:
    """Give the paths of all members; the insides of what a caller chose freely do not count."""
    if isinstance(value, dict) and not re.search(r"(ext|metadata)$", at):
        return {at}.union(*(_shape(inner, f"{at}.{name}") for name, inner in value.items()))
    if isinstance(value, list):
        return {at}.union(*(_shape(inner, f"{at}[]") for inner in value))
    return {at}


GOOD = [each for each in EXAMPLES if each[1] in {"200", "201"} and each[:2] != ("sendMessage", "200")]


@pytest.mark.parametrize(("name", "status", "media_type", "example"), GOOD, ids=[each[0] for each in GOOD])
def test_the_request_of_an_example_is_answered_as_shown(
    served: Served, name: str, status: str, media_type: str, example: Any
) -> None:
    stands_for = {} if name in {"sendMessage", "addEndpoint"} else served.do(_lived)
    answer = _request(name, served, stands_for)
    assert answer.status_code == int(status), answer.text
    assert answer.headers["content-type"].partition(";")[0] == media_type
    if media_type == "application/json":
        _fits(_resolved(OPERATIONS[name][2]["responses"][status])["content"][media_type]["schema"], answer.json())
        assert _shape(answer.json()) == _shape(example)
    else:
        assert example.splitlines()[0] in answer.text


def test_the_same_send_again_is_answered_as_shown(served: Served) -> None:
    first = _request("sendMessage", served, {})
    again = _request("sendMessage", served, {})
    shown = OPERATIONS["sendMessage"][2]["responses"]["200"]["content"]["application/json"]["example"]
    assert again.status_code == 200
    assert {**again.json(), "code": 201, "message": ""} == {**first.json(), "message": ""}
    assert (again.json()["message"], _shape(again.json())) == (shown["message"], _shape(shown))


@pytest.mark.parametrize("name", ["cancelSubmission", "cancelMessage"])
def test_a_cancel_is_answered_as_shown(served: Served, name: str) -> None:
    async def waiting(house: House) -> dict[str, str]:
        sent = await house.send(SEND["destinations"])
        return {EXAMPLE_SUBMISSION["referentId"]: sent["referentId"]}

    stands_for = served.do(waiting)
    answer = _request(name, served, stands_for)
    assert (answer.status_code, answer.content) == (204, b"")
    refused = _request(name, served, stands_for)
    assert refused.status_code == 409
    shown = OPERATIONS["cancelSubmission"][2]["responses"]["409"]["content"]["application/problem+json"]["example"]
    assert _shape(refused.json()) == _shape(shown)


@pytest.mark.parametrize("name", sorted(name for name, one in OPERATIONS.items() if one[2].get("security")))
def test_without_a_key_the_example_is_answered_401(standing: Served, name: str) -> None:
    answer = _request(name, standing, {}, key="nonsense")
    assert answer.status_code == 401
    (content,) = _resolved(OPERATIONS[name][2]["responses"]["401"])["content"].items()
    assert answer.headers["content-type"] == content[0]
    _fits(content[1]["schema"], answer.json())


def test_a_key_that_may_only_send_cannot_read(standing: Served) -> None:
    weak = standing.do(lambda house: house.new_key(EVERYTHING - {"read:messages"}))
    assert _request("listMessages", standing, {}, key=weak).status_code == 403
