"""Routes: the first rule that matches decides."""

import pytest

from loa.domain.routes import Route, RouteStep, choose
from loa.domain.traffic import TrafficClass

OTP, TRANSACTIONAL, ADVERTISING = TrafficClass.OTP, TrafficClass.TRANSACTIONAL, TrafficClass.ADVERTISING


def steps(*channel_ids: int) -> tuple[RouteStep, ...]:
    return tuple(map(RouteStep, channel_ids))


RULES = [
    Route(1, 1, steps(1), sender="LOA", traffic_class=OTP, carrier="viettel"),
    Route(2, 2, steps(2), traffic_class=OTP),
    Route(3, 3, steps(3, 4), carrier="viettel"),
    Route(4, 4, steps(5), sender="LOA"),
    Route(5, 5, steps(6), sender="LOA", traffic_class=TRANSACTIONAL),
]


@pytest.mark.parametrize(
    ("sender", "traffic_class", "carrier", "wanted"),
    [
        ("LOA", OTP, "viettel", 1),
        ("OTHER", OTP, "viettel", 2),
        ("LOA", OTP, "vinaphone", 2),
        ("OTHER", ADVERTISING, "viettel", 3),
        ("LOA", ADVERTISING, "vinaphone", 4),
        ("LOA", TRANSACTIONAL, "", 4),
        ("OTHER", ADVERTISING, "vinaphone", None),
        ("loa", TRANSACTIONAL, "", None),
    ],
)
def test_the_first_rule_whose_every_condition_holds_is_taken(
    sender: str, traffic_class: TrafficClass, carrier: str, wanted: int | None
) -> None:
    found = choose(RULES, sender, traffic_class, carrier)
    assert (found.id if found else None) == wanted


def test_one_time_codes_have_the_number_nought_and_are_still_a_condition() -> None:
    assert choose([Route(1, 1, steps(1), traffic_class=OTP)], "LOA", TRANSACTIONAL, "") is None


def test_without_rules_no_channel_may_carry_a_message() -> None:
    assert choose([], "LOA", OTP, "viettel") is None


def test_a_rule_without_conditions_takes_everything() -> None:
    rule = Route(1, 1, steps(7))
    assert all(choose([rule], sender, c, "") is rule for sender in ("", "LOA") for c in TrafficClass)
