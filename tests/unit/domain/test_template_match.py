"""Text to template: what matches, which values come out, and what is said when nothing does."""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from loa.domain.template import Parameter, Template
from loa.domain.template_match import Ambiguous, Match, NoMatch, match_text
from loa.domain.template_pattern import check_pattern
from loa.domain.template_values import check_data


def template(text: str, *parameters: Parameter, number: int = 1, name: str = "", status: str = "enabled") -> Template:
    return Template(7, str(number), name or f"t{number}", status, parameters=parameters, text=text)


OTP = template(
    "Ma OTP cua ban la <otp>, het han sau <minutes> phut.", Parameter("otp", max_length=10), Parameter("minutes")
)


def data(found: Match | NoMatch | Ambiguous) -> dict[str, str]:
    assert isinstance(found, Match)
    return dict(found.data)


def test_a_text_gives_the_template_and_its_values() -> None:
    found = match_text((OTP,), "Ma OTP cua ban la 482913, het han sau 5 phut.")
    assert isinstance(found, Match)
    assert found.template is OTP
    assert found.data == {"otp": "482913", "minutes": "5"}


def test_white_space_and_composition_make_no_difference() -> None:
    wanted = template("Mã của bạn: <code>", Parameter("code"))
    assert data(match_text((wanted,), "  Ma\u0303 cu\u0309a\n ba\u0323n:\t 12  ")) == {"code": "12"}


@pytest.mark.parametrize(
    "text", ["Ma OTP cua ban la 1, het han sau 5 phut", "ma OTP cua ban la 1, het han sau 5 phut.", ""]
)
def test_a_text_that_differs_by_a_letter_is_another(text: str) -> None:
    assert isinstance(match_text((OTP,), text), NoMatch)


def test_a_value_takes_as_little_as_it_can() -> None:
    pair = template("<a>-<b>", Parameter("a"), Parameter("b"))
    assert data(match_text((pair,), "1-2-3")) == {"a": "1", "b": "2-3"}


def test_bounds_make_another_split_right_and_it_is_found() -> None:
    pair = template("<a>-<b>", Parameter("a", min_length=2), Parameter("b", max_length=3))
    assert data(match_text((pair,), "1-2-3-456")) == {"a": "1-2-3", "b": "456"}


def test_a_date_is_told_from_what_stands_before_it() -> None:
    wanted = template("Lich: <what> <when>", Parameter("what"), Parameter("when", kind="date"))
    assert data(match_text((wanted,), "Lich: kham rang 08:30 01/02/2027")) == {
        "what": "kham rang",
        "when": "08:30 01/02/2027",
    }


def test_no_value_is_empty_unless_it_may_be() -> None:
    for accepts in (False, True):
        greeting = template("Chao <name>, hen gap", Parameter("name", accepts_empty=accepts))
        found = match_text((greeting,), "Chao , hen gap")
        assert isinstance(found, Match) is accepts


@pytest.mark.parametrize(
    ("pattern", "text"), [("Chao <name> hom nay", "Chao hom nay"), ("<name> oi", "oi"), ("Chao <name>", "Chao")]
)
def test_an_empty_value_leaves_one_space(pattern: str, text: str) -> None:
    assert data(match_text((template(pattern, Parameter("name", accepts_empty=True)),), text)) == {"name": ""}


def test_a_placeholder_used_twice_has_one_value() -> None:
    twice = template("<code> la ma, nhac lai <code>", Parameter("code"))
    assert data(match_text((twice,), "12 la ma, nhac lai 12")) == {"code": "12"}
    found = match_text((twice,), "12 la ma, nhac lai 13")
    assert isinstance(found, NoMatch)
    assert found.nearest is not None
    assert found.nearest.fault is not None
    assert found.nearest.fault.code == "parameter_unequal"


def test_two_templates_for_one_text_are_both_named() -> None:
    one = template("Ma <a> cua ban", Parameter("a"), number=9, name="nine")
    two = template("Ma <b> ban", Parameter("b"), number=10, name="ten")
    for given in ((one, two), (two, one)):
        found = match_text(given, "Ma 1 cua ban")
        assert isinstance(found, Ambiguous)
        assert found.names == ("nine", "ten")


def test_a_template_that_may_not_be_sent_is_no_match_but_named() -> None:
    pending = template("Ma <a>", Parameter("a"), status="pending", name="waits")
    assert match_text((pending,), "Ma 1") == NoMatch("waits", " Ma 1 ")


