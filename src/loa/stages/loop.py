"""The one supervisor of the stages: keeps a stage's turn going whatever a turn raises."""

from collections.abc import Awaitable, Callable

from loa.errors import StorageError
from loa.observe.log import get_logger
from loa.ports.clock import Clock

FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 5.0

log = get_logger("loa.stages")


async def keep_running(name: str, turn: Callable[[], Awaitable[None]], clock: Clock) -> None:
    """Call `turn` for ever; after one that raised, wait a little longer each time. Ends when cancelled."""
    pause = FIRST_PAUSE_S
    while True:
        try:
            await turn()
            pause = FIRST_PAUSE_S
        except StorageError as error:
            log.warning("the ledger could not serve a stage", stage=name, error=error)
            await clock.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_S)
        except Exception as error:  # a stage must outlive its own mistakes; the rows stay claimable
            log.exception("a stage failed", stage=name, error=error)
            await clock.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_S)
