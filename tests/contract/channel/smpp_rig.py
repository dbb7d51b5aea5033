"""An SMPP channel bound to a scripted SMSC."""

import contextlib

from tests.contract.channel.peers import Smsc
from tests.contract.channel.rig import SECRET, Rig

from loa.channels.registry import OWN

LONG = "0123456789" * 32  # three segments


def settings_for(smsc, **changes):
    return {
        "host": "127.0.0.1",
        "port": smsc.port,
        "system_id": "esme",
        "password": SECRET,
        "reconnect_first_s": 0.05,
        "reconnect_longest_s": 0.05,
    } | changes


@contextlib.asynccontextmanager
async def bound(smsc=None, *, ready=True, probe=None, server_tls=None, **changes):
    smsc = await (smsc or Smsc()).start(ssl=server_tls)
    rig = Rig(OWN["smpp"], settings_for(smsc, **changes), probe=probe)
    try:
        await rig.start(ready=ready)
        yield smsc, rig
    finally:
        await rig.channel.stop(0)
        await smsc.close()
