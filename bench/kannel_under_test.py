"""Kannel 1.4 (Debian package `kannel`): bearerbox and smsbox with the spool store, private ports, a directory a run.

Settings that matter: transceiver link with 100 submits outstanding, error-level logs only (debug logs halve it),
one DLR-url request a receipt. Neither of Kannel's stores calls fsync; Loa in the same run does.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from gateway import Setup, listens, start_process, stop_process, wait_until
from tools import free_port

STORES = ("spool", "spool-memory", "file", "none")
INSTALL = "sudo apt-get install -y kannel"
TEXT = "Your+parcel+arrives+today+between+two+and+four."

CORE = """\
group = core
admin-port = {admin}
admin-interface = "127.0.0.1"
admin-password = bench
smsbox-port = {box}
smsbox-interface = "127.0.0.1"
box-allow-ip = "127.0.0.1"
{store}dlr-storage = internal
log-level = 3
log-file = "{directory}/bearerbox.log"

group = smsc
smsc = smpp
smsc-id = bench
host = 127.0.0.1
port = {smsc}
transceiver-mode = true
smsc-username = bench
smsc-password = bench
system-type = ""
max-pending-submits = 100
reconnect-delay = 1
log-level = 3

group = smsbox
bearerbox-host = 127.0.0.1
bearerbox-port = {box}
smsbox-id = bench
sendsms-port = {http}
sendsms-interface = "127.0.0.1"
global-sender = LOA
log-level = 3
log-file = "{directory}/smsbox.log"

group = sendsms-user
username = bench
password = bench
user-deny-ip = ""
user-allow-ip = ""
max-messages = 1
"""


def program(name: str) -> str | None:
    """Debian keeps the boxes in /usr/sbin, which is not on every user's PATH."""
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin:/sbin")


def installed() -> bool:
    return program("bearerbox") is not None and program("smsbox") is not None


def running_service() -> bool:
    """Whether a Kannel that we did not start is running."""
    found = subprocess.run(["pgrep", "-x", "bearerbox"], capture_output=True, check=False)
    return found.returncode == 0


def _spread(store: Path) -> None:
    """Let ext4 put the spool's directories into different block groups.

    Kannel creates and deletes a file a message. On ext4 without a journal, creating a file steps over every inode
    that was freed in the last minute in the same block group, and Kannel falls to a third of its speed. This softens
    that, to be fair to Kannel; other file systems neither need nor accept it. The store `spool-memory` avoids it.
    """
    if shutil.which("chattr"):
        subprocess.run(["chattr", "+T", str(store)], capture_output=True, check=False)


class Kannel:
    """bearerbox and smsbox, started for one run."""

    name = "kannel"
    engine = ""

    def __init__(self, store: str = "spool") -> None:
        self._store = store
        self._processes: list[subprocess.Popen[bytes]] = []
        self._stores: list[Path] = []
        self._http = 0
        self._dlr = ""

    def start(self, setup: Setup) -> None:
        ports = {"admin": free_port(), "box": free_port(), "http": free_port()}
        self._http = ports["http"]
        directory = setup.directory
        directory.mkdir(parents=True, exist_ok=True)
        store = self._make_store(directory)
        config = directory / "kannel.conf"
        config.write_text(CORE.format(directory=directory, store=store, smsc=setup.smsc_port, **ports))
        # %p is the destination and %d the kind of report, escaped once because smsbox unescapes the parameter.
        target = f"http%3A%2F%2F127.0.0.1%3A{setup.receiver_port}%2Fdlr%3Fto%3D%25p%26status%3D%25d"
        self._dlr = f"&dlr-mask=3&dlr-url={target}" if setup.receipts else ""
        self._start_box("bearerbox", config, directory, ports["box"])
        self._start_box("smsbox", config, directory, ports["http"])

    def _make_store(self, directory: Path) -> str:
        """Make the store's directory and give the lines that name it, none for no store."""
        if self._store == "none":
            return ""
        kind, _, place = self._store.partition("-")
        where = Path(tempfile.mkdtemp(prefix="bench-spool-", dir="/dev/shm" if place else directory))
        self._stores.append(where)
        _spread(where)
        name = where / "store" if kind == "file" else where
        return f'store-type = {kind}\nstore-location = "{name}"\n'

    def _start_box(self, name: str, config: Path, directory: Path, port: int) -> None:
        found = program(name)
        assert found is not None
        command = [found, "-v", "3", str(config)]
        self._processes.append(start_process(command, directory / f"{name}.out"))
        wait_until(lambda: listens(port), f"{name} on port {port} (see {directory})")

    def stop(self) -> None:
        while self._processes:
            stop_process(self._processes.pop())
        while self._stores:
            shutil.rmtree(self._stores.pop())

    def pids(self) -> list[int]:
        return [process.pid for process in self._processes]

    def database_pids(self) -> list[int]:
        return []

    def load_options(self, destinations: int) -> dict[str, Any]:
        """Several destinations are one `to` list: Kannel's nearest thing to a submission."""
        path = f"/cgi-bin/sendsms?username=bench&password=bench&from=LOA&text={TEXT}{self._dlr}&to={{to}}"
        return {"port": self._http, "path": path, "destinations": destinations}
