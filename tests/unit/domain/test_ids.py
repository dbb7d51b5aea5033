"""Public ids: sortable, unguessable, read back only in their exact form."""

import re

from hypothesis import given
from hypothesis import strategies as st

from loa.domain.ids import message_id_from, message_public_id, new_referent_id, new_token


def test_a_referent_id_has_26_crockford_digits_and_sorts_by_time() -> None:
    made = [new_referent_id(1_795_000_000_000 + step) for step in range(50)]
    assert all(re.fullmatch(r"sub_[0-9A-HJKMNP-TV-Z]{26}", each) for each in made)
    assert made == sorted(made)


def test_two_referent_ids_of_one_instant_differ() -> None:
    assert len({new_referent_id(1) for _ in range(1_000)}) == 1_000


def test_a_token_is_found_by_its_referent_id_and_cannot_be_guessed_from_it() -> None:
    referent_id = new_referent_id(1_795_000_000_000)
    tokens = {new_token(referent_id) for _ in range(100)}
    assert len(tokens) == 100
    assert all(re.fullmatch(r"[0-9A-Z]{26}[-_0-9A-Za-z]{32}", token) for token in tokens)
    assert all(token.startswith(referent_id.removeprefix("sub_")) for token in tokens)


@given(st.integers(0, 2**63 - 1))
def test_a_message_id_survives_its_public_form(message_id: int) -> None:
    assert message_id_from(message_public_id(message_id)) == message_id


@given(st.text(max_size=20))
def test_only_the_exact_public_form_is_read(text: str) -> None:
    for public in (text, "msg_" + text):
        found = message_id_from(public)
        assert found is None or message_public_id(found) == public


def test_other_spellings_of_a_message_id_are_not_read() -> None:
    assert message_public_id(32) == "msg_10"
    for other in ("10", "msg_", "msg_010", "msg_1o", "msg_1O", "MSG_10", "msg_ZZZZZZZZZZZZZ", "sub_10"):
        assert message_id_from(other) is None
