"""What moves on the simulated platform: quotas, users, templates, messages, uploads, journeys of Official Accounts."""

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from loa.simulators.zalo.world import Oa, Template, User

DAY_MS: Final = 86_400_000
HOUR_MS: Final = 3_600_000
VIETNAM_MS: Final = 7 * HOUR_MS
"""No summer time there."""


def vietnam_day(now: int) -> int:
    """Count days in Vietnam."""
    return (now + VIETNAM_MS) // DAY_MS


def vietnam_hour(now: int) -> int:
    """Give the hour of the day in Vietnam."""
    return (now + VIETNAM_MS) // HOUR_MS % 24


@dataclass(slots=True)
class UserState:
    """A user as things stand. Units: last_interaction in milliseconds, 0 for never."""

    told: User
    follower: bool
    last_interaction: int


@dataclass(slots=True)
class TemplateState:
    """A template as things stand."""

    told: Template
    remaining: int


@dataclass(slots=True)
class Asset:
    """One upload. `file`: a file, which goes by a token, instead of an image."""

    made_at: int
    file: bool


@dataclass(slots=True)
class Journey:
    """One journey of one number."""

    journey_id: str
    destination: str
    made_at: int
    expires_at: int
    used: bool = False


@dataclass(slots=True)
class Message:
    """One accepted message. `destination`: as it was asked for: a number, its hash, or a user id.

    `text`: as it reads on the phone. `rich`: the message as it was sent. `delivered_at`: 0 while it is not.
    """

    message_id: str
    oa: "OaState"
    surface: str
    destination: str
    tracking_id: str
    at: int
    template_id: str = ""
    text: str = ""
    kind: str = "text"
    rich: Mapping[str, Any] = field(default_factory=dict)
    delivered_at: int = 0


class OaState:
    """One Official Account as things stand. `told`: as it was described at the start."""

    def __init__(self, told: Oa, now: int) -> None:
        self.told = told
        self.daily_quota = told.daily_quota
        self.remaining = told.daily_quota if told.remaining is None else told.remaining
        self.promotions = told.promotion_quota
        self.consultations = told.consultation_quota
        self.development_wallet = told.development_wallet
        self.uploads_this_month = 0
        self.templates = {each.template_id: TemplateState(each, each.daily_quota) for each in told.templates}
        self.users: dict[str, UserState] = {}
        self.numbers: dict[str, User] = {}
        self.assets: dict[str, Asset] = {}
        self.journeys: dict[str, Journey] = {}
        self.ratings: list[dict[str, Any]] = []
        self.promoted_today: Counter[str] = Counter()
        self.promoted_this_month: Counter[str] = Counter()
        self._day = vietnam_day(now)
        for user in told.users:
            self.add_user(user, now)

    def add_user(self, user: User, now: int) -> None:
        """Make a user known, by id, by number and by the hash of the number."""
        last = now if user.last_interaction is None else user.last_interaction
        self.users[user.user_id] = UserState(user, user.follower, last)
        if user.msisdn:
            self.numbers[user.msisdn] = user
            self.numbers[hashlib.sha256(user.msisdn.encode()).hexdigest()] = user

    def put_template(self, template: Template) -> Template | None:
        """Add or replace a template; give what was there. A changed quota moves what is left of it."""
        before = self.templates.get(template.template_id)
        used = before.told.daily_quota - before.remaining if before is not None else 0
        self.templates[template.template_id] = TemplateState(template, template.daily_quota - used)
        return before.told if before is not None else None

    def by_app(self, user_id: str) -> str:
        """Give the id of a user within the app."""
        user = self.users.get(user_id)
        return user.told.by_app if user is not None else ""

    def msisdn_of(self, destination: str) -> str:
        """Give the number of a hash where it is known, what was given otherwise."""
        user = self.numbers.get(destination)
        return user.msisdn if user is not None else destination

    def turn_over(self, now: int) -> None:
        """Begin a new day in Vietnam, if there is one; a month is taken to be 30 of them."""
        day = vietnam_day(now)
        if day == self._day:
            return
        if day // 30 != self._day // 30:
            self.promotions = self.told.promotion_quota
            self.promoted_this_month.clear()
            self.uploads_this_month = 0
        self._day = day
        self.remaining = self.daily_quota
        self.promoted_today.clear()
        for template in self.templates.values():
            template.remaining = template.told.daily_quota
