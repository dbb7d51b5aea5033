"""A foreign fuzzer holds the running API to its own document."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks
from tests.support.history import deliver, hand_over
from tests.support.native_api import House
from tests.support.served import Served, serve

from loa.api.v1.build import describe

CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
DOCUMENT = json.loads(describe())
CONFIG = schemathesis.Config.from_dict(
    {"seed": 20261124, "generation": {"mode": "all"}, "phases": {"stateful": {"enabled": False}}}
)
schema = schemathesis.openapi.from_dict(DOCUMENT, config=CONFIG)


@dataclass
class Target:
    """The running API, and what really exists in it."""

    served: Served
    known: dict[str, str]


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    with serve(tmp_path_factory.mktemp("schemathesis")) as served:
        yield Target(served, served.do(_fill))


async def _fill(house: House) -> dict[str, str]:
    await house.call("POST", "/api/v1/endpoints", {"url": "https://example.com/in", "default": True})
    sent = await house.send(["0912345678", "0987654321"], requestId="order-1")
    await hand_over(house)
    await deliver(house)
    later = await house.send(["0912345679"], scheduled="2026-12-24 08:00:00", requestId="order-2")
    first = (await house.message_ids(sent["referentId"]))[0]
    return {"referentId": later["referentId"], "token": sent["data"]["token"], "messageId": first}


@schema.parametrize()
@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_one_the_document_promises(case: Any, target: Target) -> None:
    """Half of the generated ids are swapped for ones that exist, so that the calls get somewhere."""
    for name, value in list((case.path_parameters or {}).items()):
        if len(str(value)) % 2:
            case.path_parameters[name] = target.known[name]
    case.call_and_validate(
        base_url=target.served.url, headers={"API-KEY": target.served.house.key}, checks=CHECKS, timeout=10
    )
