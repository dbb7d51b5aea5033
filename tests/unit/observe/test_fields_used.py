"""Every field that the program logs is on the closed list; a forgotten one would silently vanish."""

import ast
from pathlib import Path

from loa.observe.fields import SHOWN

SOURCE = Path(__file__).parents[3] / "src" / "loa"
LEVELS = {"debug", "info", "warning", "error", "exception"}


def logged_fields():
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in LEVELS:
                owner = node.func.value
                name = owner.attr if isinstance(owner, ast.Attribute) else getattr(owner, "id", "")
                if name.lower().strip("_") in {"log", "logger"}:
                    place = f"{path.relative_to(SOURCE)}:{node.lineno}"
                    yield from ((place, field.arg) for field in node.keywords if field.arg is not None)


def test_every_logged_field_is_known():
    fields = list(logged_fields())
    assert len(fields) > 10
    assert [(place, name) for place, name in fields if name not in {*SHOWN, "exc_info"}] == []
