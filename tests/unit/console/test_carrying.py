"""Channels, routes, senders, templates, rules and balance over HTTP: what is shown to whom, kept, refused and marked."""

import asyncio
import re
import shutil
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import pytest
from tests.contract.ledger.values import claim, receipt, settlement, submission
from tests.support.console import SECRET, Desk, fill, open_desk, visitor
from tests.support.console_screens import SCREENS
from tests.support.native_api import Answer, call

from loa.channels.registry import OWN
from loa.console.balance import starts_of
from loa.console.catalogue import has
from loa.console.navigation import GROUPS
from loa.domain.numbering.table import Carrier
from loa.domain.outcome import Accepted
from loa.domain.roles import ALLOWED, May, Role
from loa.domain.routes import Step
from loa.domain.rules import RULES as RULESET
from loa.ports.records import ChannelRecord

ENGLISH = {"accept-language": "en"}
READERS = [role for role in Role if May.CHANGE_CHANNELS not in ALLOWED[role]]
CHANGES = {
    "/console/add-channel": {"provider": "sandbox", "name": "more", "do": "save"},
    "/console/channels/main/settings": {"set.window": "9", "forget.note": "1"},
    "/console/channels/shop/connect": {},
    "/console/routes": {"channel1": "main"},
    "/console/routes/1/move": {"place": "2"},
    "/console/routes/1/remove": {},
    "/console/senders": {"name": "MORE"},
    "/console/templates/sync": {"channel": "shop"},
    "/console/templates/one?channel=shop&id=11": {"text": "<otp>!"},
    "/console/rules": {"class": "otp", "lifetime_s": "60"},
}
"""What changes something and only those may do who may change channels."""


@dataclass
class Room:
    """A desk that is asked in-process."""

    desk: Desk

    async def get(self, target: str) -> Answer:
        return await call(self.desk.app(), "GET", target, ENGLISH, b"")

    async def post(self, target: str, fields: Mapping[str, str]) -> Answer:
        return await call(self.desk.app(), "POST", target, ENGLISH, urlencode(fields).encode())

    async def channel(self, name: str) -> ChannelRecord:
        return next(each for each in await self.desk.ledger.channels() if each.name == name)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("carrying")
    asyncio.run(fill(folder / "loa.db"))
    return folder


@pytest.fixture
async def room(filled: Path, tmp_path: Path) -> AsyncIterator[Room]:
    shutil.copytree(filled, tmp_path, dirs_exist_ok=True)
    desk = await open_desk(tmp_path / "loa.db")
    yield Room(desk)
    await desk.ledger.close()


def text(answer: Answer) -> str:
    return answer.body.decode()


@pytest.mark.parametrize("target", CHANGES)
@pytest.mark.parametrize("role", READERS)
async def test_who_may_not_change_anything_is_refused_and_sees_no_form_for_it(
    room: Room, target: str, role: Role
) -> None:
    room.desk.visitor = visitor(role)
    before = await room.desk.ledger.revision()
    assert (await room.post(target, CHANGES[target])).status == 403
    assert await room.desk.ledger.revision() == before
    for page in (
        "/console/channels/shop",
        "/console/routes",
        "/console/senders",
        "/console/templates",
        "/console/rules",
    ):
        assert f'method="post" action="{target.replace("&", "&amp;")}"' not in text(await room.get(page))


@pytest.mark.parametrize("target", CHANGES)
async def test_what_is_changed_stands_in_the_audit_log_without_secrets(room: Room, target: str) -> None:
    answer = await room.post(target, {**CHANGES[target], "set.app_secret": SECRET})
    assert answer.status in (303, 422)
    deeds = await room.desk.ledger.audit(None, 100)
    assert deeds[0].deed.subject
    assert all(SECRET not in str(each) for each in deeds)


async def test_an_operator_pauses_and_tests_and_changes_no_settings(room: Room) -> None:
    room.desk.visitor = visitor(Role.OPERATOR)
    assert (await room.post("/console/channels/main/pause", {})).status == 303
    assert (await room.channel("main")).paused
    page = text(await room.get("/console/channels/main"))
    assert "/console/channels/main/resume" in page
    assert "/console/channels/main/settings" not in page
    assert (await room.get("/console/channels/main/settings")).status == 403


async def test_no_page_holds_a_secret(room: Room) -> None:
    targets = [path for path, _ in SCREENS.values() if "{" not in path]
    pages = [text(await room.get(target)) for target in targets]
    pages.append(text(await room.post("/console/channels/shop/settings", {"set.app_secret": "typed-now", "do": "try"})))
    pages.append(text(await room.post("/console/channels/shop/test", {})))
    assert not [page for page in pages if SECRET in page or "typed-now" in page]


