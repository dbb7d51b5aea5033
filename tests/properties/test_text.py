"""What holds for every text and every number, not only for those we thought of."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from loa.domain.msisdn import parse, parse_many
from loa.domain.numbering.table import VIETNAM
from loa.text import fold, gsm7, segments, ucs2
from loa.text.compose import Composed, compose
from loa.text.refusals import TextRefused
from loa.text.segments import Encoding, Joining
from loa.text.udh import Joint, split_udh, udh

GSM_TEXT = st.text(st.sampled_from(sorted(gsm7.CHARACTERS)), max_size=700)
PAIRS_TEXT = st.text(st.sampled_from("a[€]^"), max_size=700)
UNICODE_TEXT = st.text(max_size=300)
EMOJI_TEXT = st.text(st.sampled_from("aạ😀🎉"), max_size=300)
VIETNAMESE_TEXT = st.text(
    st.sampled_from("aeiouydđĐÐăâêôơưạảấầộợỹ \u0300\u0301\u0302\u0303\u0306\u0309\u031b\u0323`–…₫[]\u00a0К"),
    max_size=200,
)
ANY_TEXT = st.one_of(GSM_TEXT, UNICODE_TEXT, VIETNAMESE_TEXT, st.text(st.characters(), max_size=100))
JOINING = st.sampled_from(Joining)
HEADER_OCTETS = {Joining.UDH: 6, Joining.UDH_WIDE: 7, Joining.SAR: 6, Joining.PAYLOAD: 6}


def packed_octets(segment: segments.Segment, encoding: Encoding, header: int) -> int:
    if encoding is Encoding.UCS2:
        return header + len(segment.octets)
    return header + len(gsm7.pack(segment.octets, gsm7.fill_bits(header)))


def check_plan(text: str, encoding: Encoding, joining: Joining) -> None:
    planned = segments.plan(text, encoding, joining)
    assert "".join(segment.text for segment in planned) == text
    assert b"".join(segment.octets for segment in planned) == segments.encode(text, encoding)
    assert segments.measure(text, encoding, joining) == (sum(segment.units for segment in planned), len(planned))
    header = HEADER_OCTETS[joining] if len(planned) > 1 else 0
    assert all(packed_octets(segment, encoding, header) <= 140 for segment in planned)
    handed_over = segments.payloads(text, encoding, joining)
    assert b"".join(handed_over) == segments.encode(text, encoding)
    assert len(handed_over) == (1 if joining is Joining.PAYLOAD else len(planned))
    single, joined = segments.capacity(encoding, joining)
    assert len(planned) == 1 or all(joined - 1 <= segment.units <= joined for segment in planned[:-1])
    assert len(planned) == 1 or sum(segment.units for segment in planned) > single


@given(st.one_of(GSM_TEXT, PAIRS_TEXT), JOINING)
def test_gsm_segments_join_to_the_text_and_hold_whole_pairs(text: str, joining: Joining) -> None:
    check_plan(text, Encoding.GSM7, joining)
    for segment in segments.plan(text, Encoding.GSM7, joining):
        assert not segment.octets.endswith(b"\x1b")
        assert gsm7.encode(segment.text) == segment.octets


@given(st.one_of(UNICODE_TEXT, EMOJI_TEXT), JOINING)
def test_ucs2_segments_join_to_the_text_and_hold_whole_pairs(text: str, joining: Joining) -> None:
    check_plan(text, Encoding.UCS2, joining)
    for segment in segments.plan(text, Encoding.UCS2, joining):
        assert segment.octets.decode("utf-16-be") == segment.text


@given(GSM_TEXT, st.integers(0, 6))
def test_gsm_text_survives_encoding_and_packing(text: str, fill: int) -> None:
    unpacked = gsm7.encode(text)
    assert gsm7.decode(unpacked) == text
    assert gsm7.septets(text) == len(unpacked)
    assert gsm7.unpack(gsm7.pack(unpacked, fill), len(unpacked), fill) == unpacked


@given(st.binary(max_size=300))
def test_reading_never_fails(octets: bytes) -> None:
    gsm7.decode(octets)
    ucs2.decode(octets)
    joint, body = split_udh(octets)
    assert octets.endswith(body)
    assert joint is None or 1 <= joint.index <= joint.total


@given(st.integers(0, 65535), st.integers(1, 255), st.booleans(), st.binary(max_size=140), st.data())
def test_a_joining_header_is_read_back(
    reference: int, total: int, wide: bool, body: bytes, data: st.DataObject
) -> None:
    index = data.draw(st.integers(1, total))
    joint, rest = split_udh(udh(reference, total, index, wide) + body)
    assert joint == Joint(reference if wide else reference & 0xFF, total, index, wide)
    assert rest == body


def outcome(text: str, use_unicode: int) -> Composed | tuple[object, ...]:
    try:
        return compose(text, use_unicode)
    except TextRefused as refused:
        return refused.code, refused.characters


@given(ANY_TEXT, st.integers(0, 2))
def test_the_decision_is_the_same_for_every_normal_form(text: str, use_unicode: int) -> None:
    decided = outcome(text, use_unicode)
    assert outcome(text, use_unicode) == decided
    assert outcome(unicodedata.normalize("NFC", text), use_unicode) == decided
    assert outcome(unicodedata.normalize("NFD", text), use_unicode) == decided


@given(ANY_TEXT, st.integers(0, 2))
def test_what_is_decided_can_be_cut_and_sent(text: str, use_unicode: int) -> None:
    decided = outcome(text, use_unicode)
    if isinstance(decided, Composed):
        planned = segments.plan(decided.text, decided.encoding)
        assert (decided.segments, decided.units) == (len(planned), sum(segment.units for segment in planned))
        assert decided.units <= decided.limit
        assert bool(decided.forcing) == (decided.encoding is Encoding.UCS2)
        assert decided.encoding is Encoding.GSM7 or use_unicode == 1
    else:
        code, characters = decided
        assert bool(characters) == (code not in {"text_empty", "text_too_long"})


@given(ANY_TEXT)
def test_plain_sends_the_text_as_it_is_or_not_at_all(text: str) -> None:
    decided = outcome(text, 0)
    if isinstance(decided, Composed):
        assert decided.text == unicodedata.normalize("NFC", text)
        assert decided.text.isascii()


@given(ANY_TEXT)
def test_folding_twice_changes_nothing_more(text: str) -> None:
    assert fold.fold(fold.fold(text)) == fold.fold(text)


@given(VIETNAMESE_TEXT)
def test_the_blamed_characters_stand_where_the_refusal_says(text: str) -> None:
    try:
        compose(text, 0)
    except TextRefused as refused:
        composed = unicodedata.normalize("NFC", text)
        for at in refused.characters:
            assert [composed[position] for position in at.positions] == [at.character] * len(at.positions)
            assert at.count == composed.count(at.character)


MOBILES = st.builds(
    lambda prefix, tail: (prefix[1:] + tail)[:9],
    st.sampled_from(sorted(VIETNAM.prefixes)),
    st.from_regex("[0-9]{7}", fullmatch=True),
)
SEPARATORS = st.sampled_from(["", " ", ".", "-", "\u00a0"])


@given(
    MOBILES, st.sampled_from(["0", "84", "+84", "0084", "(+84) ", "(0)"]), st.lists(SEPARATORS, min_size=8, max_size=8)
)
def test_every_spelling_of_a_mobile_is_one_number(national: str, opening: str, separators: list[str]) -> None:
    spelled = opening + national[0] + "".join(s + digit for s, digit in zip(separators, national[1:], strict=True))
    number = parse(spelled)
    assert number == "84" + national
    assert parse(number) == number
    assert parse("+" + number) == number


@given(
    st.one_of(
        st.text(max_size=20),
        st.text("+0123456789 ", max_size=18),
        st.from_regex(r"(\+|00|0)[0-9]{5,14}", fullmatch=True),
    )
)
def test_a_number_is_digits_or_refused(raw: str) -> None:
    for number in parse_many([raw], allow_countries=None, convert_2018=True, bare=True)[0]:
        assert number.isascii()
        assert number.isdigit()
        assert parse("+" + number, allow_countries=None) == number
