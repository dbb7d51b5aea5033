"""Times, spans, numbers and destinations as people of each language write them."""

import pytest
from tests.support.fakes import EPOCH

from loa.console import formats
from loa.console.language import Language

VI, EN = Language.VIETNAMESE, Language.ENGLISH


def test_times_are_vietnams_and_the_tooltip_says_utc() -> None:
    assert formats.clock_time(EPOCH) == "18:06:40"
    assert formats.fine_time(EPOCH + 7) == "18:06:40.007"
    assert formats.utc(EPOCH) == "2026-11-18 11:06:40 UTC"
    assert formats.machine(EPOCH) == "2026-11-18T11:06:40Z"
    assert (formats.day(EPOCH, VI), formats.day(EPOCH, EN)) == ("18/11/2026", "2026-11-18")


def test_the_zone_comes_from_the_zone_database() -> None:
    assert formats.clock_time(0) == "08:00:00"


def test_a_field_of_time_is_read_as_it_is_written() -> None:
    whole_minute = EPOCH - EPOCH % 60_000
    assert formats.read_field_time(formats.field_time(whole_minute)) == whole_minute
    assert formats.read_field_time("2026-11-18T11:06Z") == whole_minute
    assert [formats.read_field_time(text) for text in ("", "soon", "2026-13-01T00:00", "0001-01-01T00:00")][:3] == [
        None
    ] * 3


@pytest.mark.parametrize(
    ("value", "places", "vietnamese", "english"),
    [(0, 0, "0", "0"), (1_234_567.89, 2, "1.234.567,89", "1,234,567.89"), (1000, 0, "1.000", "1,000")],
)
def test_numbers(value: float, places: int, vietnamese: str, english: str) -> None:
    assert formats.number(value, VI, places) == vietnamese
    assert formats.number(value, EN, places) == english


@pytest.mark.parametrize(
    ("ms", "vietnamese", "english"),
    [
        (-5, "0 ms", "0 ms"),
        (340, "340 ms", "340 ms"),
        (2_100, "2,1 giây", "2.1 s"),
        (185_000, "3 phút 5 giây", "3 min 5 s"),
        (7_200_000, "2 giờ", "2 h"),
        (90_000_000, "1 ngày 1 giờ", "1 d 1 h"),
    ],
)
def test_spans(ms: int, vietnamese: str, english: str) -> None:
    assert formats.span(ms, VI) == vietnamese
    assert formats.span(ms, EN) == english


def test_destinations_are_masked_unless_they_may_be_seen() -> None:
    assert formats.destination(84912345678, whole=False) == "84•••••••78"
    assert formats.destination(84912345678, whole=True) == "84912345678"
    assert formats.destination(-1867296517606832, whole=False) == "zalo:18••••••••••••32"
