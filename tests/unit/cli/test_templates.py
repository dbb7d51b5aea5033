"""Templates on the command line: what is listed, which texts are refused, and what a text is."""

import asyncio
from pathlib import Path

import pytest
from tests.support.fakes import EPOCH, QuietProbe
from tests.unit.cli.conftest import Run

from loa.domain.template import Parameter, Tag, Template
from loa.ledger.sqlite.ledger import SqliteLedger

ORDER = Template(
    1,
    "302117",
    "Xác nhận đơn hàng",
    "enabled",
    Tag.TRANSACTION,
    "high",
    price=300,
    daily_quota=500,
    parameters=(Parameter("name", "string", max_length=30), Parameter("code", max_length=10)),
)
TEXT = "Chao <name>, don hang <code> da duoc xac nhan."
SENT = "Chao Lan, don hang DH-1 da duoc xac nhan."


@pytest.fixture
def shop(run: Run) -> Run:
    """Give a ledger with one channel that has templates."""
    run("channels", "add", "shop", "sandbox")
    put(
        ORDER,
        Template(1, "7", "Ưu đãi", "disabled", Tag.PROMOTION),
        Template(1, "8", "Cảm ơn", "enabled", quality="low"),
    )
    return run


def put(*templates: Template, problem: str = "") -> None:
    async def write() -> None:
        ledger = await SqliteLedger.open(Path(".loa/loa.db"), probe=QuietProbe())
        await ledger.begin_template_look(1, EPOCH, EPOCH + 1)
        await ledger.put_templates(1, templates, EPOCH)
        await ledger.end_template_look(1, EPOCH, problem)
        await ledger.close()

    asyncio.run(write())


def test_templates_are_listed_with_the_time_of_the_last_look(shop: Run) -> None:
    said = shop("templates", "list", "shop", "--json").json
    assert [(each["templateId"], each["status"], each["tag"]) for each in said["templates"]] == [
        ("302117", "enabled", "transaction"),
        ("7", "disabled", "promotion"),
        ("8", "enabled", None),
    ]
    assert said["looks"] == [
        {"channel": "shop", "doneAt": "2026-11-18T11:06:40.000Z", "askedAt": None, "problem": None}
    ]
    listed = shop("templates", "list")
    assert "Xác nhận đơn hàng" in listed.out
    assert "shop: read at 2026-11-18T11:06:40.000Z" in listed.err


def test_a_template_is_shown_with_its_parameters(shop: Run) -> None:
    said = shop("templates", "show", "shop", "302117", "--json").json
    assert (said["price"], said["dailyQuota"], said["remainingQuota"]) == (300, 500, None)
    assert [(each["name"], each["maxLength"]) for each in said["parameters"]] == [("name", 30), ("code", 10)]
    assert "AT MOST" in shop("templates", "show", "shop", "302117").out
    missing = shop("templates", "show", "shop", "99")
    assert (missing.code, missing.err) == (
        4,
        "Error: channel shop has no template '99'; see: loa templates list shop\n",
    )


def test_a_text_is_kept_and_taken_away(shop: Run, tmp_path: Path) -> None:
    assert shop("templates", "text", "shop", "302117", TEXT).out == f"Xác nhận đơn hàng reads: {TEXT}\n"
    (tmp_path / "text").write_text(f"  {TEXT}\n")
    assert shop("templates", "text", "shop", "302117", "--from-file", "text", "--json").json["text"] == TEXT
    assert shop("templates", "text", "shop", "302117", "--from-file", "-", given=TEXT).code == 0
    assert shop("templates", "text", "shop", "302117", "--clear").out == "Xác nhận đơn hàng has no text any more\n"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["Chao <name>"], "lacks <code>"),
        ([f"{TEXT} <x>"], "names <x>, which the template does not have. The template has: <name>, <code>"),
        (["Chao <name><code>"], "<name> and <code> touch"),
        (["<name> <code>"], "nothing but parameters"),
        ([TEXT + "x" * 4_000], "at most 4000"),
        ([], "give the text"),
        (["x", "--clear"], "give the text"),
        ([" "], "the text is empty"),
    ],
)
def test_a_text_that_does_not_fit_is_refused_by_the_parameters_name(shop: Run, given: list[str], said: str) -> None:
    refused = shop("templates", "text", "shop", "302117", *given)
    assert refused.code == 2
    assert said in refused.err


def test_a_text_is_matched_and_explained(shop: Run) -> None:
    nothing = shop("templates", "match", "shop", SENT)
    assert (nothing.code, nothing.out) == (
        1,
        "no template: none that may be sent has a text; see: loa templates text\n",
    )
    shop("templates", "text", "shop", "302117", TEXT)
    found = shop("templates", "match", "shop", SENT, "--json")
    assert (found.code, found.json["data"]) == (0, {"name": "Lan", "code": "DH-1"})
    assert "Xác nhận đơn hàng (302117)" in shop("templates", "match", "shop", SENT).out
    other = shop("templates", "match", "shop", "Chao Lan, don DH-1")
    assert other.code == 1
    assert "nearest is Xác nhận đơn hàng (302117), up to character 5: then ', don hang' must follow" in other.out
    long = shop("templates", "match", "shop", SENT.replace("DH-1", "DH-12345678"))
    assert "The parameter code has 11 characters, at most 10 are allowed." in long.out
    shop("templates", "text", "shop", "8", "Chao Lan, don hang DH-1 da duoc xac nhan.")
    several = shop("templates", "match", "shop", SENT)
    assert several.out == "refused, it fits several templates: Cảm ơn (8), Xác nhận đơn hàng (302117)\n"
    shop("templates", "text", "shop", "8", "--clear")
    shop("templates", "text", "shop", "7", "Tam biet")
    assert "it would be Ưu đãi" in shop("templates", "match", "shop", "Tam biet").out


def test_a_sync_is_asked_for_where_a_provider_has_templates(shop: Run) -> None:
    refused = shop("templates", "sync", "shop")
    assert (refused.code, "has no templates" in refused.err) == (2, True)
    shop(
        *("channels", "add", "oa", "zalo", "--set", "app_id=1", "--set", "oa_id=2"),
        *("--set", "app_secret=abcdefgh", "--set", "oa_secret_key=abcdefgh"),
    )
    assert shop("templates", "sync", "oa").code == 0
    said = shop("templates", "list", "oa", "--json").json
    assert said["looks"][0]["askedAt"] is not None
    assert "oa: never read" in shop("templates", "list", "oa").err


def test_the_doctor_names_templates_that_need_care(shop: Run) -> None:
    shop("templates", "text", "shop", "302117", TEXT)
    changed = Template(1, "302117", "Xác nhận đơn hàng", "enabled", parameters=ORDER.parameters[:1])
    put(
        changed,
        Template(1, "7", "Ưu đãi", "disabled"),
        Template(1, "8", "Cảm ơn", "enabled", quality="low"),
        problem="x",
    )
    found = {(each["name"], each["level"]): each["detail"] for each in shop("doctor", "--json").json["findings"]}
    assert found["templates of shop", "ok"] == "2 of 3 may be sent, 1 without a text"
    assert found["templates of shop", "warn"] == "not read: x"
    assert found["template 7", "warn"] == "Ưu đãi: disabled"
    assert found["template 8", "warn"] == "Cảm ơn: low quality"
    assert "names <code>" in found["template 302117", "warn"]
