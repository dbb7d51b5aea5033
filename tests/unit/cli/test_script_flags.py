"""Every field of a simulator's script has a flag, and a flag says what the field takes."""

from dataclasses import fields
from typing import Any

import pytest

from loa.cli import script_flags
from loa.cli.simulate import RECEIVER_TEXTS, SMSC_TEXTS
from loa.cli.simulate_zalo import ZALO_TEXTS
from loa.errors import CallerError
from loa.simulators.pick import ALL, Pick
from loa.simulators.receiver.script import ReceiverScript, receiver_script_from
from loa.simulators.smsc.script import Fortune, Refusal, Script, script_from
from loa.simulators.zalo.script import EventFault, Fault, Refused, When, ZaloScript, zalo_script_from


@pytest.mark.parametrize(
    ("script", "texts"), [(Script, SMSC_TEXTS), (ReceiverScript, RECEIVER_TEXTS), (ZaloScript, ZALO_TEXTS)]
)
def test_every_field_has_a_text_and_no_text_lacks_its_field(script: type, texts: dict[str, str]) -> None:
    assert list(texts) == [each.name for each in fields(script)]


def read(**given: Any) -> Script:
    return script_from(script_flags.values(Script, given))


def test_flags_that_are_not_given_leave_the_plain_script() -> None:
    assert read(throttle=None, receipt_delay_s=None, fortunes=None) == Script()


def test_flags_fill_a_script() -> None:
    script = read(
        system_id="loa",
        max_binds="3",
        receipt_delay_s=1.5,
        early_receipts=True,
        congestion="0x10",
        garbage_bytes="00ff",
        receipt_form="tlv",
        throttle="every=10",
        drop_response="first=3,destination=99",
        delayed="numbers=1+4+9",
        unbind="all",
        refuse_binds="status=0x0E",
        refuse=["status=11,every=5", "status=0x58,after=100"],
        fortunes=["stat=UNDELIV,share=0.25,digits=9,error=0A1", "stat=NONE"],
    )
    assert script == Script(
        system_id="loa",
        max_binds=3,
        receipt_delay_s=1.5,
        early_receipts=True,
        congestion=16,
        garbage_bytes=b"\x00\xff",
        receipt_form="tlv",
        throttle=Pick(every=10),
        drop_response=Pick(first=3, destination="99"),
        delayed=Pick(numbers=(1, 4, 9)),
        unbind=ALL,
        refuse_binds=Refusal(ALL, 0x0E),
        refuse=(Refusal(Pick(every=5), 11), Refusal(Pick(after=100), 0x58)),
        fortunes=(Fortune("UNDELIV", "9", 0.25, "0A1"), Fortune("NONE")),
    )


def test_flags_fill_the_receivers_script() -> None:
    given = {"status": "503", "statuses": ["500", "429"], "retry_after": "7", "hang": "every=2"}
    expected = ReceiverScript(status=503, statuses=(500, 429), retry_after="7", hang=Pick(every=2))
    assert receiver_script_from(script_flags.values(ReceiverScript, given)) == expected


def test_flags_fill_the_script_of_the_zalo_platform() -> None:
    given = {
        "token_life_s": 30.0,
        "off_zalo": ["99", "84912345678"],
        "night_tags": ["3"],
        "event_retries_s": ["1", "0.5"],
        "event_order": "newest_first",
        "refuse": ["code=-118,surface=number,destination=99", "code=-115"],
        "faults": ["does=page,status=502,first=3", "does=slow,seconds=2,template=302117,share=0.5,done=false"],
        "undelivered": ["share=0.1", "all"],
        "event_faults": ["does=duplicate,event=follow,every=2,copies=3", "does=drop"],
        "seen": None,
    }
    assert zalo_script_from(script_flags.values(ZaloScript, given)) == ZaloScript(
        token_life_s=30.0,
        off_zalo=("99", "84912345678"),
        night_tags=(3,),
        event_retries_s=(1.0, 0.5),
        event_order="newest_first",
        refuse=(Refused(-118, When("number", pick=Pick(destination="99"))), Refused(-115)),
        faults=(
            Fault("page", When(pick=Pick(first=3)), status=502),
            Fault("slow", When(template="302117", share=0.5), done=False, seconds=2.0),
        ),
        undelivered=(When(share=0.1), When()),
        event_faults=(EventFault("duplicate", "follow", Pick(every=2), copies=3), EventFault("drop")),
    )


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"refuse": ["code=-118,surfac=number"]}, "--refuse: a pick has no 'surfac'"),
        ({"faults": ["silent"]}, "--faults: 'silent': write NAME=VALUE"),
        ({"event_faults": ["does=drop,every=x"]}, "--event-faults: 'x' is no number"),
    ],
)
def test_a_wrong_flag_of_the_zalo_platform_is_refused_by_its_name(given: dict[str, Any], said: str) -> None:
    with pytest.raises(CallerError) as refused:
        script_flags.values(ZaloScript, given)
    assert str(refused.value).startswith(said)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"throttle": "evry=10"}, "--throttle: a pick has no 'evry'"),
        ({"throttle": "10"}, "--throttle: '10': write NAME=VALUE"),
        ({"drop_response": "first=x"}, "--drop-response: 'x' is no number"),
        ({"refuse": ["every=2"]}, "--refuse: '' is no number"),
        ({"fortunes": ["stat=UNDELIV,share=much"]}, "--fortunes: could not convert"),
    ],
)
def test_a_wrong_flag_is_refused_by_its_name(given: dict[str, Any], said: str) -> None:
    with pytest.raises(CallerError) as refused:
        script_flags.values(Script, given)
    assert str(refused.value).startswith(said)
