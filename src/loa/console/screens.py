"""The routes of the console's screens."""

from typing import Final

from starlette.routing import BaseRoute, Route

from loa.console import assets, audit, confirm, key_forms, keys, preferences, sign_ins, system, users
from loa.console.channels import channels
from loa.console.message import content, message
from loa.console.messages import messages
from loa.console.overview import overview
from loa.console.parts import Parts
from loa.console.screen import CONFIRM_PATH, Screen
from loa.console.tail import stream, tail
from loa.domain.roles import May

READ: Final = May.READ_MESSAGES
USER: Final = f"{users.PATH}/{{user_id}}"
KEY: Final = f"{keys.PATH}/{{key_id}}"

SCREENS: Final[tuple[Screen, ...]] = (
    Screen("/console/", overview, READ),
    Screen("/console/messages", messages, READ),
    Screen("/console/messages/{message_id}", message, READ),
    Screen(
        "/console/messages/{message_id}/content",
        content,
        May.SEE_CONTENT,
        "POST",
        asks_again=True,
        form="/console/messages/{message_id}",
    ),
    Screen("/console/tail", tail, READ),
    Screen("/console/tail/events", stream, READ),
    Screen("/console/channels", channels, READ),
    Screen(keys.PATH, keys.keys, May.CHANGE_KEYS),
    Screen(f"{keys.PATH}/new", key_forms.ask_new, May.CHANGE_KEYS, asks_again=True),
    Screen(f"{keys.PATH}/new", key_forms.new, May.CHANGE_KEYS, "POST", asks_again=True),
    Screen(f"{keys.PATH}/import", key_forms.ask_import, May.CHANGE_KEYS, asks_again=True),
    Screen(f"{keys.PATH}/import", key_forms.take_over, May.CHANGE_KEYS, "POST", asks_again=True),
    Screen(KEY, keys.key, May.CHANGE_KEYS),
    Screen(f"{KEY}/rotate", key_forms.ask_rotate, May.CHANGE_KEYS, asks_again=True),
    Screen(f"{KEY}/rotate", key_forms.rotate, May.CHANGE_KEYS, "POST", asks_again=True),
    Screen(f"{KEY}/revoke", key_forms.revoke, May.CHANGE_KEYS, "POST", asks_again=True, form=KEY),
    Screen(users.PATH, users.users, May.CHANGE_USERS),
    Screen(f"{users.PATH}/new", users.ask_new, May.CHANGE_USERS, asks_again=True),
    Screen(f"{users.PATH}/new", users.new, May.CHANGE_USERS, "POST", asks_again=True),
    Screen(USER, users.user, May.CHANGE_USERS),
    Screen(f"{USER}/role", users.set_role, May.CHANGE_USERS, "POST", asks_again=True, form=USER),
    Screen(f"{USER}/disable", users.disable, May.CHANGE_USERS, "POST", asks_again=True, form=USER),
    Screen(f"{USER}/enable", users.enable, May.CHANGE_USERS, "POST", asks_again=True, form=USER),
    Screen(f"{USER}/reset-link", users.reset_link, May.CHANGE_USERS, "POST", asks_again=True, form=USER),
    Screen(audit.PATH, audit.audit, May.READ_AUDIT),
    Screen(f"{audit.PATH}/export", audit.export, May.READ_AUDIT, "POST", asks_again=True, form=audit.PATH),
    Screen(system.PATH, system.system, May.READ_SYSTEM),
    Screen(f"{system.PATH}/bundle", system.bundle, May.READ_SYSTEM, "POST"),
    Screen(CONFIRM_PATH, confirm.ask, READ),
    Screen(CONFIRM_PATH, confirm.confirm, READ, "POST"),
    Screen(sign_ins.PATH, sign_ins.sign_ins, READ),
    Screen(f"{sign_ins.PATH}/end-all", sign_ins.end_all, READ, "POST"),
    Screen(f"{sign_ins.PATH}/{{digest}}/end", sign_ins.end, READ, "POST"),
)
"""Every screen with what it needs; the first whose path fits answers."""

HOME: Final = "/console/"
STILL_OPEN: Final = (assets.FOLDER,)
"""What the gate lets everybody see: the static files."""


def screens(parts: Parts) -> list[BaseRoute]:
    """Give the routes of all screens, of the static files and of the choice of language and theme."""
    return [
        *(each.route(parts) for each in SCREENS),
        Route(assets.PATH, assets.serve, methods=["GET"]),
        Route(preferences.PATH, preferences.choose, methods=["POST"]),
    ]
