"""Uploads of images, gifs and files, which live for seven days.

Source: Zalo reference, section 4, Upload. No limit is known for a gif.
"""

import re
from dataclasses import dataclass
from functools import partial
from typing import Final

from loa.simulators.zalo.exchange import Exchange
from loa.simulators.zalo.judge import Subject
from loa.simulators.zalo.official import BAD_TOKEN, NO_QUOTA, OLD_TOKEN, OVER_LIMIT, WRONG
from loa.simulators.zalo.platform import Case, Payload, Platform, Refusal, success
from loa.simulators.zalo.reading import bearer
from loa.simulators.zalo.state import Asset, OaState

_BOUNDARY: Final = re.compile(r'multipart/form-data;.*boundary="?([^";]+)"?', re.IGNORECASE)
_NAME: Final = re.compile(rb'\bname="file"')
_FILENAME: Final = re.compile(rb'\bfilename="([^"]*)"')


@dataclass(frozen=True, slots=True)
class Kind:
    """What one of the three paths takes. `octets` 0: no limit."""

    suffixes: tuple[str, ...]
    octets: int
    file: bool = False


KINDS: Final = {
    "/v2.0/oa/upload/image": Kind((".jpg", ".jpeg", ".png"), 1024 * 1024),
    "/v2.0/oa/upload/gif": Kind((".gif",), 0),
    "/v2.0/oa/upload/file": Kind((".pdf", ".doc", ".docx", ".csv"), 5 * 1024 * 1024, file=True),
}


def upload(platform: Platform, exchange: Exchange) -> Case:
    """Read an upload."""
    kind = KINDS[exchange.path]
    case = Case(Subject("upload"))
    with case:
        oa = case.oa = bearer(platform, exchange, BAD_TOKEN, OLD_TOKEN)
        name, octets = _file(exchange)
        if not name.lower().endswith(kind.suffixes):
            raise Refusal(WRONG, "file is of a type that is not taken")
        if kind.octets and len(octets) > kind.octets:
            raise Refusal(OVER_LIMIT, f"file is larger than {kind.octets}")
        if oa.uploads_this_month >= platform.script.uploads_per_month:
            raise Refusal(NO_QUOTA)
        case.commit = partial(_keep, platform, oa, kind)
    return case


def _keep(platform: Platform, oa: OaState, kind: Kind) -> Payload:
    asset_id = platform.new_id()
    oa.uploads_this_month += 1
    platform.counts.uploads += 1
    oa.assets[asset_id] = Asset(platform.clock.now(), kind.file)
    return success({"token" if kind.file else "attachment_id": asset_id})


def _file(exchange: Exchange) -> tuple[str, bytes]:
    """Find the multipart field `file`: its file name and its content. Errors: Refusal."""
    found = _BOUNDARY.match(exchange.header(b"content-type"))
    if found is None:
        raise Refusal(WRONG, "the body must be multipart/form-data")
    for part in exchange.body.split(b"--" + found[1].encode("latin-1"))[1:-1]:
        head, _, octets = part.partition(b"\r\n\r\n")
        name = _FILENAME.search(head)
        if _NAME.search(head) and name is not None:
            return name[1].decode("utf-8", "replace"), octets.removesuffix(b"\r\n")
    raise Refusal(WRONG, "file is missing")
