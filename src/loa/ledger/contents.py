"""What the messages of a submission share, and the attempt made of it for one of them."""

import json
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from loa.domain.standing import POSSIBLE_DUPLICATE
from loa.domain.traffic import TrafficClass
from loa.ports.channel import Attempt

CONTENTS_KEPT = 4_000


@dataclass(frozen=True, slots=True)
class Content:
    """What the messages of a submission share; it never changes."""

    sender: str
    text: str
    encoding: str
    segment_count: int
    expires_at: int
    referent_id: str
    ext: dict[str, Any]

    def attempt(self, row: Any, channel_id: int, traffic_class: TrafficClass) -> Attempt:
        """Make an attempt of a due message: id, submission, number, attempts so far, flags, tries, tenant."""
        message_id, _submission_id, destination, attempts, flags, tries, tenant_id = row
        return Attempt(
            message_id,
            attempts + 1,
            channel_id,
            traffic_class,
            destination,
            self.sender,
            self.text,
            self.encoding,
            self.segment_count,
            self.expires_at,
            self.referent_id,
            bool(flags & POSSIBLE_DUPLICATE),
            self.ext,
            tries,
            tenant_id,
        )


class Contents:
    """The contents used last, by submission."""

    def __init__(self) -> None:
        self._kept: OrderedDict[int, Content] = OrderedDict()

    def missing(self, ids: Iterable[int]) -> list[int]:
        """Name those that are not kept."""
        return [i for i in ids if i not in self._kept]

    def keep(self, rows: Iterable[Any]) -> None:
        """Keep contents: submission, sender, text, encoding, segments, end of life, referent, ext as JSON."""
        for row in rows:
            self._kept[row[0]] = Content(row[1], row[2], row[3], row[4], row[5], row[6], json.loads(row[7]))

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
