"""What is owed to one client, in order, until it says that it took it: at least once, as real SMSCs do."""

from collections import deque
from collections.abc import Callable, Iterable

from loa.simulators.smsc.link import Link
from loa.simulators.smsc.notice import Notice
from loa.simulators.smsc.script import Script

Carry = Callable[[Link, Notice], None]


class Outbox:
    """The notices of one system_id and the links that can carry them."""

    __slots__ = ("_carry", "_links", "_waiting")

    def __init__(self, carry: Carry) -> None:
        self._carry = carry
        self._links: list[Link] = []
        self._waiting: deque[Notice] = deque()

    def join(self, link: Link) -> None:
        """Let a newly bound link carry notices."""
        self._links.append(link)

    def leave(self, link: Link) -> None:
        """Forget a link that is gone; what it carried comes first again."""
        if link in self._links:
            self._links.remove(link)
        self.put_back(link.take_back())

    def add(self, notice: Notice) -> None:
        """Put a notice at the end."""
        self._waiting.append(notice)

    def put_back(self, notices: Iterable[Notice]) -> None:
        """Put notices that were not taken at the front, in their order."""
        self._waiting.extendleft(reversed(list(notices)))

    def pump(self, script: Script) -> None:
        """Hand over what the windows have room for."""
        while self._waiting:
            newest = script.receipt_order == "newest_first"
            link = self._choose(self._waiting[-1 if newest else 0], script)
            if link is None:
                return
            self._carry(link, self._waiting.pop() if newest else self._waiting.popleft())

    def late(self, sent_before: float) -> bool:
        """Take back what was sent before an instant and never answered; tell whether anything is on its way."""
        for link in self._links:
            self.put_back(link.take_back(sent_before))
        return any(link.carrying for link in self._links)

    def _choose(self, notice: Notice, script: Script) -> Link | None:
        """Choose the link: the one the submit came over, or just not that one, where there is a choice."""
        free = [link for link in self._links if link.free(script.receipt_window) > 0]
        if not free:
            return None
        same = script.receipt_link == "same"
        wanted = [link for link in free if (id(link) == notice.origin) is same]
        return (wanted or free)[0]
