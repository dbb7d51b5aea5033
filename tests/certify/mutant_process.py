"""A Loa that breaks its promise in one way: `mutant_process.py FLAW [--disk FOLDER] serve --json`.

Each flaw is the smallest change of the program that does it; nothing else differs.
"""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from loa.certify.disk import install
from loa.cli.main import main
from loa.ledger.postgres.ledger import PostgresLedger
from loa.ledger.sqlite.ledger import HANDLERS, SqliteLedger
from loa.ports.records import Stored
from loa.stages.receipts import ReceiptStage

GOING_ON: set[asyncio.Task[Any]] = set()


def answer_before_commit() -> None:
    """Tell the client "accepted" while the accept is still on its way to the disk."""
    for engine in (SqliteLedger, PostgresLedger):

        async def accept_soon(ledger: Any, submission: Any, accept: Any = engine.accept) -> Stored:
            GOING_ON.add(asyncio.ensure_future(accept(ledger, submission)))
            return Stored()

        engine.accept = accept_soon  # type: ignore[method-assign,assignment]


def claim_after_send() -> None:
    """Give dispatch its attempts before the commit that claims them."""
    handle = HANDLERS["claim"]

    async def claim_soon(ledger: Any, *given: Any, waited_ms: int | None = None) -> Any:
        wanted = (*given, waited_ms)
        loop = asyncio.get_running_loop()
        early: asyncio.Future[Any] = loop.create_future()

        def give(attempts: Any) -> None:
            if not early.done():
                early.set_result(attempts)

        told = lambda attempts: loop.call_soon_threadsafe(give, attempts)  # noqa: E731
        GOING_ON.add(asyncio.ensure_future(ledger._writer.call("claim", (wanted, told))))
        return await early

    def handle_and_tell(unit: Any, calls: Any) -> Any:
        results = handle(unit, [wanted for wanted, _ in calls])
        for (_, told), attempts in zip(calls, results, strict=True):
            told(attempts)
        return results

    HANDLERS["claim"] = handle_and_tell
    SqliteLedger.claim = claim_soon  # type: ignore[method-assign,assignment]


def acknowledge_before_storing() -> None:
    """Acknowledge a receipt to the SMSC as soon as it was read."""
    offer = ReceiptStage.offer

    def offer_and_acknowledge(stage: ReceiptStage, receipt: Any, acknowledge: Callable[[bool], None]) -> None:
        offer(stage, receipt, lambda _stored: None)
        acknowledge(True)

    ReceiptStage.offer = offer_and_acknowledge  # type: ignore[method-assign]


FLAWS = {each.__name__: each for each in (answer_before_commit, claim_after_send, acknowledge_before_storing)}


if __name__ == "__main__":
    FLAWS[sys.argv.pop(1)]()
    if sys.argv[1] == "--disk":
        install(Path(sys.argv[2]))
        del sys.argv[1:3]
    main()
