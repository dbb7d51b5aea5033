"""Whatever Zalo answers or posts, and whatever a caller asks for, it is read and never raised."""

import json

from hypothesis import given
from hypothesis import strategies as st
from tests.contract.channel.rig import attempt
from tests.support.fakes import EPOCH
from tests.support.zalo_payloads import WORLD

from loa.channels.registry import OWN
from loa.channels.zalo import settings as own
from loa.channels.zalo.answers import outcome_of, read_answer
from loa.channels.zalo.codes import Surface
from loa.channels.zalo.events import signature_of
from loa.channels.zalo.oauth import read_tokens
from loa.channels.zalo.requests import Letter, letter_of
from loa.domain.outcome import Accepted, Deferred, Refused, Unknown
from loa.domain.template import Parameter, Template
from loa.domain.traffic import TrafficClass
from loa.ports.channel import Composed, Heard, Unfit, Wish
from loa.ports.grants import Failed, Tokens
from loa.ports.records import ChannelRecord
from loa.wire.wire import Answer

SETTINGS = {name: WORLD[name] for name in ("app_id", "app_secret", "oa_id", "oa_secret_key")}
READ = own.read(SETTINGS)
CHANNEL = ChannelRecord(7, "shop", "zalo", SETTINGS)

scalars = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20)
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
bodies = st.binary(max_size=200) | values.map(lambda value: json.dumps(value).encode())
envelopes = st.fixed_dictionaries(
    {"error": scalars},
    optional={
        "message": values,
        "data": values | st.fixed_dictionaries({}, optional={"msg_id": values, "message_id": values, "quota": values}),
    },
).map(lambda value: json.dumps(value).encode())


@given(
    bodies | envelopes,
    st.integers(100, 599),
    st.sampled_from(["", "timeout", "protocol"]),
    st.sampled_from(list(Surface)),
    st.integers(0, 9),
)
def test_any_answer_has_an_outcome_that_can_be_written_down(body, status, fault, surface, tries):
    letter = Letter(surface, "/", b"", 2)
    said = read_answer(Answer(status, fault, body, written=True))
    outcome = outcome_of(said, attempt(1, tries=tries), letter, READ, ("ref",), EPOCH)
    assert isinstance(outcome, Accepted | Deferred | Refused | Unknown)
    shown = [*getattr(outcome, "provider_refs", ()), getattr(outcome, "reason", "")]
    assert all(each.isprintable() and len(each) <= 140 for each in shown)
    if isinstance(outcome, Accepted):
        assert all(outcome.provider_refs)
        assert status < 500


@given(bodies | envelopes, st.integers(100, 599))
def test_any_answer_of_the_token_endpoint_is_a_pair_or_a_failure(body, status):
    found = read_tokens(Answer(status, "", body, written=True), EPOCH)
    assert isinstance(found, Tokens | Failed)
    if isinstance(found, Tokens):
        assert found.access_token
        assert found.refresh_token
        assert 200 <= status < 300


members = st.dictionaries(
    st.sampled_from(
        ["event_name", "sender", "recipient", "follower", "message", "user_id", "timestamp", "tag", "info", "x"]
    ),
    values
    | st.fixed_dictionaries({}, optional={"id": scalars, "msg_id": scalars, "msg_ids": values, "tracking_id": scalars}),
)


@given(members, st.booleans())
def test_any_event_that_is_signed_is_heard_and_can_be_written_down(event, of_template):
    event = {**event, "app_id": WORLD["app_id"], "oa_id": WORLD["oa_id"]}
    body = json.dumps(event).encode()
    timestamp = event.get("timestamp")
    whole = isinstance(timestamp, str | int) and not isinstance(timestamp, bool)
    written = str(timestamp).strip()[:64] if whole else ""
    signed = signature_of(WORLD["app_id"], body, written if written.isprintable() else "", WORLD["oa_secret_key"])
    headers = {"x-zevent-signature": signed, **({"x-zevent-server": "ZNS"} if of_template else {})}
    heard = OWN["zalo"].hear([CHANNEL], headers, body, EPOCH)
    assert isinstance(heard, Heard)
    assert heard.receipts or heard.inbound
    for inbound in heard.inbound:
        assert inbound.kind.isprintable()
        assert inbound.key.isprintable()
        assert -(2**63) < inbound.subject < 2**63
        assert 0 <= inbound.at < 2**63
    for receipt in heard.receipts:
        assert all(ref and ref.isprintable() for ref in receipt.refs)
        assert -(2**63) < receipt.destination < 2**63
        assert 0 <= receipt.done_at < 2**63


@given(st.binary(max_size=300), st.dictionaries(st.sampled_from(["x-zevent-signature", "x-zevent-server"]), st.text()))
def test_no_body_and_no_header_breaks_the_ear(body, headers):
    OWN["zalo"].hear([CHANNEL], headers, body, EPOCH)


TEMPLATE = Template(
    7, "1", "Mẫu", "enabled", price=1, price_to_user=1, parameters=(Parameter("a", max_length=9),), text="Xin chào <a>."
)
options = values | st.fixed_dictionaries(
    {},
    optional={
        "userId": scalars,
        "journeyToken": scalars,
        "mode": scalars,
        "sendingMode": scalars,
        "trackingId": scalars,
        "message": values
        | st.dictionaries(st.sampled_from(["text", "imageUrl", "token", "stickerId"]), scalars, max_size=2),
    },
)
wishes = st.builds(
    Wish,
    st.text(max_size=30) | st.just("Xin chào An."),
    st.sampled_from(list(TrafficClass)),
    st.fixed_dictionaries(
        {},
        optional={
            "templateId": st.sampled_from(["1", 1, "2"]) | scalars,
            "templateData": st.dictionaries(st.sampled_from(["a", "b"]), scalars),
            "zalo": options,
        },
    ),
    users=st.booleans(),
)


@given(wishes, st.booleans())
def test_any_wish_is_composed_or_answered_and_what_is_composed_can_be_sent(wish, development):
    found = OWN["zalo"].compose({"development": development}, (TEMPLATE,), wish)
    if isinstance(found, Unfit):
        assert found.findings
        return
    assert isinstance(found, Composed)
    rich = json.loads(json.dumps(dict(found.rich)))
    assert rich == found.rich
    letter = letter_of(attempt(1, rich=rich, destination=-5 if wish.users else 84912345678), READ)
    assert letter is not None
    json.loads(letter.body)
    assert (letter.surface is Surface.NUMBER) is (found.said["to"] == "number")
