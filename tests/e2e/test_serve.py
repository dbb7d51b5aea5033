"""`loa serve` as a service manager and a balancer see it, and a stop under load that leaves nothing in doubt."""

import asyncio
import json
import signal
import socket
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from tests.support.process import Running, loa, loa_json

from loa.certify.client import TRANSACTIONAL
from loa.certify.load import Countdown, send_until_gone
from loa.certify.sqlite import SqliteEngine
from loa.certify.world import World, open_world
from loa.simulators.smsc.script import Script

SEND = "/api/vendor/v1/sms/send-message"


def answer_of(url: str, key: str = "", body: dict[str, Any] | None = None) -> tuple[int, Any]:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"API-KEY": key, "Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as refused:
        return refused.code, json.loads(refused.read())


@contextmanager
def systemd_socket(path: Path) -> Iterator[socket.socket]:
    """A service manager's socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(path))
        listening.settimeout(30)
        yield listening


def told(listening: socket.socket, wanted: bytes) -> list[bytes]:
    """Read states until one comes."""
    seen = []
    while not seen or seen[-1] != wanted:
        seen.append(listening.recv(200))
    return seen


def test_a_service_manager_hears_of_the_start_the_turning_loop_and_the_end(tmp_path: Path) -> None:
    with systemd_socket(tmp_path / "notify") as listening:
        env = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "100000"}
        with Running("serve", "--json", "--port", 0, "--data", "data", cwd=tmp_path, env=env) as serving:
            ready = serving.json()
            told(listening, b"READY=1")
            assert answer_of(f"{ready['url']}/readyz")[0] == 200
            assert ready["console"].startswith(f"{ready['url']}/console/first-run/")
            with urllib.request.urlopen(ready["console"], timeout=20) as page:
                assert b'autocomplete="new-password"' in page.read()
            told(listening, b"WATCHDOG=1")
            serving.signal(signal.SIGTERM)
            assert set(told(listening, b"STOPPING=1")) <= {b"WATCHDOG=1", b"STOPPING=1"}
            assert serving.ended() == 0, serving.said()


def test_without_a_watchdog_the_loop_says_nothing(tmp_path: Path) -> None:
    with systemd_socket(tmp_path / "notify") as listening:
        env = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "100000", "WATCHDOG_PID": "1"}
        with Running("serve", "--json", "--port", 0, "--data", "data", cwd=tmp_path, env=env) as serving:
            serving.json()
            serving.signal(signal.SIGTERM)
            assert told(listening, b"STOPPING=1") == [b"READY=1", b"STOPPING=1"]
            assert serving.ended() == 0, serving.said()


def test_a_balancer_is_told_before_anything_is_refused(tmp_path: Path) -> None:
    notice = ("--set", "server.drain_notice_s=2")
    with Running("serve", "--json", "--port", 0, "--data", "data", *notice, cwd=tmp_path) as serving:
        url = serving.json()["url"]
        loa_json("senders", "add", "LOA", "--data", "data", cwd=tmp_path)
        key = loa_json("keys", "create", "--name", "t", "--test", "--data", "data", cwd=tmp_path)["apiKey"]
        assert answer_of(f"{url}/readyz")[0] == 200
        serving.signal(signal.SIGTERM)
        while (said := answer_of(f"{url}/readyz"))[0] == 200:
            pass
        assert said[0] == 503
        assert {"name": "not_draining", "ok": False} in said[1]["checks"]
        body = {"destinations": ["0912345678"], "from": "LOA", "text": "late", "useUnicode": 0, "type": 0}
        told_at = time.monotonic()
        while time.monotonic() < told_at + 1:
            assert answer_of(url + SEND, key, body)[0] == 201, "half of the notice is not over"
        assert serving.ended() == 0, serving.said()


def test_a_second_signal_does_not_wait_for_the_notice(tmp_path: Path) -> None:
    notice = ("--set", "server.drain_notice_s=600")
    with Running("serve", "--json", "--port", 0, "--data", "data", *notice, cwd=tmp_path) as serving:
        url = serving.json()["url"]
        serving.signal(signal.SIGTERM)
        while answer_of(f"{url}/readyz")[0] == 200:
            pass
        serving.signal(signal.SIGTERM)
        assert serving.ended() == 128 + signal.SIGTERM


@pytest.mark.parametrize("flags", [("--roles", "api"), ("--workers", 2)])
def test_what_one_file_cannot_give_is_refused_with_the_cure(tmp_path: Path, flags: tuple[object, ...]) -> None:
    refused = loa("serve", "--port", 0, "--data", "data", *flags, cwd=tmp_path)
    assert refused.returncode == 2
    assert "set database to the address of a PostgreSQL" in refused.stderr
    assert not (tmp_path / "data").exists()


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    store = SqliteEngine().store(tmp_path)
    slow = Script(response_delay_s=0.2, receipt_delay_s=0.1)
    async with open_world(tmp_path, store, slow) as built:
        yield built


@pytest.mark.crash
async def test_a_stop_under_load_leaves_no_outcome_unknown_and_nothing_is_sent_twice(world: World) -> None:
    """F42."""
    answers = Countdown(60)
    await world.boot()
    endless = (world.client.ask(TRANSACTIONAL, many) for many in cycle((1, 2, 5)))
    load = asyncio.create_task(send_until_gone(world, endless, answers.step))
    await answers.over()
    await world.smsc.until(lambda counts: counts.submits >= 20)
    await world.stop()
    await load
    accepted = sum(len(ask.destinations) for ask in world.client.asks if ask.acknowledged)
    assert world.smsc.counts.submits < accepted, "something has to be left for the next run"
    world.smsc.change(Script())
    await world.boot()
    evidence = await world.verdict()
    outcomes = {attempt["outcome"] for story in evidence.timelines.values() for attempt in story["attempts"]}
    assert outcomes == {"accepted"}
    assert all(len(story["attempts"]) == 1 for story in evidence.timelines.values())
