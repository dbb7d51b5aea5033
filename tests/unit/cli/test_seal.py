"""`loa seal`: keys are shown without themselves, changed, finished after a break, and given up when they are lost."""

import stat
from pathlib import Path
from typing import Any

import apsw
import pytest
from tests.unit.cli.conftest import Run

from loa.app import admin_seal
from loa.cli import seal
from loa.seal.keyfile import KeyFile
from loa.seal.keyring import MasterKey

FILE = Path(".loa/master.key")
GIVEN = MasterKey.of(b"g" * 32)


@pytest.fixture
def furnished(run: Run) -> Run:
    for name in ("one", "two", "three"):
        assert run("channels", "add", name, "sandbox").code == 0
    assert run("endpoints", "add", "https://shop.example.vn/sms").code == 0
    return run


def keys(run: Run) -> dict[str, tuple[str, bool, int]]:
    rows = run("seal", "status", "--json").json["keys"]
    return {row["id"]: (row["use"], row["here"], row["values"]) for row in rows}


def raw(statement: str, *values: Any) -> list[Any]:
    connection = apsw.Connection(".loa/loa.db")
    try:
        return list(connection.execute(statement, values))
    finally:
        connection.close()


def test_the_first_command_makes_a_key_beside_the_ledger_and_shows_only_its_id(furnished: Run) -> None:
    (key,) = KeyFile(FILE).read().keys
    assert stat.S_IMODE(FILE.stat().st_mode) == 0o600
    assert keys(furnished) == {key.id: ("current", True, 4)}
    shown = furnished("seal", "status")
    assert key.id in shown.out
    assert "keys come from the file .loa/master.key; 0 values lie open, 0 damaged" in shown.out
    assert key.written().partition(":")[2] not in shown.out + furnished("config", "show").out


def test_a_rotation_brings_everything_under_a_new_key(furnished: Run) -> None:
    (old,) = KeyFile(FILE).read().ids
    done = furnished("seal", "rotate", "--json")
    new = KeyFile(FILE).read().ids[0]
    assert (done.code, done.json) == (0, {"key": new, "finishedEarlier": False, "done": 4, "damaged": 0})
    assert keys(furnished) == {new: ("current", True, 4), old: ("former", True, 0)}
    assert "sealed anew: 4 values are now under key" in furnished("seal", "rotate").out
    assert len(KeyFile(FILE).read().keys) == 3
    assert [each["name"] for each in furnished("channels", "list", "--json").json] == ["one", "two", "three"]


@pytest.mark.parametrize("broken_at", [1, 4])
def test_a_rotation_that_was_broken_off_is_finished_without_another_key(
    furnished: Run, monkeypatch: pytest.MonkeyPatch, broken_at: int
) -> None:
    monkeypatch.setattr(admin_seal, "STEP_MAX", 1)
    monkeypatch.setattr(seal, "STEP_MAX", 1)
    whole, steps = seal.administer, 0

    async def breaking(settings: Any, verb: str, args: Any = None) -> Any:
        nonlocal steps
        begun = len(KeyFile(FILE).read().keys) > 1
        steps += verb == "seal.step" and begun
        if steps == broken_at:
            raise KeyboardInterrupt
        return await whole(settings, verb, args)

    monkeypatch.setattr(seal, "administer", breaking)
    assert furnished("seal", "rotate").code == 130
    monkeypatch.setattr(seal, "administer", whole)
    new, old = KeyFile(FILE).read().ids
    assert (keys(furnished)[old][0], keys(furnished)[old][2] > 0) == ("replaced", True)
    doctor = furnished("doctor", "--json", "--set", "server.listen_port=0").json["findings"]
    assert ("warn", "loa seal rotate") in {(f["level"], f["cure"]) for f in doctor if f["name"] == "master key"}
    finished = furnished("seal", "rotate")
    assert "no new key was taken; for one, run loa seal rotate once more" in finished.out
    assert keys(furnished) == {new: ("current", True, 4), old: ("former", True, 0)}


def test_a_key_that_was_made_and_not_yet_taken_is_taken_next(furnished: Run) -> None:
    made = furnished("seal", "rotate", "--prepare", "--json").json
    assert made["made"] is True
    assert furnished("seal", "rotate", "--prepare", "--json").json == {**made, "made": False}
    assert keys(furnished)[made["key"]] == ("ready", True, 0)
    assert furnished("seal", "rotate", "--json").json["key"] == made["key"]


