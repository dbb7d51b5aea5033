"""The ledger as a file: backup, check, migrate, status; and settings shown."""

import asyncio
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.unit.cli.conftest import Run

from loa.app import admin_files
from loa.app.probes import NoProbe
from loa.errors import CallerError, NotFound
from loa.ledger.sqlite.ledger import SqliteLedger


def test_a_backup_is_a_ledger_of_its_own_and_overwrites_nothing(run: Run, tmp_path: Path) -> None:
    run("keys", "create", "--name", "shop")
    copied = run("ledger", "backup", "copy.db", "--json").json
    assert copied == {"path": "copy.db", "bytes": (tmp_path / "copy.db").stat().st_size}
    assert (tmp_path / "copy.db").stat().st_mode & 0o777 == 0o600
    before = (tmp_path / "copy.db").read_bytes()
    run("keys", "create", "--name", "later")
    again = run("ledger", "backup", "copy.db")
    assert again.code == 5
    assert (tmp_path / "copy.db").read_bytes() == before
    restored = run("keys", "list", "--set", f"database=sqlite:///{tmp_path / 'copy.db'}", "--json").json
    assert [each["name"] for each in restored] == ["shop"]


def test_a_backup_that_cannot_be_written_leaves_nothing(run: Run, tmp_path: Path) -> None:
    run("tenants", "add", "acme")
    assert run("ledger", "backup", "gone/copy.db").code == 7
    assert sorted(each.name for each in tmp_path.iterdir()) == [".loa"]
    assert run("ledger", "backup", "copy.db", "--data", "elsewhere").code == 4


async def test_a_backup_holds_one_moment_while_work_goes_on(tmp_path: Path) -> None:
    loop = asyncio.get_running_loop()
    ledger = await SqliteLedger.open(tmp_path / "loa.db", probe=NoProbe())
    seen: list[tuple[int, int]] = []

    def told(done: int, pages: int) -> None:
        seen.append((done, pages))
        adding = ledger.add_tenant(f"added during step {len(seen)}", 1)
        asyncio.run_coroutine_threadsafe(adding, loop).result(timeout=10)

    try:
        for number in range(300):
            await ledger.add_tenant(f"tenant {number} {'x' * 10_000}", 1)
        await asyncio.to_thread(admin_files.back_up, tmp_path / "loa.db", tmp_path / "copy.db", told)
        assert len(await ledger.tenants()) == 300 + len(seen)
    finally:
        await ledger.close()
    assert len(seen) > 1
    assert seen[-1][0] == seen[-1][1]
    assert admin_files.check(tmp_path / "copy.db") == []
    copy = await SqliteLedger.open(tmp_path / "copy.db", probe=NoProbe())
    try:
        assert len(await copy.tenants()) == 300
    finally:
        await copy.close()


def test_a_backup_never_replaces_a_file_that_appears_meanwhile(tmp_path: Path, run: Run) -> None:
    run("tenants", "add", "acme")
    target = tmp_path / "copy.db"

    def told(_done: int, _pages: int) -> None:
        target.write_text("somebody else's")

    with pytest.raises(CallerError, match="not overwritten"):
        admin_files.back_up(tmp_path / ".loa" / "loa.db", target, told)
    assert target.read_text() == "somebody else's"
    assert sorted(each.name for each in tmp_path.iterdir()) == [".loa", "copy.db"]


