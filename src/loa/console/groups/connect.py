"""Screens for those who connect programs: keys."""

from typing import Final

from loa.console import key_forms, keys
from loa.console.screen import Screen
from loa.domain.roles import May

KEY: Final = f"{keys.PATH}/{{key_id}}"

SCREENS: Final = (
    Screen(keys.PATH, keys.keys, May.CHANGE_KEYS),
    Screen(f"{keys.PATH}/new", key_forms.ask_new, May.CHANGE_KEYS, asks_again=True),
    Screen(f"{keys.PATH}/new", key_forms.new, May.CHANGE_KEYS, "POST", asks_again=True),
    Screen(f"{keys.PATH}/import", key_forms.ask_import, May.CHANGE_KEYS, asks_again=True),
    Screen(f"{keys.PATH}/import", key_forms.take_over, May.CHANGE_KEYS, "POST", asks_again=True),
    Screen(KEY, keys.key, May.CHANGE_KEYS),
    Screen(f"{KEY}/rotate", key_forms.ask_rotate, May.CHANGE_KEYS, asks_again=True),
    Screen(f"{KEY}/rotate", key_forms.rotate, May.CHANGE_KEYS, "POST", asks_again=True),
    Screen(f"{KEY}/revoke", key_forms.revoke, May.CHANGE_KEYS, "POST", asks_again=True, form=KEY),
)
