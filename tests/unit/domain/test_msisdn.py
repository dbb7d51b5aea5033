"""Every written form of a number, and the reasons why one is none."""

import json
from pathlib import Path

import pytest

from loa.domain import msisdn
from loa.domain.msisdn import NumberRefused, carrier_hint, parse, parse_many
from loa.domain.numbering.table import VIETNAM, Carrier, load_table
from loa.errors import ConfigError


def code_of(raw: str, **options: object) -> str:
    with pytest.raises(NumberRefused) as refused:
        parse(raw, **options)  # type: ignore[arg-type]
    return refused.value.code


@pytest.mark.parametrize(
    "raw",
    [
        "0912345678",
        "84912345678",
        "+84912345678",
        "0084912345678",
        "0912 345 678",
        "0912.345.678",
        "0912-345-678",
        "(0912) 345 678",
        "+84 91 234 56 78",
        "(+84) 912-345-678",
        " 0912345678 ",
        "0912\u00a0345\u2011678",
        "\u202a+84912345678\u202c",
        "\ufeff0912345678",
    ],
)
def test_every_written_form_gives_the_same_number(raw: str) -> None:
    assert parse(raw) == "84912345678"


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("", "number_malformed"),
        ("+", "number_malformed"),
        ("abc", "number_malformed"),
        ("O912345678", "number_malformed"),
        ("０912345678", "number_malformed"),
        ("091234567８", "number_malformed"),
        ("84٩12345678", "number_malformed"),
        ("8491234567²", "number_malformed"),
        ("091234567²", "number_malformed"),
        ("+8491234567٨", "number_malformed"),
        ("0912345678\n", "number_malformed"),
        ("0912345678\x00", "number_malformed"),
        ("0912345678;", "number_malformed"),
        ("0912345678 x12", "number_malformed"),
        ("++84912345678", "number_malformed"),
        ("+0912345678", "number_malformed"),
        ("912345678", "number_malformed"),
        ("447911123456", "number_malformed"),
        ("0" * 10, "number_malformed"),
        ("0" + " " * 70 + "912345678", "number_malformed"),
        ("091234567", "number_length"),
        ("09123456789", "number_length"),
        ("8491234567", "number_length"),
        ("+849123456789", "number_length"),
        ("+84 (0)912345678", "number_length"),
        ("0302345678", "number_prefix_unknown"),
        ("0951234567", "number_prefix_unknown"),
        ("84951234567", "number_prefix_unknown"),
        ("+84311234567", "number_prefix_unknown"),
        ("0551234567", "number_prefix_unknown"),
        ("01621234567", "number_moved_2018"),
        ("841991234567", "number_moved_2018"),
        ("02438251234", "number_fixed_line"),
        ("+842838251234", "number_fixed_line"),
        ("5656", "number_short_code"),
        ("113", "number_short_code"),
        ("19001234", "number_service"),
        ("1900 123456", "number_service"),
        ("18001234", "number_service"),
        ("+8419001234", "number_service"),
        ("+447911123456", "number_country_not_allowed"),
        ("0044 7911 123456", "number_country_not_allowed"),
    ],
)
def test_what_is_no_vietnamese_mobile_is_refused_with_its_reason(raw: str, code: str) -> None:
    assert code_of(raw) == code


@pytest.mark.parametrize("raw", ["0951234567", "01621234567", "09123456789", "+447911123456", "912345678"])
def test_a_refusal_never_repeats_the_number(raw: str) -> None:
    with pytest.raises(NumberRefused) as refused:
        parse(raw, allow_countries=frozenset({"84"}))
    assert raw.lstrip("+0") not in str(refused.value)
    assert refused.value.detail


def test_a_number_that_lost_its_zero_is_read_on_request() -> None:
    assert parse("912345678", bare=True) == "84912345678"
    assert parse("841234567", bare=True) == "84841234567"
    assert code_of("19001234", bare=True) == "number_service"
    assert code_of("190012345", bare=True) == "number_service"
    assert code_of("951234567", bare=True) == "number_prefix_unknown"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("01621234567", "84321234567"),
        ("01691234567", "84391234567"),
        ("+841201234567", "84701234567"),
        ("841211234567", "84791234567"),
        ("0123 1234567", "84831234567"),
        ("01271234567", "84811234567"),
        ("01861234567", "84561234567"),
        ("01991234567", "84591234567"),
    ],
)
def test_numbers_of_before_2018_are_converted_on_request(old: str, new: str) -> None:
    assert parse(old, convert_2018=True) == new


def test_an_old_number_without_its_zero_needs_both_options() -> None:
    assert parse("1621234567", convert_2018=True, bare=True) == "84321234567"
    assert code_of("1621234567", bare=True) == "number_moved_2018"
    assert code_of("1621234567", convert_2018=True) == "number_malformed"


def test_only_the_listed_old_prefixes_are_converted() -> None:
    assert code_of("01611234567", convert_2018=True) == "number_length"
    assert parse("0912345678", convert_2018=True) == "84912345678"


@pytest.mark.parametrize(
    ("raw", "number"),
    [
        ("+44 7911 123456", "447911123456"),
        ("00447911123456", "447911123456"),
        ("+12025550123", "12025550123"),
        ("+6581234567", "6581234567"),
    ],
)
def test_other_countries_are_read_when_all_are_allowed(raw: str, number: str) -> None:
    assert parse(raw, allow_countries=None) == number


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("+442071838750", "number_not_mobile"),
        ("+4407911123456", "number_invalid"),
        ("+44791112345", "number_invalid"),
        ("+999123456789", "number_invalid"),
        ("+4479", "number_length"),
        ("+4479111234567890", "number_length"),
        ("+44 7911 12345O", "number_malformed"),
        ("+44７911123456", "number_malformed"),
        ("tel:+447911123456", "number_malformed"),
        ("+44 7911 123456 ext 5", "number_malformed"),
    ],
)
def test_other_countries_are_read_strictly(raw: str, code: str) -> None:
    assert code_of(raw, allow_countries=None) == code