def test_values_that_lie_open_are_found_and_sealed(furnished: Run) -> None:
    raw("UPDATE channel SET settings = '{\"window\": 7}' WHERE name = 'two'")
    assert furnished("seal", "status", "--json").json["plain"] == 1
    found = furnished("doctor", "--json", "--set", "server.listen_port=0").json["findings"]
    (finding,) = [each for each in found if each["name"] == "master key"]
    assert (finding["level"], finding["cure"]) == ("warn", "loa seal rotate")
    assert furnished("seal", "rotate", "--json").json["done"] == 1
    assert raw("SELECT count(*) FROM channel WHERE settings NOT LIKE 'sealed:1:%'") == [(0,)]
    assert furnished("channels", "show", "two", "--json").json["settings"]["window"] == 7


def test_what_is_damaged_is_left_told_of_and_can_be_set_anew(furnished: Run) -> None:
    raw("UPDATE channel SET settings = (SELECT settings FROM channel WHERE name = 'one') WHERE name = 'two'")
    done = furnished("seal", "rotate", "--json")
    assert (done.code, done.json["done"], done.json["damaged"]) == (1, 3, 1)
    assert "values do not open and were left as they are: set them anew" in furnished("seal", "rotate").out
    assert furnished("channels", "set", "two", "--set", "window=7").code == 0
    assert furnished("seal", "rotate").code == 0


def test_without_its_key_a_ledger_is_refused_and_can_be_given_up(furnished: Run) -> None:
    (lost,) = KeyFile(FILE).read().ids
    FILE.rename("elsewhere")
    for command in (("channels", "list"), ("serve", "--port", "0"), ("seal", "rotate")):
        refused = furnished(*command)
        assert refused.code == 7, command
        for word in (lost, "copy that key there", "loa seal abandon"):
            assert word in refused.err, command
    assert not FILE.exists(), "no key is made where one is missing"
    asked = furnished("seal", "abandon")
    assert (asked.code, "Give up 4 values" in asked.err) == (2, True)
    gone = furnished("seal", "abandon", "--yes", "--json").json
    assert gone == {
        "keys": [lost],
        "gone": {
            "channel.settings": ["one", "two", "three"],
            "endpoint.secrets": ["1:https://shop.example.vn/sms"],
        },
    }
    assert furnished("channels", "set", "one", "--set", "window=7").code == 0
    assert furnished("endpoints", "add", "https://shop.example.vn/sms", "--json").json["secret"].startswith("whsec_")
    assert furnished("seal", "abandon", "--yes").code == 2


def test_a_key_file_that_comes_back_opens_everything_again(furnished: Run) -> None:
    FILE.rename("elsewhere")
    assert furnished("channels", "list").code == 7
    found = furnished("seal", "status", "--set", "seal.key_file=elsewhere", "--json").json
    assert [(key["use"], key["here"]) for key in found["keys"]] == [("current", True)]
    assert furnished("channels", "list", "--set", "seal.key_file=elsewhere").code == 0


def test_keys_from_the_environment_take_no_file(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOA_SEAL__KEYS", GIVEN.written())
    assert run("channels", "add", "one", "sandbox").code == 0
    assert keys(run) == {GIVEN.id: ("current", True, 1)}
    assert not FILE.exists()
    refused = run("seal", "rotate")
    assert (refused.code, "put a new one, made by openssl rand -base64 32" in refused.err) == (2, True)
    other = MasterKey.of(b"o" * 32)
    monkeypatch.setenv("LOA_SEAL__KEYS", f"{other.written()},{GIVEN.written()}")
    assert run("seal", "rotate", "--json").json["key"] == other.id
    monkeypatch.setenv("LOA_SEAL__KEYS", other.written())
    assert run("channels", "list").code == 0
    assert "********" in run("config", "show").out
    monkeypatch.setenv("LOA_SEAL__KEYS", "hunter2")
    wrong = run("channels", "list")
    assert (wrong.code, "key 1 of LOA_SEAL__KEYS is not a master key" in wrong.err) == (2, True)
    assert "hunter2" not in wrong.err


def test_the_doctor_finds_a_key_file_that_is_open_or_gone(furnished: Run) -> None:
    def finding() -> tuple[str, str]:
        found = furnished("doctor", "--json", "--set", "server.listen_port=0").json["findings"]
        (own,) = [each for each in found if each["name"] == "master key"]
        return own["level"], own["cure"] or ""

    assert finding() == ("ok", "")
    FILE.chmod(0o644)
    assert finding() == ("fail", "chmod 600 .loa/master.key")
    FILE.chmod(0o600)
    FILE.rename("elsewhere")
    level, cure = finding()
    assert (level, "loa seal abandon" in cure) == ("fail", True)
