"""Tables as people hand them in: cells with some mark between them, in some encoding. Pure.

Everything is read in bounded memory, line by line; every cell comes out composed (NFC), for Windows-1258 and some
keyboards write the marks of Vietnamese apart.
"""

import codecs
import csv
import io
import re
import unicodedata
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from typing import IO, Final

from loa.errors import CallerError

ROWS_MAX: Final = 1_000_000
COLUMNS_MAX: Final = 50
LINE_MAX: Final = 32_768
"""Units: characters, of one line and of one cell."""
RECORD_MAX: Final = 131_072
"""Units: characters, of one record: the lines that quotation marks hold together."""
RECORD_LINES_MAX: Final = 1_000
DELIMITERS: Final = (",", ";", "\t", "|")
SAMPLE_LINES: Final = 20
_PIECE: Final = 1 << 20
_SEPARATOR_LINE: Final = re.compile(r"sep=(.)\r?\n?", re.IGNORECASE)
_NUMBER: Final = re.compile(r"[+0-9][0-9 .()-]{7,}")
_ZIP: Final = b"PK\x03\x04"
_BOMS: Final = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


class TableRefused(CallerError):
    """A file that cannot be read as a table. `line`, from 1: where, 0 for the whole."""

    def __init__(self, code: str, detail: str, *, line: int = 0, **fields: object) -> None:
        super().__init__(code, detail, line=line, **fields)


@dataclass(frozen=True, slots=True)
class Form:
    """How a table is written."""

    encoding: str
    delimiter: str
    has_header: bool


@dataclass(frozen=True, slots=True)
class Table:
    """A table that is about to be read. `rows` comes to its end, or raises TableRefused."""

    form: Form
    columns: tuple[str, ...]
    rows: Iterator[tuple[str, ...]]


def open_table(file: IO[bytes], *, delimiter: str = "", header: bool | None = None) -> Table:
    """Find out how a file is written and begin to read it; what is given is not guessed.

    Errors: TableRefused, also while its rows are read.
    """
    file.seek(0)
    if file.read(4) == _ZIP:
        raise TableRefused("table_spreadsheet", "this is a workbook: save it as CSV (UTF-8) and hand that in")
    encoding = encoding_of(file)
    marked, skipped = _sample(file, encoding)
    chosen = delimiter or marked.delimiter or _likely_delimiter(marked.lines)
    rows = _rows(file, encoding, chosen, skipped)
    try:
        first = next(rows)
    except StopIteration:
        raise TableRefused("table_empty", "the file holds no rows") from None
    if len(first) > COLUMNS_MAX:
        raise TableRefused("table_too_wide", f"a table has {COLUMNS_MAX} columns at most", limit=COLUMNS_MAX)
    has_header = _looks_like_header(first) if header is None else header
    columns = _names(first) if has_header else tuple(str(number) for number in range(1, len(first) + 1))
    rest = rows if has_header else _again(first, rows)
    return Table(Form(encoding, chosen, has_header), columns, rest)


def encoding_of(file: IO[bytes]) -> str:
    """Tell a file's encoding: by its mark, by zero octets, by being UTF-8, else Windows-1258."""
    file.seek(0)
    head = file.read(4096)
    for mark, name in _BOMS:
        if head.startswith(mark):
            return name
    if head.count(0) * 4 >= len(head) > 1:
        return "utf-16-le" if head[1::2].count(0) >= head[0::2].count(0) else "utf-16-be"
    file.seek(0)
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while piece := file.read(_PIECE):
            decoder.decode(piece)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "cp1258"
    return "utf-8"


@dataclass(frozen=True, slots=True)
class _Sample:
    lines: list[str]
    delimiter: str


def _sample(file: IO[bytes], encoding: str) -> tuple[_Sample, int]:
    """Read the first lines; a line that names the mark, as spreadsheets write it, is no row."""
    with closing(_lines(file, encoding)) as read:
        lines = list(islice(read, SAMPLE_LINES))
    named = _SEPARATOR_LINE.fullmatch(lines[0]) if lines else None
    return (_Sample(lines[1:], named[1]), 1) if named else (_Sample(lines, ""), 0)


