"""Every command works where LOA_DATABASE names PostgreSQL, and says nothing of the address that is secret."""

import asyncio
import shutil
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from tests.support.full_ledger import make_full
from tests.support.postgres import Postgres
from tests.support.shared_ledger import APP, OWNER, as_user, prepare_empty
from tests.unit.cli.conftest import Run

from loa.cli.late import COMMANDS, load_command

PASSWORD = "hidden-from-all"
NEED_A_RUNNING_LOA = {"send", "messages list", "messages show", "messages tail", "routes explain", "channels test"}
"""Tried in tests/e2e, on both engines alike: they speak HTTP, or need a bound link."""
TOUCH_NO_LEDGER = {"config reference", "simulate smsc", "simulate receiver", "simulate zalo", "certify", "version"}
GO_ON = {"serve"}
NEED_A_GRANT = {"zalo connect", "zalo token"}
"""Tried in tests/unit/cli/test_grants.py; on both ledgers the same calls, see tests/contract/ledger/test_grants.py."""
NEED_TEMPLATES = {"templates show", "templates text", "templates sync", "templates match"}
"""Tried in tests/unit/cli/test_templates.py; on both ledgers the same calls, see tests/contract/ledger/test_templates.py."""


def leaves(command: Any, path: str) -> Iterator[str]:
    below = getattr(command, "commands", None)
    if below is None:
        yield path
    for name, each in (below or {}).items():
        yield from leaves(each, f"{path} {name}")


def spelled(url: str) -> str:
    """Put a password into an address; the server asks for none."""
    user, _, rest = url.removeprefix("postgresql://").partition("@")
    return f"postgresql://{user}:{PASSWORD}@{rest}"


