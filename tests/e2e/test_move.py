"""A Loa on a file is killed under load, its ledger copied, and another one goes on with it on PostgreSQL."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.support.nodes import Nodes, open_nodes
from tests.support.postgres import Postgres
from tests.support.process import loa, loa_json

from loa.certify.client import TRANSACTIONAL
from loa.simulators.smsc.script import Script

pytestmark = [pytest.mark.crash, pytest.mark.timeout(180), pytest.mark.xdist_group("cluster")]


@pytest.fixture
async def url(postgres: Postgres) -> AsyncIterator[str]:
    async with postgres.database() as made:
        yield made


@pytest.fixture
async def nodes(url: str, tmp_path: Path) -> AsyncIterator[Nodes]:
    slow = Script(response_delay_s=0.2, receipt_delay_s=0.1)
    async with open_nodes(tmp_path, url, slow) as built:
        yield built


async def test_what_was_accepted_goes_on_there_and_nothing_is_sent_twice_in_secret(
    nodes: Nodes, url: str, tmp_path: Path
) -> None:
    quick = {"TRANSACTIONAL__EVIDENCE_WAIT_S": "2"}
    file = f"sqlite:///{tmp_path / 'loa.db'}"
    await nodes.start("one", DATABASE=file, **quick)
    await nodes.set_up(links=1, window=4)
    nodes.point_at("one")
    asks = [nodes.client.ask(TRANSACTIONAL, 2) for _ in range(15)]
    await nodes.send_all(asks)
    await nodes.until_taken(8)
    await nodes.kill("one")
    taken_before = Counter(number for _, number in nodes.taken)

    there = {"LOA_DATABASE": url, "LOA_SEAL__KEY_FILE": str(nodes.key_file)}
    said = await asyncio.to_thread(
        loa_json, "ledger", "copy", "--from", file, "--data", tmp_path / "one", cwd=tmp_path, env=there
    )
    assert said["rows"]["message"] == 30
    old = await asyncio.to_thread(loa, "serve", "--port", "0", cwd=tmp_path, env={"LOA_DATABASE": file})
    assert (old.returncode, "was copied to" in old.stderr) == (7, True)

    await nodes.start("two", **quick)
    nodes.point_at("two")
    await nodes.send(asks[0])
    assert asks[0].statuses[-1] < 400, "the key and the request id are known there"
    rows = await nodes.until_final()
    taken = Counter(number for _, number in nodes.taken)
    flagged = {row["destination"] for row in rows if row["possibleDuplicate"]}
    assert {row["state"] for row in rows} == {"delivered"}
    assert sorted(taken) == sorted(number for ask in asks for number in ask.numbers)
    assert all(count == 1 or (number in flagged and count == 2) for number, count in taken.items())
    assert len(taken_before) < 30, "something was left to do"
    assert len(flagged) <= 4, "only what was in a window may be in doubt"
