"""The doctor's look at master keys: are they here, for us alone, and is everything sealed by them."""

import stat
from collections.abc import Iterator
from typing import Any, Final

from loa.app.admin_reach import administer
from loa.app.findings import Finding, Level
from loa.app.ledgers import key_source
from loa.errors import LoaError
from loa.settings.tree import Settings

_NAME: Final = "master key"
_OTHERS: Final = 0o077
_READ: Final = "see docs/how-to/production.md, on the master key"


async def seal_findings(settings: Settings, *, reached: bool) -> list[Finding]:
    """Look at the keys, and at the ledger's use of them where it can be `reached`."""
    bad = _file(settings)
    if bad is not None:
        return [bad]
    try:
        here = key_source(settings).read()
        if not reached:
            detail = "it will be made with the ledger" if not here.keys else f"{len(here.keys)} in {_where(settings)}"
            return [Finding(_NAME, Level.OK, detail)]
        return list(_states(await administer(settings, "seal.status")))
    except LoaError as error:
        return [Finding(_NAME, Level.FAIL, str(error), _READ)]


def _where(settings: Settings) -> str:
    return key_source(settings).where


def _file(settings: Settings) -> Finding | None:
    """Find what is wrong with the key file, None where nothing is or there is none."""
    if settings.seal.keys:
        return None
    path = settings.key_path
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError:
        return None
    if mode & _OTHERS:
        detail = f"{path} is open to others ({mode:03o}): Loa does not take it"
        return Finding(_NAME, Level.FAIL, detail, f"chmod 600 {path}")
    return None


def _states(found: dict[str, Any]) -> Iterator[Finding]:
    where = found["keySource"]
    lost = [key for key in found["keys"] if not key["here"] and (key["use"] == "current" or key["values"])]
    for key in lost:
        detail = f"{key['id']} is not in {where}; {key['values']} values lie under it"
        cure = "bring it back from its backup; if it is lost, loa seal abandon, and set the secrets anew"
        yield Finding(_NAME, Level.FAIL, detail, cure)
    old = sum(key["values"] for key in found["keys"] if key["use"] == "replaced" and key["here"])
    if old:
        detail = f"a rotation was broken off: {old} values lie under the key before"
        yield Finding(_NAME, Level.WARN, detail, "loa seal rotate")
    if found["plain"]:
        yield Finding(_NAME, Level.WARN, f"{found['plain']} secrets lie open in the ledger", "loa seal rotate")
    if found["damaged"]:
        detail = f"{found['damaged']} sealed values cannot be read"
        yield Finding(_NAME, Level.WARN, detail, "set them anew; loa channels list and loa endpoints list show which")
    if not (lost or old or found["plain"] or found["damaged"]):
        yield Finding(_NAME, Level.OK, f"in {where}; {sum(found['values'].values())} values are sealed")