@pytest.fixture
def url(postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    made = asyncio.run(postgres.make())
    asyncio.run(prepare_empty(made))
    monkeypatch.setenv("LOA_DATABASE", spelled(as_user(made, APP)))
    monkeypatch.setenv("LOA_POSTGRES__OWNER", spelled(as_user(made, OWNER)))
    yield made
    asyncio.run(postgres.drop(made))


@pytest.fixture
def ready(url: str, run: Run) -> str:
    assert run("ledger", "migrate").code == 0
    return url


def do(url: str, *statements: str) -> None:
    """Run statements as the superuser, who sees everything."""

    async def work() -> None:
        connection = await asyncpg.connect(url, server_settings={"search_path": "loa", "loa.tenant": "*"})
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    asyncio.run(work())


def free_port() -> int:
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


ADMINISTRATION = [
    ("tenants add", "acme"),
    ("tenants list",),
    ("tenants policies", "acme", "--change", "otp.lifetime_s=60"),
    ("senders add", "ACME", "--tenant", "acme"),
    ("senders list",),
    ("channels add", "trial", "sandbox"),
    ("channels providers",),
    ("channels list",),
    ("channels show", "trial"),
    ("channels set", "trial", "--set", "window=7"),
    ("channels pause", "trial"),
    ("channels resume", "trial"),
    ("zalo grants",),
    ("templates list",),
    ("routes add", "trial", "--tenant", "acme"),
    ("routes list",),
    ("routes move", "1", "1"),
    ("routes remove", "1", "--yes"),
    ("endpoints add", "https://shop.example.vn/sms", "--tenant", "acme"),
    ("endpoints list",),
    ("endpoints enable", "1"),
    ("endpoints change", "1", "--every-step"),
    ("endpoints rotate-secret", "1"),
    ("endpoints retire-secret", "1"),
    ("callbacks replay", "--endpoint", "1", "--since", "1h", "--tenant", "acme"),
    ("users add", "mai", "--role", "admin"),
    ("users list",),
    ("users role", "mai", "auditor"),
    ("users disable", "mai", "--yes"),
    ("users enable", "mai"),
    ("users reset-link", "mai"),
    ("users audit",),
    ("keys create", "--name", "shop", "--tenant", "acme"),
    ("keys list",),
    ("keys rotate", "1"),
    ("keys revoke", "1", "--yes"),
    ("ledger status",),
    ("ledger migrate",),
    ("seal status",),
    ("config show",),
    ("config check",),
]
TRIED_APART = {
    *("demo", "doctor", "ledger backup", "ledger check", "ledger copy", "ledger release"),
    *("seal rotate", "seal abandon", "endpoints test", "messages settle"),
}


def test_each_command_is_tried_somewhere() -> None:
    known = {leaf for name in COMMANDS for leaf in leaves(load_command(name), name)}
    tried = {name for name, *_ in ADMINISTRATION} | TRIED_APART
    assert tried | NEED_A_RUNNING_LOA | TOUCH_NO_LEDGER | GO_ON | NEED_A_GRANT | NEED_TEMPLATES == known


def test_every_command_of_administration_works(run: Run, ready: str) -> None:
    for name, *rest in ADMINISTRATION:
        ended = run(*name.split(), *rest)
        assert ended.code == 0, (name, ended.err)
        assert PASSWORD not in ended.out + ended.err, name
    assert [each["name"] for each in run("tenants", "list", "--json").json] == ["acme"]
    assert ready


def test_the_state_names_the_database_without_its_address(run: Run, ready: str) -> None:
    run("tenants", "add", "acme")
    do(ready, "INSERT INTO lane_move VALUES (1, 2, 7)", "INSERT INTO parked VALUES (1, 'r', 5, 0, 1795000000000)")
    status = run("ledger", "status", "--json").json
    assert status["database"] == ready.rpartition("@")[2]
    assert status["schema"] >= 1
    assert (status["bytes"] > 1_000_000, status["commitMs"] > 0) == (True, True)
    assert [each["queued"] for each in status["lanes"]] == [7]
    assert [each["count"] for each in status["orphans"]] == [1]
    shown = run("ledger", "status")
    assert ready.rpartition("@")[2] in shown.out
    assert (PASSWORD in shown.out, APP in shown.out) == (False, False)


def test_migrate_makes_the_tables_as_their_owner_and_lets_the_gateway_work(run: Run, url: str) -> None:
    first = run("ledger", "migrate", "--json").json
    assert (first["before"], first["database"]) == (0, url.rpartition("@")[2])
    assert first["done"]
    assert "0001" in first["done"][0]
    again = run("ledger", "migrate")
    assert "up to date" in again.out
    assert run("tenants", "add", "acme").code == 0
    finished = run("ledger", "migrate", "--finish", "--json").json
    assert finished["done"] == []


def test_migrate_grants_a_role_that_came_later(run: Run, ready: str, monkeypatch: pytest.MonkeyPatch) -> None:
    do(ready, "DO $$ BEGIN CREATE ROLE loa_later LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$")
    monkeypatch.setenv("LOA_DATABASE", as_user(ready, "loa_later"))
    refused = run("tenants", "list")
    assert refused.code == 7
    assert "loa ledger migrate with `postgres.owner` set" in refused.err
    assert run("ledger", "migrate").code == 0
    assert run("tenants", "list").code == 0


def test_a_file_has_nothing_to_finish(run: Run) -> None:
    assert run("ledger", "migrate", "--finish").code == 2


def test_a_backup_is_left_to_the_server_and_the_page_is_named(run: Run, ready: str) -> None:
    refused = run("ledger", "backup", "copy.db")
    assert refused.code == 2
    for word in ("pg_dump", "pg_basebackup", "docs/how-to/production.md", ready.rpartition("@")[2]):
        assert word in refused.err
    assert not Path("copy.db").exists()


def test_a_restored_database_is_named_refused_and_released(run: Run, ready: str) -> None:
    run("tenants", "list")
    assert run("ledger", "release", "--send").code == 2
    do(ready, "UPDATE meta SET value = value + 1 WHERE name = 'home_table'")
    assert run("ledger", "status", "--json").json["restored"] is True
    checked = run("ledger", "check", "--json")
    assert any("restored from a backup" in text for text in checked.json["findings"])
    refused = run("serve", "--port", "0")
    assert refused.code == 7
    for word in ("was restored from a backup of 20", ready.rpartition("@")[2], "release --hold", "release --send"):
        assert word in refused.err
    assert run("ledger", "release", "--hold", "--json").json["way"] == "hold"
    assert "restored" not in run("ledger", "status", "--json").json


def test_a_fresh_database_on_a_server_for_tests_is_said_to_forget(run: Run, ready: str) -> None:
    run("tenants", "list")
    checked = run("ledger", "check", "--json")
    assert checked.code == 1
    assert {text.partition(":")[0] for text in checked.json["findings"]} == {
        "fsync is off",
        "full_page_writes is off",
        "synchronous_commit is off",
    }
    assert any("no synchronous standby" in text for text in checked.json["notes"])
    assert any("cannot be seen" in text for text in checked.json["notes"])
    assert ready


def test_the_check_of_another_file_is_the_check_of_a_file(run: Run, ready: str) -> None:
    run("tenants", "add", "acme", "--set", "database=sqlite:///other.db")
    checked = run("ledger", "check", "--file", "other.db", "--json")
    assert (checked.code, checked.json["path"]) == (0, "other.db")
    assert ready


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("ALTER TABLE queue NO FORCE ROW LEVEL SECURITY", "nothing keeps tenants apart in queue"),
        ("DROP POLICY tenant_wall ON message", "nothing keeps tenants apart in message"),
        (
            "DO $$ BEGIN EXECUTE format('DROP TABLE event_d%s', extract(epoch FROM now())::int / 86400 + 2); END $$",
            "event_d",
        ),
        ("INSERT INTO meta VALUES ('copying', 1)", "run loa ledger copy again"),
    ],
)
def test_what_is_wrong_with_the_schema_is_found(run: Run, ready: str, statement: str, found: str) -> None:
    run("tenants", "list")
    do(ready, statement)
    checked = run("ledger", "check", "--json")
    assert checked.code == 1
    assert any(found in text for text in checked.json["findings"]), checked.json


