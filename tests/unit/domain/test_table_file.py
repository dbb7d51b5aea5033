"""Tables as people hand them in: every encoding and mark that spreadsheets here write, and files that mean harm."""

import io
import unicodedata

import pytest

from loa.domain.table_file import (
    COLUMNS_MAX,
    LINE_MAX,
    RECORD_LINES_MAX,
    Form,
    TableRefused,
    encoding_of,
    harmless,
    open_table,
    written_rows,
)

TABLE = "số điện thoại;tên\n0912345678;Nguyễn Thị Ngọc Ánh\n0987654321;Đặng Văn Ứng\n"
ROWS = [("0912345678", "Nguyễn Thị Ngọc Ánh"), ("0987654321", "Đặng Văn Ứng")]


def cp1258(text: str) -> bytes:
    """Write Vietnamese as Windows does: letters with hat or horn, marks of tone after them."""
    out = []
    for letter in text:
        try:
            out.append(letter.encode("cp1258"))
            continue
        except UnicodeEncodeError:
            pass
        apart = unicodedata.normalize("NFD", letter)
        tones = [mark for mark in apart if mark in "\u0300\u0301\u0303\u0309\u0323"]
        base = unicodedata.normalize("NFC", "".join(mark for mark in apart if mark not in tones))
        out.append((base + "".join(tones)).encode("cp1258"))
    return b"".join(out)


def read(data: bytes, **given: object) -> tuple[Form, tuple[str, ...], list[tuple[str, ...]]]:
    table = open_table(io.BytesIO(data), **given)  # type: ignore[arg-type]
    return table.form, table.columns, list(table.rows)


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (TABLE.encode(), "utf-8"),
        (TABLE.encode("utf-8-sig"), "utf-8-sig"),
        (unicodedata.normalize("NFD", TABLE).encode(), "utf-8"),
        (TABLE.encode("utf-16"), "utf-16"),
        (b"\xfe\xff" + TABLE.encode("utf-16-be"), "utf-16"),
        (cp1258(TABLE), "cp1258"),
        (TABLE.replace("\n", "\r\n").encode(), "utf-8"),
        (TABLE.replace("\n", "\r").encode(), "utf-8"),
    ],
    ids=["utf-8", "with mark", "decomposed", "utf-16", "utf-16 big", "windows-1258", "crlf", "cr"],
)
def test_vietnamese_comes_out_composed_in_whatever_encoding(data: bytes, encoding: str) -> None:
    assert read(data) == (Form(encoding, ";", True), ("số điện thoại", "tên"), ROWS)


def test_utf_16_without_its_mark_is_seen_by_its_zeros() -> None:
    plain = "phone,name\n0912345678,Lan\n"
    for encoding in ("utf-16-le", "utf-16-be"):
        assert read(plain.encode(encoding)) == (Form(encoding, ",", True), ("phone", "name"), [("0912345678", "Lan")])


def test_an_encoding_is_told_from_the_whole_file() -> None:
    late = b"a,b\n" + b"0912345678,x\n" * 200_000 + cp1258("0912345678,Ngọc\n")
    assert encoding_of(io.BytesIO(late)) == "cp1258"


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_the_mark_between_cells_is_found(mark: str) -> None:
    text = f"phone{mark}name\n0912345678{mark}Lan, An; B\n0912345679{mark}x\n"
    if mark in ",;":
        text = text.replace("Lan, An; B", '"Lan, An; B"')
    form, columns, rows = read(text.encode())
    assert (form.delimiter, columns, rows[0]) == (mark, ("phone", "name"), ("0912345678", "Lan, An; B"))


def test_a_spreadsheet_may_say_its_mark_in_the_first_line() -> None:
    form, columns, rows = read(b"sep=;\r\nphone;text\r\n0912345678;a, b, c\r\n")
    assert (form.delimiter, columns, rows) == (";", ("phone", "text"), [("0912345678", "a, b, c")])


