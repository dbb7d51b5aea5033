"""F46: SIGKILL while a batch is worked off: every row is sent once, and it goes on by itself."""

import pytest

from loa.certify.client import SENDER
from loa.certify.world import World
from loa.domain.batch_plan import BatchPlan, Source, as_json
from loa.observe.clock import SystemClock
from loa.ports.probe import Point

pytestmark = [pytest.mark.crash, pytest.mark.timeout(90)]

ROWS = [(f"09{10_000_000 + n}", f"Chao {n}" if n % 2 else "Chao ban") for n in range(1_200)]
NUMBERS = sorted(f"8491{n:07}" for n in range(1_200))
TENANT = "default"
LOOK_AGAIN_S = 0.05


async def until(world: World, batch: int, wanted: str) -> dict[str, object]:
    """Wait until a batch stands so."""
    clock = SystemClock()

    async def stands() -> dict[str, object]:
        while (shown := await world.do("batches.show", tenant=TENANT, batch=batch))["state"] != wanted:
            await clock.sleep(LOOK_AGAIN_S)
        return shown  # type: ignore[no-any-return]

    return await world.within(f"the batch to be {wanted}", stands())


@pytest.mark.parametrize("point", [Point.BATCH_SUBMITTED, Point.BATCH_RECORDED])
async def test_f46_killed_in_the_middle_of_a_batch_every_row_is_sent_once(world: World, point: Point) -> None:
    await world.boot(f"{point}:2")
    made = await world.do("batches.add", tenant=TENANT, name="Tet", who="lan", columns=["phone", "text"], rows=ROWS)
    plan = BatchPlan(0, Source(1), Source(value=SENDER), Source(value="transactional"), use_unicode=0)
    await world.do("batches.check", tenant=TENANT, batch=made["batch"], plan=as_json(plan))
    await until(world, made["batch"], "checked")
    await world.do("batches.start", tenant=TENANT, batch=made["batch"])
    await world.killed()
    await world.boot()
    shown = await until(world, made["batch"], "finished")
    assert shown["counts"] == {"good": 1_200, "segments": 1_200, "sent": 1_200}
    assert sorted(row["destination"] for row in await world.messages()) == NUMBERS
