"""Slots: however they are dealt out, the parts of a channel never come to more than the whole."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.contract.channel.harnesses import HARNESSES
from tests.contract.channel.rig import Rig

from loa.channels.registry import OWN
from loa.ports.channel import Divides, part_of, slots_of

DIVIDED = [name for name, provider in OWN.items() if isinstance(provider, Divides)]


class Undivided:
    """A provider of somebody else, who never heard of slots."""

    info = OWN["sandbox"].info

    def check(self, settings):
        return settings

    def build(self, context):
        raise AssertionError("nothing is built here")

    def read_report(self, channel_id, report, now):
        return None


def dealt(slots, data):
    """Give slots to holders in any way."""
    hands = []
    while (left := slots - sum(hands)) > 0:
        hands.append(data.draw(st.integers(1, left)))
    return hands


def test_a_provider_without_an_opinion_has_one_slot_and_it_is_the_whole():
    settings = {"anything": 1}
    assert slots_of(Undivided(), settings) == 1
    assert part_of(Undivided(), settings, 1) is settings


@pytest.mark.parametrize("name", HARNESSES)
@given(data=st.data())
async def test_the_parts_of_any_hands_never_come_to_more_than_the_whole(name, data):
    provider, harness = OWN[name], HARNESSES[name]
    whole = provider.check(data.draw(harness.wholes))
    hands = dealt(slots_of(provider, whole), data)
    parts = [part_of(provider, whole, held) for held in hands]
    for setting in harness.shared:
        if whole[setting]:
            assert all(part[setting] > 0 for part in parts), "none may work without a limit where the whole has one"
            assert sum(map(Fraction, (part[setting] for part in parts))) <= Fraction(whole[setting])
        else:
            assert not any(part[setting] for part in parts)
    sizes = [Rig(provider, part).channel.status() for part in parts]
    full = Rig(provider, whole).channel.status()
    assert sum(size.window_size for size in sizes) <= full.window_size
    assert all(size.window_size > 0 for size in sizes)


@pytest.mark.parametrize("name", DIVIDED)
@given(data=st.data())
def test_every_part_is_made_of_settings_that_the_provider_takes(name, data):
    provider = OWN[name]
    whole = provider.check(data.draw(HARNESSES[name].wholes))
    slots = provider.slots(whole)
    assert slots >= 1
    held = data.draw(st.integers(1, slots))
    part = provider.part(whole, held)
    assert provider.check(part) == part
    assert {key: value for key, value in part.items() if key not in HARNESSES[name].shared} == {
        key: value for key, value in whole.items() if key not in HARNESSES[name].shared
    }
    assert provider.part(whole, slots) == whole


def test_three_of_five_links_are_three_fifths_of_the_rate():
    whole = OWN["smpp"].check({"host": "h", "system_id": "s", "links": 5, "rate": 100, "window": 7})
    part = OWN["smpp"].part(whole, 3)
    assert (OWN["smpp"].slots(whole), part["links"], part["rate"], part["window"]) == (5, 3, 60.0, 7)


@pytest.mark.parametrize(("window", "slots"), [(1, 1), (3, 3), (50, 4)])
def test_a_small_window_has_few_slots(window, slots):
    assert slots_of(OWN["sandbox"], OWN["sandbox"].check({"window": window})) == slots
