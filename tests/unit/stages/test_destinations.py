"""Sorting destinations out: the same answer as the slow and obvious way."""

from hypothesis import given
from hypothesis import strategies as st

from loa.domain.msisdn import NumberRefused, carrier_hint, parse
from loa.stages.destinations import Numbers, calling_codes, sort_out

PLANS = {"viettel": (1, 2), "vinaphone": (2,), "": (3,), "mobifone": ()}

numbers = st.one_of(
    st.from_regex(r"(0|84|\+84)(98|91|90|86|59)[0-9]{7}", fullmatch=True),
    st.sampled_from(["0981234567", "84981234567", "0912345678", "+84 901 234 567", "x", "", "1900123456"]),
)


def plan_of(carrier: str) -> tuple[int, ...]:
    return PLANS.get(carrier, (3,))


@given(st.lists(numbers, max_size=30))
def test_every_destination_is_planned_repeated_or_named(raws: list[str]) -> None:
    planned: dict[int, tuple[int, ...]] = {}
    bad = []
    for index, raw in enumerate(raws):
        try:
            number = parse(raw)
        except NumberRefused:
            bad.append(index)
            continue
        plan = plan_of(carrier_hint(number) or "")
        if plan:
            planned[int(number)] = plan
        else:
            bad.append(index)
    found = sort_out(raws, Numbers(), plan_of, by_carrier=True)
    assert {number: plan for plan, group in found.plans for number in group} == planned
    assert sum(len(group) for _, group in found.plans) == len(planned)
    assert found.bad == bad
    assert [finding.where for finding in found.findings] == [f"destinations[{index}]" for index in bad]


@given(st.lists(numbers, max_size=30))
def test_numbers_of_one_plan_keep_the_order_of_the_request(raws: list[str]) -> None:
    told_apart = sort_out(raws, Numbers(), lambda _: (1,), by_carrier=True)
    taken_together = sort_out(raws, Numbers(), lambda _: (1,), by_carrier=False)
    assert told_apart == taken_together
    assert all(group for _, group in taken_together.plans)


def test_a_number_abroad_has_no_carrier_of_ours() -> None:
    asked = []

    def note(carrier: str) -> tuple[int, ...]:
        asked.append(carrier)
        return (1,)

    found = sort_out(["+6591234567"], Numbers(allow_countries=frozenset({"65"})), note, by_carrier=True)
    assert (found.plans, asked) == ([((1,), [6591234567])], [""])


def test_countries_are_named_by_their_codes_and_dialled_by_their_numbers() -> None:
    assert calling_codes(("VN", "sg", "US", "XX")) == {"84", "65", "1"}
