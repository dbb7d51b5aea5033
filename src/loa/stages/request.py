"""What goes into intake and what comes out of it, whichever face it came through."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from loa.domain.traffic import TrafficClass

_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


class SendRequest(NamedTuple):
    """One request to send, its types checked, nothing else of it.

    `sender`, `text`, `scheduled` and `request_id` as the caller wrote them; `use_unicode` is 0, 1 or 2.
    """

    destinations: Sequence[str]
    sender: str
    text: str
    use_unicode: int
    traffic_class: TrafficClass
    scheduled: str = ""
    request_id: str = ""
    ext: Mapping[str, Any] = _NOTHING


class Taken(NamedTuple):
    """A request that is on disk.

    `repeated`: it was before, and this is the first answer again. `answer`: what the reply's data holds beside the
    token. `warnings`: codes of what the caller may want to look at.
    """

    referent_id: str
    token: str
    repeated: bool
    answer: Mapping[str, Any]
    warnings: tuple[str, ...] = ()


def fingerprint(request: SendRequest) -> bytes:
    """Digest what a body means, so that the same request is recognised however it was written.

    Order of members, white space, `0` or `"0"`, and members that are not read make no difference; the requestId itself
    is not part of it. Shapes: 32 bytes.
    """
    ext: Any = request.ext
    meaning = "\0".join(
        (
            request.sender,
            request.text,
            request.scheduled,
            f"{request.use_unicode}{request.traffic_class:d}",
            json.dumps(ext, sort_keys=True, separators=(",", ":")) if ext else "{}",
            *request.destinations,
        )
    )
    return hashlib.sha256(meaning.encode("utf-8", "surrogatepass")).digest()