def test_the_doctor_looks_at_the_server(run: Run, ready: str) -> None:
    run("channels", "add", "trial", "sandbox")
    port = ("--set", f"server.listen_port={free_port()}")
    ended = run("doctor", "--json", *port)
    found = {each["name"]: each for each in ended.json["findings"]}
    assert found["postgresql"]["level"] == "ok"
    assert ready.rpartition("@")[2] in found["postgresql"]["detail"]
    assert found["ledger"]["level"] == "ok"
    assert [each["level"] for each in ended.json["findings"] if each["name"] == "durability"] == ["fail"] * 3 + ["ok"]
    assert (found["server clock"]["level"], found["vacuum"]["level"]) == ("ok", "ok")
    assert found["channel trial"]["detail"] == "not running"
    assert "sqlite" not in found
    assert all(bool(each["cure"]) == (each["level"] != "ok") for each in ended.json["findings"])
    assert PASSWORD not in ended.out
    tight = run("doctor", "--json", *port, "--set", "postgres.connections=200")
    assert {each["name"]: each["level"] for each in tight.json["findings"]}["connections"] == "fail"


def test_the_doctor_makes_no_tables(run: Run, url: str) -> None:
    ended = run("doctor", "--json")
    found = {each["name"]: each for each in ended.json["findings"]}
    assert (found["ledger"]["level"], found["ledger"]["cure"]) == ("warn", "loa ledger migrate makes the tables")
    assert not any(name.startswith("channel") for name in found)
    assert url


def test_a_server_that_is_away_is_said_to_be(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOA_DATABASE", f"postgresql://loa:{PASSWORD}@127.0.0.1:{free_port()}/loa")
    for command in (("ledger", "status"), ("ledger", "check"), ("tenants", "list"), ("ledger", "migrate")):
        ended = run(*command)
        assert ended.code == 7, command
        assert PASSWORD not in ended.err
    ended = run("doctor", "--json")
    assert ended.code == 1
    assert PASSWORD not in ended.out


def test_a_new_master_key_is_brought_to_every_process_before_it_is_used(run: Run, ready: str) -> None:
    run("channels", "add", "trial", "sandbox")
    refused = run("seal", "rotate")
    assert (refused.code, "run loa seal rotate --prepare, bring the file" in refused.err) == (2, True)
    key = run("seal", "rotate", "--prepare", "--json").json["key"]
    assert run("seal", "rotate", "--json").json == {"key": key, "finishedEarlier": False, "done": 1, "damaged": 0}
    assert run("seal", "abandon", "--yes").code == 2
    Path(".loa/master.key").unlink()
    assert (run("channels", "list").code, run("seal", "abandon", "--yes").code) == (7, 2), "no key lies ready"
    run("seal", "rotate", "--prepare")
    assert run("seal", "abandon", "--yes", "--json").json["gone"] == {"channel.settings": ["trial"]}
    assert run("channels", "list").code == 0
    assert ready


def test_the_demo_does_not_join_a_cluster(run: Run, ready: str) -> None:
    refused = run("demo", "--json", "--port", "0")
    assert refused.code == 2
    assert "ledger file of its own" in refused.err
    assert ready


def test_copy_moves_a_file_there_and_marks_it(run: Run, url: str, tmp_path: Path) -> None:
    asyncio.run(make_full(tmp_path / ".loa" / "loa.db"))
    shutil.copy(tmp_path / ".loa" / "loa.db", tmp_path / "other.db")
    copied = run("ledger", "copy", "--json")
    assert copied.code == 0, copied.err
    assert (copied.json["to"], copied.json["rows"]["message"]) == (url.rpartition("@")[2], 26)
    assert PASSWORD not in copied.out + copied.err
    assert [each["name"] for each in run("tenants", "list", "--json").json] == ["acme", "Bưu điện"]
    assert run("ledger", "copy", "--json").json["again"] is True
    refused = run("tenants", "list", "--set", "database=")
    assert (refused.code, "was copied to" in refused.err) == (7, True)
    doctor = run("doctor", "--json", "--set", "database=")
    assert {each["name"]: each["level"] for each in doctor.json["findings"]}["ledger"] == "fail"
    own = run("ledger", "copy", "--set", "database=sqlite:///other.db", "--to", spelled(as_user(url, APP)))
    assert (own.code, "create a new database" in own.err) == (5, True), "the file that the settings name"
    other = run("ledger", "copy", "--from", f"sqlite:///{tmp_path / 'other.db'}", "--to", spelled(as_user(url, APP)))
    assert (other.code, "create a new database" in other.err) == (5, True)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--from", "postgresql://a/b"), "--from must be sqlite:///PATH"),
        (("--to", f"mysql://u:{PASSWORD}@h/b"), "name the target"),
        (("--to", "sqlite:///x.db"), "name the target"),
        ((), "name the target"),
    ],
)
def test_wrong_ends_of_a_copy_are_refused(run: Run, options: tuple[str, ...], said: str) -> None:
    refused = run("ledger", "copy", *options)
    assert refused.code == 2
    assert said in refused.err
    assert PASSWORD not in refused.err
