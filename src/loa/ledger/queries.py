"""Reads named queries from the `.sql` files beside an engine's code.

A query starts with `-- name: <name>`; the comment under it says what it gives and which index it needs.
"""

import re
from importlib import resources

_HEADER = re.compile(r"^-- name: (\w+)$", re.MULTILINE)


def load(package: str) -> dict[str, str]:
    """Give every named query of a package's `sql` folder."""
    queries: dict[str, str] = {}
    for entry in sorted(resources.files(package).joinpath("sql").iterdir(), key=lambda item: item.name):
        parts = _HEADER.split(entry.read_text(encoding="utf-8"))
        for name, body in zip(parts[1::2], parts[2::2], strict=True):
            assert name not in queries, name
            queries[name] = body.strip().rstrip(";")
    return queries
