"""What people see of a dry run: each plan once, step by step, and why a channel was left out."""

from typing import Any

import pytest

from loa.cli.explained import show_explained
from loa.cli.terminal import Terminal

TEMPLATE = {
    "form": "template",
    "to": "number",
    "template": "302117",
    "by": "text",
    "name": "Xác nhận",
    "data": {"name": "Lan"},
}


def step(channel: str, silent: int | None = None, price: int = 0, **content: Any) -> dict[str, Any]:
    return {
        "channel": channel,
        "silentAfterS": silent,
        "price": price,
        "onDelivery": bool(content),
        "content": content,
    }


def destination(written: str, *steps: dict[str, Any]) -> dict[str, Any]:
    route = [each["channel"] for each in steps]
    return {
        "written": written,
        "msisdn": written,
        "carrier": None,
        "route": route,
        "steps": list(steps),
        "finding": None,
    }


def explained(*destinations: dict[str, Any], **changed: Any) -> dict[str, Any]:
    return {
        "wouldBeAccepted": True,
        "class": "otp",
        "dueAt": "now",
        "expiresAt": "later",
        "text": None,
        "destinations": list(destinations),
        "denied": [],
        "findings": [],
        "leftOut": {},
        "verdicts": [],
        **changed,
    }


def shown(said: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> list[list[str]]:
    """Give the lines that were shown, cut where columns are."""
    show_explained(Terminal(), said)
    lines = capsys.readouterr().out.splitlines()
    return [[cell.strip() for cell in line.split("  ") if cell.strip()] for line in lines]


def test_a_plan_is_shown_once_with_time_price_and_template(capsys: pytest.CaptureFixture[str]) -> None:
    steps = (step("zalo", 20, 300, **TEMPLATE), step("viettel", None, 700))
    lines = shown(explained(destination("0912345678", *steps), destination("0987654321", *steps)), capsys)
    at = lines.index(["FOR", "STEP", "CHANNEL", "SILENT AFTER", "PRICE", "SENDS"])
    assert lines[at + 1 :] == [
        [
            *("0912345678 and 1 more", "1", "zalo", "20 s", "300 VND if delivered"),
            "Xác nhận (302117), found by the text: name=Lan",
        ],
        ["2", "viettel", "never", "700 VND", "the text"],
    ]


def test_what_else_a_step_may_send_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    trial = {**TEMPLATE, "by": "templateId", "mode": "development", "name": ""}
    lines = shown(
        explained(destination("0912345678", step("zalo", **trial)), destination("zalo:1", step("zalo", form="text"))),
        capsys,
    )
    assert [line[-1] for line in lines[-2:]] == [
        "template (302117), named by the request, as a trial: name=Lan",
        "a message of the account: text",
    ]


def test_why_a_channel_was_left_out_is_said_and_no_table_without_a_plan(capsys: pytest.CaptureFixture[str]) -> None:
    refused = {"pointer": "/text", "code": "template_ambiguous", "detail": "It fits two."}
    none = {"pointer": "/text", "code": "template_no_match", "detail": "It is none."}
    idle = {"pointer": "/text", "code": "template_idle", "detail": "It is pending."}
    said = explained(
        destination("0912345678"), findings=[refused], leftOut={"zalo": [refused], "oa": [none], "shop": [idle]}
    )
    lines = shown(said, capsys)
    assert lines[-3:] == [
        ["refused: /text It fits two."],
        ["left out: oa: It is none. See how far it goes: loa templates match"],
        ["left out: shop: It is pending."],
    ]
    assert not any("STEP" in line for line in lines)
