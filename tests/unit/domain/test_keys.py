"""API keys: their form, their checksum, and what is kept of them."""

import hashlib
import re

import pytest

from loa.domain import keys
from loa.domain.keys import BASE62
from loa.domain.traffic import TrafficClass


@pytest.mark.parametrize("live", [True, False])
def test_a_new_key_has_the_documented_form(live: bool) -> None:
    minted = keys.mint(live=live)
    prefix = "loa_live_" if live else "loa_test_"
    assert re.fullmatch(keys.PATTERN, minted.secret)
    assert minted.secret.startswith(prefix)
    assert len(minted.secret) == len(prefix) + 38
    assert keys.well_formed(minted.secret)
    assert minted.digest == hashlib.sha256(minted.secret.encode()).digest()
    assert minted.display == f"{minted.secret[:8]}…{minted.secret[-4:]}"


def test_no_two_keys_are_alike() -> None:
    assert len({keys.mint(live=True).secret for _ in range(500)}) == 500


def test_the_checksum_catches_every_single_wrong_character() -> None:
    secret = keys.mint(live=True).secret
    for place in range(len("loa_live_"), len(secret)):
        for wrong in BASE62:
            if wrong != secret[place]:
                assert not keys.well_formed(secret[:place] + wrong + secret[place + 1 :])


def test_the_checksum_covers_what_the_key_claims_to_be() -> None:
    secret = keys.mint(live=False).secret
    assert not keys.well_formed(secret.replace("loa_test_", "loa_live_"))


@pytest.mark.parametrize("other", ["", "loa_live_", "x" * 47, "loa_live_" + "é" * 38, "loa_live_" + "0" * 38 + "\n"])
def test_what_is_not_ours_is_not_well_formed(other: str) -> None:
    assert not keys.well_formed(other)


def test_a_key_of_another_gateway_may_be_taken_over_unless_it_looks_like_ours() -> None:
    assert keys.importable("a-key-of-16-char")
    assert keys.importable("~" * 128)
    for refused in (
        "fifteen-chars..",
        "x" * 129,
        "with space in the middle",
        "khóa-của-nhà-khác",
        keys.mint(live=True).secret,
    ):
        assert not keys.importable(refused)


def test_a_new_key_sends_everything_and_reads_states_but_not_texts() -> None:
    assert {"send", "read:messages"} == keys.DEFAULT_PERMISSIONS
    assert all(keys.may_send(keys.DEFAULT_PERMISSIONS, each) for each in TrafficClass)


def test_a_permission_for_one_class_is_for_that_class_alone() -> None:
    permissions = frozenset({"send:otp"})
    assert keys.may_send(permissions, TrafficClass.OTP)
    assert not keys.may_send(permissions, TrafficClass.ADVERTISING)
    assert not keys.may_send(frozenset({"read:messages", "manage"}), TrafficClass.OTP)
