"""Many processes on one PostgreSQL: a contract holds over all of them, and nothing is lost or sent twice when they go."""

import asyncio
import os
import re
import signal
import socket
import urllib.request
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.support.nodes import CLOCK, Nodes, open_nodes, until
from tests.support.postgres import Postgres

from loa.certify.client import TRANSACTIONAL
from loa.certify.evidence import read_timelines
from loa.simulators.smsc.script import Script

# Several processes each: not all at once on a small machine, and slow where it is busy.
pytestmark = [pytest.mark.crash, pytest.mark.timeout(180), pytest.mark.xdist_group("cluster")]

TAKE_OVER_S = 15.0
"""What docs/how-to/cluster.md promises."""


@pytest.fixture
async def nodes(postgres: Postgres, tmp_path: Path) -> AsyncIterator[Nodes]:
    slow = Script(response_delay_s=0.05, receipt_delay_s=0.1)
    async with postgres.database() as url, open_nodes(tmp_path, url, slow) as built:
        yield built


def fastest(times: list[float], seconds: float) -> float:
    """Give the most that happened in any stretch of so many seconds, a second."""
    most = 0
    first = 0
    for last, at in enumerate(times):
        while times[first] < at - seconds:
            first += 1
        most = max(most, last - first + 1)
    return most / seconds


async def test_a_contracts_rate_holds_over_three_nodes_and_each_does_its_part(nodes: Nodes) -> None:
    await nodes.start("one")
    await nodes.set_up(links=6, rate=60, window=10)
    await nodes.until_held({"one": 6})
    await nodes.start("two")
    await nodes.start("three")
    await nodes.until_held({"one": 2, "two": 2, "three": 2})
    nodes.point_at("one")
    await nodes.send_all([nodes.client.ask(TRANSACTIONAL, 60) for _ in range(6)])
    await nodes.until_taken(360)
    times = [at for at, _ in nodes.taken]
    assert fastest(times, 1.0) <= 60 * 1.15
    assert 360 / (times[-1] - times[0]) >= 60 * 0.8, "three thirds make a whole"
    rows = await nodes.until_final()
    assert {row["state"] for row in rows} == {"delivered"}
    assert Counter(number for _, number in nodes.taken).most_common(1)[0][1] == 1


async def test_the_slots_of_a_node_that_is_killed_are_with_the_others_within_seconds(nodes: Nodes) -> None:
    await nodes.start("one")
    await nodes.set_up(links=4, window=10)
    await nodes.start("two")
    await nodes.until_held({"one": 2, "two": 2})
    nodes.point_at("one")
    began = asyncio.get_running_loop().time()
    await nodes.kill("two")
    await nodes.until_linked(2)
    await nodes.until_held({"one": 4})
    assert asyncio.get_running_loop().time() - began <= TAKE_OVER_S
    await nodes.send_all([nodes.client.ask(TRANSACTIONAL, 5) for _ in range(10)])
    assert {row["state"] for row in await nodes.until_final()} == {"delivered"}


async def test_a_rolling_restart_under_load_loses_nothing_and_repeats_nothing(nodes: Nodes) -> None:
    await nodes.start("one")
    await nodes.set_up(links=4, window=10)
    await nodes.start("two")
    await nodes.until_held({"one": 2, "two": 2})
    over = asyncio.Event()

    async def load() -> None:
        while not over.is_set():
            await nodes.send(nodes.client.ask(TRANSACTIONAL, 2))
            # Enough to have windows in use all the time, and to leave the processors to those that start.
            await CLOCK.sleep(0.02)

    nodes.point_at("two")
    senders = [asyncio.create_task(load()) for _ in range(4)]
    for leaving, staying in (("one", "two"), ("two", "one")):
        await nodes.until_taken(nodes.smsc.counts.accepted + 40)
        nodes.point_at(staying)
        await nodes.stop(leaving)
        await nodes.until_held({staying: 4})
        await nodes.start(leaving)
        await nodes.until_held({leaving: 2, staying: 2})
    over.set()
    await asyncio.gather(*senders)
    rows = await nodes.until_final()
    accepted = [number for ask in nodes.client.asks for number in ask.numbers]
    assert {row["state"] for row in rows} == {"delivered"}
    assert Counter(row["destination"] for row in rows) == Counter(accepted)
    assert Counter(number for _, number in nodes.taken) == Counter(accepted)
    stories = await read_timelines(nodes.client, rows)
    assert {attempt["outcome"] for story in stories.values() for attempt in story["attempts"]} == {"accepted"}


def free_ports(count: int) -> int:
    """Give the first of so many ports in a row that are free."""
    while True:
        with socket.socket() as first:
            first.bind(("127.0.0.1", 0))
            start = first.getsockname()[1]
            try:
                for offset in range(1, count):
                    with socket.socket() as other:
                        other.bind(("127.0.0.1", start + offset))
            except OSError:
                continue
        return int(start)


def accepted_by(port: int) -> float:
    """Read how many requests a process accepted."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        found = re.search(r'^loa_submissions_total\{result="accepted"\} (\S+)$', answer.read().decode(), re.MULTILINE)
    return float(found[1]) if found else 0.0


def children_of(pid: int) -> set[int]:
    return {int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}


def alive(pids: set[int]) -> set[int]:
    """Give those that run: gone and dead ones do not."""
    running = set()
    for pid in pids:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if state != "Z":
            running.add(pid)
    return running


async def test_workers_share_a_port_and_one_that_is_killed_is_replaced(nodes: Nodes) -> None:
    admin = free_ports(4)
    await nodes.start("one", SERVER__WORKERS="3", SERVER__ADMIN_PORT=str(admin))
    await nodes.set_up(links=2)
    nodes.point_at("one")
    await nodes.send_all([nodes.client.ask(TRANSACTIONAL) for _ in range(120)], at_once=24)
    by_worker = [await asyncio.to_thread(accepted_by, admin + number) for number in (1, 2, 3)]
    assert sum(by_worker) == 120
    assert sum(count > 0 for count in by_worker) > 1
    assert await asyncio.to_thread(accepted_by, admin) == 0, "the parent serves no API"
    parent = nodes.running["one"]._process.pid
    workers = children_of(parent)
    assert len(workers) == 3
    victim = min(workers)
    os.kill(victim, signal.SIGKILL)

    async def replaced() -> bool:
        return len(alive(children_of(parent)) - {victim}) == 3

    await until(replaced)
    await nodes.send_all([nodes.client.ask(TRANSACTIONAL) for _ in range(40)])
    assert {row["state"] for row in await nodes.until_final()} == {"delivered"}
    workers = children_of(parent)
    await nodes.stop("one")
    assert alive(workers) == set()


async def test_workers_do_not_outlive_their_parent(nodes: Nodes) -> None:
    await nodes.start("one", SERVER__WORKERS="2")
    workers = children_of(nodes.running["one"]._process.pid)
    await nodes.kill("one")

    async def ended() -> bool:
        return not alive(workers)

    await until(ended)
