"""What the house tests look at: files by kind, each read and parsed once."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "loa"
NOT_OURS = frozenset({"__pycache__", "bin", "build", "dist", "node_modules", "out"})


def below(*folders: str, suffixes: tuple[str, ...] = (".py",)) -> list[Path]:
    """Give the files below some folders of the repository, without what tools made there."""
    found = (path for folder in folders for path in sorted((ROOT / folder).rglob("*")))
    return [
        path
        for path in found
        if path.is_file()
        and path.suffix in suffixes
        and not any(part in NOT_OURS or part.startswith(".") for part in path.relative_to(ROOT).parts)
    ]


def at_root(*names: str) -> list[Path]:
    """Give files at the root; every one of them has to be there."""
    return [ROOT / name for name in names]


def pages() -> list[Path]:
    """Give every Markdown page of the repository."""
    return [*sorted(ROOT.glob("*.md")), *below("bench", "docs", "src", "tests", suffixes=(".md",))]


def name_of(path: Path) -> str:
    """Say where a file lies, seen from the root."""
    return path.relative_to(ROOT).as_posix()


@cache
def text(path: Path) -> str:
    """Read a file."""
    return path.read_text(encoding="utf-8")


@cache
def tree(path: Path) -> ast.Module:
    """Parse a file."""
    return ast.parse(text(path))


def functions(parsed: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Give every function, methods and inner functions included."""
    for node in ast.walk(parsed):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node
