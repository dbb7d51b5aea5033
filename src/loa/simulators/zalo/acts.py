"""What people do while the platform runs: users write and follow, reviewers judge templates, admins revoke.

Each act posts the event that Zalo would post. Errors: ConfigError where an act names something that is not there.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from loa.errors import ConfigError
from loa.simulators.zalo import notices
from loa.simulators.zalo.mail import Mail
from loa.simulators.zalo.platform import Platform
from loa.simulators.zalo.state import OaState
from loa.simulators.zalo.world import Template, User, template_from


class Acts:
    """Acts upon one platform; an Official Account may be left unnamed where there is only one."""

    def __init__(self, platform: Platform, mail: Mail) -> None:
        self._platform = platform
        self._mail = mail

    def _oa(self, oa_id: str) -> OaState:
        return self._platform.oa(oa_id)

    def _post(self, oa: OaState, body: Mapping[str, Any], *, marked: bool = False) -> bool:
        return self._mail.post(oa, body, marked=marked)

    # --- users ---

    def add_user(self, user: User, oa_id: str = "") -> None:
        """Make a user known to an Official Account."""
        self._oa(oa_id).add_user(user, self._platform.clock.now())

    def do(self, user_id: str, event: str, oa_id: str = "", **more: Any) -> bool:
        """Let a user do anything that has an event: `more` are its further members, as `message={…}`."""
        oa, now = self._oa(oa_id), self._platform.clock.now()
        self._interact(oa, user_id, now)
        return self._post(oa, notices.from_user(oa, user_id, event, now, **more))

    def say(self, user_id: str, text: str, oa_id: str = "") -> str:
        """Let a user write to the Official Account; gives the id of the message."""
        message_id = self._platform.new_id()
        self.do(user_id, "user_send_text", oa_id, message={"msg_id": message_id, "text": text})
        return message_id

    def follow(self, user_id: str, oa_id: str = "") -> bool:
        """Let a user follow; a new one becomes known."""
        oa, now = self._oa(oa_id), self._platform.clock.now()
        self._interact(oa, user_id, now)
        oa.users[user_id].follower = True
        return self._post(oa, notices.followed(oa, user_id, "follow", now))

    def unfollow(self, user_id: str, oa_id: str = "") -> bool:
        """Let a user leave."""
        oa, now = self._oa(oa_id), self._platform.clock.now()
        if user_id in oa.users:
            oa.users[user_id].follower = False
        return self._post(oa, notices.followed(oa, user_id, "unfollow", now))

    def interacted(self, user_id: str, at: int, oa_id: str = "") -> None:
        """Move the last interaction of a user; no event tells of it."""
        self._interact(self._oa(oa_id), user_id, at)

    def _interact(self, oa: OaState, user_id: str, at: int) -> None:
        if user_id not in oa.users:
            oa.add_user(User(user_id, follower=False, admin=False), at)
        oa.users[user_id].last_interaction = at

    def rate(self, message_id: str, rate: int, note: str = "", feedbacks: tuple[str, ...] = ()) -> bool:
        """Let the receiver of a template message rate it."""
        message, now = self._platform.messages.get(message_id), self._platform.clock.now()
        if message is None:
            raise ConfigError(f"there is no message {message_id!r}")
        message.oa.ratings.append(
            {
                "msgId": message_id,
                "trackingId": message.tracking_id,
                "oaId": message.oa.told.oa_id,
                "rate": rate,
                "note": note,
                "feedbacks": list(feedbacks),
                "submitDate": now,
                "templateId": message.template_id,
            }
        )
        return self._post(message.oa, notices.feedback(message, now, rate, note, tuple(feedbacks)), marked=True)

    # --- the platform's own people ---

    def put_template(self, template: Template, oa_id: str = "") -> None:
        """Add a template or replace it, and post an event for each change of status, quality or quota."""
        oa, now = self._oa(oa_id), self._platform.clock.now()
        before = oa.put_template(template)
        if before is None:
            return
        changes = (
            ("status", before.status, template.status),
            ("quality", before.quality, template.quality),
            ("quota", str(before.daily_quota), str(template.daily_quota)),
        )
        for what, old, new in changes:
            if old != new:
                body = notices.template_changed(oa, template.template_id, what, old, new, now, template.reason)
                self._post(oa, body, marked=True)

    def change_template(self, template_id: str, oa_id: str = "", /, **changed: Any) -> None:
        """Change fields of a template, as `status="DISABLE", reason="…"`."""
        found = self._oa(oa_id).templates.get(template_id)
        if found is None:
            raise ConfigError(f"there is no template {template_id!r}")
        self.put_template(template_from({**asdict(found.told), **changed}), oa_id)

    def set_quota(self, daily_quota: int | None = None, remaining: int | None = None, oa_id: str = "") -> None:
        """Change the quota of an Official Account; a new daily quota is told by an event."""
        oa = self._oa(oa_id)
        before = oa.daily_quota
        if daily_quota is not None:
            oa.remaining += daily_quota - before
            oa.daily_quota = daily_quota
        if remaining is not None:
            oa.remaining = remaining
        if oa.daily_quota != before:
            self._post(oa, notices.quota_changed(oa, before, oa.daily_quota, self._platform.clock.now()), marked=True)

    def revoke(self, oa_id: str = "", *, refresh: bool = True) -> None:
        """Take away all access tokens, and with `refresh` the refresh tokens: what an admin does in the console."""
        self._platform.tokens.revoke(self._oa(oa_id), refresh=refresh)

    def post(self, body: Mapping[str, Any], oa_id: str = "", *, marked: bool = False) -> bool:
        """Post any event, signed; it needs `event_name`, and gets app_id and timestamp where it has none."""
        oa = self._oa(oa_id)
        if not isinstance(body.get("event_name"), str):
            raise ConfigError('an event needs an "event_name"')
        given = {"app_id": oa.told.app_id, "timestamp": str(self._platform.clock.now()), **body}
        return self._post(oa, given, marked=marked or given["event_name"] in notices.TEMPLATE_EVENTS)

    def switch_events_on(self) -> None:
        """Post to addresses again that were switched off."""
        self._mail.poster.switch_on()
