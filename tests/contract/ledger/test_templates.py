"""Registered templates are kept whole, and readers hear only of what they decide by."""

import asyncio
from dataclasses import replace

from loa.domain.template import Parameter, Tag, Template
from loa.ports.ledger import Ledger
from loa.ports.records import TemplateLook
from tests.support.fakes import EPOCH

OFFER = Template(
    channel_id=3,
    template_id="331902",
    name="Ưu đãi",
    status="enabled",
    tag=Tag.PROMOTION,
    quality="high",
    price=300,
    price_to_user=200,
    timeout_ms=7_200_000,
    daily_quota=500,
    remaining_quota=420,
    parameters=(Parameter("code", "otp", max_length=10), Parameter("note", "", required=False, accepts_empty=True)),
    preview_url="https://preview.example/331902",
    reason="",
)
PLAIN = Template(3, "9", "plain", "pending")


async def test_a_template_is_read_as_it_was_put(ledger: Ledger) -> None:
    assert await ledger.put_templates(3, [OFFER, PLAIN], EPOCH) == 2
    assert await ledger.templates() == [replace(OFFER, synced_at=EPOCH), replace(PLAIN, synced_at=EPOCH)]


async def test_what_the_provider_no_longer_names_is_deleted_and_keeps_its_text(ledger: Ledger) -> None:
    await ledger.put_templates(3, [OFFER, PLAIN], EPOCH)
    assert await ledger.set_template_text(3, "9", "Xin chao")
    assert await ledger.put_templates(3, [OFFER], EPOCH + 1) == 1
    kept = {each.template_id: each for each in await ledger.templates()}
    assert kept["9"] == replace(PLAIN, status="deleted", text="Xin chao", synced_at=EPOCH + 1)
    assert await ledger.put_templates(3, [OFFER], EPOCH + 2) == 0
    assert await ledger.put_templates(3, [OFFER, PLAIN], EPOCH + 3) == 1, "it may come back"
    assert {each.text for each in await ledger.templates()} == {"", "Xin chao"}


async def test_only_its_own_channel_is_put(ledger: Ledger) -> None:
    await ledger.put_templates(3, [OFFER], EPOCH)
    await ledger.put_templates(4, [replace(PLAIN, channel_id=4)], EPOCH)
    await ledger.put_templates(4, [], EPOCH)
    assert [(each.channel_id, each.status) for each in await ledger.templates()] == [(3, "enabled"), (4, "deleted")]


async def test_a_text_for_nothing_is_refused(ledger: Ledger) -> None:
    assert not await ledger.set_template_text(3, "331902", "x")


async def test_quotas_are_kept_without_a_new_revision(ledger: Ledger) -> None:
    await ledger.put_templates(3, [OFFER], EPOCH)
    before = await ledger.revision()
    assert await ledger.put_templates(3, [replace(OFFER, remaining_quota=1)], EPOCH + 5) == 0
    assert await ledger.revision() == before
    (kept,) = await ledger.templates()
    assert (kept.remaining_quota, kept.synced_at) == (1, EPOCH + 5)
    await ledger.put_templates(3, [replace(OFFER, quality="low")], EPOCH + 6)
    assert await ledger.revision() > before
    before = await ledger.revision()
    await ledger.set_template_text(3, "331902", "Ma <code> <note>")
    assert await ledger.revision() > before


async def test_what_two_callers_put_at_once_is_kept(ledger: Ledger) -> None:
    many = [replace(PLAIN, template_id=str(n), status="enabled") for n in range(50)]
    changed = await asyncio.gather(*(ledger.put_templates(3, given, EPOCH) for given in (many, many[::-1])))
    assert max(changed) == 50
    assert len(await ledger.templates()) == 50


async def test_one_process_at_a_time_looks_and_says_how_it_went(ledger: Ledger) -> None:
    assert await ledger.template_looks() == []
    before = await ledger.revision()
    assert await ledger.begin_template_look(3, EPOCH, EPOCH + 60)
    assert not await ledger.begin_template_look(3, EPOCH + 1, EPOCH + 61)
    assert await ledger.begin_template_look(3, EPOCH + 60, EPOCH + 120), "the first one died"
    await ledger.end_template_look(3, EPOCH + 70, "")
    await ledger.ask_template_look(3, EPOCH + 80)
    assert await ledger.begin_template_look(3, EPOCH + 80, EPOCH + 140)
    await ledger.end_template_look(3, EPOCH + 90, "http_500")
    await ledger.ask_template_look(4, EPOCH + 95)
    assert await ledger.template_looks() == [
        TemplateLook(3, EPOCH + 80, EPOCH + 80, 0, EPOCH + 70, "http_500"),
        TemplateLook(4, asked_at=EPOCH + 95),
    ]
    assert await ledger.revision() == before
