"""What the gate sees of a form with a file: its first field, within bounds, and nothing else."""

from collections.abc import Sequence

import pytest

from loa.console.http import Event, Receive
from loa.console.multipart import HEAD_MAX, TooLong, bounded, first_field

EDGE = "----WebKitFormBoundaryAbc"
GOOD = f'--{EDGE}\r\nContent-Disposition: form-data; name="form_token"\r\n\r\ntoken-1\r\n--{EDGE}\r\nrest'.encode()


def arriving(pieces: Sequence[bytes]) -> tuple[Receive, list[Event]]:
    left: list[Event] = [
        {"type": "http.request", "body": each, "more_body": place < len(pieces) - 1}
        for place, each in enumerate(pieces)
    ]

    async def receive() -> Event:
        return left.pop(0)

    return receive, left


async def looked(pieces: Sequence[bytes], kind: str = f"multipart/form-data; boundary={EDGE}") -> dict[str, str]:
    receive, _ = arriving(pieces)
    scope = {"headers": [(b"content-type", kind.encode())]}
    form, again = await first_field(scope, receive, "form_token")
    whole, more = b"", True
    while more:
        event = await again()
        whole += event["body"]
        more = event["more_body"]
    assert whole == b"".join(pieces), "the page gets all of it"
    return form


async def test_the_first_field_is_read_however_it_arrives() -> None:
    for size in (1, 7, 50, 10_000):
        pieces = [GOOD[first : first + size] for first in range(0, len(GOOD), size)]
        assert await looked(pieces) == {"form_token": "token-1"}
    assert await looked([GOOD], f'multipart/form-data; charset=utf-8; boundary="{EDGE}"') == {"form_token": "token-1"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        GOOD.replace(b"form_token", b"file"),
        GOOD.replace(b'"form_token"', b'"form_token"; filename="x"'),
        GOOD.replace(b"token-1", b"token\r\n1"),
        GOOD.replace(b"token-1", b"x" * 201),
        GOOD.replace(EDGE.encode(), b"other"),
        b"preamble\r\n" + GOOD,
        b"x" * HEAD_MAX + GOOD,
        GOOD.removesuffix(b"\r\nrest").removesuffix(EDGE.encode()),
    ],
)
async def test_nothing_else_is_taken_for_it(body: bytes) -> None:
    assert await looked([body]) == {}


async def test_no_more_is_read_than_a_head() -> None:
    receive, left = arriving([b"x" * 1_000] * 100)
    scope = {"headers": [(b"content-type", f"multipart/form-data; boundary={EDGE}".encode())]}
    await first_field(scope, receive, "form_token")
    assert len(left) == 95


async def test_other_forms_are_left_alone() -> None:
    assert await looked([GOOD], "application/json") == {}
    assert await looked([GOOD], "multipart/form-data") == {}


async def test_what_is_larger_than_it_may_be_is_cut_off() -> None:
    receive, _ = arriving([b"x" * 60] * 2)
    counted = bounded(receive, 100)
    assert (await counted())["body"] == b"x" * 60
    with pytest.raises(TooLong):
        await counted()
