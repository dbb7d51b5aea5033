"""How a receiver verifies a callback, as snippets that run as they stand, with the values of one request."""

import shlex
from collections.abc import Callable
from typing import Final

from loa.console.exchanges import Exchange

_OPENSSL: Final = """\
SECRET='whsec_…'
key=$(printf %s "${SECRET#whsec_}" | openssl base64 -d -A | od -An -tx1 -v | tr -d ' \\n')
printf %s @SIGNED@ \\
  | openssl dgst -sha256 -mac HMAC -macopt "hexkey:$key" -binary | openssl base64 -A
"""
_PYTHON: Final = """\
import base64, hmac, time

def verify(secret: str, headers: dict[str, str], body: bytes, tolerance_s: int = 300) -> bool:
    stamp = headers["webhook-timestamp"]
    if abs(time.time() - int(stamp)) > tolerance_s:
        return False
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = b"%b.%b.%b" % (headers["webhook-id"].encode(), stamp.encode(), body)
    expected = base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
    given = [part.partition(",")[2] for part in headers["webhook-signature"].split() if part.startswith("v1,")]
    return any(hmac.compare_digest(expected, signature) for signature in given)
"""
_JAVASCRIPT: Final = """\
const { createHmac, timingSafeEqual } = require("node:crypto");

// body: a Buffer with the octets as they came.
function verify(secret, headers, body, toleranceS = 300) {
  const stamp = headers["webhook-timestamp"];
  if (Math.abs(Date.now() / 1000 - Number(stamp)) > toleranceS) return false;
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  const signed = Buffer.concat([Buffer.from(`${headers["webhook-id"]}.${stamp}.`), body]);
  const expected = createHmac("sha256", key).update(signed).digest();
  return headers["webhook-signature"].split(" ").some((part) => {
    const given = Buffer.from(part.startsWith("v1,") ? part.slice(3) : "", "base64");
    return given.length === expected.length && timingSafeEqual(given, expected);
  });
}
"""
_PHP: Final = """\
function verify(string $secret, array $headers, string $body, int $toleranceS = 300): bool {
    $stamp = $headers['webhook-timestamp'];
    if (abs(time() - (int) $stamp) > $toleranceS) return false;
    $key = base64_decode(preg_replace('/^whsec_/', '', $secret));
    $expected = base64_encode(hash_hmac('sha256', $headers['webhook-id'] . '.' . $stamp . '.' . $body, $key, true));
    foreach (explode(' ', $headers['webhook-signature']) as $part) {
        if (str_starts_with($part, 'v1,') && hash_equals($expected, substr($part, 3))) return true;
    }
    return false;
}
"""
SNIPPETS: Final = {"openssl": _OPENSSL, "Python": _PYTHON, "JavaScript": _JAVASCRIPT, "PHP": _PHP}
"""By the name of what runs them. `@SIGNED@`: what is signed of the request that is looked at, for a shell."""


def snippet(name: str, exchange: Exchange, veil: Callable[[str], str]) -> str:
    """Give a snippet for a request, with its number masked where `veil` does so."""
    signed = f"{exchange.number}.{exchange.timestamp}.{exchange.body.decode('utf-8')}"
    return SNIPPETS[name].replace("@SIGNED@", shlex.quote(veil(signed)))


def forwarding(exchange: Exchange, veil: Callable[[str], str]) -> str:
    """Give the command that posts a request to a receiver under work on one's own machine."""
    kept = [f"{name}: {value}" for name, value in exchange.headers if name not in _CURL_SETS]
    lines = [f"-H {shlex.quote(each)}" for each in kept]
    body = f"--data-raw {shlex.quote(veil(exchange.body.decode('utf-8')))}"
    return " \\\n  ".join(["curl -X POST http://localhost:8000/", *lines, body])


_CURL_SETS: Final = frozenset({"Host", "Content-Length", "Accept-Encoding"})
