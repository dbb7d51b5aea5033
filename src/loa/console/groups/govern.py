"""Screens about the installation and the people who may sign in to it."""

from typing import Final

from loa.console import audit, confirm, sign_ins, system, users
from loa.console.screen import CONFIRM_PATH, Screen
from loa.domain.roles import May

READ: Final = May.READ_MESSAGES
USER: Final = f"{users.PATH}/{{user_id}}"

SCREENS: Final = (
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
