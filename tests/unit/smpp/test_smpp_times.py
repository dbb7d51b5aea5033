"""SMPP times, absolute and relative."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from loa.smpp import times

VIETNAM = timezone(timedelta(hours=7))
NEW_YORK = timezone(timedelta(hours=-5))
NEPAL = timezone(timedelta(hours=5, minutes=45))


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2026, 11, 23, 21, 30, 5, 700_000, tzinfo=VIETNAM), "261123213005728+"),
        (datetime(2026, 11, 23, 21, 30, 5, tzinfo=NEW_YORK), "261123213005020-"),
        (datetime(2026, 11, 23, 21, 30, 5, tzinfo=NEPAL), "261123213005023+"),
        (datetime(2026, 1, 1, tzinfo=UTC), "260101000000000+"),
    ],
)
def test_a_moment_is_written_in_its_own_offset_and_read_back(moment: datetime, text: str):
    assert times.absolute(moment) == text
    assert times.read(text) == moment


def test_an_offset_between_quarter_hours_moves_the_local_time_with_it():
    moment = datetime(2026, 1, 1, 12, tzinfo=timezone(timedelta(minutes=-7)))
    assert times.read(times.absolute(moment)) == moment


@pytest.mark.parametrize(
    "moment", [datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None), datetime(1999, 1, 1, tzinfo=UTC)]
)
def test_a_moment_that_has_no_smpp_form_is_refused(moment: datetime):
    with pytest.raises(ValueError):
        times.absolute(moment)


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (timedelta(minutes=5), "000000000500000R"),
        (timedelta(hours=48), "000002000000000R"),
        (timedelta(milliseconds=1), "000000000001000R"),
        (timedelta(days=31), "000031000000000R"),
        (timedelta(days=40), "000110000000000R"),
        (timedelta(weeks=63), "010216000000000R"),
    ],
)
def test_a_validity_is_written_relative_and_never_ends_early(duration: timedelta, text: str):
    assert times.relative(duration) == text
    read = times.read(text)
    assert isinstance(read, timedelta)
    assert read >= duration


@pytest.mark.parametrize("duration", [timedelta(0), timedelta(seconds=-1), timedelta(weeks=63, seconds=1)])
def test_a_duration_that_no_smsc_takes_is_refused(duration: timedelta):
    with pytest.raises(ValueError):
        times.relative(duration)


@pytest.mark.parametrize(
    "text",
    ["", "0", "261332000000028+", "26112321300502?+", "261123213005728*", "261123213005799+", "٢٦1123213005728+"],
)
def test_what_is_no_time_is_read_as_none(text: str):
    assert times.read(text) is None
