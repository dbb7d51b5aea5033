"""Wished times: every written form, both offset rules, and the edges."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loa.domain.schedule import HORIZON_DAYS, due_at
from loa.errors import CallerError

NOW = 1_795_000_000_000  # 2026-11-18T11:06:40Z, 18:06:40 in Vietnam
DAY_MS = 86_400_000


def utc(*parts: int) -> int:
    return int(datetime(*parts, tzinfo=UTC).timestamp() * 1000)  # type: ignore[misc,arg-type]


@pytest.mark.parametrize(
    ("written", "due"),
    [
        ("2026-12-20T03:33:44.757Z", utc(2026, 12, 20, 3, 33, 44) + 757),
        ("2026-12-20T03:33:44Z", utc(2026, 12, 20, 3, 33, 44)),
        ("2026-12-20t03:33z", utc(2026, 12, 20, 3, 33)),
        ("2026-12-20T10:33:44+07:00", utc(2026, 12, 20, 3, 33, 44)),
        ("2026-12-20T10:33:44+0700", utc(2026, 12, 20, 3, 33, 44)),
        ("2026-12-20T10:33:44+07", utc(2026, 12, 20, 3, 33, 44)),
        ("2026-12-19T22:03:44-05:30", utc(2026, 12, 20, 3, 33, 44)),
        ("2026-12-20T10:33:44", utc(2026, 12, 20, 3, 33, 44)),
        ("2026-12-20T10:33:44.123456789", utc(2026, 12, 20, 3, 33, 44) + 123),
        ("2026-12-20 10:33:44", utc(2026, 12, 20, 3, 33, 44)),
        ("2026-12-20 10:33", utc(2026, 12, 20, 3, 33)),
        ("20-12-2026 10:33", utc(2026, 12, 20, 3, 33)),
        ("20-12-2026 10:33:44", utc(2026, 12, 20, 3, 33, 44)),
        ("20/12/2026 10:33", utc(2026, 12, 20, 3, 33)),
        ("  20/12/2026 10:33  ", utc(2026, 12, 20, 3, 33)),
    ],
)
def test_every_accepted_form_is_read(written: str, due: int) -> None:
    assert due_at(written, NOW) == due


@pytest.mark.parametrize(
    "written", [None, "", "   ", "2024-12-20T03:33:44.757Z", "0001-01-01 00:00", "18-11-2026 18:06"]
)
def test_nothing_and_the_past_mean_now(written: str | None) -> None:
    assert due_at(written, NOW) == NOW


@pytest.mark.parametrize(
    "written",
    [
        "tomorrow",
        "string",
        "2026-12-20",
        "2026-13-20 10:33",
        "2026-02-30 10:33",
        "30/02/2026 10:33",
        "2026-12-20T24:00",
        "2026-12-20T10:60",
        "2026-12-20T10:33:60",
        "20-12/2026 10:33",
        "2026-12-20T10:33:44+15:00",
        "2026-12-20T10:33:44+07:60",
        "2026-12-20T10:33:44 Asia/Ho_Chi_Minh",
        "0000-12-20 10:33",
        "２０２６-12-20 10:33",
        "1795000000",
        "2026-12-20T10:33:44Z\x00",
    ],
)
def test_what_cannot_be_read_is_refused_and_never_taken_for_now(written: str) -> None:
    with pytest.raises(CallerError) as refused:
        due_at(written, NOW)
    assert refused.value.code == "schedule_format"
    assert "dd/MM/yyyy HH:mm" in str(refused.value.fields["formats"])


def test_a_year_ahead_is_taken_and_a_moment_more_is_not() -> None:
    last = NOW + HORIZON_DAYS * DAY_MS
    written = datetime.fromtimestamp(last / 1000, UTC).isoformat()
    assert due_at(written, NOW) == last
    with pytest.raises(CallerError) as refused:
        due_at(datetime.fromtimestamp(last / 1000 + 1, UTC).isoformat(), NOW)
    assert refused.value.code == "schedule_too_far"


@pytest.mark.parametrize("written", ["9999-12-31T23:59:59Z", "31-12-9999 23:59", "9999-12-31T23:59:59-14:00"])
def test_the_far_future_is_refused_and_not_a_crash(written: str) -> None:
    with pytest.raises(CallerError) as refused:
        due_at(written, NOW)
    assert refused.value.code == "schedule_too_far"


@given(
    st.datetimes(min_value=datetime(2026, 11, 19), max_value=datetime(2027, 11, 1)),  # noqa: DTZ001
    st.integers(-14 * 60, 14 * 60),
)
def test_an_offset_is_read_as_the_standard_library_reads_it(wall: datetime, minutes: int) -> None:
    moment = wall.replace(microsecond=wall.microsecond // 1000 * 1000, tzinfo=timezone(timedelta(minutes=minutes)))
    expected = round(moment.timestamp() * 1000)
    assert due_at(moment.isoformat(), NOW) == max(expected, NOW)
