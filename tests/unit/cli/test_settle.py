"""`loa messages settle`: what it says of each message, and what it refuses."""

import asyncio
from pathlib import Path

import pytest
from tests.contract.ledger.values import EPOCH, MINUTE, claim, settlement, state_of, submission
from tests.support.fakes import QuietProbe
from tests.unit.cli.conftest import Run

from loa.domain.ids import message_public_id
from loa.domain.outcome import Deferred, Unknown
from loa.ledger.sqlite.ledger import SqliteLedger


@pytest.fixture
def lost(run: Run, tmp_path: Path) -> tuple[str, str]:
    """An unknown message and a dead letter of the first tenant."""
    run("tenants", "add", "default")
    (path,) = tmp_path.rglob("loa.db")

    async def fill() -> tuple[str, str]:
        ledger = await SqliteLedger.open(path, probe=QuietProbe())
        await ledger.accept(submission())
        await ledger.accept(submission())
        one, two = await claim(ledger)
        await ledger.record(
            [
                settlement(one, Unknown("silence"), wait_until=EPOCH + MINUTE),
                settlement(two, Deferred("busy"), dead=True),
            ]
        )
        await ledger.close()
        return message_public_id(one.message_id), message_public_id(two.message_id)

    return asyncio.run(fill())


def test_an_unknown_message_is_settled_once(run: Run, lost: tuple[str, str], tmp_path: Path) -> None:
    words = ("messages", "settle", lost[0], "--as", "delivered", "--reason", "they called", "--yes")
    assert run(*words).out == "1 settled\n"
    assert run(*words).out == "1 were settled so before\n"
    again = run("messages", "settle", *lost, "msg_7", "--as", "undelivered", "--reason", "x", "--yes", "--json").json
    assert again == {
        "done": 0,
        "already": 0,
        "unfit": 2,
        "missing": 1,
        "messages": {lost[0]: "unfit", lost[1]: "unfit", "msg_7": "missing"},
    }
    (path,) = tmp_path.rglob("loa.db")

    async def state() -> str:
        ledger = await SqliteLedger.open(path, probe=QuietProbe())
        found = await state_of(ledger, 1)
        await ledger.close()
        return found

    assert asyncio.run(state()) == "delivered"


def test_a_dead_letter_is_dealt_with(run: Run, lost: tuple[str, str]) -> None:
    done = run("messages", "settle", lost[1], "--as", "dealt_with", "--reason", "sent by hand", "--yes")
    assert done.out == "1 settled\n"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("msg_1", "--as", "delivered", "--reason", "x"), 2, "--yes"),
        (("sub_1", "--as", "delivered", "--reason", "x", "--yes"), 2, "msg_1B4"),
        (("msg_1", "--as", "delivered", "--reason", " ", "--yes"), 2, "reason"),
        (("msg_1", "--as", "sent", "--reason", "x", "--yes"), 2, "is not one of"),
        (("msg_1", "--as", "delivered", "--reason", "x", "--yes", "--tenant", "nobody"), 4, "loa tenants add"),
    ],
)
def test_what_cannot_be_done_is_said(
    run: Run, lost: tuple[str, str], words: tuple[str, ...], code: int, said: str
) -> None:
    assert lost
    refused = run("messages", "settle", *words)
    assert (refused.code, refused.out) == (code, ""), refused.err
    assert said in refused.err
