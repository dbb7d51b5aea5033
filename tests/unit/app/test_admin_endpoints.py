"""What is posted as a test is signed like every callback, with every secret in use, and shown as it went out."""

from collections.abc import AsyncIterator
from ipaddress import ip_network
from pathlib import Path

import pytest
from tests.support.fakes import FakeClock, QuietProbe

from loa.app.admin_endpoints import EndpointCare
from loa.errors import NotFound
from loa.ledger.sqlite.ledger import SqliteLedger
from loa.notify.guard import GuardPolicy
from loa.notify.poster import HttpCallbackSender
from loa.notify.signature import new_secret
from loa.simulators.receiver.script import ReceiverScript
from loa.simulators.receiver.server import CallbackReceiver

HERE = GuardPolicy(allow_http=True, ports=(), allow_networks=(ip_network("127.0.0.0/8"),))


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[SqliteLedger]:
    opened = await SqliteLedger.open(tmp_path / "loa.db", probe=QuietProbe())
    await opened.add_tenant("default", 0)
    yield opened
    await opened.close()


async def test_a_test_is_taken_and_its_signature_is_good_for_both_secrets(ledger: SqliteLedger) -> None:
    clock = FakeClock()
    receiver = CallbackReceiver(clock=clock)
    await receiver.start()
    old = new_secret()
    made = await ledger.add_endpoint(1, f"{receiver.url}/told", old)
    care = EndpointCare(ledger, clock, new_secret, lambda: HttpCallbackSender(HERE, version="9"), "9")
    new = (await care.rotate_secret(endpoint_id=made.id))["secret"]
    for secret in (old, new):
        receiver.secret = secret
        told = await care.test(endpoint_id=made.id)
        assert (told["taken"], told["status"], told["error"]) == (True, 200, None)
        assert receiver.deliveries[-1].verdict == "valid"
    await care.retire_secret(endpoint_id=made.id)
    receiver.secret = old
    await care.test(endpoint_id=made.id)
    assert receiver.deliveries[-1].verdict == "invalid"
    receiver.change(ReceiverScript(status=503))
    told = await care.test(endpoint_id=made.id)
    assert (told["taken"], told["status"], told["error"]) == (False, 503, "status")
    went_out = receiver.deliveries[-1]
    assert told["request"].endswith(went_out.body.decode())
    assert f"webhook-signature: {went_out.headers['webhook-signature']}\r\n" in told["request"]
    with pytest.raises(NotFound):
        await care.test(endpoint_id=made.id + 1)
    await receiver.stop()
