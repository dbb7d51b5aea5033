"""The payloads of tests/fixtures/zalo: what Zalo is asked, answers and posts, each with its source."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from loa.simulators.zalo.world import PLAIN_OA, PLAIN_USERS, Oa

FOLDER: Final = Path(__file__).parents[1] / "fixtures" / "zalo"


@dataclass(frozen=True)
class Payload:
    """One file. `parts`: its members as they stand there; see the README beside the files."""

    name: str
    parts: Mapping[str, Any]

    def __getitem__(self, member: str) -> Any:
        return self.parts[member]

    def get(self, member: str, default: Any = None) -> Any:
        return self.parts.get(member, default)

    @property
    def body(self) -> Any:
        """The JSON of a request or an answer, or that of an event's raw body."""
        return json.loads(self.parts["raw"]) if "raw" in self.parts else self.parts["json"]

    @property
    def raw(self) -> bytes:
        """The octets of an event's body, as they were signed."""
        return str(self.parts["raw"]).encode()


@cache
def payload(name: str) -> Payload:
    """Read one payload, as in `template-send.request`."""
    return Payload(name, json.loads((FOLDER / f"{name}.json").read_text("utf-8")))


@cache
def names(kind: str) -> tuple[str, ...]:
    """Name the payloads of a kind: request, answer or event."""
    return tuple(sorted(path.stem for path in FOLDER.glob(f"*.{kind}.json")))


WORLD: Final[Mapping[str, Any]] = payload("world").parts
"""The app, OA, user and keys that all payloads presume."""


def payloads_oa(**changes: Any) -> Oa:
    """Describe that Official Account to a simulator; its pair of tokens is good from the start."""
    told = {
        name: WORLD[name] for name in ("oa_id", "app_id", "app_secret", "access_token", "refresh_token", "redirect_uri")
    }
    described = {**told, "secret_key": WORLD["oa_secret_key"], "users": PLAIN_USERS, "daily_quota": 20_000}
    return Oa(**{**described, "templates": PLAIN_OA.templates, **changes})
