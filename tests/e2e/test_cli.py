"""The command line beside a running gateway: changes take effect at once, and every ending has its code."""

import json
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.process import Running, loa, loa_json

SERVE = ("serve", "--json", "--port", 0)
CALLBACKS_HERE = (
    *("--set", "callbacks.allow_http=true", "--set", "callbacks.ports="),
    *("--set", "callbacks.allow_networks=127.0.0.0/8"),
)
SEND = ("send", "0912345678", "--from", "ACME", "--text", "hello")


class Served:
    """A gateway, and commands beside it."""

    def __init__(self, running: Running, cwd: Path) -> None:
        self.running = running
        self.cwd = cwd
        self.url = running.json()["url"]
        self.key = ""

    @property
    def _env(self) -> dict[str, str]:
        return {"LOA_CLIENT__URL": self.url, "LOA_CLIENT__API_KEY": self.key}

    def do(self, *args: object) -> Any:
        """Run a command that must end well."""
        return loa_json(*args, cwd=self.cwd, env=self._env)

    def end(self, *args: object) -> subprocess.CompletedProcess[str]:
        """Run a command, however it ends."""
        return loa(*args, cwd=self.cwd, env=self._env)

    def furnish(self, smsc: str) -> None:
        """Make key, sender, channel and route for messages to an SMSC."""
        self.key = self.do("keys", "create", "--name", "shop", "--permission", "all")["apiKey"]
        self.do("senders", "add", "ACME")
        port = smsc.rpartition(":")[2]
        settings = ("--set", "host=127.0.0.1", "--set", f"port={port}", "--set", "system_id=loa")
        self.do("channels", "add", "sim", "smpp", *settings)
        self.do("routes", "add", "sim")


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with Running(*SERVE, *CALLBACKS_HERE, cwd=tmp_path) as running:
        yield Served(running, tmp_path)


def simulated_smsc(cwd: Path, *script: str) -> Running:
    return Running("simulate", "smsc", "--port", 0, "--json", "--quiet", *script, cwd=cwd)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def test_a_lost_key_file_is_no_loss_while_a_gateway_runs(served: Served, tmp_path: Path) -> None:
    (tmp_path / ".loa" / "master.key").rename(tmp_path / "lost")
    refused = served.end("seal", "abandon", "--yes")
    assert (refused.returncode, "may have the key still in memory" in refused.stderr) == (2, True)
    done = served.do("seal", "rotate")
    assert (done["finishedEarlier"], done["done"], done["damaged"]) == (False, 1, 0), "what it has in memory opens"
    states = {each["use"]: (each["here"], each["values"]) for each in served.do("seal", "status")["keys"]}
    assert states == {"current": (True, 1), "former": (False, 0)}


def test_a_gateway_is_set_up_and_changed_while_it_runs(served: Served, tmp_path: Path) -> None:
    with simulated_smsc(tmp_path) as smsc:
        served.furnish(smsc.json()["smsc"])
        assert [step["name"] for step in served.do("channels", "test", "sim")["steps"]][-2:] == [
            "enquire_link",
            "unbind",
        ]
        sent = served.do(*SEND, "--wait")
        assert [(each["state"], each["channel"]) for each in sent["messages"]] == [("delivered", "sim")]
        assert served.do("channels", "list")[-1]["status"]["linksUp"] == 1

        served.do("channels", "pause", "sim")
        held = served.end(*SEND, "--wait", "--timeout", 1, "--json")
        assert held.returncode == 1
        assert [each["state"] for each in json.loads(held.stdout)["messages"]] == ["queued"]
        lanes = served.do("ledger", "status")["lanes"]
        assert [(lane["channel"], lane["class"], lane["queued"]) for lane in lanes] == [("sim", "transactional", 1)]

        served.do("channels", "resume", "sim")
        told = served.end("messages", "tail", "--from-start", "--count", 2, "--json").stdout
        assert [json.loads(line)["state"] for line in told.splitlines()] == ["delivered", "delivered"]

        served.do("keys", "revoke", served.key, "--yes")
        assert served.end(*SEND).returncode == 3