def test_a_restored_backup_is_read_but_not_served_until_it_is_released(run: Run, tmp_path: Path) -> None:
    run("keys", "create", "--name", "shop")
    run("users", "add", "mai", "--role", "admin")
    run("ledger", "backup", "copy.db")
    copied = f"database=sqlite:///{tmp_path / 'copy.db'}"
    status = run("ledger", "status", "--set", copied, "--json").json
    assert status["backupAt"].startswith("20")
    assert run("ledger", "check", "--file", "copy.db", "--json").json["ok"] is True
    found = run("doctor", "--set", copied, "--json").json["findings"]
    assert any("restored from a backup" in each["detail"] and "release --hold" in each["cure"] for each in found)
    refused = run("serve", "--port", "0", "--set", copied)
    assert refused.code == 7
    for word in ("copy.db was restored", f"a backup of {status['backupAt']}", "release --hold", "release --send"):
        assert word in refused.err
    run("ledger", "backup", "again.db", "--set", copied)
    again = f"database=sqlite:///{tmp_path / 'again.db'}"
    assert run("ledger", "status", "--set", again, "--json").json["backupAt"] == status["backupAt"]
    with closing(sqlite3.connect(tmp_path / "copy.db")) as file, file:
        file.execute("INSERT INTO sign_in VALUES ('digest', 1, 0, 0, 9e15, '', '')")
    released = run("ledger", "release", "--hold", "--set", copied, "--json").json
    with closing(sqlite3.connect(tmp_path / "copy.db")) as file:
        assert file.execute("SELECT count(*) FROM sign_in").fetchone() == (0,), "some may have been ended since"
    nothing = {"otp": 0, "transactional": 0, "advertising": 0}
    assert released == {"backupAt": status["backupAt"], "way": "hold", "messages": nothing}
    assert "backupAt" not in run("ledger", "status", "--set", copied, "--json").json


def test_a_release_names_its_way_and_wants_a_backup(run: Run) -> None:
    run("keys", "create", "--name", "shop")
    for ways in ((), ("--hold", "--send")):
        assert "name one: --hold" in run("ledger", "release", *ways).err
    refused = run("ledger", "release", "--send")
    assert (refused.code, "not restored from a backup" in refused.err) == (2, True)
    assert "backupAt" not in run("ledger", "status", "--json").json


def test_a_damaged_ledger_is_found_out(run: Run, tmp_path: Path) -> None:
    run("keys", "create", "--name", "shop")
    assert run("ledger", "check", "--json").json["ok"] is True
    run("ledger", "backup", "copy.db")
    with (tmp_path / "copy.db").open("r+b") as file:
        file.seek(0, os.SEEK_END)
        pages = file.tell() // 4096
        for page in range(2, pages):
            file.seek(page * 4096)
            file.write(b"\x00" * 64)
    damaged = run("ledger", "check", "--file", "copy.db")
    assert damaged.code in (1, 7)
    assert "is sound" not in damaged.out


def test_another_programs_file_is_not_a_ledger(run: Run, tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("not a database at all, but long enough to be looked at" * 100)
    assert run("ledger", "check", "--file", "note.txt").code == 7
    with pytest.raises(NotFound):
        admin_files.file_state(tmp_path / "gone.db")


def test_migrate_makes_the_ledger_and_then_finds_it_up_to_date(run: Run) -> None:
    first = run("ledger", "migrate", "--json").json
    assert (first["before"], first["after"]) == (0, first["after"])
    assert first["after"] > 0
    assert "up to date" in run("ledger", "migrate").out


def test_the_status_tells_size_schema_and_what_waits(run: Run) -> None:
    run("tenants", "add", "acme")
    status = run("ledger", "status", "--json").json
    assert status["bytes"] > 0
    assert (status["lanes"], status["orphans"]) == ([], [])
    assert run("ledger", "status", "--data", "elsewhere").code == 4


def test_settings_are_shown_with_their_origin_and_load_again(run: Run, tmp_path: Path) -> None:
    (tmp_path / "loa.toml").write_text('language = "en"\n')
    shown = run("config", "show", "--origin", "--config", "loa.toml", "--set", "drain_s=5")
    assert 'language = "en"  # file loa.toml' in shown.out
    assert "drain_s = 5.0  # flag drain_s" in shown.out
    (tmp_path / "again.toml").write_text(run("config", "show", "--config", "loa.toml").out)
    assert run("config", "check", "--config", "again.toml").code == 0
    rows = run("config", "show", "--json", "--config", "loa.toml").json
    assert {"name": "language", "value": "en", "origin": "file loa.toml"} in rows


def test_settings_are_checked_and_explained(run: Run) -> None:
    assert run("config", "check", "--set", "language=en", "--json").json == {"ok": True, "changed": 3}
    refused = run("config", "check", "--set", "language=fr")
    assert refused.code == 2
    assert "must be one of: vi, en" in refused.err
    assert run("config", "check", "--set", "language").code == 2
    assert run("config", "reference").out.startswith("# Settings")
