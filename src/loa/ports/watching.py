"""The ledger's roles for those who watch and judge: figures, callbacks one by one, what people say of messages."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from loa.domain.figures import Count
from loa.domain.ruling import Effect
from loa.ports.records import CallbackFilter, CallbackPage, Decision, Row


class Figures(Protocol):
    """Counts of messages by the time they were accepted, kept beside the messages: see domain.figures."""

    async def count_figures(self, limit: int) -> bool:
        """Count about so many of the submissions and events that follow where counting stands; tell whether more do.

        Each is counted once, however many call at once or are cut off: how far it came is written with the counts.
        """
        ...

    async def note_queue_ages(self, ages: Sequence[Count]) -> None:
        """Keep how long lanes make messages wait, the highest of each span."""
        ...

    async def figure_series(self, tenant_id: int, grain_ms: int, since: int, until: int) -> list[Row]:
        """Give figures span by span: at, kind, class, channel_id (of queue ages), code, count; over all errors."""
        ...

    async def figure_sums(self, tenant_id: int, grain_ms: int, since: int, until: int) -> list[Row]:
        """Give figures over the whole time: kind, class, channel, code, error, count; accepted, ended and spend."""
        ...


class Deliveries(Protocol):
    """Reading callbacks of a tenant with what came of them."""

    async def callbacks(
        self, tenant_id: int, wanted: CallbackFilter, after: tuple[int, int] | None, limit: int
    ) -> CallbackPage:
        """List callbacks, the newest first, due ones by when they are due. Each row has the latest try as `last`."""
        ...

    async def callback(self, tenant_id: int, callback_id: int) -> Row | None:
        """Give a callback with every try as `tries`, in the order of time.

        `told`: what is posted, as a DueCallback with all tries made so far; None where the message is forgotten.
        """
        ...

    async def count_failed(self, tenant_id: int, endpoint_id: int, since: int, limit: int) -> int:
        """Count callbacks of an endpoint that failed for good since a time, no further than to a limit."""
        ...


class Rulings(Protocol):
    """What people say became of messages that nothing else can tell of."""

    async def rule(self, tenant_id: int, message_ids: Sequence[int], decision: Decision) -> Mapping[int, Effect]:
        """Settle unknown messages on a person's word, or mark dead letters as dealt with; give what it did to each.

        Atomic: state, event, the callback owed, and who said it why. Idempotent: said again, it changes nothing.
        Fenced: a receipt or an outcome that was quicker wins, one that comes later is stored and moves nothing back.
        Never sends.
        """
        ...
