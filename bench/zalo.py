"""The simulated Zalo platform as the other end of a run: a process of its own, and how Loa is introduced to it.

It is Loa's own simulator, in Python, so it takes a share of the machine that the real Zalo would not; the figures count
it among the tools, not to Loa.
"""

from __future__ import annotations

import json
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tools import BenchError, Json, free_port

CHANNEL = "bench-zalo"
TEMPLATE = "1"
TEXT = "Your parcel arrives today between two and four."
EVENTS_PATH = "/v1/hooks/zalo"
REFRESH_TOKEN = "refresh-token-of-the-bench"
OA = {
    "oa_id": "5797458635083528841",
    "app_id": "4242424242424242424",
    "app_secret": "secret",
    "secret_key": "key",
    "refresh_token": REFRESH_TOKEN,
    "daily_quota": 100_000_000,
    "templates": [{"template_id": TEMPLATE, "name": "bench", "text": TEXT, "daily_quota": 100_000_000}],
}


@dataclass(frozen=True, slots=True)
class Platform:
    """A running platform. `url`: the base of its three hosts; `api_port`: where it expects Loa."""

    process: subprocess.Popen[str]
    url: str
    control: str
    api_port: int
    directory: Path

    @classmethod
    def start(cls, loa: Path, directory: Path, *, refuse: bool) -> Platform:
        """Start it; with `refuse` no number is on Zalo."""
        oas = directory / "oas.json"
        oas.write_text(json.dumps({"oas": [OA]}))
        api_port = free_port()
        command = [str(loa), "simulate", "zalo", "--json", "--quiet", "--port", "0", "--control-port", "0"]
        command += ["--oas", str(oas), "--events-url", f"http://127.0.0.1:{api_port}{EVENTS_PATH}"]
        command += ["--refuse", "code=-118,surface=number"] if refuse else []
        with (directory / "zalo.log").open("w") as log:
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, start_new_session=True)
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise BenchError(f"loa simulate zalo did not start, see {directory / 'zalo.log'}")
        ready = json.loads(line)
        return cls(process, ready["zalo"], ready["control"], api_port, directory)

    def settings(self) -> dict[str, object]:
        """The settings of Loa's channel."""
        urls = dict.fromkeys(("oauth_url", "openapi_url", "business_url"), self.url)
        own = {"app_id": OA["app_id"], "app_secret": "secret", "oa_secret_key": "key", "oa_id": OA["oa_id"]}
        return {**own, **urls, "window": 200}

    def token_file(self) -> Path:
        """A file with a refresh token to bring along."""
        path = self.directory / "refresh-token"
        path.write_text(REFRESH_TOKEN)
        return path

    def accepted(self) -> int:
        """How many messages it took."""
        host, _, port = self.control.rpartition(":")
        with socket.create_connection((host, int(port)), timeout=10) as link, link.makefile("rw") as lines:
            lines.write('{"do": "status"}\n')
            lines.flush()
            answer: Json = json.loads(lines.readline())
        return int(answer["counts"]["accepted"])

    def stop(self) -> None:
        self.process.terminate()
        self.process.communicate(timeout=20)