def test_a_message_is_reported_to_the_endpoint_with_a_valid_signature(served: Served, tmp_path: Path) -> None:
    port = free_port()
    with simulated_smsc(tmp_path) as smsc:
        served.furnish(smsc.json()["smsc"])
        url = f"http://127.0.0.1:{port}/status"
        (tmp_path / "secret").write_text(served.do("endpoints", "add", url, "--for-key", 1)["secret"])
        listen = ("simulate", "receiver", "--port", port, "--secret-file", "secret", "--statuses", 503, "--json")
        with Running(*listen, cwd=tmp_path) as receiver:
            receiver.json()
            sent = served.do(*SEND, "--request-id", "order-7", "--wait")
            first = receiver.json()
            assert (first["verdict"], first["status"], first["path"]) == ("valid", 503, "/status")
            assert (first["body"]["state"], first["body"]["requestId"]) == ("delivered", "order-7")
            assert served.do("callbacks", "replay", first["id"])["replayed"] == 1
            again = receiver.json()
            assert (again["verdict"], again["status"], again["id"]) == ("valid", 200, first["id"])
            assert again["body"]["referentId"] == sent["referentId"]


def test_a_running_ledger_is_backed_up_checked_and_looked_at(served: Served, tmp_path: Path) -> None:
    served.do("tenants", "add", "acme")
    served.do("ledger", "backup", "copy.db")
    assert served.end("ledger", "backup", "copy.db").returncode == 5
    assert served.do("ledger", "check")["ok"] is True
    copied = served.do("tenants", "list", "--data", "elsewhere", "--set", f"database=sqlite:///{tmp_path / 'copy.db'}")
    assert [each["name"] for each in copied] == ["acme"]
    findings = {each["name"]: each for each in served.do("doctor")["findings"]}
    assert served.url in findings["port"]["detail"]
    assert findings["channel sandbox"]["level"] == "ok"


def test_the_control_socket_is_for_this_user_alone(served: Served, tmp_path: Path) -> None:
    assert (tmp_path / ".loa" / "loa.sock").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / ".loa").stat().st_mode & 0o777 == 0o700


def test_one_ledger_has_one_process(served: Served, tmp_path: Path) -> None:
    second = served.end(*SERVE)
    assert second.returncode == 5
    assert "owns the ledger" in second.stderr
    assert "Traceback" not in second.stderr


def test_a_port_that_is_taken_is_said_before_anything_is_made(served: Served) -> None:
    port = served.url.rpartition(":")[2]
    refused = served.end("serve", "--port", port, "--data", "other")
    assert refused.returncode == 2
    assert "choose another port with --port" in refused.stderr
    assert not (served.cwd / "other" / "loa.db").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_the_gateway_in_order(served: Served, number: signal.Signals) -> None:
    served.running.signal(number)
    assert served.running.ended() == 0, served.running.said()
    assert served.do("tenants", "list") == []


def test_a_second_signal_ends_it_at_once(tmp_path: Path) -> None:
    slow = ("--set", "drain_s=3600")
    with simulated_smsc(tmp_path, "--drop-response", "all") as smsc, Running(*SERVE, *slow, cwd=tmp_path) as running:
        served = Served(running, tmp_path)
        served.furnish(smsc.json()["smsc"])
        sending = served.end(*SEND, "--wait", "--timeout", 1, "--json")
        assert json.loads(sending.stdout)["messages"][0]["state"] == "sending"
        running.signal(signal.SIGTERM)
        running.signal(signal.SIGINT)
        assert running.ended() in (130, 143), running.said()


def test_after_a_kill_the_ledger_is_free_although_the_socket_file_stays(served: Served, tmp_path: Path) -> None:
    served.do("tenants", "add", "acme")
    served.running.kill()
    assert (tmp_path / ".loa" / "loa.sock").exists()
    assert [each["name"] for each in served.do("tenants", "list")] == ["acme"]
    with Running(*SERVE, cwd=tmp_path) as running:
        assert Served(running, tmp_path).do("tenants", "add", "later")["name"] == "later"


def test_output_that_nobody_reads_is_no_failure_worth_a_traceback(tmp_path: Path) -> None:
    with Running("config", "reference", cwd=tmp_path) as running:
        running.line()
    assert "Traceback" not in running.said()
