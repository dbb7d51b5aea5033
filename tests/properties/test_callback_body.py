"""The two ways of writing a callback's body agree, byte for byte."""

import json

from hypothesis import given
from hypothesis import strategies as st

from loa.domain.callback_body import callback_body, callback_bytes
from loa.domain.lifecycle import VENDOR_STATUS
from loa.ports.records import DueCallback

whole = st.text(st.characters(exclude_categories=["Cs"]))
instants = st.integers(0, 253_402_300_799_999)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | whole,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(whole, inner, max_size=3),
    max_leaves=8,
)
dues = st.builds(
    DueCallback,
    id=st.just(1),
    tenant_id=st.just(1),
    endpoint_id=st.just(1),
    url=st.just(""),
    secrets=st.just(()),
    tries=st.just(0),
    message_id=st.integers(0, 2**63 - 1),
    sequence=st.integers(0, 1_000),
    state=st.sampled_from(sorted(VENDOR_STATUS)),
    error=whole,
    occurred_at=instants,
    possible_duplicate=st.booleans(),
    double_reach=st.booleans(),
    cost=st.integers(0, 10**9),
    destination=st.integers(1, 10**15),
    channel=whole,
    segment_count=st.integers(0, 255),
    referent_id=whole,
    request_id=whole,
    sent_at=instants,
    handed_over_at=st.just(0) | instants,
    metadata=values,
)


@given(dues, st.integers(0, 100))
def test_the_bytes_of_a_callback_are_its_body_as_compact_json(due, retry_count):
    written = callback_bytes(due, retry_count=retry_count)
    body = callback_body(due, retry_count=retry_count)
    assert written == json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
