"""What is banned, as checks over a syntax tree: each gives the offending lines with the reason."""

import ast
from collections.abc import Iterator

from tests.house.sources import functions

Offence = tuple[int, str]
BROAD = frozenset({"Exception", "BaseException"})
MARKS = frozenset({"skip", "skipif", "xfail", "importorskip", "flaky"})
MOCKS = frozenset({"mock", "unittest.mock", "pytest_mock"})
SLEEPERS = frozenset({"anyio", "asyncio", "time", "trio"})


def late_imports(parsed: ast.AST) -> Iterator[Offence]:
    """Find imports inside functions: what a module needs stands at its top."""
    for function in functions(parsed):
        for node in ast.walk(function):
            if isinstance(node, ast.Import | ast.ImportFrom):
                yield node.lineno, f"import inside {function.name}"


def dynamic_imports(parsed: ast.AST) -> Iterator[Offence]:
    """Find imports by a name that is computed: no checker of layers sees them."""
    for node in ast.walk(parsed):
        if isinstance(node, ast.Call) and _last_name(node.func) in {"import_module", "__import__"}:
            yield node.lineno, "import by a computed name"


def type_only_imports(parsed: ast.AST) -> Iterator[Offence]:
    """Find imports that only the type checker sees: they hide a cycle."""
    for node in ast.walk(parsed):
        if isinstance(node, ast.Name | ast.Attribute) and _last_name(node) == "TYPE_CHECKING":
            yield node.lineno, "TYPE_CHECKING"


def broad_excepts(parsed: ast.AST) -> Iterator[tuple[int, str]]:
    """Find handlers of everything, named by their function; one that only tidies up and raises again is none.

    For `Exception` even that does not count: what can be named has to be named.
    """
    for function in functions(parsed):
        for node in ast.walk(function):
            if isinstance(node, ast.ExceptHandler) and _caught(node) & BROAD and not _tidies_up(node):
                yield node.lineno, function.name
            if isinstance(node, ast.Call) and _last_name(node.func) == "suppress" and _names(node.args) & BROAD:
                yield node.lineno, function.name


def sleeps(parsed: ast.AST) -> Iterator[Offence]:
    """Find waits for a fixed time; giving way once, `asyncio.sleep(0)`, is none."""
    for node in ast.walk(parsed):
        if isinstance(node, ast.ImportFrom) and node.module in SLEEPERS and "sleep" in _imported(node):
            yield node.lineno, f"from {node.module} import sleep"
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name in SLEEPERS and alias.asname:
                    yield node.lineno, f"{alias.name} under another name"
        if isinstance(node, ast.Call) and _is_sleep(node.func) and not _only_gives_way(node):
            yield node.lineno, ast.unparse(node)


def skips(parsed: ast.AST) -> Iterator[Offence]:
    """Find tests that are not run, are expected to fail, or are run again when they fail."""
    for node in ast.walk(parsed):
        if isinstance(node, ast.Attribute) and node.attr in MARKS:
            base = ast.unparse(node.value)
            if base == "pytest" or base.endswith(".mark") or base == "mark":
                yield node.lineno, ast.unparse(node)
        if isinstance(node, ast.ImportFrom) and node.module == "pytest" and _imported(node) & MARKS:
            yield node.lineno, ast.unparse(node)


def mocks(parsed: ast.AST) -> Iterator[Offence]:
    """Find stand-ins for our own classes."""
    for node in ast.walk(parsed):
        if isinstance(node, ast.Import) and _imported(node) & MOCKS:
            yield node.lineno, ast.unparse(node)
        if isinstance(node, ast.ImportFrom) and (
            node.module in MOCKS or (node.module == "unittest" and "mock" in _imported(node))
        ):
            yield node.lineno, ast.unparse(node)
        if isinstance(node, ast.arg) and node.arg == "mocker":
            yield node.lineno, "mocker"


def _imported(node: ast.Import | ast.ImportFrom) -> set[str]:
    return {alias.name for alias in node.names}


def _names(nodes: list[ast.expr]) -> set[str]:
    return {_last_name(node) for node in nodes}


def _last_name(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _caught(handler: ast.ExceptHandler) -> set[str]:
    if handler.type is None:
        return {"BaseException"}
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return _names(kinds)


def _tidies_up(handler: ast.ExceptHandler) -> bool:
    last = handler.body[-1]
    raises_again = isinstance(last, ast.Raise) and last.exc is None
    return raises_again and "Exception" not in _caught(handler)


def _is_sleep(called: ast.expr) -> bool:
    return isinstance(called, ast.Attribute) and called.attr == "sleep" and _last_name(called.value) in SLEEPERS


def _only_gives_way(call: ast.Call) -> bool:
    if ast.unparse(call.func) != "asyncio.sleep" or not call.args:
        return False
    wanted = call.args[0]
    return isinstance(wanted, ast.Constant) and wanted.value == 0