def test_allowed_countries_are_exact() -> None:
    only_britain = frozenset({"44"})
    assert parse("+447911123456", allow_countries=only_britain) == "447911123456"
    assert code_of("+6581234567", allow_countries=only_britain) == "number_country_not_allowed"
    assert code_of("0912345678", allow_countries=only_britain) == "number_country_not_allowed"
    assert parse("0912345678", allow_countries=frozenset({"84", "44"})) == "84912345678"


def test_many_numbers_keep_their_order_and_the_bad_ones_their_index() -> None:
    good, bad = parse_many(["0912345678", "x", "+84321234567", "0951234567"])
    assert good == ["84912345678", "84321234567"]
    assert [(index, refused.code) for index, refused in bad] == [(1, "number_malformed"), (3, "number_prefix_unknown")]


def test_many_numbers_are_read_under_the_same_options() -> None:
    good, bad = parse_many(["912345678", "01621234567"], bare=True, convert_2018=True)
    assert (good, bad) == (["84912345678", "84321234567"], [])


CARRIERS = {
    Carrier.VIETTEL: "032 033 034 035 036 037 038 039 086 096 097 098",
    Carrier.VINAPHONE: "081 082 083 084 085 088 091 094",
    Carrier.MOBIFONE: "070 076 077 078 079 089 090 093",
    Carrier.VIETNAMOBILE: "052 056 058 092",
    Carrier.GMOBILE: "059 0993 0994 0995 0996 0997",
    Carrier.ITEL: "087 0998 0999",
    Carrier.WINTEL: "0559",
}


@pytest.mark.parametrize("carrier", list(Carrier))
def test_the_prefix_hints_at_the_carrier(carrier: Carrier) -> None:
    for prefix in CARRIERS[carrier].split():
        assert carrier_hint(parse(prefix.ljust(10, "5"))) is carrier


def test_the_table_holds_no_other_prefix() -> None:
    assert set(VIETNAM.prefixes) == set(" ".join(CARRIERS.values()).split())


def test_a_foreign_number_has_no_carrier_hint() -> None:
    assert carrier_hint(parse("+6591234567", allow_countries=None)) is None


def write_table(folder: Path, **members: object) -> Path:
    path = folder / "table.json"
    path.write_text(json.dumps({"version": "2027-01-31", "prefixes": {"091": "vinaphone"}} | members), "utf-8")
    return path


def test_an_admins_table_replaces_ours(tmp_path: Path) -> None:
    table = load_table(write_table(tmp_path, prefixes={"095": None, "089": "mobifone", "08995": "itel"}))
    assert str(table.version) == "2027-01-31"
    ours = parse("0951234567", table=table)
    assert (ours, carrier_hint(ours, table)) == ("84951234567", None)
    assert carrier_hint(parse("0899412345", table=table), table) is Carrier.MOBIFONE
    assert carrier_hint(parse("0899512345", table=table), table) is Carrier.ITEL
    assert code_of("0912345678", table=table) == "number_prefix_unknown"
    assert code_of("01621234567", table=table, convert_2018=True) == "number_length"


@pytest.mark.parametrize(
    ("members", "says"),
    [
        ({"prefixes": {}}, "prefixes is empty"),
        ({"prefixes": ["091"]}, "prefixes has to be"),
        ({"prefixes": {"91": "viettel"}}, "prefix '91'"),
        ({"prefixes": {"0912345": "viettel"}}, "prefix '0912345'"),
        ({"prefixes": {"０91": "viettel"}}, "prefix"),
        ({"prefixes": {"091": "vodafone"}}, "carrier 'vodafone'"),
        ({"prefixes": {"091": ["viettel"]}}, "carrier"),
        ({"moved_2018": {"0162": "032"}}, "moved_2018 0162 -> 032"),
        ({"moved_2018": {"0162": 32}}, "prefix 32"),
        ({"version": "soon"}, "isoformat"),
        ({"version": 7}, "version is needed"),
        ({"prefix": {}}, "members"),
    ],
)
def test_a_broken_table_says_what_is_wrong(tmp_path: Path, members: dict[str, object], says: str) -> None:
    path = write_table(tmp_path, **members)
    with pytest.raises(ConfigError, match=says) as error:
        load_table(path)
    assert str(path) in str(error.value)


def test_a_table_that_cannot_be_read_is_a_fault_of_the_settings(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_table(tmp_path / "absent.json")
    (tmp_path / "broken.json").write_text("{", "utf-8")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_table(tmp_path / "broken.json")
    (tmp_path / "list.json").write_text("[]", "utf-8")
    with pytest.raises(ConfigError, match="JSON object"):
        load_table(tmp_path / "list.json")


def test_the_reference_page_lists_every_prefix_and_code() -> None:
    page = (Path(__file__).parents[3] / "docs" / "reference" / "numbers.md").read_text("utf-8")
    for carrier, prefixes in CARRIERS.items():
        assert f"| `{carrier}` | {prefixes} |" in page
    codes = {value for value in vars(msisdn).values() if isinstance(value, str) and value.startswith("number_")}
    assert len(codes) == 10
    assert all(f"| `{code}` |" in page for code in codes)
