"""What is done with users, once for both engines.

A program is a generator: it names a statement with its values, is given the rows, and returns what its caller asked
for. An engine runs it in one transaction, one such program at a time over all processes.
"""

import hashlib
import json
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any, Final

from loa.domain.roles import Role
from loa.errors import CallerError, CannotOpen
from loa.ledger.sealing import TOTP_SEED
from loa.ports.users import Credentials, Deed, Entry, Link, Purpose, SignIn, User
from loa.seal.sealer import Sealer

Rows = Sequence[Any]
Program = Generator[tuple[str, tuple[Any, ...]], Rows, Any]
Maker = Callable[[], Program]
"""Makes a program: one that is run again after a failure starts anew."""

SIGN_IN_COLUMNS: Final = 7
TRIES_KEPT_MS: Final = 86_400_000
"""A row of tries is over when nobody tried for so long."""
CHECKED_AT_ONCE: Final = 500


def read_user(sealer: Sealer, row: Any) -> User:
    """Read a row of users; a seed that is damaged is "". Errors: CannotOpen when its key is not here."""
    user_id, name, role, password, seed, step, created_at, disabled_at = row
    return User(user_id, name, Role(role), password, _open(sealer, name, seed), step, created_at, disabled_at)


def users() -> Program:
    """Read every user."""
    return (yield "read_users", ())


def user(name: str) -> Program:
    """Read the rows of a user: one or none."""
    return (yield "read_user", (name,))


def add_user(sealer: Sealer, name: str, role: Role, now: int) -> Program:
    """Add a user without credentials; gives the row. Errors: CallerError."""
    rows = yield "add_user", (name, role.value, sealer.seal(TOTP_SEED.place_of(name), ""), now)
    if not rows:
        raise CallerError("user_exists", f"there is a user {name!r} already", name=name)
    return (yield "read_user_by_id", (rows[0][0],))[0]


def set_role(user_id: int, role: Role) -> Program:
    """Give a user another role; False when there is none. Errors: CallerError for the last owner."""
    if role is not Role.OWNER:
        yield from _refuse_last_owner(user_id)
    rows = yield "set_role", (user_id, role.value)
    yield "end_sign_ins", (user_id,)
    return bool(rows)


def set_disabled(user_id: int, at: int | None) -> Program:
    """Shut a user out or let them in again; False when there is none. Errors: CallerError for the last owner."""
    if at is not None:
        yield from _refuse_last_owner(user_id)
    rows = yield "set_disabled", (user_id, at)
    yield "end_sign_ins", (user_id,)
    for purpose in Purpose:
        yield "end_links", (purpose.value, user_id)
    return bool(rows)


def _refuse_last_owner(user_id: int) -> Program:
    rows = yield "read_user_by_id", (user_id,)
    if rows and rows[0][2] == Role.OWNER.value and rows[0][3] and rows[0][7] is None:
        others = yield "other_owners", (user_id,)
        if not others[0][0]:
            raise CallerError(
                "last_owner", "this is the last owner who can sign in: make somebody else owner first", user_id=user_id
            )


def enrol(sealer: Sealer, link_digest: str, name: str, given: Credentials, now: int) -> Program:
    """Use a link up; gives the row of its user with the new credentials, None when nothing was done."""
    rows = yield "read_link", (link_digest,)
    if not rows or rows[0][3] <= now or rows[0][1] == Purpose.ENTER.value:
        return None
    user_id = rows[0][2]
    if rows[0][1] == Purpose.FIRST_RUN.value:
        counted = yield "count_users", ()
        if counted[0][0]:
            return None
        row = yield from add_user(sealer, name, Role.OWNER, now)
        user_id = row[0]
    found = yield "read_user_by_id", (user_id,)
    if not found or found[0][7] is not None:
        return None
    yield "take_link", (link_digest,)
    seed = sealer.seal(TOTP_SEED.place_of(found[0][1]), given.seed)
    yield "set_credentials", (user_id, given.password, seed, given.step)
    yield "forget_recovery", (user_id,)
    for digest in given.recovery:
        yield "add_recovery", (user_id, digest)
    yield "end_sign_ins", (user_id,)
    return (yield "read_user_by_id", (user_id,))[0]


def done(name: str, *values: Any) -> Program:
    """Run one statement; tells whether it gave a row."""
    return bool((yield name, values))


def counted(name: str, *values: Any) -> Program:
    """Run one statement; gives how many rows it gave."""
    return len((yield name, values))


