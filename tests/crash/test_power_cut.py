"""F14: after the power failed between any two steps of the disk the ledger goes on, and the model is one that can lose.

That nothing which was answered is missing is a stage of the certificate, over the same recording.
"""

from pathlib import Path
from typing import Any

import pytest

from loa.certify.workload import CHECKPOINT_PAGES, control_losses, lay_out, missing, record
from loa.domain.lifecycle import State
from loa.ledger.sqlite.ledger import SqliteLedger
from tests.contract.ledger.values import claim, no_resend
from tests.support.fakes import EPOCH, QuietProbe

pytestmark = [pytest.mark.crash, pytest.mark.timeout(120)]

SEED = 20261118


async def test_the_workload_is_long_enough_for_checkpoints(tmp_path: Path) -> None:
    recorded = await record(tmp_path)
    writes_back = [step for step in recorded.steps if step.kind == "write" and step.name == str(recorded.path)]
    assert len(writes_back) > CHECKPOINT_PAGES


async def test_f14_after_a_cut_the_ledger_opens_and_claims_nothing_a_second_time(tmp_path: Path) -> None:
    recorded = await record(tmp_path)
    folder = tmp_path / "after"
    folder.mkdir()
    for promised, files in list(recorded.disks("all", SEED))[::8]:
        ledger = await SqliteLedger.open(lay_out(folder, files), probe=QuietProbe())
        try:
            await ledger.settle_stale(EPOCH, no_resend, former=True)
            again = {attempt.message_id for attempt in await claim(ledger)}
            assert not again & set(promised.claimed)
            for message_id in set(promised.claimed) - set(promised.sent):
                row: Any = await ledger.message(1, message_id)
                assert row["state"] in (State.UNKNOWN.label, State.SENT.label, State.DELIVERED.label)
        finally:
            await ledger.close()


async def test_a_promise_that_is_not_on_the_disk_is_missed(tmp_path: Path) -> None:
    recorded = await record(tmp_path)
    folder = tmp_path / "after"
    folder.mkdir()
    disks = list(recorded.disks("all", SEED))
    (early, files), (late, _) = disks[len(disks) // 2], disks[-1]
    assert missing(lay_out(folder, files), early) == ""
    assert "accepted are missing" in missing(lay_out(folder, files), late)


@pytest.mark.parametrize(("synchronous", "loses"), [("full", False), ("normal", True)])
def test_the_model_finds_the_rows_that_a_weaker_setting_loses(tmp_path: Path, synchronous: str, loses: bool) -> None:
    folder = tmp_path / "after"
    folder.mkdir()
    assert bool(control_losses(tmp_path, folder, synchronous, SEED)) is loses
