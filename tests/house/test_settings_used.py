"""A setting that nothing reads is a promise that nobody keeps."""

import ast
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from loa.settings.tree import Settings
from tests.house.sources import below, tree


def leaves(section: Any, prefix: str = "") -> Iterator[str]:
    """Give the name of every setting, with its sections."""
    for each in fields(section):
        value = getattr(section, each.name)
        if (
            is_dataclass(value)
            and prefix == ""
            and fields(value)
            and type(value).__module__ == type(section).__module__
        ):
            yield from leaves(value, f"{each.name}.")
        else:
            yield f"{prefix}{each.name}"


def attributes_read() -> set[str]:
    """Give every attribute that the wiring and the command line read, and those that the tree derives others from."""
    return {
        node.attr
        for path in below("src/loa/app", "src/loa/cli", "src/loa/settings")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load)
    }


def test_every_setting_is_read_by_the_wiring() -> None:
    read = attributes_read()
    names = list(leaves(Settings()))
    assert [name for name in names if name.rpartition(".")[2] not in read] == []
    assert len(names) > 40
