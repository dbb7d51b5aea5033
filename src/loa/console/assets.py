"""The console's static files: read once, compressed once, served under an address that changes with their content."""

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

TYPES: Final = MappingProxyType(
    {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"}
)
FOREVER: Final = "public, max-age=31536000, immutable"
FOLDER: Final = "/console/static/"
PATH: Final = FOLDER + "{digest}/{name:path}"
_DIGEST_DIGITS: Final = 16


@dataclass(frozen=True, slots=True)
class Asset:
    """One static file. `digest`: the start of its SHA-256, which stands in its address and its ETag."""

    name: str
    kind: str
    digest: str
    plain: bytes
    packed: bytes


def address(name: str) -> str:
    """Give the address of a file below the console. Errors: KeyError where there is none."""
    return f"{FOLDER}{ASSETS[name].digest}/{name}"


async def serve(request: Request) -> Response:
    """Answer with a static file; one whose digest is another is not there."""
    asset = ASSETS.get(request.path_params["name"])
    if asset is None or asset.digest != request.path_params["digest"]:
        return Response(status_code=404)
    headers = {"Cache-Control": FOREVER, "ETag": f'"{asset.digest}"', "Vary": "Accept-Encoding"}
    headers["X-Content-Type-Options"] = "nosniff"
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        return Response(asset.packed, headers=headers, media_type=asset.kind)
    return Response(asset.plain, headers=headers, media_type=asset.kind)


def _read(folder: Traversable, prefix: str = "") -> dict[str, Asset]:
    found: dict[str, Asset] = {}
    for each in folder.iterdir():
        name = f"{prefix}{each.name}"
        if each.is_dir():
            found |= _read(each, f"{name}/")
        elif (suffix := name.rpartition(".")[2]) in TYPES:
            plain = each.read_bytes()
            digest = hashlib.sha256(plain).hexdigest()[:_DIGEST_DIGITS]
            found[name] = Asset(name, TYPES[suffix], digest, plain, gzip.compress(plain, 9, mtime=0))
    return found


ASSETS: Final[Mapping[str, Asset]] = MappingProxyType(_read(files("loa.console").joinpath("static")))