async def test_a_secret_left_empty_stays_and_one_that_is_typed_is_kept(room: Room) -> None:
    form = {"set.app_id": "42", "set.oa_id": "57", "set.tls_verify": "1", "set.rate_per_s": "5"}
    assert (await room.post("/console/channels/shop/settings", form)).status == 303
    assert (await room.channel("shop")).settings["app_secret"] == SECRET
    assert (await room.channel("shop")).settings["rate_per_s"] == 5
    more = {**form, "set.app_secret": "another", "forget.oa_secret_key": "1", "set.rate_per_s": ""}
    assert (await room.post("/console/channels/shop/settings", more)).status == 303
    kept = (await room.channel("shop")).settings
    assert kept["app_secret"] == "another"
    assert not kept.keys() & {"oa_secret_key", "rate_per_s", "tls_verify"}, "what has its default is not kept"


async def test_a_setting_that_its_provider_does_not_know_is_named_and_can_go(room: Room) -> None:
    assert "note: Its provider does not know this setting" in text(await room.get("/console/channels/main"))
    refused = await room.post("/console/channels/main/settings", {"set.window": "5"})
    assert refused.status == 422
    assert (await room.post("/console/channels/main/settings", {"set.window": "5", "forget.note": "1"})).status == 303
    assert dict((await room.channel("main")).settings) == {"window": 5}


@pytest.mark.parametrize(
    ("fields", "name", "said"),
    [
        ({"set.port": "0"}, "port", "Give a number, 1 to 65,535."),
        ({}, "host", "This is needed."),
        ({"set.mode": "both"}, "mode", "Choose one of: transceiver, separate."),
        ({"set.extra_tlvs": "nonsense"}, "extra_tlvs", "Each line holds a pair, as name: value."),
        ({"set.password": "mật khẩu"}, "password", "Printable ASCII only"),
        ({"set.tls_key_file": "k", "set.tls": "1"}, "tls_key_file", "A key file needs tls_cert_file."),
    ],
)
@pytest.mark.parametrize("do", ["try", "save"])
async def test_what_is_wrong_is_marked_at_its_field(
    room: Room, fields: Mapping[str, str], name: str, said: str, do: str
) -> None:
    whole = {"set.host": "127.0.0.1", "set.system_id": "loa"} if fields else {}
    form = {"provider": "smpp", "name": "new", "do": do, **whole, **fields}
    answer = await room.post("/console/add-channel", form)
    page = text(answer)
    assert answer.status == 422
    assert f'id="wrong-set.{name}">{said}' in page
    assert re.search(rf'name="set\.{name}"[^>]*aria-invalid="true"', page)
    assert "new" not in {each.name for each in await room.desk.ledger.channels()}


async def test_a_name_is_needed_and_taken_once(room: Room) -> None:
    nameless = await room.post("/console/add-channel", {"provider": "sandbox", "do": "save"})
    assert (nameless.status, 'id="wrong-name"' in text(nameless)) == (422, True)
    taken = await room.post("/console/add-channel", {"provider": "sandbox", "name": "main", "do": "save"})
    assert (taken.status, "There is a channel main already" in text(taken)) == (422, True)


async def test_a_name_with_anything_in_it_has_an_address(room: Room) -> None:
    added = await room.post("/console/add-channel", {"provider": "sandbox", "name": "a/b ?c", "do": "save"})
    assert added.headers["location"] == "/console/channels/a%2Fb%20%3Fc?added=1"


async def test_a_rule_is_added_with_its_steps_and_conditions(room: Room) -> None:
    form = {
        "sender": "LOA",
        "class": "otp",
        "channel1": "shop",
        "after1": "20s",
        "class1.otp": "1",
        "class1.transactional": "1",
        "carrier1.viettel": "1",
        "from1": "07:00",
        "until1": "22:00",
        "channel2": "main",
    }
    assert (await room.post("/console/routes", form)).status == 303
    page = text(await room.get("/console/routes"))
    for said in (
        "only: One-time code, Transactional",
        "only numbers of Viettel",
        "only 07:00 to 22:00",
        "or 20 s without",
    ):
        assert said in page
    wrong = await room.post("/console/routes", {"channel1": "main", "after1": "soon"})
    assert (wrong.status, 'value="soon"' in text(wrong)) == (422, True)
    assert (await room.post("/console/routes", {})).status == 422


async def test_a_rule_that_is_gone_is_said_to_be(room: Room) -> None:
    assert (await room.get("/console/routes/999/remove")).status == 404
    assert (await room.post("/console/routes/999/remove", {})).status == 404
    assert (await room.post("/console/routes/1/move", {"place": "first"})).status == 422
    assert (await room.get("/console/routes/2/remove")).status == 404, "another tenant's"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "Give at least one destination."),
        ({"destinations": "\n".join(["0912345678"] * 21)}, "At most 20 destinations at a time."),
        ({"destinations": "0912345678", "text": ""}, "text"),
    ],
)
async def test_a_dry_run_that_cannot_be_says_why(room: Room, fields: Mapping[str, str], said: str) -> None:
    answer = await room.post("/console/routes/where", {"sender": "LOA", "text": "x", **fields})
    assert said in text(answer)
    assert "It would be accepted." not in text(answer)


