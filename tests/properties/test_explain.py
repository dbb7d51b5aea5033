"""The dry run and the real call agree: what explain says yes to is accepted, and what it says no to is refused so."""

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.intake_desk import Desk, open_desk

from loa.domain.rules import LabelPolicy, Ruleset, findings_of
from loa.domain.traffic import TrafficClass
from loa.errors import CallerError, Forbidden
from loa.ports.records import ApiKey
from loa.stages.request import SendRequest

requests = st.builds(
    SendRequest,
    destinations=st.lists(
        st.sampled_from(["0912345678", "84981234567", "0901234567", "x", "+12025550123", "0243825123", "0599999999"]),
        min_size=1,
        max_size=5,
    ),
    sender=st.sampled_from(["LOA", "LOA", "LOA", "Unrouted", "TwelveLetter", "nobody"]),
    text=st.one_of(
        st.sampled_from(["hello", "[QC] hello", "Xin chào", "中文", "x" * 1_600, "\x07"]), st.text(max_size=8)
    ),
    use_unicode=st.sampled_from([0, 1, 2]),
    traffic_class=st.sampled_from(TrafficClass),
    scheduled=st.sampled_from(["", "", "2026-11-19 03:00:00", "soon", "9999-01-01 00:00", "2020-01-01T00:00:00Z"]),
    ext=st.fixed_dictionaries(
        {},
        optional={
            "onInvalid": st.sampled_from(["skip", "refuse", "no"]),
            "channels": st.lists(st.sampled_from(["main", "viettel", "fast", "box", "none"]), max_size=3),
            "ttl": st.sampled_from([60, 0, "x"]),
        },
    ),
)


class Agreement:
    """One desk and its loop for all examples."""

    def __init__(self, path: Path) -> None:
        self.loop = asyncio.new_event_loop()
        self.desk: Desk = self.loop.run_until_complete(open_desk(path))
        self.desk.rebuild(rules=Ruleset(label_policy=LabelPolicy.REQUIRE))
        self.keys: list[ApiKey] = [self.desk.key]
        for given_key in ({"live": False}, {"permissions": frozenset({"send:otp"})}, {"senders": ("Unrouted",)}):
            key, _ = self.loop.run_until_complete(self.desk.add_key(**given_key))
            self.keys.append(key)

    def submit(self, key: ApiKey, request: SendRequest) -> Any:
        return self.loop.run_until_complete(self.desk.intake.submit(self.desk.caller_of(key), request, b""))

    def close(self) -> None:
        self.loop.run_until_complete(self.desk.ledger.close())
        self.loop.close()


@pytest.fixture(scope="module")
def agreement() -> Iterator[Agreement]:
    with tempfile.TemporaryDirectory() as folder:
        made = Agreement(Path(folder) / "loa.db")
        yield made
        made.close()


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(requests, st.integers(0, 3))
def test_explain_and_submit_agree(agreement: Agreement, request: SendRequest, which: int) -> None:
    key = agreement.keys[which]
    explained = agreement.desk.intake.explain(agreement.desk.caller_of(key), request)
    if explained.would_be_accepted:
        _check_written(agreement, agreement.submit(key, request), explained)
        return
    with pytest.raises(Forbidden if explained.denied else CallerError) as error:
        agreement.submit(key, request)
    said = explained.denied or explained.findings
    assert [(each.where, each.code) for each in findings_of(error.value)] == [(each.where, each.code) for each in said]


def _check_written(agreement: Agreement, taken: Any, explained: Any) -> None:
    desk = agreement.desk
    row = agreement.loop.run_until_complete(desk.submission(taken))
    rows = agreement.loop.run_until_complete(desk.ledger.submission_messages(desk.tenant.id, taken.referent_id, 0, 100))
    assert (row["text"], row["encoding"], row["segment_count"]) == (
        explained.text.text,
        explained.text.encoding,
        explained.text.segment_count,
    )
    assert (row["due_at"], row["expires_at"]) == (explained.due_at, explained.expires_at)
    said = {int(each.msisdn): each.route[0] for each in explained.destinations if each.finding is None}
    assert {message["destination"]: message["channel"] for message in rows} == said
