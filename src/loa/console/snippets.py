"""A call of the API as code in several languages, with a variable where the key belongs.

Texts come from people and may hold anything, so each language has its own way of writing them. What cannot be seen, or
would turn the line around, is always written as an escape.
"""

import json
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

KEY: Final = "LOA_API_KEY"
"""The variable of the environment that holds the key."""
_UNSEEN: Final = frozenset({"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"})


class Call(NamedTuple):
    """One call. `body` None for none; `keyed`: whether it needs a key."""

    method: str
    url: str
    body: Mapping[str, Any] | None = None
    keyed: bool = True


def curl(call: Call) -> str:
    """Write a call for a POSIX shell."""
    lines = ["curl -sS" if call.method == "GET" else f"curl -sS -X {call.method}", _shell(call.url)]
    if call.keyed:
        lines.append(f'-H "API-KEY: ${KEY}"')
    if call.body is not None:
        lines += ["-H 'Content-Type: application/json'", f"--data-raw {_shell(as_json(call.body))}"]
    return " \\\n  ".join([f"{lines[0]} {lines[1]}", *lines[2:]]) + "\n"


def python(call: Call) -> str:
    """Write a call for Python 3, with its standard library alone."""
    body = _written(call.body, _PYTHON) if call.body is not None else "None"
    return (
        "import json\nimport os\nimport urllib.request\n\n"
        f"body = {body}\n"
        "request = urllib.request.Request(\n"
        f"    {_in_python(call.url)},\n"
        "    data=json.dumps(body).encode(),\n"
        f'    headers={{"API-KEY": os.environ["{KEY}"], "Content-Type": "application/json"}},\n'
        f'    method="{call.method}",\n'
        ")\n"
        "with urllib.request.urlopen(request, timeout=30) as answer:\n"
        "    print(answer.status, answer.read().decode())\n"
    )


def javascript(call: Call) -> str:
    """Write a call for a JavaScript module, such as Node runs."""
    body = _written(call.body, _JAVASCRIPT) if call.body is not None else "null"
    return (
        f"const body = {body};\n"
        f"const answer = await fetch({_in_json(call.url)}, {{\n"
        f'  method: "{call.method}",\n'
        f'  headers: {{ "API-KEY": process.env.{KEY}, "Content-Type": "application/json" }},\n'
        "  body: JSON.stringify(body),\n"
        "});\n"
        "console.log(answer.status, await answer.text());\n"
    )


def php(call: Call) -> str:
    """Write a call for PHP 7.3 or newer. The body is a nowdoc: nothing in it is read but its last line."""
    body = as_json(call.body) if call.body is not None else ""
    return (
        "<?php\n"
        f"$body = <<<'JSON'\n{body}\nJSON;\n\n"
        f"$call = curl_init({_in_php(call.url)});\n"
        "curl_setopt_array($call, [\n"
        f"    CURLOPT_CUSTOMREQUEST => '{call.method}',\n"
        f"    CURLOPT_HTTPHEADER => ['API-KEY: ' . getenv('{KEY}'), 'Content-Type: application/json'],\n"
        "    CURLOPT_POSTFIELDS => $body,\n"
        "    CURLOPT_RETURNTRANSFER => true,\n"
        "    CURLOPT_TIMEOUT => 30,\n"
        "]);\n"
        "$answer = curl_exec($call);\n"
        "echo curl_getinfo($call, CURLINFO_RESPONSE_CODE), ' ', $answer, PHP_EOL;\n"
    )


LANGUAGES: Final[Mapping[str, Callable[[Call], str]]] = {
    "curl": curl,
    "Python": python,
    "JavaScript": javascript,
    "PHP": php,
}
"""What writes a call, by the name of the language."""


def as_json(value: Any) -> str:
    """Write a value as JSON for people; what cannot be seen is escaped."""
    return _written(value, _JSON)


# --- how languages write values ---


class _Way(NamedTuple):
    text: Callable[[str], str]
    words: Mapping[bool | None, str]
    name: Callable[[str], str]
    indent: str
    comma: str


def _in_json(text: str) -> str:
    return "".join(each if _is_seen(each) else json.dumps(each)[1:-1] for each in json.dumps(text, ensure_ascii=False))


def _in_python(text: str) -> str:
    """Write a text as Python does: JSON's escapes are its own, but for characters that JSON writes as two."""
    plain = json.dumps(text, ensure_ascii=False)
    return "".join(each if _is_seen(each) else _python_escape(each) for each in plain)


def _python_escape(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def _in_php(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _javascript_name(name: str) -> str:
    # Without brackets this one name would set the object's prototype.
    return '["__proto__"]' if name == "__proto__" else _in_json(name)


def _shell(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def _is_seen(character: str) -> bool:
    return unicodedata.category(character) not in _UNSEEN


_JSON_WORDS: Final[Mapping[bool | None, str]] = {True: "true", False: "false", None: "null"}
_PYTHON_WORDS: Final[Mapping[bool | None, str]] = {True: "True", False: "False", None: "None"}
_JSON: Final = _Way(_in_json, _JSON_WORDS, _in_json, "  ", "")
_JAVASCRIPT: Final = _Way(_in_json, _JSON_WORDS, _javascript_name, "  ", ",")
_PYTHON: Final = _Way(_in_python, _PYTHON_WORDS, _in_python, "    ", ",")


def _written(value: Any, way: _Way, margin: str = "") -> str:
    if isinstance(value, str):
        return way.text(value)
    if value is None or isinstance(value, bool):
        return way.words[value]
    if isinstance(value, int | float):
        return repr(value)
    inner = margin + way.indent
    if isinstance(value, Mapping):
        lines = [f"{inner}{way.name(str(name))}: {_written(each, way, inner)}" for name, each in value.items()]
        return _block("{", lines, "}", way, margin)
    items = list(value)
    if all(isinstance(each, str | int) for each in items) and len(items) <= 1:
        return "[" + ", ".join(_written(each, way) for each in items) + "]"
    return _block("[", [inner + _written(each, way, inner) for each in items], "]", way, margin)


def _block(opening: str, lines: list[str], closing: str, way: _Way, margin: str) -> str:
    if not lines:
        return opening + closing
    return f"{opening}\n" + ",\n".join(lines) + f"{way.comma}\n{margin}{closing}"
