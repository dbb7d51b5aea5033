from dataclasses import fields
from pathlib import Path

import pytest

from loa.errors import ConfigError
from loa.simulators.pick import Pick
from loa.simulators.receiver.script import ReceiverScript, receiver_script_from
from loa.simulators.smsc.script import Fortune, Refusal, Script, script_from, script_values

PAGE = Path(__file__).parents[3] / "docs/reference/simulators.md"


def test_a_script_survives_the_way_through_json():
    script = Script(
        refuse=(Refusal(Pick(numbers=(1, 2), destination="9"), 0x0B),),
        refuse_binds=Refusal(Pick(first=1), 0x0D),
        garbage_bytes=b"\x00\xff",
        fortunes=(Fortune("UNDELIV", digits="99", share=0.5, error="0A1"),),
        congestion=80,
        response_id="hex",
    )
    values = script_values(script)
    assert values["garbage_bytes"] == "00ff"
    assert script_from(values) == script


def test_a_change_keeps_what_it_does_not_name():
    base = Script(response_delay_s=2, throttle=Pick(every=3))
    changed = script_from({"throttle": {"first": 1}, "response_id": "hex"}, base)
    assert changed == Script(response_delay_s=2, throttle=Pick(first=1), response_id="hex")


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"no_such_field": 1}, "no_such_field"),
        ({"throttle": {"evry": 3}}, "throttle.evry"),
        ({"response_id": "roman"}, "response_id"),
        ({"receipt_window": "many"}, "receipt_window"),
        ({"garbage_bytes": "xyz"}, "garbage_bytes"),
        ({"fortunes": [{"stat": "LOST"}]}, "fortunes.0.stat"),
    ],
)
def test_what_is_wrong_with_a_script_is_named(values, named):
    with pytest.raises(ConfigError, match=named):
        script_from(values)


def test_a_receiver_script_is_read_and_checked_the_same_way():
    assert receiver_script_from({"statuses": [500, 429], "retry_after": "7"}) == ReceiverScript(
        statuses=(500, 429), retry_after="7"
    )
    with pytest.raises(ConfigError, match="stauts"):
        receiver_script_from({"stauts": 500})


@pytest.mark.parametrize("script", [Script, Pick, Refusal, Fortune, ReceiverScript])
def test_every_field_of_a_script_is_explained_on_its_page(script):
    page = PAGE.read_text(encoding="utf-8")
    assert [field.name for field in fields(script) if f"`{field.name}`" not in page] == []
