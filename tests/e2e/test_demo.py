"""The first minutes: one command, the vendor's own curl, a handset, a receipt, a signed callback; and kill -9."""

import json
import shutil
import signal
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from tests.support.process import Running, loa, loa_json

from loa.domain import keys

SEND = "/api/vendor/v1/sms/send-message"


def post(url: str, key: str, **changed: Any) -> dict[str, Any]:
    body = {
        "destinations": ["0912345678"],
        "from": "LOA-DEMO",
        "text": "Xin chao",
        "scheduled": "",
        "requestId": "",
        "useUnicode": 0,
        "type": 0,
        "ext": {},
        **changed,
    }
    request = urllib.request.Request(
        url + SEND, json.dumps(body).encode(), {"API-KEY": key, "Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.loads(answer.read())


def pasted(demo: Running) -> str:
    """Give the first command of the banner as a person copies it."""
    first = demo.line(lambda line: line.startswith("curl -sS -X POST"))
    return "\n".join((first, demo.line(), demo.line()))


def paste(command: str, cwd: Path) -> dict[str, Any]:
    """Run the printed command in a shell; where there is no curl, make the same call."""
    if shutil.which("curl"):
        done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=30, cwd=cwd, check=True)
        return json.loads(done.stdout)
    words = command.split("'")
    return post(command.split()[4].removesuffix(SEND), words[1].removeprefix("API-KEY: "))


def test_the_printed_curl_reaches_a_handset_and_comes_back_as_delivered(tmp_path: Path) -> None:
    with Running("demo", "--port", 0, cwd=tmp_path) as demo:
        command = pasted(demo)
        accepted = paste(command, tmp_path)
        assert accepted["code"] == 201
        line = demo.line(lambda line: "  accepted  " in line)
        assert accepted["referentId"] in line
        handset = demo.line(lambda line: "  handset " in line)
        assert "84912345678  LOA-DEMO: 'Xin chao tu Loa'  (GSM 03.38, 1 part)" in handset
        assert "84912345678  DELIVRD" in demo.line(lambda line: "  receipt " in line)
        callback = demo.line(lambda line: "  callback " in line)
        assert "delivered (status 2)  signature valid, answered 200" in callback
        demo.signal(signal.SIGINT)
        assert demo.ended() == 0, demo.said()


def test_loa_sends_and_follows_beside_a_demo(tmp_path: Path) -> None:
    with Running("demo", "--json", "--port", 0, cwd=tmp_path) as demo:
        ready = demo.json()
        assert ready["console"].startswith(f"{ready['url']}/console/enter/")
        sent = loa_json("send", "0912345678", "--text", "Xin chào", "--type", "otp", "--wait", cwd=tmp_path)
        assert (sent["settled"], sent["messages"][0]["state"]) == (True, "delivered")
        failed = loa("send", "0912345690", "--text", "hello", "--wait", "--json", cwd=tmp_path)
        assert failed.returncode == 1
        assert json.loads(failed.stdout)["messages"][0]["state"] == "undelivered"
        listed = loa_json("messages", "list", "--state", "delivered", "--destination", "0912345678", cwd=tmp_path)
        assert [each["messageId"] for each in listed] == [sent["messages"][0]["messageId"]]
        story = loa("messages", "show", listed[0]["messageId"], cwd=tmp_path).stdout
        assert "handed to demo-smsc" in story
        assert "receipt         DELIVRD" in story
        of_submission = loa_json("messages", "show", sent["referentId"], cwd=tmp_path)
        assert [each["messageId"] for each in of_submission] == [listed[0]["messageId"]]
        test_key = {"LOA_CLIENT__API_KEY": ready["testApiKey"], "LOA_CLIENT__URL": ready["url"]}
        sandboxed = loa_json(
            "send", "0912345678", "--from", "LOA-DEMO", "--text", "x", "--wait", cwd=tmp_path, env=test_key
        )
        assert sandboxed["messages"][0]["channel"] == "sandbox"


def test_the_dry_run_and_refusals_speak_the_apis_language(tmp_path: Path) -> None:
    with Running("demo", "--json", "--port", 0, cwd=tmp_path) as demo:
        demo.json()
        explained = loa_json("routes", "explain", "0912345678", "--text", "Chúc mừng", cwd=tmp_path)
        assert explained["text"]["encoding"] == "ucs2"
        assert explained["destinations"][0]["route"] == ["demo-smsc"]
        shown = loa("routes", "explain", "113", "--text", "Xin chào", cwd=tmp_path)
        assert shown.returncode == 1
        assert "refused: /destinations/0" in shown.stdout
        refused = loa("send", "113", "--text", "hello", cwd=tmp_path)
        assert (refused.returncode, refused.stdout) == (2, "")
        assert refused.stderr.startswith("Error: Yêu cầu không hợp lệ; destinations[0]: ")
        wrong = {"LOA_CLIENT__API_KEY": keys.mint(live=True).secret}
        assert (
            loa("messages", "list", "--set", f"client.url={demo_url(tmp_path)}", cwd=tmp_path, env=wrong).returncode
            == 3
        )
        assert loa("messages", "show", "msg_ZZ", cwd=tmp_path).returncode == 4


def demo_url(cwd: Path) -> str:
    return str(json.loads((cwd / ".loa" / "demo.json").read_text())["url"])


@pytest.mark.crash
def test_a_killed_demo_goes_on_with_the_same_key_and_loses_nothing(tmp_path: Path) -> None:
    start = ("demo", "--json", "--port", 0, "--data", "data", "--set", "transactional.evidence_wait_s=1")
    with Running(*start, cwd=tmp_path) as demo:
        first = demo.json()
        assert set(first) == {"url", "apiKey", "testApiKey", "sender", "smsc", "receiver", "console", "zalo"}
        for number in range(5):
            post(first["url"], first["apiKey"], destinations=[f"091234567{number}"], requestId=f"order-{number}")
        demo.kill()
    with Running(*start, cwd=tmp_path) as demo:
        second = demo.json()
        assert second.pop("console") != first.pop("console"), "a link of its own for each start"
        assert second == first
        again = post(second["url"], second["apiKey"], destinations=["0912345670"], requestId="order-0")
        assert again["code"] == 200
        told = loa("messages", "tail", "--from-start", "--count", 5, "--json", "--data", "data", cwd=tmp_path)
        events = [json.loads(line) for line in told.stdout.splitlines()]
        assert sorted((each["requestId"], each["state"]) for each in events) == [
            (f"order-{number}", "delivered") for number in range(5)
        ], told.stderr
        demo.signal(signal.SIGTERM)
        assert demo.ended() == 0, demo.said()


def test_a_code_goes_over_zalo_first_and_over_sms_to_a_number_that_is_not_there(tmp_path: Path) -> None:
    with Running("demo", "--json", "--port", 0, cwd=tmp_path) as demo:
        ready = demo.json()
        example, elsewhere = ready["zalo"]["example"], ready["zalo"]["notOnZalo"]
        for members in (example, {**example, "destinations": [elsewhere]}):
            assert post(ready["url"], ready["apiKey"], **members)["code"] == 201
        told = loa("messages", "tail", "--from-start", "--count", 2, "--json", cwd=tmp_path)
        events = [json.loads(line) for line in told.stdout.splitlines()]
        assert {each["msisdn"]: (each["state"], each["channel"]) for each in events} == {
            "84912345678": ("delivered", "demo-zalo"),
            f"84{elsewhere.removeprefix('0')}": ("delivered", "demo-smsc"),
        }, told.stderr


def test_a_busy_port_is_named_with_what_to_do(tmp_path: Path) -> None:
    with Running("demo", "--json", "--port", 0, "--data", "one", cwd=tmp_path) as demo:
        port = demo.json()["url"].rpartition(":")[2]
        refused = loa("demo", "--json", "--port", port, "--data", "two", cwd=tmp_path)
        assert refused.returncode == 2
        assert "choose another port with --port" in refused.stderr
        assert "Traceback" not in refused.stderr
        owned = loa("demo", "--json", "--port", 0, "--data", "one", cwd=tmp_path)
        assert owned.returncode == 5
        assert "choose another --data" in owned.stderr