def test_a_template_whose_text_no_longer_fits_its_parameters_matches_nothing() -> None:
    changed = template("Ma <a>", Parameter("a"), Parameter("b"))
    assert isinstance(match_text((changed,), "Ma 1"), NoMatch)


def test_a_pattern_of_literals_alone_is_that_text() -> None:
    fixed = template("Cam on quy khach")
    assert data(match_text((fixed,), "Cam on  quy khach")) == {}
    assert isinstance(match_text((fixed,), "Cam on quy khach!"), NoMatch)


@pytest.mark.parametrize(
    ("text", "at", "expected", "code"),
    [
        ("Ma OTP cua toi la 1", 11, "ban la", ""),
        ("Ma OTP cua ban la 1, het", 18, ", het han sau", ""),
        ("Ma OTP cua ban la 12345678901, het han sau 5 phut.", 50, "", "parameter_too_long"),
        ("Ma OTP cua ban la 1, het han sau 5 phut. Tam biet", 41, "", ""),
    ],
)
def test_the_nearest_template_says_where_it_stops(text: str, at: int, expected: str, code: str) -> None:
    found = match_text((OTP, template("Khac <x>", Parameter("x"), number=2)), text)
    assert isinstance(found, NoMatch)
    stop = found.nearest
    assert stop is not None
    assert (stop.template, stop.at, stop.expected) == (OTP, at, expected)
    assert (stop.fault.code if stop.fault else "") == code


def test_without_templates_nothing_is_near() -> None:
    found = match_text((), "x")
    assert isinstance(found, NoMatch)
    assert found.nearest is None


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("Ma <otp> trong <minutes>", []),
        ("Ma <otp> trong <minutes> cua <name>", ["pattern_unknown"]),
        ("Ma <otp>", ["pattern_missing"]),
        ("Ma <otp><minutes>", ["pattern_touching"]),
        ("<otp> <minutes>", ["pattern_bare"]),
    ],
)
def test_a_pattern_is_held_against_the_parameters(text: str, codes: list[str]) -> None:
    assert [each.code for each in check_pattern(text, OTP.parameters)] == codes


def test_values_are_held_against_the_parameters_by_name() -> None:
    wanted = template("", Parameter("a", min_length=2, max_length=3), Parameter("b", kind="date"), Parameter("c"))
    found = check_data(wanted, {"a": "1", "b": "heute", "d": "x"}, "ext.data")
    assert [(each.where, each.code) for each in found] == [
        ("ext.data.d", "parameter_unknown"),
        ("ext.data.a", "parameter_too_short"),
        ("ext.data.b", "parameter_no_date"),
        ("ext.data.c", "parameter_missing"),
    ]
    assert check_data(wanted, {"a": "12", "b": "01/2027", "c": "x"}, "data") == ()


def steps(run: Callable[[], object]) -> int:
    """Count the lines and the rounds of comprehensions that run, so that cost is known without a clock."""
    count = 0

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal count
        frame.f_trace_opcodes = True
        count += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        run()
    finally:
        sys.settrace(before)
    return count


HARD = (
    ("aab" * 5 + "<x>" + "aa" * 4 + "<y>" + "aaab", "aab" * 5 + "a" * 80 + "aaab"),
    ("<x>ab<y>ab<z>abc", "ab" * 40),
    ("<x>a<y>a<z>", "a" * 80),
)


@pytest.mark.parametrize(("pattern", "text"), HARD)
def test_twice_the_text_costs_about_twice_the_steps(pattern: str, text: str) -> None:
    names = ("x", "y", "z")[: pattern.count("<")]
    hard = (template(pattern, *(Parameter(name, max_length=20) for name in names)),)
    match_text(hard, "made ready")
    middle = len(text) // 2
    cost = [steps(lambda times=times: match_text(hard, text[:middle] * times + text[middle:])) for times in (1, 2, 4)]
    longer = [len(text[:middle] * times + text[middle:]) for times in (1, 2, 4)]
    assert all(each <= 200 * length * len(names) for each, length in zip(cost, longer, strict=True)), cost
    assert cost[2] - cost[1] < 3 * max(cost[1] - cost[0], 200), "it grows with the text, not with its square"


def test_templates_with_another_beginning_cost_nothing() -> None:
    few = tuple(template(f"Thong bao {n}: <x>", Parameter("x"), number=n) for n in range(2))
    many = few + tuple(template(f"{n} thong bao: <x>", Parameter("x"), number=n) for n in range(100, 300))
    for given in (few, many):
        match_text(given, "made ready")
    text = "Thong bao 1: xin chao"
    assert steps(lambda: match_text(few, text)) == steps(lambda: match_text(many, text))
