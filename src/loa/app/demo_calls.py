"""The calls that a demo gives away, ready to paste into a shell."""

import json
from collections.abc import Mapping
from typing import Any, Final

from loa.api.vendor.router import SEND_PATH

NUMBER: Final = "0912345678"
TEXT: Final = "Xin chao tu Loa"


def sms_call(url: str, key: str, sender: str) -> str:
    """Write the vendor's own call; each time it has a requestId of its own."""
    body = {
        "destinations": [NUMBER],
        "from": sender,
        "text": TEXT,
        "scheduled": "",
        "requestId": "REQUEST",
        "useUnicode": 0,
        "type": 0,
        "ext": {},
    }
    return _call(url, key, json.dumps(body).replace("REQUEST", "demo-'$(date +%s)'"))


def zalo_call(url: str, key: str, members: Mapping[str, Any]) -> str:
    """Write the call of a message that goes over Zalo."""
    return _call(url, key, json.dumps(dict(members), ensure_ascii=False))


def _call(url: str, key: str, written: str) -> str:
    return "\n".join(
        (
            f"curl -sS -X POST {url}{SEND_PATH} \\",
            f"  -H 'API-KEY: {key}' -H 'Content-Type: application/json' \\",
            f"  -d '{written}'",
        )
    )
