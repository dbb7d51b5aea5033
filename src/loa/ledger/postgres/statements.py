"""The statements of this engine. Where one says `message@` it speaks of one day's partition, which the caller names.

Asking a table that is partitioned by day costs the more the more days there are: the server opens and locks all of
them for every statement, 730 of them with the history that is kept by default. Ids carry their day, so nearly every
statement can name the one partition it needs (docs/internals/ledger-postgres.md has the figures).
"""

import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from itertools import groupby
from typing import Any, Final, TypeVar

from loa.ledger.postgres.days import IMPORTED_END, day_of_id
from loa.ledger.queries import load

T = TypeVar("T")

QUERIES: Final = load("loa.ledger.postgres")
IMPORTED: Final = 0
"""The day of ids that came from an embedded ledger."""
_OF_A_DAY: Final = re.compile(r"\b(submission|message|attempt|inbound|event|callback_try)@")


@lru_cache(maxsize=4_096)
def statement(name: str, day: int | None = None) -> str:
    """Give a statement, for one day where it speaks of one."""
    text = QUERIES[name]
    return text if day is None else _OF_A_DAY.sub(rf"\1_{suffix(day)}", text)


def suffix(day: int) -> str:
    """Give how the partitions of a day are named."""
    return "imported" if day == IMPORTED else f"d{day}"


def part_of_id(number: int) -> int:
    """Give the day whose partitions hold an id."""
    return IMPORTED if number < IMPORTED_END else day_of_id(number)


def by_day(rows: Iterable[T], number: Callable[[T], int]) -> Sequence[tuple[int, list[T]]]:
    """Group rows by the day of an id in them, oldest first, each day in the order of the ids."""
    in_order = sorted(rows, key=number)
    return [(day, list(group)) for day, group in groupby(in_order, key=lambda row: part_of_id(number(row)))]


def columns(rows: Sequence[Sequence[Any]]) -> list[list[Any]]:
    """Turn rows into columns. Shapes: at least one row."""
    return [list(column) for column in zip(*rows, strict=True)]
