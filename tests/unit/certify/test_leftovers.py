"""However a process that uses a cluster ends: no server and no folder stays behind."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.process import ROOT

from loa.certify.processes import runs
from loa.certify.server import until
from loa.observe.clock import SystemClock

OWNER = """
import asyncio, json
from loa.certify.cluster import Cluster

async def live():
    cluster = await Cluster.create(fsync=False)
    if {paused}:
        await cluster.pause()
    print(json.dumps([cluster.pid, str(cluster.folder)]), flush=True)
    await asyncio.Event().wait()

asyncio.run(live())
"""

SUITE = """
import json
from pathlib import Path

import pytest

from tests.support.postgres import make_cluster, postgres

NOTES = Path(__file__).with_name("notes")


@pytest.mark.parametrize("number", range(2))
def test_used(postgres, number):
    with NOTES.open("a") as notes:
        print(json.dumps([postgres.cluster.pid, str(postgres.cluster.folder)]), file=notes)
    assert number == 0


async def test_used_privately(make_cluster):
    cluster = await make_cluster()
    await cluster.pause()
    with NOTES.open("a") as notes:
        print(json.dumps([cluster.pid, str(cluster.folder)]), file=notes)
    raise RuntimeError
"""

AUTO = ("-o", "asyncio_mode=auto", "-o", "asyncio_default_fixture_loop_scope=function")


@pytest.mark.parametrize(
    ("ending", "paused"),
    [(signal.SIGKILL, False), (signal.SIGKILL, True), (signal.SIGTERM, False), (signal.SIGINT, False)],
)
async def test_a_server_ends_and_its_folder_goes_with_the_process_that_made_it(ending, paused):
    owner = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        OWNER.format(paused=paused),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=ROOT,
    )
    pid, folder = json.loads(await owner.stdout.readline())
    assert runs(pid)
    assert Path(folder).exists()
    os.kill(owner.pid, ending)
    await owner.wait()
    assert await until(lambda: not runs(pid) and not Path(folder).exists(), SystemClock(), 20)


def test_a_session_of_tests_that_fail_leaves_nothing_behind(tmp_path):
    suite = tmp_path / "test_suite.py"
    suite.write_text(SUITE)
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *AUTO, str(suite)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert "2 failed, 1 passed" in ended.stdout, ended.stdout
    notes = [json.loads(line) for line in suite.with_name("notes").read_text().splitlines()]
    assert len({pid for pid, _ in notes}) == 2, "one shared, one private"
    assert not any(runs(pid) or Path(folder).exists() for pid, folder in notes)
