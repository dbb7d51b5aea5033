"""The page about callbacks: its code works, its codes and delays are those of the program."""

import re
import time
from pathlib import Path

from loa.domain.lifecycle import VENDOR_STATUS
from loa.domain.retry import CALLBACK_DELAYS_S
from loa.notify.signature import new_secret, sign

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "callbacks.md").read_text(encoding="utf-8")
CODES = [
    *("status", "redirect", "timeout", "resolve", "connect", "no_descriptor", "tls", "protocol"),
    *("blocked_scheme", "blocked_address", "secret"),
]


def test_the_code_on_the_page_verifies_our_signatures():
    (source,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    scope = {}
    exec(source, scope)
    verify, old, new, now = scope["verify"], new_secret(), new_secret(), int(time.time())
    headers = {
        "webhook-id": "cb_1",
        "webhook-timestamp": str(now),
        "webhook-signature": sign((new, old), "cb_1", now, b"{}"),
    }
    assert verify(old, headers, b"{}")
    assert verify(new, headers, b"{}")
    assert not verify(new_secret(), headers, b"{}")
    assert not verify(new, headers, b"[]")
    assert not verify(new, {**headers, "webhook-timestamp": str(now - 400)}, b"{}")


async def test_the_request_on_the_page_has_the_headers_that_are_sent_in_their_order(receive, send):
    receiver = await receive()
    await send(f"http://127.0.0.2:{receiver.port}/your/path")
    ((first, headers, _),) = receiver.requests
    page = re.search(r"```\n(POST .*?)\n\n", PAGE, re.DOTALL)[1].split("\n")
    assert page[0] == first
    assert [line.partition(":")[0].lower() for line in page[1:]] == list(headers)


def test_every_code_of_a_failed_try_is_on_the_page():
    assert [code for code in CODES if f"\n| `{code}` | " not in PAGE] == []


def test_every_told_state_is_on_the_page_with_its_number():
    for state, number in VENDOR_STATUS.items():
        assert re.search(rf"\n\| {number} \| [^|]*`{state.label}`", PAGE), state


def test_the_delays_on_the_page_are_those_of_the_program():
    words = [f"{s} s" if s < 60 else f"{s // 60} min" if s < 3600 else f"{s // 3600} h" for s in CALLBACK_DELAYS_S]
    assert f"{', '.join(words[:-1])} and {words[-1]}" in " ".join(PAGE.split())