def test_what_is_given_is_not_guessed() -> None:
    form, columns, rows = read(b"a;b,c\n1;2,3\n", delimiter=",", header=False)
    assert (form, columns, rows) == (Form("utf-8", ",", False), ("1", "2"), [("a;b", "c"), ("1;2", "3")])


def test_a_table_of_numbers_alone_has_no_names() -> None:
    assert read(b"0912345678\n0912345679\n") == (
        Form("utf-8", ",", False),
        ("1",),
        [("0912345678",), ("0912345679",)],
    )


def test_names_of_columns_differ_and_are_short() -> None:
    _, columns, _ = read(b"phone,phone,,  a   b ," + b"x" * 200 + b"\n1,2,3,4,5\n", header=True)
    assert columns == ("phone", "phone (2)", "3", "a b", "x" * 60)


def test_quotes_hold_marks_lines_and_quotes() -> None:
    _, _, rows = read(b'phone,text\n0912345678,"a ""b"", c\nd"\n\n\n0912345679,e\n')
    assert rows == [("0912345678", 'a "b", c\nd'), ("0912345679", "e")], "and empty lines are no rows"


def test_rows_of_another_width_and_zero_octets_come_out_as_they_are() -> None:
    _, _, rows = read(b"a,b\n1\n1,2,3\n\0,x\n", header=True)
    assert rows == [("1",), ("1", "2", "3"), ("\0", "x")]


@pytest.mark.parametrize(
    ("data", "code", "line"),
    [
        (b"", "table_empty", 0),
        (b"PK\x03\x04" + bytes(100), "table_spreadsheet", 0),
        (b"\n\n", "table_empty", 0),
        (b'a,b\n1,"open\n2,3\n', "table_quotes", 3),
        (b'a,b\n1,"x"y\n', "table_quotes", 2),
        (b"a,b\n" + b"x" * (LINE_MAX + 1), "table_line_too_long", 2),
        (b"a,b\n1,2\n" * 3 + b"1," + b"y" * 10_000_000, "table_line_too_long", 7),
        (b",".join([b"a"] * (COLUMNS_MAX + 1)), "table_too_wide", 0),
        ("a,b\n1,2\n".encode("utf-16") + b"\x00\xd8\x00\xd8", "table_encoding", None),
        (b"a,b\n1,\xc3\xa9\n\xff\x8a\n", "table_encoding", None),
    ],
)
def test_a_file_that_is_no_table_is_refused_with_its_place(data: bytes, code: str, line: int | None) -> None:
    with pytest.raises(TableRefused) as refused:
        read(data)
    assert refused.value.code == code
    assert line is None or refused.value.fields["line"] == line


def test_names_alone_are_a_table_without_rows() -> None:
    assert read(b"phone,name\n")[2] == []


def test_a_quote_that_is_never_closed_holds_no_more_than_a_bounded_cell() -> None:
    with pytest.raises(TableRefused) as refused:
        read(b'a,b\n1,"' + b"x\n" * 2_000_000)
    assert (refused.value.code, refused.value.fields["line"]) == ("table_row_too_long", 2)


def test_a_row_of_many_lines_is_bounded_though_each_line_and_cell_is_short() -> None:
    piece = b'"\n",' + b"a," * 16_000
    with pytest.raises(TableRefused) as refused:
        read(b"a,b\n1,2\n" + piece * 50 + b"\n", header=True)
    assert (refused.value.code, refused.value.fields["line"]) == ("table_row_too_long", 3)


def test_rows_of_some_lines_are_read_however_many_there_are() -> None:
    row = '1,"' + "x\n" * (RECORD_LINES_MAX - 1) + '"\n'
    assert len(read(("a,b\n" + row * 20).encode(), header=True)[2]) == 20


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1"])
def test_no_cell_is_a_formula(cell: str) -> None:
    assert harmless(cell) == f"'{cell}"
    assert written_rows([(cell, "x")]).startswith(("'", "\"'"))


def test_other_cells_stay_as_they_are() -> None:
    assert written_rows([("0912345678", 'a "b", c', "Ngọc")]) == '0912345678,"a ""b"", c",Ngọc\r\n'
