"""The one OpenAPI document."""

from pathlib import Path
from typing import Any

from tests.support.native_api import House

from loa.api.v1.build import describe

ROOT = Path(__file__).parents[4]


def test_the_checked_in_document_is_not_stale() -> None:
    written = (ROOT / "docs/reference/openapi.json").read_text()
    assert written == describe(), (
        "write it anew: python -c \"from loa.api.v1.build import describe; print(describe(), end='')\""
        " > docs/reference/openapi.json"
    )


async def test_the_served_document_is_the_checked_in_one(house: House) -> None:
    answer = await house.call("GET", "/openapi.json", key=None)
    assert answer.headers["content-type"] == "application/json"
    assert answer.body.decode() == describe()


async def operations(house: House) -> list[dict[str, Any]]:
    document = (await house.call("GET", "/openapi.json")).json()
    return [operation for path in document["paths"].values() for operation in path.values()]


async def test_both_spellings_of_numbers_are_in_the_vendor_schema(house: House) -> None:
    document = (await house.call("GET", "/openapi.json")).json()
    fields = document["components"]["schemas"]["SendMessage"]["properties"]
    for name in ("useUnicode", "type"):
        assert [each["enum"] for each in fields[name]["anyOf"]] == [[0, 1, 2], ["0", "1", "2"]]


async def test_every_operation_has_a_name_a_sentence_and_an_example(house: House) -> None:
    found = await operations(house)
    assert len({operation["operationId"] for operation in found}) == len(found) == 18
    for operation in found:
        assert operation.get("description") or operation.get("summary")
        bodies = [
            content
            for answer in operation["responses"].values()
            if "content" in answer
            for content in answer["content"].values()
        ]
        assert any("example" in body for body in bodies) or "204" in operation["responses"], operation["operationId"]


async def test_every_reference_leads_somewhere(house: House) -> None:
    document = (await house.call("GET", "/openapi.json")).json()

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            if isinstance(node.get("$ref"), str):
                target = document
                for step in node["$ref"].removeprefix("#/").split("/"):
                    target = target[step]
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    walk(document)
    assert "HTTPValidationError" not in document["components"]["schemas"]


async def test_callbacks_are_described_with_their_signature(house: House) -> None:
    document = (await house.call("GET", "/openapi.json")).json()
    report = document["webhooks"]["messageReport"]["post"]
    assert {each["name"] for each in report["parameters"]} == {
        "webhook-id",
        "webhook-timestamp",
        "webhook-signature",
    }
    assert report["requestBody"]["content"]["application/json"]["schema"]["$ref"].endswith("/CallbackBody")
