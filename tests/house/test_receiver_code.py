"""The receiver's code that readers copy from the pages takes what is signed and nothing else."""

import base64
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from standardwebhooks import Webhook

from tests.house.sources import ROOT, text

PAGE = ROOT / "docs" / "how-to" / "receive-callbacks.md"
SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
NOW = 1_795_480_000
BODY = '{"msisdn":"84912345678","state":"delivered","metadata":"đã giao"}'


@pytest.fixture(scope="module")
def verify() -> Callable[..., bool]:
    found = re.search(r"```python\n(.*?)```", text(PAGE), re.DOTALL)
    assert found is not None
    names: dict[str, Any] = {}
    exec(found[1], names)
    copied: Callable[..., bool] = names["verify"]
    return copied


def signed(secret: str = SECRET) -> dict[str, str]:
    signature = Webhook(secret).sign("cb_1B4", datetime.fromtimestamp(NOW, UTC), BODY)
    return {"webhook-id": "cb_1B4", "webhook-timestamp": str(NOW), "webhook-signature": signature}


def test_a_signature_made_by_another_library_is_taken(verify: Callable[..., bool]) -> None:
    assert verify(SECRET, signed(), BODY.encode(), now=NOW + 299)


def test_one_of_two_signatures_is_enough(verify: Callable[..., bool]) -> None:
    both = f"{signed('whsec_' + base64.b64encode(b'older secret').decode())['webhook-signature']} "
    headers = {**signed(), "webhook-signature": both + signed()["webhook-signature"]}
    assert verify(SECRET, headers, BODY.encode(), now=NOW)


@pytest.mark.parametrize(
    ("changed", "body", "now"),
    [
        ({}, BODY + " ", NOW),
        ({}, BODY, NOW + 301),
        ({}, BODY, NOW - 301),
        ({"webhook-id": "cb_1B5"}, BODY, NOW),
        ({"webhook-timestamp": "soon"}, BODY, NOW),
        ({"webhook-signature": ""}, BODY, NOW),
        ({"webhook-signature": "v1,AAAA"}, BODY, NOW),
    ],
)
def test_whatever_was_changed_is_refused(
    verify: Callable[..., bool], changed: dict[str, str], body: str, now: int
) -> None:
    assert not verify(SECRET, {**signed(), **changed}, body.encode(), now=now)


def test_a_request_without_a_signature_is_refused(verify: Callable[..., bool]) -> None:
    assert not verify(SECRET, {}, BODY.encode(), now=NOW)
