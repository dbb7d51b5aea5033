"""Every field of a simulator's script has a flag, and a flag says what the field takes."""

from dataclasses import fields
from typing import Any

import pytest

from loa.cli import script_flags
from loa.cli.simulate import RECEIVER_TEXTS, SMSC_TEXTS
from loa.errors import CallerError
from loa.simulators.pick import ALL, Pick
from loa.simulators.receiver.script import ReceiverScript, receiver_script_from
from loa.simulators.smsc.script import Fortune, Refusal, Script, script_from


@pytest.mark.parametrize(("script", "texts"), [(Script, SMSC_TEXTS), (ReceiverScript, RECEIVER_TEXTS)])
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
