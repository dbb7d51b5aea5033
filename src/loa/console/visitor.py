"""Who looks at the console."""

from dataclasses import dataclass

from loa.domain.roles import Role


@dataclass(frozen=True, slots=True)
class Visitor:
    """One signed-in person. `form_token`: what every form has to send back (synchroniser token)."""

    user_id: int
    name: str
    role: Role
    form_token: str
