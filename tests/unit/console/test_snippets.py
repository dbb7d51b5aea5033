"""A call as code: whatever people write into it, each language reads back exactly that, and nothing else runs."""

import ast
import json
import re
import shlex
from typing import Any

import pytest

from loa.console.snippets import KEY, LANGUAGES, Call, as_json, curl, javascript, php, python

HOSTILE = (
    "'; touch hurt; '",
    '"); import os; os.abort(); ("',
    "$(touch hurt) `touch hurt` ${HOME} !! %s",
    "\\' \\\\' \\u0041 \\N{BULLET} \\",
    "one\ntwo\r\n\tthree",
    "JSON;\nJSON\n  JSON;",
    "<?php ?> </script><script>1</script> {{7*7}}",
    "\u202egnp.exe \u2028 \u2029 \ufeff \x7f \x85",
    "Chào bạn 👩‍👩‍👧 \U000e0041",
)
BODY: dict[str, Any] = {
    "destinations": ["0912345678", "zalo:8764230215434982221"],
    "from": "LOA",
    "text": "",
    "useUnicode": 1,
    "type": 0,
    "ext": {
        "templateId": "1",
        "templateData": {"__proto__": "x", "0": "y", "it's": '"'},
        "enable_sms_on_zns_failure": False,
        "metadata": None,
        "empty": {},
        "none": [],
    },
}


def body_with(text: str) -> dict[str, Any]:
    return {**BODY, "text": text, "from": text, "ext": {**BODY["ext"], text: text}}


def call_with(text: str) -> Call:
    return Call("POST", "https://loa.example/api/vendor/v1/sms/send-message", body_with(text))


@pytest.mark.parametrize("text", HOSTILE)
def test_a_shell_reads_back_the_body(text: str) -> None:
    words = shlex.split(curl(call_with(text)))
    assert json.loads(words[-1]) == body_with(text)
    assert words[-2] == "--data-raw"
    assert f"API-KEY: ${KEY}" in words


@pytest.mark.parametrize("text", HOSTILE)
def test_python_reads_back_the_body(text: str) -> None:
    parsed = ast.parse(python(call_with(text)))
    (given,) = [node.value for node in parsed.body if isinstance(node, ast.Assign) and _named(node) == "body"]
    assert ast.literal_eval(given) == body_with(text)
    assert [type(node).__name__ for node in parsed.body] == ["Import"] * 3 + ["Assign", "Assign", "With"]


def _named(node: ast.Assign) -> str:
    return node.targets[0].id if isinstance(node.targets[0], ast.Name) else ""


@pytest.mark.parametrize("text", HOSTILE)
def test_javascript_is_given_a_literal_that_is_json_but_for_its_commas(text: str) -> None:
    written = javascript(call_with(text))
    literal = written.removeprefix("const body = ").partition(";\nconst answer")[0]
    strict = re.sub(r",(\s*[}\]])", r"\1", literal.replace('["__proto__"]', '"__proto__"'))
    assert json.loads(strict) == body_with(text)
    assert '"__proto__":' not in literal


@pytest.mark.parametrize("text", HOSTILE)
def test_php_is_given_a_nowdoc_that_ends_only_where_it_should(text: str) -> None:
    lines = php(call_with(text)).split("\n")
    first = lines.index("$body = <<<'JSON'") + 1
    ends = [number for number, each in enumerate(lines) if number >= first and re.match(r"\s*JSON\b", each)]
    assert lines[ends[0]] == "JSON;"
    assert len(ends) == 1
    assert json.loads("\n".join(lines[first : ends[0]])) == body_with(text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_that_cannot_be_seen_stands_in_code(language: str) -> None:
    written = LANGUAGES[language](call_with(HOSTILE[7]))
    assert not re.search("[\u202e\u2028\u2029\ufeff\x7f\x85]", written)


def test_php_and_javascript_quote_the_address() -> None:
    call = Call("POST", "https://x/'\\\"", {})
    assert "curl_init('https://x/\\'\\\\\"')" in php(call)
    assert 'fetch("https://x/\'\\\\\\""' in javascript(call)


def test_a_call_without_body_or_key_is_one_line() -> None:
    assert curl(Call("GET", "https://x/livez", None, keyed=False)) == "curl -sS 'https://x/livez'\n"
    assert as_json([1.5, True]) == "[\n  1.5,\n  true\n]"
