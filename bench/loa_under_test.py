"""Loa under test, on either ledger: set up through its command line on an empty directory, then `loa serve`.

Everything that depends on Loa's commands and settings stands here. fsync stays on, as shipped.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import zalo
from gateway import Setup, answers, start_process, stop_process, wait_until
from postgres_server import PostgresServer
from tools import BenchError, Json, free_port

LOA = Path(sys.executable).with_name("loa")
CHANNEL = "bench"
SENDER = "LOA"
LINKS = 1
WINDOW = 100


def installed() -> bool:
    """Whether the command exists beside this Python and can serve."""
    if not LOA.exists():
        return False
    asked = subprocess.run([LOA, "serve", "--help"], capture_output=True, check=False)
    return asked.returncode == 0


def environment(setup: Setup, database: str = "") -> dict[str, str]:
    """Settings that differ from the defaults: callbacks may go to this machine, advertising at any hour."""
    changed = {
        "LOA_DATABASE": database,
        "LOA_DATA_DIR": str(setup.directory / "data"),
        "LOA_LOG__LEVEL": "warning",
        "LOA_CALLBACKS__ALLOW_HTTP": "true",
        "LOA_CALLBACKS__PORTS": "",
        "LOA_CALLBACKS__ALLOW_NETWORKS": "127.0.0.0/8",
    }
    if setup.any_hour:
        changed["LOA_ADVERTISING__HOURS_ENFORCED"] = "false"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LOA_")}
    return kept | changed


def channel_settings(setup: Setup) -> dict[str, object]:
    """One transceiver link with as many submits outstanding as Kannel's, no rate limit of its own."""
    return {
        "host": "127.0.0.1",
        "port": setup.smsc_port,
        "system_id": "bench",
        "password": "bench",
        "links": LINKS,
        "window": WINDOW,
    }


class Loa:
    """One Loa, started for one run: on SQLite, or on a fresh database of a server, with API workers or without."""

    def __init__(self, server: PostgresServer | None = None, workers: int = 1) -> None:
        self.engine = "postgres" if server else "sqlite"
        self.name = f"loa-{self.engine}" + ("-workers" if workers > 1 else "")
        self._server = server
        self._workers = workers
        self._database = ""
        self._process: subprocess.Popen[bytes] | None = None
        self._port = 0
        self._key = ""

    def start(self, setup: Setup) -> None:
        if self._server is not None:
            self._server.start()
            self._database = self._server.fresh()
            self._server.checkpoint()
        env = environment(setup, self._database)
        self._set_up(setup, env)
        self._port = setup.zalo.api_port if setup.zalo else free_port()
        command = [str(LOA), "serve", "--data", env["LOA_DATA_DIR"], "--port", str(self._port)]
        command += ["--workers", str(self._workers)] if self._workers > 1 else []
        self._process = start_process(command, setup.directory / "loa.log", env)
        log = setup.directory / "loa.log"
        wait_until(lambda: answers(self._port), f"{self.name} to be ready on port {self._port} (see {log})")
        if setup.zalo:
            self._register_template(env)

    def _set_up(self, setup: Setup, env: dict[str, str]) -> None:
        settings = [f"{name}={value}" for name, value in channel_settings(setup).items()]
        pairs = [word for setting in settings for word in ("--set", setting)]
        key = self._command(env, "keys", "create", "--name", "bench")
        self._key = key["apiKey"]
        self._command(env, "channels", "add", CHANNEL, "smpp", *pairs)
        self._command(env, "senders", "add", SENDER)
        steps = [CHANNEL]
        if setup.zalo:
            self._introduce(env, setup.zalo)
            steps = [f"{zalo.CHANNEL},after=60s", CHANNEL]
        self._command(env, "routes", "add", *steps)
        if setup.receipts:
            url = f"http://127.0.0.1:{setup.receiver_port}/callback"
            self._command(env, "endpoints", "add", url, "--for-key", str(key["id"]))

    def _introduce(self, env: dict[str, str], platform: zalo.Platform) -> None:
        pairs = [word for name, value in platform.settings().items() for word in ("--set", f"{name}={value}")]
        self._command(env, "channels", "add", zalo.CHANNEL, "zalo", *pairs)
        self._command(env, "zalo", "token", zalo.CHANNEL, "--refresh-token-file", str(platform.token_file()))

    def _register_template(self, env: dict[str, str]) -> None:
        self._command(env, "templates", "sync", zalo.CHANNEL)
        known = lambda: self._command(env, "templates", "list", zalo.CHANNEL) != []  # noqa: E731
        wait_until(known, "the template to be read from Zalo")
        self._command(env, "templates", "text", zalo.CHANNEL, zalo.TEMPLATE, zalo.TEXT)

    def _command(self, env: dict[str, str], *words: str) -> Json:
        done = subprocess.run([LOA, *words, "--json"], env=env, capture_output=True, text=True, timeout=60, check=False)
        if done.returncode:
            raise BenchError(f"loa {' '.join(words)} ended with {done.returncode}: {done.stdout}{done.stderr}")
        answer: Json = json.loads(done.stdout or "{}")
        return answer

    def stop(self) -> None:
        if self._process is not None:
            stop_process(self._process, patience=60)
            self._process = None
        if self._server is not None:
            if self._database:
                self._server.drop(self._database)
                self._database = ""
            self._server.rest()

    def pids(self) -> list[int]:
        return [self._process.pid] if self._process else []

    def database_pids(self) -> list[int]:
        return self._server.pids() if self._server is not None else []

    def load_options(self, destinations: int) -> dict[str, Any]:
        return {"port": self._port, "key": self._key, "from": SENDER, "destinations": destinations}
