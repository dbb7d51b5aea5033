"""The console's screens in front of a shared ledger: the same pages, at the same addresses, as of the file it was copied from."""

from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from loa.app.ledger_copy import Ends, copy_ledger
from loa.console.tail import Position, read_position
from loa.domain.ids import message_public_id
from loa.ledger.postgres.ledger import PostgresLedger, PostgresOptions
from loa.observe.clock import SystemClock
from loa.ports.records import MessageFilter
from loa.seal.keyfile import NAME, KeyFile
from loa.seal.sealer import Sealer
from tests.contract.ledger.values import submission
from tests.support.console import Desk, fill
from tests.support.console_screens import SCREENS
from tests.support.fakes import FakeClock, QuietProbe
from tests.support.full_ledger import MUCH_LATER
from tests.support.native_api import call
from tests.support.postgres import Postgres
from tests.support.shared_ledger import APP, OWNER, as_user, prepare_empty

CLOCK = SystemClock()


def unwatched(_what: str, _done: int, _total: int) -> None:
    """Watch nothing."""


@pytest.fixture
async def desk(postgres: Postgres, tmp_path: Path) -> Any:
    async with postgres.database() as url:
        await prepare_empty(url)
        await fill(tmp_path / "loa.db")
        app, owner = as_user(url, APP), as_user(url, OWNER)
        await copy_ledger(Ends(tmp_path / "loa.db", app, owner), CLOCK, unwatched, 500)
        ledger = await PostgresLedger.open(
            app,
            folder=tmp_path / "node",
            probe=QuietProbe(),
            clock=CLOCK,
            options=PostgresOptions(owner=owner),
            sealer=Sealer(KeyFile(tmp_path / NAME)),
        )
        yield Desk(ledger, FakeClock(MUCH_LATER), folder=tmp_path)
        await ledger.close()


async def test_every_screen_answers_as_it_does_over_a_file(desk: Desk) -> None:
    await desk.ledger.add_tenant("new", MUCH_LATER)
    (row,) = await desk.ledger.messages(1, MessageFilter(), None, 1)
    names = {"newest": message_public_id(row["id"]), "submission": row["referent_id"]}
    wrong = []
    for address, status in SCREENS.values():
        path, mark, query = address.format(**names).partition("?")
        answer = await call(desk.app(), "GET", unquote(path) + mark + query, {}, b"")
        if answer.status != status:
            wrong.append(f"{address}: {answer.status}, not {status}")
    assert wrong == []


async def test_the_tail_goes_on_from_a_message_of_today(desk: Desk) -> None:
    await desk.ledger.accept(submission(numbers=[84_912_345_670], at=CLOCK.now()))
    (row,) = await desk.ledger.messages(1, MessageFilter(), None, 1)
    event = await desk.ledger.last_event(1)
    assert read_position(str(Position(row["id"], event))) == Position(row["id"], event)
