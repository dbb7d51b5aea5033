"""What becomes of the columns of a batch."""

from typing import Any

import pytest

from loa.domain.batch_plan import BatchPlan, Line, Renderer, Source, as_json, from_json, names_in, together
from loa.domain.rules import Finding
from loa.domain.traffic import TrafficClass

COLUMNS = ("phone", "họ tên", "id")


def plan(**given: Any) -> BatchPlan:
    values: dict[str, Any] = {
        "destination": 0,
        "text": Source(value="Chào {họ tên}!"),
        "sender": Source(value="LOA"),
        "traffic_class": Source(value="transactional"),
        **given,
    }
    return BatchPlan(**values)


def made(row: tuple[str, ...], **given: Any) -> Line | Finding:
    return Renderer(plan(**given), COLUMNS).line(7, row)


def test_a_plan_is_read_as_it_was_written() -> None:
    wanted = plan(schedule=Source(2), request_id=2, use_unicode=2)
    assert from_json(as_json(wanted)) == wanted


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("Chào {họ tên}!", "Chào Ngọc!"),
        ("{ họ tên }{phone}", "Ngọc0912345678"),
        ("{{họ tên}} {{{họ tên}}}", "{họ tên} {Ngọc}"),
        ("{nobody}", "{nobody}"),
        ("no braces", "no braces"),
    ],
)
def test_a_template_is_filled_from_the_row(template: str, text: str) -> None:
    line = made(("0912345678", "Ngọc", ""), text=Source(value=template))
    assert isinstance(line, Line)
    assert line.text == text


def test_what_a_row_says_is_no_template() -> None:
    line = made(("0912345678", "{phone} {{", ""))
    assert isinstance(line, Line)
    assert line.text == "Chào {phone} {{!"
    line = made(("0912345678", "{phone}", ""), text=Source(1))
    assert isinstance(line, Line)
    assert line.text == "{phone}"


def test_names_of_a_template_are_named_and_lone_braces_too() -> None:
    assert names_in("a {b} {{c}} { d } {") == ["b", "d", ""]
    assert names_in("} {{") == [""]


def test_classes_go_by_word_or_by_the_number_of_the_vendor_api() -> None:
    for word, wanted in (("0", "transactional"), ("1", "advertising"), ("Advertising", "advertising")):
        line = made(("0912345678", "x", word), traffic_class=Source(2))
        assert isinstance(line, Line)
        assert line.traffic_class is TrafficClass[wanted.upper()]
    for word in ("2", "otp", "", "qc"):
        found = made(("0912345678", "x", word), traffic_class=Source(2))
        assert isinstance(found, Finding)
        assert found.code == "not_allowed"


def test_rows_go_together_that_say_the_same_and_have_no_request_id_of_their_own() -> None:
    def line(row: int, text: str = "a", request_id: str = "") -> Line:
        return Line(row, "0912345678", text, "LOA", TrafficClass.TRANSACTIONAL, request_id=request_id)

    lines = [line(0), line(1, "b"), line(2), line(3, request_id="r"), line(4, request_id="r"), line(5)]
    assert [[each.row for each in group] for group in together(lines, 2)] == [[0, 2], [5], [1], [3], [4]]
