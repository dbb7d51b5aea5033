"""`loa simulate zalo` as people run it: a ready line, a script from a file and from flags, what happens line by line."""

import json
import urllib.request
from pathlib import Path
from typing import Any

from tests.support.process import Running, loa
from tests.support.zalo_payloads import payload

SCRIPT = 'off_zalo = ["99"]\ntoken_life_s = 7\n[[refuse]]\ncode = -146\nwhen = {template = "302120"}\n'
OAS = {
    "oas": [{"oa_id": "77", "app_id": "88", "templates": [{"template_id": "302117", "text": "Chào <customer_name>"}]}]
}


def post(url: str, token: str, **changes: Any) -> Any:
    request = payload("template-send.request")
    body = json.dumps({**request["json"], **changes}).encode()
    headers = {"Content-Type": "application/json", "access_token": token}
    with urllib.request.urlopen(urllib.request.Request(url + request["path"], body, headers)) as answer:
        return json.loads(answer.read())


def test_it_says_where_it_is_and_shows_what_happens(tmp_path: Path) -> None:
    (tmp_path / "script.toml").write_text(SCRIPT)
    (tmp_path / "oas.json").write_text(json.dumps(OAS))
    flags = ("--script", "script.toml", "--oas", "oas.json", "--refuse", "code=-115,template=302118")
    with Running("simulate", "zalo", "--port", 0, "--control-port", 0, *flags, "--json", cwd=tmp_path) as zalo:
        ready = zalo.json()
        assert (ready["oaId"], ready["appId"], bool(ready["refreshToken"])) == ("77", "88", True)
        assert ready["control"].startswith("127.0.0.1:")
        assert post(ready["zalo"], ready["accessToken"])["error"] == 0
        assert post(ready["zalo"], ready["accessToken"], phone="84912345699")["error"] == -118
        told = [zalo.json() for _ in range(3)]
        assert [each["event"] for each in told] == ["accepted", "shown", "declined"]
        assert told[1]["text"] == "Chào Nguyễn Văn A"
        assert told[2]["code"] == -118


def test_what_is_wrong_in_a_file_is_said_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "script.json").write_text('{"speed": 3}')
    (tmp_path / "oas.toml").write_text("oas = []")
    script = loa("simulate", "zalo", "--port", 0, "--script", "script.json", cwd=tmp_path)
    assert "speed" in script.stderr
    oas = loa("simulate", "zalo", "--port", 0, "--oas", "oas.toml", cwd=tmp_path)
    assert "no Official Account" in oas.stderr
    assert script.returncode != 0 != oas.returncode