async def test_a_dry_run_writes_nothing(room: Room) -> None:
    before = await room.desk.ledger.revision()
    form = {"sender": "LOA", "text": "hello", "destinations": "0961234567", "class": "otp"}
    page = text(await room.post("/console/routes/where", form))
    assert "It would be accepted." in page
    assert "Rule 1" in page
    assert await room.desk.ledger.revision() == before


async def test_a_sender_is_added_and_a_wrong_one_marked(room: Room) -> None:
    assert (await room.post("/console/senders", {"name": "NEW-1", "kind": "brandname"})).status == 303
    assert "NEW-1" in text(await room.get("/console/senders"))
    wrong = await room.post("/console/senders", {"name": "a name that is long", "kind": "brandname"})
    assert (wrong.status, "A brandname has 1 to 11" in text(wrong)) == (422, True)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("Mã của bạn là 123456.", "<dt>otp</dt><dd>123456</dd>"),
        ("something else", "It is none of them."),
        ("Mã của bạn là 1234567890.", "The nearest is"),
    ],
)
async def test_a_text_is_held_against_templates(room: Room, written: str, said: str) -> None:
    assert said in text(await room.post("/console/templates/match", {"channel": "shop", "text": written}))


async def test_the_text_of_a_template_is_set_or_refused_with_the_reason(room: Room) -> None:
    target = "/console/templates/one?channel=shop&id=11"
    wrong = await room.post(target, {"text": "Mã <code>"})
    assert wrong.status == 422
    assert 'aria-invalid="true"' in text(wrong)
    assert "Mã &lt;code&gt;" in text(wrong)
    assert (await room.post(target, {"text": "OTP <otp>"})).status == 303
    assert "<mark>otp</mark>" in text(await room.get(target))


async def test_a_preview_leads_only_where_pages_are(room: Room) -> None:
    assert "javascript:" not in text(await room.get("/console/templates/one?channel=shop&id=12"))


async def test_a_tenant_has_its_own_policy_until_it_is_emptied(room: Room) -> None:
    form = {"class": "otp", "lifetime_s": "60", "on_unknown": "next_step", "evidence_wait_s": ""}
    assert (await room.post("/console/rules", form)).status == 303
    page = text(await room.get("/console/rules"))
    assert "this tenant&#39;s own" in page
    assert "installation: 5 min" in page
    assert (await room.post("/console/rules", {"class": "otp"})).status == 303
    assert "this tenant&#39;s own" not in text(await room.get("/console/rules"))
    wrong = await room.post("/console/rules", {"class": "otp", "lifetime_s": "0"})
    assert (wrong.status, 'role="alert"' in text(wrong)) == (422, True)


async def test_what_was_spent_follows_from_each_attempt(room: Room) -> None:
    now = room.desk.clock.now()
    await room.desk.ledger.accept(
        submission(
            numbers=[84_933_333_333], plan=(Step(1, 0, 750),), at=now - 10, due_at=now - 10, expires_at=now + 9_999
        )
    )
    attempts = [each for each in await claim(room.desk.ledger, now) if each.destination == 84_933_333_333]
    await room.desk.ledger.record([settlement(each, Accepted(("paid",)), now) for each in attempts])
    await room.desk.ledger.store([receipt("paid", destination=84_933_333_333)])
    while await room.desk.ledger.count_figures(1_000):
        pass
    page = text(await room.get("/console/balance"))
    assert page.count("<b>750 ₫</b>") == 2, "today and this month"
    assert "viettel" in page, "whose price nobody has said"


def test_day_and_month_begin_in_vietnam() -> None:
    # 2026-11-17T17:30Z is 00:30 of the 18th there; the month began on 2026-10-31T17:00Z.
    assert starts_of(1_794_936_600_000) == (1_794_934_800_000, 1_793_466_000_000)


def test_every_word_of_these_screens_has_a_text() -> None:
    wanted = [f"setting.{name}.{each.name}" for name, one in OWN.items() for each in one.info.settings]
    wanted += [f"provider.{name}{more}" for name in OWN for more in ("", ".about")]
    wanted += [f"carrier.{each}" for each in Carrier]
    wanted += [f"ruleset{more}.{rule.name}" for rule in RULESET for more in ("", ".source")]
    wanted += [entry.name for group in GROUPS for entry in group.entries]
    assert [key for key in wanted if not has(key)] == []
