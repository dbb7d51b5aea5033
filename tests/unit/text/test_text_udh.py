"""The joining header."""

import pytest

from loa.text.udh import Joint, split_udh, udh


def test_the_narrow_header_has_six_octets() -> None:
    assert udh(0x1AB, 3, 2).hex() == "050003ab0302"


def test_the_wide_header_has_seven_octets() -> None:
    assert udh(0x1_01AB, 3, 2, wide=True).hex() == "06080401ab0302"


@pytest.mark.parametrize(("total", "index"), [(0, 0), (2, 0), (2, 3), (256, 1)])
def test_a_place_that_the_header_cannot_hold_is_an_error(total: int, index: int) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        udh(1, total, index)


@pytest.mark.parametrize("wide", [False, True])
def test_a_written_header_is_read_back(wide: bool) -> None:
    assert split_udh(udh(7, 255, 255, wide) + b"text") == (Joint(7, 255, 255, wide), b"text")


def test_the_joint_is_found_behind_other_elements() -> None:
    assert split_udh(bytes.fromhex("0b05040b8423f0 0003070201") + b"x") == (Joint(7, 2, 1, False), b"x")


@pytest.mark.parametrize(
    ("octets", "body"),
    [
        ("", ""),
        ("00 61", "61"),
        ("06 05040b8423f0 61", "61"),
        ("05 0003070203 61", "61"),
        ("05 0003070200 61", "61"),
        ("04 00020702 61", "61"),
        ("ff 0003070201", None),
        ("01 00 61", "61"),
        ("05 0009070201 61", "61"),
        ("04 000307 02 61", "61"),
    ],
)
def test_a_header_without_a_true_joint_is_only_taken_off(octets: str, body: str | None) -> None:
    joint, text = split_udh(bytes.fromhex(octets))
    assert text == bytes.fromhex(body or "")
    assert (joint is None) == (body is not None)
