"""Templates at intake: a plain text becomes one with its values, and what does not fit is refused where it can be cured."""

from typing import Any

import pytest
from tests.support.fakes import EPOCH
from tests.support.intake_desk import VINAPHONE, Desk, request

from loa.channels.registry import OWN
from loa.domain.routes import RouteStep
from loa.domain.rules import Finding, findings_of
from loa.domain.template import Parameter, Tag, Template
from loa.domain.traffic import TrafficClass
from loa.errors import CallerError
from loa.ports.channel import Composes
from loa.stages.explain import Explanation
from loa.stages.fitting import Ways

READS = "Chao <name>, don hang <code> da duoc xac nhan."
TEXT = "Chao Lan, don hang DH-1 da duoc xac nhan."
RICH = {"kind": "template", "template_id": "302117", "data": {"name": "Lan", "code": "DH-1"}, "tag": 1}


def template(template_id: str, name: str, status: str = "enabled", tag: Tag = Tag.TRANSACTION) -> Template:
    parameters = (Parameter("name", max_length=30), Parameter("code", max_length=10))
    return Template(0, template_id, name, status, tag, price=300, parameters=parameters)


@pytest.fixture
async def zalo(desk: Desk) -> int:
    """Put an Official Account before SMS, and give its channel."""
    channel = await desk.ledger.add_channel("oa", "zalo", {})
    sms = desk.channels["main"]
    await desk.ledger.add_route(
        desk.tenant.id,
        [RouteStep(channel.id, wait_s=20), RouteStep(sms)],
        traffic_class=TrafficClass.TRANSACTIONAL,
        sender="LOA",
        position=0,
    )
    provider = OWN["zalo"]
    assert isinstance(provider, Composes)
    desk.rebuild(ways=Ways(composers={"zalo": provider}))
    await put(desk, channel.id, template("302117", "Xac nhan"))
    return channel.id


async def put(desk: Desk, channel_id: int, *templates: Template) -> None:
    await desk.ledger.put_templates(channel_id, templates, EPOCH)
    for each in templates:
        await desk.ledger.set_template_text(channel_id, each.template_id, READS)
    await desk.registry.refresh()


def explained(desk: Desk, **given: Any) -> Explanation:
    return desk.intake.explain(desk.caller, request(**given))


async def refused(desk: Desk, **given: Any) -> list[tuple[str, str]]:
    """Give what a request is refused for, which the dry run must say too."""
    with pytest.raises(CallerError) as error:
        await desk.submit(**given)
    assert await desk.messages() == []
    found = findings_of(error.value)
    assert explained(desk, **given).findings == found
    return places(found)


def places(found: tuple[Finding, ...]) -> list[tuple[str, str]]:
    return [(each.where, each.code) for each in found]


async def test_a_plain_text_is_sent_as_the_template_that_it_is_with_its_values(desk: Desk, zalo: int) -> None:
    await desk.submit(text=TEXT)
    now = desk.clock.now()
    (attempt,) = await desk.ledger.claim(zalo, [(TrafficClass.TRANSACTIONAL, 9)], 9, now, now + 1)
    assert attempt.rich == RICH
    said = explained(desk, text=TEXT)
    first, second = said.destinations[0].steps
    assert (first.channel, first.silent_after_s, first.price, first.on_delivery) == ("oa", 20, 300, True)
    assert (first.said["name"], first.said["by"], first.said["data"]) == ("Xac nhan", "text", RICH["data"])
    assert (second.channel, second.silent_after_s, dict(second.said)) == ("main", None, {})
    assert said.left_out == {}


async def test_a_text_that_is_no_template_goes_over_the_next_step_and_the_dry_run_says_why(
    desk: Desk, zalo: int
) -> None:
    await desk.submit(text="Chao ban")
    assert [row["channel"] for row in await desk.messages()] == ["main"]
    said = explained(desk, text="Chao ban")
    assert said.destinations[0].route == ("main",)
    assert places(said.left_out["oa"]) == [("text", "template_no_match")]
    await put(desk, zalo, template("302117", "Xac nhan", "disabled"))
    assert places(explained(desk, text=TEXT).left_out["oa"]) == [("text", "template_idle")]


async def test_a_text_that_is_two_templates_is_refused_with_both_names(desk: Desk, zalo: int) -> None:
    await put(desk, zalo, template("302117", "Xac nhan"), template("302118", "Xac nhan moi"))
    assert await refused(desk, text=TEXT) == [("text", "template_ambiguous")]
    (found,) = explained(desk, text=TEXT).findings
    assert found.values["templates"] == "Xac nhan, Xac nhan moi"
    data = {"templateId": "302118", "templateData": RICH["data"]}
    named = explained(desk, text=TEXT, ext=data).destinations[0].steps[0]
    assert (named.said["template"], named.said["by"]) == ("302118", "templateId")


@pytest.mark.usefixtures("zalo")
async def test_a_template_that_is_named_needs_every_parameter(desk: Desk) -> None:
    ext = {"templateId": "302117", "templateData": {"name": "Lan"}}
    assert await refused(desk, ext=ext) == [("ext.templateData.code", "parameter_missing")]
    ext = {"templateId": "302117", "templateData": {"name": "Lan", "code": "DH-1234567890"}}
    assert await refused(desk, ext=ext) == [("ext.templateData.code", "parameter_too_long")]


async def test_a_changed_text_decides_from_the_next_request_on(desk: Desk, zalo: int) -> None:
    await desk.ledger.set_template_text(zalo, "302117", "Don <code> cua <name> da xong")
    await desk.registry.refresh()
    said = explained(desk, text="Don DH-1 cua Lan da xong", destinations=[VINAPHONE])
    assert said.destinations[0].steps[0].said["data"] == {"code": "DH-1", "name": "Lan"}
    assert places(explained(desk, text=TEXT).left_out["oa"]) == [("text", "template_no_match")]
