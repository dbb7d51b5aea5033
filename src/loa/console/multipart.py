"""Forms that bring a file: the gate looks at their first field alone, the page reads the rest, both within bounds."""

import re
from typing import Final

from loa.console.http import Event, Receive, Scope, header

HEAD_MAX: Final = 4_096
"""How much of a form the gate looks at. Units: octets."""
_BOUNDARY: Final = re.compile(r"""boundary="?([0-9A-Za-z'()+_,./:=?-]{1,70})"?""")


class TooLong(Exception):
    """More came in than may."""


async def first_field(scope: Scope, receive: Receive, name: str) -> tuple[dict[str, str], Receive]:
    """Read the first field of a form with a file, if it has that name; give it, and what gives the whole form again.

    A browser writes it in one way only, and nothing else is read as one.
    """
    kind, _, parameters = header(scope, b"content-type").partition(";")
    found = _BOUNDARY.search(parameters)
    if kind.strip().lower() != "multipart/form-data" or found is None:
        return {}, receive
    events: list[Event] = []
    head, more = b"", True
    while more and len(head) < HEAD_MAX:
        event = await receive()
        events.append(event)
        head += event.get("body", b"")
        more = event.get("more_body", False)
    edge = b"--" + re.escape(found[1].encode())
    written = rb'%b\r\nContent-Disposition: form-data; name="%b"\r\n\r\n([!-~]{1,200})\r\n%b'
    first = re.match(written % (edge, name.encode(), edge), head[:HEAD_MAX])
    return ({name: first[1].decode()} if first else {}), _again(events, receive)


def _again(events: list[Event], receive: Receive) -> Receive:
    left = events[::-1]

    async def replay() -> Event:
        return left.pop() if left else await receive()

    return replay


def bounded(receive: Receive, most: int) -> Receive:
    """Give what comes in, up to a size. Errors, of what is given: TooLong. Units: octets."""
    size = 0

    async def counted() -> Event:
        nonlocal size
        event = await receive()
        size += len(event.get("body", b""))
        if size > most:
            raise TooLong
        return event

    return counted
