"""Composes callbacks again for people to look at, with the code that posts them."""

from typing import Final

from loa.console.exchanges import Exchange
from loa.notify.poster import agent_of, written
from loa.notify.signature import BadSecret, new_secret, sign
from loa.ports.callback_sender import Posting
from loa.ports.records import DueCallback
from loa.stages.callbacks import posting_of

_SIGNATURE: Final = "webhook-signature"


class ConsoleExchanges:
    """See loa.console.exchanges.Exchanges."""

    def __init__(self, version: str) -> None:
        self._agent = agent_of(version)

    def composed(self, told: DueCallback, at: int) -> Exchange:
        """See loa.console.exchanges.Exchanges."""
        posting = posting_of(told, at)
        signatures = _signatures(posting)
        # Without a secret nothing is posted; what would be shows all but the signature.
        shown = posting if signatures else _with_any_secret(posting)
        head = written(shown, self._agent).partition(b"\r\n\r\n")[0].decode("ascii")
        line, _, rest = head.partition("\r\n")
        headers = [tuple(each.split(": ", 1)) for each in rest.splitlines()]
        kept = tuple((name, value) for name, value in headers if signatures or name != _SIGNATURE)
        return Exchange(line, kept, posting.body, posting.callback_id, posting.timestamp_s, signatures)


def _signatures(posting: Posting) -> tuple[str, ...]:
    try:
        return tuple(sign(posting.secrets, posting.callback_id, posting.timestamp_s, posting.body).split())
    except BadSecret:
        return ()


def _with_any_secret(posting: Posting) -> Posting:
    return Posting(posting.callback_id, posting.url, (new_secret(),), posting.body, posting.timestamp_s)
