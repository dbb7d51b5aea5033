"""Small files, small functions: what has grown too long to be read at once is two things."""

from tests.house.sources import below, functions, name_of, text, tree

FILE_LINES = 500
TEST_FILE_LINES = 600
FUNCTION_LINES = 60

ALLOWED_TO_BE_LONGER: dict[str, int] = {}
"""Named exceptions with their size; an entry may shrink and go, never grow or come."""


def test_no_file_is_too_long() -> None:
    code = (".py", ".sql", ".sh", ".c", ".h", ".css", ".js", ".html")
    sizes = {
        name_of(path): (len(text(path).splitlines()), TEST_FILE_LINES if folder == "tests" else FILE_LINES)
        for folder in ("src", "bench", "packaging", "tests")
        for path in below(folder, suffixes=code)
    }
    too_long = {name: lines for name, (lines, limit) in sizes.items() if lines > limit}
    assert too_long == ALLOWED_TO_BE_LONGER


def test_no_function_is_too_long() -> None:
    too_long = [
        f"{name_of(path)}:{function.lineno}: {function.name} has {lines} lines"
        for path in below("src", "bench", "tests")
        for function in functions(tree(path))
        if (lines := (function.end_lineno or 0) - function.lineno + 1) > FUNCTION_LINES
    ]
    assert too_long == []
