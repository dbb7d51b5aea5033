"""The log of one link: every line says which channel and which link."""

from loa.observe.log import Log


class LinkLog:
    """Adds channel and link to each line."""

    __slots__ = ("_channel", "_link", "_log")

    def __init__(self, log: Log, channel: str, link: str) -> None:
        self._log = log
        self._channel = channel
        self._link = link

    def info(self, event: str, **fields: object) -> None:
        """Note something an admin may want to know."""
        self._log.info(event, channel=self._channel, link=self._link, **fields)

    def warning(self, event: str, **fields: object) -> None:
        """Note something an admin should look at."""
        self._log.warning(event, channel=self._channel, link=self._link, **fields)

    def error(self, event: str, **fields: object) -> None:
        """Note something that is broken."""
        self._log.error(event, channel=self._channel, link=self._link, **fields)
