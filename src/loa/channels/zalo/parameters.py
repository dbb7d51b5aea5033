"""The values of a template's parameters as a caller gives them: made text, and checked before anything is queued. Pure.

Source: Zalo reference, section 5: values must be texts, lengths count after NFC.
"""

import difflib
import unicodedata
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from loa.domain.rules import Finding
from loa.domain.template import Template
from loa.domain.template_values import check_data

WHERE: Final = "ext.templateData"


def texts_of(data: Mapping[str, Any]) -> tuple[dict[str, str], tuple[Finding, ...]]:
    """Make texts in NFC of what a caller gave; what cannot be one is named."""
    texts: dict[str, str] = {}
    found = []
    for name, value in data.items():
        text = _text(value)
        if text is None:
            found.append(Finding(f"{WHERE}.{name}", "wrong_type", {"expected": "string or number"}))
        else:
            texts[str(name)] = unicodedata.normalize("NFC", text)
    return texts, tuple(found)


def _text(value: Any) -> str | None:
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return str(int(value)) if isinstance(value, int) or value.is_integer() else repr(value)


def check(template: Template, texts: Mapping[str, str]) -> tuple[Finding, ...]:
    """Hold texts against all parameters of a template; a name that is none is answered with the nearest that is."""
    return tuple(_nearest(template, found) for found in check_data(template, texts, WHERE))


def _nearest(template: Template, found: Finding) -> Finding:
    if found.code != "parameter_unknown":
        return found
    name = str(found.values.get("parameter", ""))
    known = [each.name for each in template.parameters]
    near = difflib.get_close_matches(name, known, 1)
    return replace(found, values={**found.values, "known": near[0] if near else ", ".join(known) or "-"})
