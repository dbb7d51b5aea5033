"""What an attempt tells us: a closed type. Every `match` on it ends in `assert_never`.

The line between Deferred and Unknown is whether bytes of the request may have left the process.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider took the message; one reference per segment it was handed, in order."""

    provider_refs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """The provider said no.

    `lasting`: asking this channel again would be refused again. `everywhere`: so would every other channel, because the
    number is none. `provider_refs` names segments that were taken before the refusal of a later one.
    """

    reason: str
    lasting: bool = True
    provider_refs: tuple[str, ...] = ()
    everywhere: bool = False


@dataclass(frozen=True, slots=True)
class Deferred:
    """The message was definitely not handed over and may be tried again.

    Units: until is milliseconds since the epoch, 0 for "choose by back-off". `counts`: whether this uses up a try;
    throttling, a closed window and a link that was down do not. `alone`: what does not count holds back this message
    only, until its own quota, hours or account allow it; without it the whole channel waits.
    """

    reason: str
    until: int = 0
    counts: bool = True
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Unknown:
    """Bytes may have left and no full answer came; `provider_refs` holds the answered segments ("" if not)."""

    reason: str
    provider_refs: tuple[str, ...] = ()


Outcome = Accepted | Refused | Deferred | Unknown
