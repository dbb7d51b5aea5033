"""What the messages of a submission share, and the attempt made of it for one of them."""

import json
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from loa.domain.destination import is_user
from loa.domain.standing import POSSIBLE_DUPLICATE
from loa.domain.traffic import TrafficClass
from loa.ports.channel import Attempt

CONTENTS_KEPT = 4_000
NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Content:
    """What the messages of a submission share; it never changes.

    `rich`: what steps send instead of the text, by the channel's id as text, below 0 for what goes to user ids;
    `brandname`: shown instead of `sender`.
    """

    sender: str
    text: str
    encoding: str
    segment_count: int
    expires_at: int
    referent_id: str
    ext: dict[str, Any]
    rich: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: NOTHING)
    brandname: str = ""

    def attempt(self, row: Any, channel_id: int, traffic_class: TrafficClass) -> Attempt:
        """Make an attempt of a due message: id, submission, number, attempts so far, flags, tries, tenant."""
        message_id, _submission_id, destination, attempts, flags, tries, tenant_id = row
        return Attempt(
            message_id,
            attempts + 1,
            channel_id,
            traffic_class,
            destination,
            self.brandname or self.sender,
            self.text,
            self.encoding,
            self.segment_count,
            self.expires_at,
            self.referent_id,
            bool(flags & POSSIBLE_DUPLICATE),
            self.ext,
            tries,
            tenant_id,
            self._rich_for(channel_id, destination) if self.rich else NOTHING,
        )

    def _rich_for(self, channel_id: int, destination: int) -> Mapping[str, Any]:
        return self.rich.get(str(-channel_id if is_user(destination) else channel_id), NOTHING)


def read_content(row: Any) -> tuple[int, Content]:
    """Read a submission's id and its content: the members of `Content` in their order, mappings as JSON."""
    first, sender, text, encoding, segments, expires_at, referent_id, ext, rich, brandname = row
    whole = json.loads(rich) if rich else NOTHING
    return first, Content(sender, text, encoding, segments, expires_at, referent_id, json.loads(ext), whole, brandname)


def handed_over(row: Any, channel_id: int, traffic_class: int, content: Any) -> Attempt:
    """Make an attempt of the past again, from its message, its channel, its class, and its submission's content."""
    return read_content(content)[1].attempt(row, channel_id, TrafficClass(traffic_class))


class Contents:
    """The contents used last, by submission."""

    def __init__(self) -> None:
        self._kept: OrderedDict[int, Content] = OrderedDict()

    def missing(self, ids: Iterable[int]) -> list[int]:
        """Name those that are not kept."""
        return [i for i in ids if i not in self._kept]

    def keep(self, rows: Iterable[Any]) -> None:
        """Keep contents, see `read_content`."""
        self._kept.update(map(read_content, rows))

    def put(self, submission_id: int, content: Content) -> None:
        """Keep one content."""
        self._kept[submission_id] = content

    def take(self, ids: Iterable[int]) -> dict[int, Content]:
        """Give contents that are all kept, then let go of the oldest."""
        found = {i: self._kept[i] for i in ids}
        while len(self._kept) > CONTENTS_KEPT:
            self._kept.popitem(last=False)
        return found

    def clear(self) -> None:
        """Forget all."""
        self._kept.clear()
