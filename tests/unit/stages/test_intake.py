"""Intake: what passes is written whole, what does not leaves nothing."""

import asyncio
from typing import Any

import pytest
from tests.support.fakes import ActingProbe
from tests.support.intake_desk import MOBIFONE, VIETTEL, VINAPHONE, Desk

from loa.domain.rules import findings_of
from loa.domain.traffic import TrafficClass
from loa.errors import CallerError, Forbidden, LoaError, StorageUnavailable
from loa.ports.probe import Point
from loa.ports.records import AcceptResult, NewSubmission, Stored
from loa.stages.intake import OVERLOADED, Intake, IntakeLimits
from loa.stages.planning import PlanningLimits

OTP, ADVERTISING = TrafficClass.OTP, TrafficClass.ADVERTISING


async def refused(desk: Desk, kind: type[LoaError] = CallerError, **given: Any) -> list[tuple[str, str]]:
    with pytest.raises(kind) as error:
        await desk.submit(**given)
    assert await desk.messages() == []
    return [(finding.where, finding.code) for finding in findings_of(error.value)]


async def test_a_request_is_on_disk_when_it_is_taken(desk: Desk) -> None:
    taken = await desk.submit(destinations=[VINAPHONE, VIETTEL], text="Xin chào", use_unicode=2, request_id="r-1")
    row = await desk.submission(taken)
    assert taken.repeated is False
    assert (row["request_id"], row["sender"], row["text"], row["encoding"]) == ("r-1", "LOA", "Xin chao", "gsm7")
    assert {message["destination"] for message in await desk.messages()} == {84912345678, 84981234567}


async def test_each_carrier_and_class_takes_its_own_route(desk: Desk) -> None:
    await desk.submit(destinations=[VINAPHONE, VIETTEL, MOBIFONE])
    await desk.submit(destinations=[VIETTEL], traffic_class=OTP)
    channels = {(row["destination"], row["class"]): row["channel"] for row in await desk.messages()}
    assert channels == {
        (84912345678, "transactional"): "main",
        (84981234567, "transactional"): "viettel",
        (84901234567, "transactional"): "main",
        (84981234567, "otp"): "fast",
    }


async def test_messages_of_one_route_keep_the_order_of_the_request(desk: Desk) -> None:
    numbers = [f"09{lead}1234567" for lead in "1043310"] + [f"091234567{digit}" for digit in "7310"]
    unique = list(dict.fromkeys("84" + number[1:] for number in numbers))
    taken = await desk.submit(destinations=numbers)
    rows = await desk.ledger.submission_messages(desk.tenant.id, taken.referent_id, 0, 100)
    assert [str(row["destination"]) for row in rows] == unique


async def test_repeats_within_a_request_are_sent_once_however_they_are_written(desk: Desk) -> None:
    await desk.submit(destinations=["0912345678", "84912345678", "+84 912 345 678", VIETTEL, VIETTEL])
    assert sorted(row["destination"] for row in await desk.messages()) == [84912345678, 84981234567]


async def test_one_bad_destination_refuses_all_and_every_bad_one_is_named(desk: Desk) -> None:
    bad = ["", "hello", VINAPHONE, "091234567", "+84 24 3825 1234", "O912345678", "1900545454", VINAPHONE, "5656"]
    assert await refused(desk, destinations=bad) == [
        ("destinations[0]", "number_malformed"),
        ("destinations[1]", "number_malformed"),
        ("destinations[3]", "number_length"),
        ("destinations[4]", "number_fixed_line"),
        ("destinations[5]", "number_malformed"),
        ("destinations[6]", "number_service"),
        ("destinations[8]", "number_short_code"),
    ]


async def test_bad_destinations_are_skipped_where_the_caller_says_so(desk: Desk) -> None:
    taken = await desk.submit(destinations=["x", VINAPHONE, "y", "+1 202 555 0123"], ext={"onInvalid": "skip"})
    assert taken.answer == {"skipped": [0, 2, 3]}
    assert [row["destination"] for row in await desk.messages()] == [84912345678]


@pytest.mark.parametrize("by_carrier", [True, False])
async def test_skipping_leaves_at_least_one_destination_or_refuses(desk: Desk, by_carrier: bool) -> None:
    if not by_carrier:
        for route in [each for each in await desk.ledger.routes() if each.carrier]:
            await desk.ledger.remove_route(route.id)
        await desk.registry.refresh()
    assert desk.caller.view.by_carrier is by_carrier
    assert await refused(desk, destinations=["x"], ext={"onInvalid": "skip"}) == [("destinations", "no_destination")]


async def test_a_closed_country_is_a_matter_of_permission(desk: Desk) -> None:
    found = await refused(desk, Forbidden, destinations=[VINAPHONE, "+1 202 555 0123"])
    assert found == [("destinations[1]", "number_country_not_allowed")]
    assert await refused(desk, destinations=["x", "+1 202 555 0123"]) == [
        ("destinations[0]", "number_malformed"),
        ("destinations[1]", "number_country_not_allowed"),
    ]


