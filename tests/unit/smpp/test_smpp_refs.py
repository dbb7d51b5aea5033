"""Provider refs that are spelled differently in response and receipt."""

import pytest

from loa.smpp.refs import MODES, RefMode, candidate_refs, normalise


@pytest.mark.parametrize(
    ("mode", "response", "receipt"),
    [
        ("same", "abc-1", "ABC-1"),
        ("same", "0000123", "123"),
        ("same", "123", "0000123"),
        ("same", " 77\0", "77"),
        ("same", "6f1e2d9c-77aa-4b3e", "6F1E2D9C-77AA-4B3E"),
        ("resp_hex_dlr_dec", "5B69F0", "0005990896"),
        ("resp_hex_dlr_dec", "005b69f0", "5990896"),
        ("resp_dec_dlr_hex", "0005990896", "5b69F0"),
        ("auto", "5B69F0", "5990896"),
        ("auto", "5990896", "005B69F0"),
        ("auto", "rdwjwxns18krxr9936ey96ymcw", "RDWJWXNS18KRXR9936EY96YMCW"),
        ("auto", "0", "00"),
        ("resp_hex_dlr_dec", "0", "000"),
    ],
)
def test_a_receipt_finds_the_ref_of_its_response(mode: RefMode, response: str, receipt: str):
    assert normalise(response, mode) in candidate_refs(receipt, mode)


@pytest.mark.parametrize(
    ("mode", "response", "receipt"),
    [("same", "10", "16"), ("resp_hex_dlr_dec", "10", "10"), ("resp_dec_dlr_hex", "10", "10"), ("auto", "a", "b")],
)
def test_other_refs_are_not_found(mode: RefMode, response: str, receipt: str):
    assert normalise(response, mode) not in candidate_refs(receipt, mode)


def test_under_auto_the_spelling_itself_comes_first():
    assert candidate_refs("0010") == ("10", "a", "16")
    assert candidate_refs("ff") == ("ff", "255")


def test_a_ref_that_is_no_number_passes_every_mode_unharmed():
    for mode in MODES:
        assert normalise("Msg-Id.7", mode) == "msg-id.7"
        assert candidate_refs("Msg-Id.7", mode) == ("msg-id.7",)


def test_an_empty_ref_has_no_other_spelling():
    assert normalise("") == ""
    assert candidate_refs("") == ()
    assert candidate_refs("", "same") == ()


def test_an_absurdly_long_ref_is_not_counted_with():
    assert candidate_refs("9" * 5000) == ("9" * 5000,)
