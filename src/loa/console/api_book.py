"""What the explorer shows: the OpenAPI document of this Loa and the catalogue of errors, both handed in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from loa.console.language import Language


@dataclass(frozen=True, slots=True)
class Fault:
    """One code that the API answers with. `status`: of the native API, 0 where it stands beside a field."""

    code: str
    group: str
    texts: Mapping[Language, str]
    status: int = 0


@dataclass(frozen=True, slots=True)
class ApiBook:
    """The document, whole, and every code."""

    document: Mapping[str, Any]
    faults: Sequence[Fault]
