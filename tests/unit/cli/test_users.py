"""`loa users`: what each command changes, says, ends with, and leaves in the audit log."""

import sqlite3
from pathlib import Path

import pytest
from tests.unit.cli.conftest import Run

from loa.app.console import link_to, reached_at
from loa.ports.users import Purpose
from loa.settings.load import load
from loa.settings.tree import Settings


def test_a_user_is_added_with_a_link_that_is_shown_once(run: Run) -> None:
    made = run("users", "add", "Mai", "--role", "operator")
    assert made.code == 0
    assert made.out.startswith("http://127.0.0.1:8080/console/set-up/")
    assert "mai (operator) opens this once, until " in made.err
    (listed,) = run("users", "list", "--json").json
    assert (listed["name"], listed["role"], listed["canSignIn"], listed["disabledAt"]) == (
        "mai",
        "operator",
        False,
        None,
    )
    assert made.out.strip().rpartition("/")[2] not in run("users", "audit", "--json").out


def test_links_lead_to_where_people_reach_loa(run: Run) -> None:
    public = ("--set", "server.public_url=https://sms.example.vn")
    assert (
        run("users", "add", "mai", "--role", "admin", "--json", *public)
        .json["link"]
        .startswith("https://sms.example.vn/console/set-up/")
    )
    assert reached_at(Settings(), "http://0.0.0.0:8080") == "http://localhost:8080"
    assert reached_at(Settings(), "http://[::]:8080") == "http://localhost:8080"
    assert reached_at(load(flags={"server.listen_port": 9000}).settings, "") == "http://127.0.0.1:9000"
    assert link_to(Purpose.FIRST_RUN, "x", "http://h/") == "http://h/console/first-run/x"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("add", "mai", "--role", "admin"), 5, "already"),
        (("add", "mai anh", "--role", "admin"), 2, "cannot be a user"),
        (("add", "an", "--role", "king"), 2, "is not one of"),
        (("role", "nobody", "admin"), 4, "loa users list"),
        (("disable", "nobody", "--yes"), 4, "loa users list"),
        (("disable", "mai"), 2, "--yes"),
        (("reset-link", "nobody"), 4, "loa users list"),
    ],
)
def test_what_cannot_be_done_is_said(run: Run, words: tuple[str, ...], code: int, said: str) -> None:
    run("users", "add", "mai", "--role", "admin")
    refused = run("users", *words)
    assert (refused.code, refused.out) == (code, ""), refused.err
    assert said in refused.err


def test_what_was_done_is_in_the_audit_log_and_a_change_of_it_is_found(run: Run, tmp_path: Path) -> None:
    run("users", "add", "mai", "--role", "admin")
    run("users", "role", "mai", "auditor")
    run("users", "disable", "mai", "--yes")
    refused = run("users", "reset-link", "mai")
    assert "loa users enable mai" in refused.err
    run("users", "enable", "mai")
    run("users", "reset-link", "mai")
    found = run("users", "audit", "--json")
    assert found.code == 0
    deeds = [(each["verb"], each["subject"], each["before"], each["after"]) for each in found.json][::-1]
    assert deeds == [
        ("users.add", "mai", {}, {"role": "admin"}),
        ("users.role", "mai", {"role": "admin"}, {"role": "auditor"}),
        ("users.disable", "mai", {"disabled": False}, {"disabled": True}),
        ("users.enable", "mai", {"disabled": True}, {"disabled": False}),
        ("users.reset_link", "mai", {}, {}),
    ]
    assert [each["id"] for each in run("users", "audit", "--json", "--limit", 1, "--before", 3).json] == [2]
    with sqlite3.connect(tmp_path / ".loa" / "loa.db") as file:
        file.execute("UPDATE audit SET after = '{}' WHERE id = 2")
    file.close()
    broken = run("users", "audit")
    assert broken.code == 1
    assert "entry 2 does not fit" in broken.err