def begin_sign_in(sign_in: SignIn, instead: str) -> Program:
    """Keep a sign-in in the place of another."""
    yield "forget_sign_ins", (sign_in.created_at,)
    yield "replace_sign_in", (instead,)
    yield (
        "add_sign_in",
        (
            sign_in.digest,
            sign_in.user_id,
            sign_in.created_at,
            sign_in.seen_at,
            sign_in.ends_at,
            clean(sign_in.address),
            clean(sign_in.agent),
        ),
    )


def sign_in(digest: str) -> Program:
    """Read the rows of a sign-in with its user: one or none."""
    return (yield "read_sign_in", (digest,))


def sign_ins(user_id: int) -> Program:
    """Read the sign-ins of a user."""
    return [SignIn(*row) for row in (yield "sign_ins_of", (user_id,))]


def add_link(link: Link, now: int) -> Program:
    """Keep a link instead of those before."""
    yield "forget_links", (now,)
    if link.user_id is not None:
        yield "end_links", (link.purpose.value, link.user_id)
    yield "add_link", (link.digest, link.purpose.value, link.user_id or 0, link.expires_at)


def link(digest: str, now: int) -> Program:
    """Read a link that is still good."""
    rows = yield "read_link", (digest,)
    if not rows or rows[0][3] <= now:
        return None
    digest, purpose, user_id, expires_at = rows[0]
    return Link(digest, Purpose(purpose), user_id or None, expires_at)


def take_link(digest: str, purpose: Purpose, now: int) -> Program:
    """Use a link of a purpose up."""
    found = yield from link(digest, now)
    if found is None or found.purpose is not purpose:
        return None
    yield "take_link", (digest,)
    return found


def take_try(subjects: Sequence[str], now: int, delays: Sequence[int]) -> Program:
    """Count a try of each subject, unless one of them has to wait; gives how long."""
    yield "forget_old_tries", (now - TRIES_KEPT_MS,)
    known: dict[str, int] = {}
    wait = 0
    for subject in subjects:
        rows = yield "read_tries", (subject,)
        if rows:
            known[subject] = rows[0][0]
            # No wait is longer than the longest: a clock that was set back must not shut anybody out for long.
            wait = max(wait, min(rows[0][1] - now, max(delays)))
    if wait > 0:
        return wait
    for subject in subjects:
        count = known.get(subject, 0) + 1
        yield "note_try", (subject, count, now + delays[min(count, len(delays)) - 1], now)
    return 0


def forget_tries(subjects: Sequence[str]) -> Program:
    """Forget tries."""
    for subject in subjects:
        yield "forget_tries", (subject,)


def add_deed(deed: Deed) -> Program:
    """Append a deed, chained to the entry before."""
    rows = yield "last_deed", ()
    last_id, last_digest = rows[0] if rows else (0, "")
    values = (
        last_id + 1,
        deed.at,
        deed.user_id,
        *(clean(text) for text in (deed.who, deed.verb, deed.subject)),
        *(clean(_written(values)) for values in (deed.before, deed.after)),
        clean(deed.address),
    )
    row = (*values, _chained(last_digest, values))
    yield "add_deed", row
    return read_entry(row)


def audit(before: int | None, limit: int) -> Program:
    """Read entries from new to old."""
    rows = yield "deeds_before", (before if before is not None else 2**62, limit)
    return [read_entry(row) for row in rows]


def check_audit() -> Program:
    """Find the first entry that does not fit to those before it."""
    last_id, digest = 0, ""
    while True:
        rows = yield "deeds_after", (last_id, CHECKED_AT_ONCE)
        if not rows:
            return None
        for row in rows:
            *values, kept = row
            if values[0] != last_id + 1 or kept != _chained(digest, values):
                return values[0]
            last_id, digest = values[0], kept


def read_entry(row: Any) -> Entry:
    """Read a row of the audit log."""
    entry_id, at, user_id, who, verb, subject, before, after, address, digest = row
    deed = Deed(at, user_id, who, verb, subject, json.loads(before), json.loads(after), address)
    return Entry(entry_id, deed, digest)


def clean(text: str) -> str:
    """Take away what not every engine can keep: NUL, and halves of surrogate pairs."""
    return text.replace("\0", "�").encode("utf-8", "replace").decode()


def _written(values: Mapping[str, Any]) -> str:
    return json.dumps(dict(values), ensure_ascii=False, sort_keys=True)


def _chained(before: str, values: Sequence[Any]) -> str:
    text = json.dumps([before, *values], ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _open(sealer: Sealer, name: str, sealed: str) -> str:
    try:
        return sealer.open(TOTP_SEED.place_of(name), sealed)
    except CannotOpen as error:
        # A key that is missing may come back; a value that was damaged does not.
        if "key_id" in error.fields:
            raise
        return ""
