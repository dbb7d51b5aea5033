import pytest

from loa.simulators.pick import ALL, NOTHING, Pick


@pytest.mark.parametrize(
    ("pick", "picked"),
    [
        (NOTHING, []),
        (ALL, [1, 2, 3, 4, 5, 6]),
        (Pick(first=2), [1, 2]),
        (Pick(every=3), [3, 6]),
        (Pick(numbers=(2, 5)), [2, 5]),
        (Pick(after=4), [5, 6]),
        (Pick(first=1, every=6), [1, 6]),
    ],
)
def test_a_pick_chooses_by_number(pick, picked):
    assert [number for number in range(1, 7) if pick.picks(number, "84912345678")] == picked


def test_a_pick_by_destination_alone_takes_each_of_them():
    pick = Pick(destination="99")
    assert pick.picks(1, "84912345699")
    assert not pick.picks(1, "84912345678")


def test_a_destination_narrows_what_the_numbers_choose():
    pick = Pick(first=1, destination="99")
    assert pick.picks(1, "84912345699")
    assert not pick.picks(1, "84912345678")
    assert not pick.picks(2, "84912345699")


def test_only_an_empty_pick_is_false():
    assert not NOTHING
    assert Pick(after=1)
    assert Pick(destination="9")
