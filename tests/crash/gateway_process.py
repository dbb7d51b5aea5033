"""A gateway to be killed: `python -m tests.crash.gateway_process SETUP_JSON` with settings in LOA_… variables.

Sets up tenant, key, channel, sender, endpoint and route where the ledger has none, prints one line of JSON when ready,
runs until SIGTERM or until its ledger failed, and ends with the gateway's exit code. With `faults` in the set-up, every
file of the ledger goes through a file system whose faults the parent switches on by making files there.

Shapes: {"key","smsc","receiver","secret","faults"?} -> {"url","pid"}.
"""

import asyncio
import json
import os
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import Any

import uvloop

from loa.app.gateway import Gateway
from loa.domain import keys
from loa.observe.log import configure
from loa.ports.ledger import Ledger
from loa.ports.records import ApiKey
from loa.settings.load import load
from tests.support.crash_faults import FaultyVfs

SENDER = "LOA"
WINDOW = 20


async def set_up(ledger: Ledger, given: dict[str, Any]) -> None:
    """Write down who may send what where, once."""
    if await ledger.keys():
        return
    now = time.time_ns() // 1_000_000
    tenant = await ledger.add_tenant("crash", now)
    smpp = {
        "host": "127.0.0.1",
        "port": given["smsc"],
        "system_id": "loa",
        "window": WINDOW,
        "response_timeout_s": 10,
        "reconnect_first_s": 0.05,
        "reconnect_longest_s": 0.1,
    }
    channel = await ledger.add_channel("main", "smpp", smpp)
    await ledger.add_sender(tenant.id, SENDER, "brandname")
    await ledger.add_route(tenant.id, [channel.id])
    endpoint = await ledger.add_endpoint(tenant.id, given["receiver"], given["secret"])
    kept = keys.keep(given["key"])
    permissions = frozenset(permission.value for permission in keys.Permission)
    await ledger.add_key(
        ApiKey(
            0,
            tenant.id,
            "crash",
            kept.digest,
            kept.display,
            True,
            permissions,
            endpoint_id=endpoint.id,
            created_at=now,
        )
    )


async def run(given: dict[str, Any]) -> int:
    """Run one gateway; give its exit code."""
    settings = load(env=dict(os.environ)).settings
    gateway = Gateway(settings)
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, gateway.ask_to_stop)
    await gateway.start()
    await set_up(gateway.ledger, given)
    await gateway.registry.refresh()
    print(json.dumps({"url": gateway.url, "pid": os.getpid()}), flush=True)
    code = await gateway.wait()
    await gateway.stop()
    return code


def main() -> None:
    """Run with the set-up of the command line."""
    given = json.loads(sys.argv[1])
    configure(json=True, level="info")
    if not given.get("faults"):
        sys.exit(uvloop.run(run(given)))
    faults = FaultyVfs(Path(given["faults"]), default=True)
    shutil.disk_usage = faults.disk_usage  # type: ignore[assignment]
    sys.exit(uvloop.run(run(given)))


if __name__ == "__main__":
    main()
