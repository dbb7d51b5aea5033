"""The virtual handset: puts the parts of long messages together."""

from collections import OrderedDict
from typing import Final

from loa.simulators.smsc.events import Shown, Taken

# A handset, too, forgets the parts of a message whose rest never came.
OPEN_LIMIT: Final = 10_000


class Handset:
    """Collects parts by sender, destination, reference and total, in whatever order they come."""

    __slots__ = ("_open",)

    def __init__(self) -> None:
        self._open: OrderedDict[tuple[str, str, int, int], dict[int, str]] = OrderedDict()

    def show(self, taken: Taken) -> Shown | None:
        """Take one segment; give the whole message once its last part is here."""
        part = taken.part
        if part is None:
            return Shown(taken.at, taken.source, taken.destination, taken.text, 1)
        key = (taken.source, taken.destination, part.reference, part.total)
        parts = self._open.setdefault(key, {})
        parts[part.number] = taken.text
        if len(parts) < part.total:
            if len(self._open) > OPEN_LIMIT:
                self._open.popitem(last=False)
            return None
        del self._open[key]
        text = "".join(parts[number] for number in sorted(parts))
        return Shown(taken.at, taken.source, taken.destination, text, part.total)