async def test_a_destination_without_a_route_is_named(desk: Desk) -> None:
    assert await refused(desk, sender="Unrouted", destinations=[VINAPHONE, "x", VINAPHONE]) == [
        ("destinations[0]", "no_route"),
        ("destinations[1]", "number_malformed"),
        ("destinations[2]", "no_route"),
    ]


async def test_an_unknown_sender_is_refused_by_name(desk: Desk) -> None:
    with pytest.raises(CallerError) as error:
        await desk.submit(sender="loa")
    [first, *_] = findings_of(error.value)
    assert (first.where, first.code, first.values) == ("from", "sender_unknown", {"sender": "loa"})


async def test_a_brandname_longer_than_a_handset_shows_is_refused(desk: Desk) -> None:
    assert ("from", "sender_form") in await refused(desk, sender="TwelveLetter")


async def test_a_key_sends_only_its_classes_and_as_its_senders(desk: Desk) -> None:
    otp_only, _ = await desk.add_key(permissions=frozenset({"send:otp"}))
    other_sender, _ = await desk.add_key(senders=("Unrouted",))
    assert await refused(desk, Forbidden, key=otp_only) == [("type", "send_not_permitted")]
    assert await refused(desk, Forbidden, key=other_sender) == [("from", "sender_not_for_key")]
    await desk.submit(key=otp_only, traffic_class=OTP)


async def test_a_test_key_reaches_only_simulated_channels(desk: Desk) -> None:
    key, _ = await desk.add_key(live=False)
    await desk.submit(key=key, destinations=[VINAPHONE, VIETTEL])
    assert {row["channel"] for row in await desk.messages()} == {"box"}


async def test_a_test_key_without_a_simulated_channel_reaches_nothing(desk: Desk) -> None:
    desk.rebuild(simulated_providers=())
    key, _ = await desk.add_key(live=False)
    assert await refused(desk, key=key) == [("destinations[0]", "no_route")]


async def test_a_live_key_never_reaches_the_sandbox_that_no_route_names(desk: Desk) -> None:
    assert await refused(desk, ext={"channels": ["box"]}) == [("ext.channels[0]", "channel_unknown")]


async def test_ext_channels_narrow_and_order_the_plan(desk: Desk) -> None:
    taken = await desk.submit(destinations=[VIETTEL], ext={"channels": ["main", "viettel"]})
    assert [row["channel"] for row in await desk.messages()] == ["main"]
    assert taken.answer == {}
    await desk.submit(destinations=[VIETTEL, VINAPHONE], ext={"channels": ["main"]})


async def test_ext_channels_that_leave_no_way_name_the_destination(desk: Desk) -> None:
    found = await refused(desk, destinations=[VIETTEL, VINAPHONE], ext={"channels": ["viettel"]})
    assert found == [("destinations[1]", "no_route")]


@pytest.mark.parametrize(
    ("text", "use_unicode", "code"),
    [
        ("Thu Hà", 0, "text_not_plain"),
        ("中文", 2, "text_not_foldable"),
        ("bell \x07", 1, "text_unsendable"),
        ("x" * 153 * 10 + "x", 0, "too_many_segments"),
        ("x" * 2_001, 0, "too_long"),
    ],
)
async def test_a_text_that_cannot_be_sent_is_refused(desk: Desk, text: str, use_unicode: int, code: str) -> None:
    assert await refused(desk, text=text, use_unicode=use_unicode) == [("text", code)]


async def test_the_characters_to_blame_are_named_with_their_places(desk: Desk) -> None:
    with pytest.raises(CallerError) as error:
        await desk.submit(text="Mã của bạn")
    [finding] = findings_of(error.value)
    assert finding.values["characters"] == "ã (U+00E3) at 1, ủ (U+1EE7) at 4, ạ (U+1EA1) at 8"


async def test_too_many_destinations_are_refused_before_any_is_read(desk: Desk) -> None:
    desk.rebuild(limits=None)
    desk.planner.limits = PlanningLimits(destinations_max=3)
    assert await refused(desk, destinations=["x"] * 4) == [("destinations", "too_many")]
    await desk.submit(destinations=[f"091234567{digit}" for digit in range(3)])


async def test_everything_that_is_wrong_is_said_at_once(desk: Desk) -> None:
    found = await refused(
        desk, sender="Nobody", text="Hà", destinations=["x"], scheduled="soon", ext={"ttl": 0, "onInvalid": "maybe"}
    )
    assert {where for where, _ in found} == {
        "from", "text", "destinations[0]", "scheduled", "ext.ttl", "ext.onInvalid",
    }  # fmt: skip


