"""What this program is made of: the installed packages it needs, and the scripts it brings, with their licences."""

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from importlib.resources import files
from typing import Final, NamedTuple

OWN: Final = "loa"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_CLASSIFIER: Final = "License :: OSI Approved :: "
_LONGEST: Final = 80


class Package(NamedTuple):
    """One part. `kind`: python, or script where the browser runs it; `terms`: its licence, "" where it does not say."""

    name: str
    version: str
    terms: str
    kind: str


@cache
def packages() -> tuple[Package, ...]:
    """Give everything Loa needs that is installed here, by name, then the scripts it brings."""
    found: dict[str, Package] = {}
    _walk(OWN, found)
    return (*sorted(found.values(), key=lambda each: each.name.lower()), *_scripts())


def _walk(name: str, found: dict[str, Package]) -> None:
    key = re.sub(r"[-_.]+", "-", name).lower()
    if key in found:
        return
    try:
        installed = distribution(name)
    except PackageNotFoundError:
        # Needed on other systems only.
        return
    found[key] = Package(installed.metadata["Name"], installed.version, terms(installed), "python")
    for needed in installed.requires or ():
        wanted, _, condition = needed.partition(";")
        match = _NAME.match(wanted)
        if match is not None and "extra" not in condition:
            _walk(match[0], found)


def terms(installed: Distribution) -> str:
    """Give the licence that a package names, in one line."""
    told = installed.metadata
    classified = [each.removeprefix(_CLASSIFIER) for each in told.get_all("Classifier") or () if _CLASSIFIER in each]
    expressed, plain = ((told.get_all(name) or [""])[0].strip() for name in ("License-Expression", "License"))
    return (expressed or "; ".join(classified) or plain.partition("\n")[0])[:_LONGEST]


def _scripts() -> Iterator[Package]:
    source = files("loa.console").joinpath("static", "vendored", "vendored.toml").read_text(encoding="utf-8")
    listed = {each["package"]: each for each in tomllib.loads(source).values() if "package" in each}
    for name in sorted(listed):
        yield Package(name, listed[name]["version"], listed[name]["licence"], "script")
