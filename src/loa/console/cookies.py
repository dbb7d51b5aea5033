"""The console's two cookies, and the form tokens that follow from them.

Over HTTPS they are `__Host-` cookies: the browser takes them from this host only, over TLS only, and no other page of
the domain can put one in their place. On this machine without TLS, where browsers refuse such names, they are called
without the prefix and are not Secure.
"""

import hashlib
import hmac
import secrets
from typing import Final

from loa.console.http import Header, Scope, cookie

SIGN_IN: Final = "loa"
"""Holds the id of the sign-in."""
FORM: Final = "loa-form"
"""Holds what form tokens follow from while nobody is signed in."""
_OCTETS: Final = 32
_LENGTH_MAX: Final = 100


def read_cookie(scope: Scope, name: str) -> str:
    """Give the value of one of our cookies, "" where there is none."""
    found = cookie(scope, _full(scope, name))
    return found if len(found) <= _LENGTH_MAX else ""


def set_cookie(scope: Scope, name: str, value: str) -> Header:
    """Give the header that keeps a cookie until the browser is closed."""
    return b"set-cookie", f"{_full(scope, name)}={value}; {_manner(scope)}".encode("ascii")


def drop_cookie(scope: Scope, name: str) -> Header:
    """Give the header that takes a cookie away."""
    return b"set-cookie", f"{_full(scope, name)}=; Max-Age=0; {_manner(scope)}".encode("ascii")


def new_value() -> str:
    """Make a value nobody can guess."""
    return secrets.token_urlsafe(_OCTETS)


def token_of(value: str) -> str:
    """Give the form token that belongs to a cookie; from it the cookie cannot be told."""
    return hmac.new(value.encode("utf-8", "surrogatepass"), b"form", hashlib.sha256).hexdigest() if value else ""


def fits(value: str, token: str) -> bool:
    """Tell whether a form token belongs to a cookie."""
    return bool(value) and hmac.compare_digest(token_of(value), token.encode("ascii", "replace").decode())


def _full(scope: Scope, name: str) -> str:
    return f"__Host-{name}" if scope["scheme"] == "https" else name


def _manner(scope: Scope) -> str:
    return "Path=/; HttpOnly; SameSite=Lax" + ("; Secure" if scope["scheme"] == "https" else "")