async def test_a_callback_address_that_the_guard_refuses_is_refused_at_once(desk: Desk) -> None:
    desk.rebuild(check_url=lambda url: "loopback" if "127.0.0.1" in url else "")
    assert await refused(desk, ext={"callbackUrl": "https://127.0.0.1/x"}) == [("ext.callbackUrl", "url_refused")]
    await desk.submit(ext={"callbackUrl": "https://example.com/x"})
    assert [each.url for each in await desk.ledger.endpoints()] == ["https://example.com/x"]


async def test_unknown_members_of_ext_are_kept(desk: Desk) -> None:
    ext = {"metadata": {"order": 5}, "mine": [1, "hai", None], "ttl": "60"}
    row = await desk.submission(await desk.submit(ext=ext))
    assert row["ext"] == ext


async def test_the_same_id_and_body_is_the_same_submission(desk: Desk) -> None:
    first = await desk.submit(
        request_id="r-1", fingerprint=b"a" * 32, ext={"onInvalid": "skip"}, destinations=["x", VINAPHONE]
    )
    again = await desk.submit(request_id="r-1", fingerprint=b"a" * 32)
    assert again.repeated is True
    assert (again.referent_id, again.token, again.answer) == (first.referent_id, first.token, {"skipped": [0]})
    assert len(await desk.messages()) == 1


async def test_the_same_id_with_another_body_is_new_and_warned_of(desk: Desk) -> None:
    first = await desk.submit(request_id="r-1", fingerprint=b"a" * 32)
    other = await desk.submit(request_id="r-1", fingerprint=b"b" * 32)
    assert (first.warnings, other.warnings) == ((), ("request_id_reused",))
    assert first.referent_id != other.referent_id
    assert [row["kind"] for row in await desk.ledger.warnings(desk.tenant.id, 10)] == ["request_id_reused"]


async def test_a_strict_key_refuses_the_same_id_with_another_body(desk: Desk) -> None:
    strict, _ = await desk.add_key(request_id_mode="strict")
    await desk.submit(key=strict, request_id="r-1", fingerprint=b"a" * 32)
    with pytest.raises(CallerError) as error:
        await desk.submit(key=strict, request_id="r-1", fingerprint=b"b" * 32)
    assert [(each.where, each.code) for each in findings_of(error.value)] == [("requestId", "request_id_reused")]
    assert len(await desk.messages()) == 1


async def test_a_key_that_recognises_nothing_takes_every_request(desk: Desk) -> None:
    off, _ = await desk.add_key(request_id_mode="off")
    for _ in range(2):
        await desk.submit(key=off, request_id="r-1", fingerprint=b"a" * 32)
    assert len(await desk.messages()) == 2


async def test_after_a_day_the_same_request_is_a_new_one(desk: Desk) -> None:
    await desk.submit(request_id="r-1", fingerprint=b"a" * 32)
    desk.clock.advance(24 * 3600 + 1)
    again = await desk.submit(request_id="r-1", fingerprint=b"a" * 32)
    assert again.repeated is False


class _Holding:
    """A ledger whose commits wait until they are let go."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.entered = asyncio.Event()

    async def accept(self, submission: NewSubmission) -> AcceptResult:
        del submission
        self.entered.set()
        await self.go.wait()
        return Stored()


@pytest.mark.parametrize(
    ("limits", "count"), [(IntakeLimits(submissions=1), 1), (IntakeLimits(messages=3), 2)], ids=["requests", "messages"]
)
async def test_what_comes_on_top_is_asked_to_come_again(desk: Desk, limits: IntakeLimits, count: int) -> None:
    ledger: Any = _Holding()
    desk.intake = Intake(ledger, desk.registry, desk.planner, desk.clock, ActingProbe(Point.LINK_WRITTEN, int), limits)
    numbers = [f"091234567{digit}" for digit in range(count)]
    first = asyncio.create_task(desk.submit(destinations=numbers))
    await ledger.entered.wait()
    with pytest.raises(StorageUnavailable) as error:
        await desk.submit(destinations=numbers)
    assert (error.value.detail, error.value.fields["retry_after_s"]) == (OVERLOADED, 1)
    ledger.go.set()
    await first
    await desk.submit(destinations=numbers)


async def test_a_large_request_passes_when_nothing_else_is_on_its_way(desk: Desk) -> None:
    desk.rebuild(limits=IntakeLimits(messages=1))
    await desk.submit(destinations=[VINAPHONE, VIETTEL])
    assert len(await desk.messages()) == 2


@pytest.mark.parametrize(("point", "stored"), [(Point.INTAKE_PARSED, 0), (Point.INTAKE_COMMITTED, 1)])
async def test_the_points_stand_on_either_side_of_the_commit(desk: Desk, point: Point, stored: int) -> None:
    def stop() -> None:
        raise KeyboardInterrupt

    desk.rebuild(probe=ActingProbe(point, stop))
    with pytest.raises(KeyboardInterrupt):
        await desk.submit()
    assert len(await desk.messages()) == stored
