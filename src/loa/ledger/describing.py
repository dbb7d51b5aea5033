"""How templates lie in rows, the same in both engines: what people and programs read of one is a single JSON text.

Quotas and the time of the last look change all day and stand in columns apart: they are kept without a new revision of
the directory, because no reader decides by them and each revision makes every process read everything again.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from loa.domain.template import DELETED, Parameter, Tag, Template
from loa.ledger.rows import text

TEMPLATES: Final = (
    "SELECT channel_id, template_id, described, text, daily_quota, remaining_quota, synced_at FROM template"
)
LOOKS: Final = "SELECT channel_id, asked_at, begun_at, claimed_until, done_at, problem FROM template_look"
_SAID: Final = ("name", "status", "quality", "price", "price_to_user", "timeout_ms", "preview_url", "reason")


@dataclass(frozen=True, slots=True)
class Kept:
    """What is to be written of one channel's templates, and how many of them changed.

    Shapes: a row is template_id, described, daily_quota, remaining_quota, text, which counts for new ones only.
    """

    rows: list[tuple[str, str, int, int, str]]
    changed: int


def compare(known: Mapping[str, str], templates: Sequence[Template]) -> Kept:
    """Compare what a provider has now with what was kept, by id as described; what is gone becomes deleted."""
    named = {each.template_id: each for each in templates}
    rows = [
        (each.template_id, _described(each), each.daily_quota, each.remaining_quota, each.text)
        for each in named.values()
    ]
    for template_id, described in known.items():
        if template_id not in named:
            gone = text({**json.loads(described), "status": DELETED})
            rows.append((template_id, gone, -1, -1, ""))
    return Kept(rows, sum(known.get(row[0]) != row[1] for row in rows))


def read_template(row: Any) -> Template:
    """Read a row of TEMPLATES."""
    said = json.loads(row[2])
    return Template(
        channel_id=row[0],
        template_id=row[1],
        tag=None if said["tag"] is None else Tag(said["tag"]),
        parameters=tuple(Parameter(*each) for each in said["parameters"]),
        text=row[3],
        daily_quota=row[4],
        remaining_quota=row[5],
        synced_at=row[6],
        **{name: said[name] for name in _SAID},
    )


def _described(template: Template) -> str:
    parameters = [
        (each.name, each.kind, each.required, each.accepts_empty, each.min_length, each.max_length)
        for each in template.parameters
    ]
    said = {name: getattr(template, name) for name in _SAID}
    return text({**said, "tag": template.tag, "parameters": parameters})
