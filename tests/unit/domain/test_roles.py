"""What each role may do, as a table that a reader can check."""

import pytest

from loa.domain.roles import ALLOWED, May, Role, may


def test_every_role_is_decided() -> None:
    assert set(ALLOWED) == set(Role)
    assert ALLOWED[Role.OWNER] == frozenset(May)


@pytest.mark.parametrize(
    ("what", "roles"),
    [
        (May.READ_MESSAGES, set(Role)),
        (May.SEE_NUMBERS, {Role.OWNER, Role.ADMIN, Role.OPERATOR}),
        (May.SEE_CONTENT, {Role.OWNER, Role.ADMIN}),
        (May.SEND, {Role.OWNER, Role.ADMIN, Role.DEVELOPER, Role.OPERATOR}),
        (May.SETTLE, {Role.OWNER, Role.ADMIN, Role.OPERATOR}),
        (May.PAUSE_CHANNELS, {Role.OWNER, Role.ADMIN, Role.OPERATOR}),
        (May.CHANGE_CHANNELS, {Role.OWNER, Role.ADMIN}),
        (May.CHANGE_ENDPOINTS, {Role.OWNER, Role.ADMIN, Role.DEVELOPER}),
        (May.CHANGE_KEYS, {Role.OWNER, Role.ADMIN, Role.DEVELOPER}),
        (May.CHANGE_USERS, {Role.OWNER}),
        (May.READ_AUDIT, {Role.OWNER, Role.ADMIN, Role.AUDITOR}),
        (May.READ_SYSTEM, {Role.OWNER, Role.ADMIN, Role.OPERATOR, Role.AUDITOR}),
    ],
)
def test_who_may_do_it(what: May, roles: set[Role]) -> None:
    assert {role for role in Role if may(role, what)} == roles
