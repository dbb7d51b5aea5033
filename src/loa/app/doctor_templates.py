"""What the doctor says of registered templates: one line a channel that has any, and one for each that needs care."""

from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any

from loa.app.findings import Finding, Level
from loa.domain.template import DISABLED, ENABLED


def template_findings(said: Mapping[str, Any]) -> Iterator[Finding]:
    """Look at the answer of `templates.list`."""
    for look in said["looks"]:
        if look["problem"]:
            cure = f"read the log; Loa tries again by itself, or at once: loa templates sync {look['channel']}"
            yield Finding(f"templates of {look['channel']}", Level.WARN, f"not read: {look['problem']}", cure)
    for channel, rows in groupby(said["templates"], key=lambda row: row["channel"]):
        listed = list(rows)
        enabled = [row for row in listed if row["status"] == ENABLED]
        silent = sum(not row["text"] for row in enabled)
        detail = f"{len(enabled)} of {len(listed)} may be sent" + (f", {silent} without a text" if silent else "")
        yield Finding(f"templates of {channel}", Level.OK, detail)
        yield from (finding for row in listed for finding in _template(row))


def _template(row: Mapping[str, Any]) -> Iterator[Finding]:
    name = f"template {row['templateId']}"
    if row["status"] == DISABLED:
        yield Finding(name, Level.WARN, f"{row['name']}: disabled", "see why at the provider, and send by another")
    if row["status"] == ENABLED and row["quality"] == "low":
        cure = "send it less, and to those who expect it: a provider disables what many complain of"
        yield Finding(name, Level.WARN, f"{row['name']}: low quality", cure)
    if row["textProblem"]:
        cure = f"loa templates text {row['channel']} {row['templateId']} TEXT"
        yield Finding(name, Level.WARN, f"{row['name']}: no text matches it: {row['textProblem']}", cure)
