"""The code that the console offers, run for real: what arrives is what somebody typed."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.served import Served, serve

from loa.console.snippets import KEY, LANGUAGES, Call
from loa.ports.records import MessageFilter

TEXT = "Chào 'bạn' \"Lan\" $(touch hurt) `touch hurt` \\ \\u0041 ${HOME} !! %s\n<?php ?> \u202e {{7*7}} 🙂"
RUNNERS = {
    "curl": ("sh", [shutil.which("sh") or "sh"]),
    "Python": ("py", [sys.executable]),
    **({"JavaScript": ("mjs", [node])} if (node := shutil.which("node")) else {}),
    **({"PHP": ("php", [found])} if (found := shutil.which("php")) else {}),
}
"""Shell and Python are everywhere; the others run where they are installed."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve(tmp_path_factory.mktemp("snippets")) as running:
        yield running


@pytest.mark.parametrize("language", RUNNERS)
def test_the_code_sends_what_was_typed(served: Served, tmp_path: Path, language: str) -> None:
    body = {
        "destinations": ["0912345678"],
        "from": "LOA",
        "text": TEXT,
        "useUnicode": 1,
        "type": 0,
        "requestId": language,
        "ext": {"metadata": {"__proto__": "'", "0": None}},
    }
    suffix, command = RUNNERS[language]
    script = tmp_path / f"send.{suffix}"
    script.write_text(LANGUAGES[language](Call("POST", f"{served.url}/api/vendor/v1/sms/send-message", body)), "utf-8")
    key = served.do(lambda house: house.new_key(frozenset({"send"})))
    ran = subprocess.run(
        [*command, str(script)],
        env={KEY: key, "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert "referentId" in ran.stdout, ran.stderr
    rows = served.do(lambda house: house.ledger.messages(house.tenant.id, MessageFilter(request_id=language), None, 9))
    assert len(rows) == 1
    submission = served.do(lambda house: house.ledger.submission(house.tenant.id, rows[0]["referent_id"]))
    assert submission is not None
    assert submission["text"] == TEXT
    assert submission["ext"] == body["ext"]
    assert [each.name for each in tmp_path.iterdir()] == [script.name]
