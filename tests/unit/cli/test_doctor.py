"""The doctor finds what is wrong, says the cure, and ends with the code of it."""

import socket
from pathlib import Path

import apsw
import pytest
from tests.unit.cli.conftest import Ended, Run


def level_of(ended: Ended, name: str) -> tuple[str, str]:
    found = next(each for each in ended.json["findings"] if each["name"] == name)
    return found["level"], found["cure"] or ""


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def test_a_fresh_machine_is_well(run: Run, port: int) -> None:
    ended = run("doctor", "--json", "--set", f"server.listen_port={port}")
    assert (ended.code, ended.json["ok"]) == (0, True)
    assert not Path(".loa").exists()
    names = {each["name"] for each in ended.json["findings"]}
    assert names >= {"python", "sqlite", "clock", "data folder", "disk", "file system", "port", "ledger"}


def test_each_finding_that_is_not_well_says_its_cure(run: Run, port: int) -> None:
    run("tenants", "add", "acme")
    Path(".loa").chmod(0o755)
    ended = run("doctor", "--json", "--set", f"server.listen_port={port}")
    assert ended.code == 0
    assert level_of(ended, "data folder") == ("warn", "chmod 700 .loa")
    assert level_of(ended, "channels") == ("warn", "loa channels add NAME PROVIDER")
    assert all(bool(each["cure"]) == (each["level"] != "ok") for each in ended.json["findings"])


def test_a_busy_port_is_found(run: Run) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ended = run("doctor", "--json", "--set", f"server.listen_port={taken.getsockname()[1]}")
    assert ended.code == 1
    assert level_of(ended, "port")[0] == "fail"
    assert "--port" in level_of(ended, "port")[1]


def test_a_full_disk_is_found(run: Run, port: int) -> None:
    ended = run(
        "doctor", "--json", "--set", f"server.listen_port={port}", "--set", f"limits.disk_free_min_bytes={2**60}"
    )
    assert (ended.code, level_of(ended, "disk")[0]) == (1, "fail")


def test_a_ledger_of_a_newer_loa_is_found(run: Run, port: int) -> None:
    run("tenants", "add", "acme")
    database = apsw.Connection(".loa/loa.db")
    database.pragma("user_version", 9_999)
    database.close()
    ended = run("doctor", "--json", "--set", f"server.listen_port={port}")
    assert (ended.code, level_of(ended, "ledger")[0]) == (1, "fail")
    assert "newer Loa" in level_of(ended, "ledger")[1]


def test_channels_are_looked_at(run: Run, port: int) -> None:
    run("channels", "add", "trial", "sandbox")
    run("channels", "add", "held", "sandbox")
    run("channels", "pause", "held")
    ended = run("doctor", "--json", "--set", f"server.listen_port={port}")
    assert level_of(ended, "channel trial") == ("ok", "")
    assert level_of(ended, "channel held") == ("warn", "loa channels resume held")


def test_people_read_the_cure_below_the_finding(run: Run, port: int) -> None:
    run("channels", "add", "held", "sandbox")
    run("channels", "pause", "held")
    said = run("doctor", "--set", f"server.listen_port={port}").out
    assert "warn  channel held: paused: its messages wait\n      cure: loa channels resume held\n" in said
