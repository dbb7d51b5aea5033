"""The benchmark still runs: its code at a tiny scale on both ledgers. What it measures here means nothing."""

import asyncio
import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.house.sources import ROOT

START_AND_STOP = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from gateway import Setup, listens
from loa_under_test import Loa
from postgres_server import PostgresServer
work, workers = Path(sys.argv[2]), int(sys.argv[4])
server = PostgresServer(work) if sys.argv[3] == "postgres" else None
loa = Loa(server, workers)
try:
    (work / "run").mkdir()
    loa.start(Setup(work / "run", smsc_port=9, receiver_port=9, receipts=True))
    print(loa.name, loa.engine, listens(loa.load_options(1)["port"]), len(loa.pids()), len(loa.database_pids()))
finally:
    loa.stop()
    if server is not None:
        server.remove()
"""


async def run(*words: str | Path) -> str:
    """Run the benchmark's Python to its end and give what it printed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, *map(str, words), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    printed, _ = await process.communicate()
    assert process.returncode == 0, printed.decode()
    return printed.decode()


@pytest.fixture
def work() -> Iterator[Path]:
    """Give a folder that the account of a PostgreSQL server can get to."""
    folder = Path(tempfile.mkdtemp(prefix="loa-bench-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
async def test_the_ledger_alone_takes_every_message_to_its_end(engine: str, work: Path) -> None:
    words = ("life-100-history", "life-100-held", "--scale", "0.01", "--runs", "1", "--only", engine)
    printed = await run(ROOT / "bench/run.py", *words, "--work", work, "--out", work)
    (written,) = work.glob("bench-*.json")
    report = json.loads(written.read_text())
    measured = report["runs"]["life-100-history"]
    assert set(measured) == {engine, f"{engine}-history"}
    for (figures,) in measured.values():
        assert figures["engine"] == engine
        assert figures["delivered"]["delivered"] == figures["delivered"]["accepted"] == 1_000
    assert measured[f"{engine}-history"][0]["historyMessages"] == 50_000
    assert ("postgres-held" in report["runs"].get("life-100-held", {})) == (engine == "postgres")
    assert "Lost, repeated or refused: none" in printed


@pytest.mark.parametrize(("engine", "workers"), [("sqlite", 1), ("postgres", 2)])
async def test_a_loa_to_be_measured_starts_on_each_ledger(engine: str, workers: int, work: Path) -> None:
    printed = await run("-c", START_AND_STOP, ROOT / "bench", work, engine, str(workers))
    name = f"loa-{engine}" + ("-workers" if workers > 1 else "")
    assert printed.split() == [name, engine, "True", "1", "1" if engine == "postgres" else "0"]