def _lines(file: IO[bytes], encoding: str, skipped: int = 0) -> Generator[str, None, None]:
    file.seek(0)
    text = io.TextIOWrapper(file, encoding=encoding, newline="")
    number = 0
    try:
        while line := text.readline(LINE_MAX + 1):
            number += 1
            if len(line) > LINE_MAX:
                detail = f"line {number} has more than {LINE_MAX} characters: is this a table?"
                raise TableRefused("table_line_too_long", detail, line=number, limit=LINE_MAX)
            if number > skipped:
                yield line
    except UnicodeError:
        detail = f"after line {number} the file is not written in {encoding}: save it as UTF-8"
        raise TableRefused("table_encoding", detail, line=number + 1, encoding=encoding) from None
    finally:
        if not file.closed:
            # It must not close what it was lent.
            text.detach()


class _Records:
    """Hands lines to a reader, no more for one record than one may have."""

    def __init__(self, lines: Iterator[str], skipped: int) -> None:
        self._lines = lines
        self._number = self._begun = skipped
        self._size = 0

    def begin(self) -> None:
        """Note that the next line begins a record."""
        self._begun, self._size = self._number, 0

    def __iter__(self) -> Iterator[str]:
        for line in self._lines:
            self._number += 1
            self._size += len(line)
            if self._size > RECORD_MAX or self._number - self._begun > RECORD_LINES_MAX:
                first = self._begun + 1
                detail = f"the row that begins in line {first} does not end: look at its quotation marks"
                raise TableRefused("table_row_too_long", detail, line=first, limit=RECORD_LINES_MAX)
            yield line


def _rows(file: IO[bytes], encoding: str, delimiter: str, skipped: int) -> Iterator[tuple[str, ...]]:
    records = _Records(_lines(file, encoding, skipped), skipped)
    reader = csv.reader(records, delimiter=delimiter, strict=True)
    count = 0
    try:
        for row in reader:
            records.begin()
            if not any(row):
                continue
            count += 1
            if count > ROWS_MAX + 1:
                raise TableRefused("table_too_long", f"a table has {ROWS_MAX} rows at most", limit=ROWS_MAX)
            yield tuple(unicodedata.normalize("NFC", cell.strip()) for cell in row[: COLUMNS_MAX + 1])
    except csv.Error as error:
        line = reader.line_num + skipped
        detail = f"line {line} cannot be read: {error}. Look at its quotation marks"
        raise TableRefused("table_quotes", detail, line=line) from None


def _likely_delimiter(lines: list[str]) -> str:
    """Give the mark that cuts the first lines into the most cells, the same number in nearly all."""

    def score(mark: str) -> tuple[int, int]:
        try:
            widths = [len(row) for row in csv.reader(lines, delimiter=mark) if row]
        except csv.Error:
            return 0, 0
        if not widths or widths[0] == 1:
            return 0, 0
        alike = widths.count(widths[0])
        return alike * 10 // len(widths), widths[0]

    best = max(DELIMITERS, key=score)
    return best if score(best) > (0, 0) else ","


def _looks_like_header(first: tuple[str, ...]) -> bool:
    return not any(_NUMBER.fullmatch(cell) for cell in first)


def _names(first: tuple[str, ...]) -> tuple[str, ...]:
    """Name columns, each differently."""
    names: list[str] = []
    for number, cell in enumerate(first, start=1):
        name = " ".join(cell.replace("\0", "\N{REPLACEMENT CHARACTER}").split())[:60] or str(number)
        wanted, again = name, 2
        while wanted in names:
            wanted, again = f"{name} ({again})", again + 1
        names.append(wanted)
    return tuple(names)


def _again(first: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> Iterator[tuple[str, ...]]:
    yield first
    yield from rows


_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


def harmless(cell: str) -> str:
    """Write a cell so that no spreadsheet takes it for a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def written_rows(rows: Iterator[tuple[str, ...]] | list[tuple[str, ...]]) -> str:
    """Write rows as comma-separated text, every cell harmless."""
    out = io.StringIO()
    csv.writer(out).writerows([harmless(cell) for cell in row] for row in rows)
    return out.getvalue()
