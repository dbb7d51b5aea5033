"""The papers of the project agree with each other: dependencies, locks, version, changelog."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from loa import __version__
from tests.house.sources import ROOT, below, text, tree

PROJECT = tomllib.loads(text(ROOT / "pyproject.toml"))["project"]
DEPENDENCIES = ROOT / "docs" / "internals" / "dependencies.md"
CHANGELOG = ROOT / "CHANGELOG.md"
LOCKS = ROOT / "requirements"

USED_WITHOUT_IMPORT = {"tzdata", "httptools", "uvloop", "python-multipart"}
"""Named by their users: time zones for the standard library, parser and loop for uvicorn, files for starlette."""
COMES_WITH = {
    "aiohappyeyeballs": "aiohttp",
    "yarl": "aiohttp",
    "pydantic-core": "pydantic",
    "click": "typer",
    "argon2": "argon2-cffi",
}
"""Imported beside the package that brings it along and pins it, or under another name than the package has."""


def wanted() -> dict[str, Requirement]:
    read = [Requirement(line) for line in PROJECT["dependencies"]]
    return {canonicalize_name(each.name): each for each in read}


def named_in(lock_input: str) -> set[str]:
    lines = (line.partition("#")[0].strip() for line in text(LOCKS / lock_input).splitlines())
    return {canonicalize_name(line) for line in lines if line and not line.startswith("-r ")}


def locked(lock: str) -> dict[str, str]:
    """Give what a lock file pins: name and version."""
    pins = re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)", text(LOCKS / lock), re.MULTILINE)
    return {canonicalize_name(name): version for name, version in pins}


def explained() -> list[str]:
    """Give the packages that the page of dependencies has a line for."""
    return [canonicalize_name(name) for name in re.findall(r"^\| `([^`]+)` \|", text(DEPENDENCIES), re.MULTILINE)]


def test_every_dependency_has_one_line_of_reason() -> None:
    assert sorted(explained()) == sorted({*wanted(), *named_in("dev.in"), *named_in("build.in")})


def test_the_lock_is_made_from_what_the_project_declares() -> None:
    assert named_in("run.in") == set(wanted())


def test_the_lock_pins_every_dependency_to_a_version_the_project_takes() -> None:
    pinned = locked("run.txt")
    for name, requirement in wanted().items():
        assert requirement.specifier.contains(pinned[name]), name


def test_tests_run_with_the_very_versions_that_ship() -> None:
    shipped, tested = locked("run.txt"), locked("dev.txt")
    assert {name: tested.get(name) for name in shipped} == shipped


def test_every_pin_has_a_hash() -> None:
    for lock in ("build.txt", "run.txt", "dev.txt"):
        entries = re.split(r"\n(?=[A-Za-z0-9])", text(LOCKS / lock).strip())
        assert len(entries) == len(locked(lock)) > 0
        assert [entry.split("==")[0] for entry in entries if "--hash=sha256:" not in entry] == []


def test_what_is_imported_is_declared_and_what_is_declared_is_used() -> None:
    modules = {canonicalize_name(name) for name in imported(below("src"))}
    outside = modules - {"loa"} - {canonicalize_name(name) for name in sys.stdlib_module_names}
    used = {COMES_WITH.get(name, name) for name in outside} | USED_WITHOUT_IMPORT
    assert used == set(wanted())


def imported(paths: Iterable[Path]) -> set[str]:
    found = set()
    for path in paths:
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module.partition(".")[0])
    return found


def test_the_changelog_begins_with_this_version() -> None:
    first = re.search(r"^## (.+)$", text(CHANGELOG), re.MULTILINE)
    assert first is not None
    assert first[1].split()[0] == __version__


def test_the_changelog_names_each_version_once_newest_first() -> None:
    versions = re.findall(r"^## (\d+)\.(\d+)\.(\d+)\b", text(CHANGELOG), re.MULTILINE)
    numbers = [tuple(map(int, version)) for version in versions]
    assert numbers == sorted(set(numbers), reverse=True)
    assert numbers


def test_the_licence_is_the_one_the_project_names() -> None:
    assert PROJECT["license"] == "Apache-2.0"
    assert "Apache License" in text(ROOT / "LICENSE")
    assert "Version 2.0, January 2004" in text(ROOT / "LICENSE")
