"""Screens for those who connect programs: the API, callbacks, keys."""

from typing import Final

from loa.console import deliveries, endpoints, key_forms, keys
from loa.console.explorer import api, errors, operation, vendor
from loa.console.screen import Screen
from loa.domain.roles import May

KEY: Final = f"{keys.PATH}/{{key_id}}"

READ: Final = May.READ_MESSAGES
CHANGE: Final = May.CHANGE_ENDPOINTS
CALLBACKS: Final = "/console/callbacks"
ENDPOINT: Final = f"{CALLBACKS}/{{endpoint_id:int}}"
DELIVERY: Final = f"{CALLBACKS}/deliveries/{{callback_id}}"

SCREENS: Final = (
    Screen("/console/api", api, READ),
    Screen("/console/api/errors", errors, READ),
    Screen("/console/api/vendor", vendor, READ),
    Screen("/console/api/{operation_id}", operation, READ),
    Screen(CALLBACKS, endpoints.callbacks, READ),
    Screen(f"{CALLBACKS}/add", endpoints.add_form, CHANGE, asks_again=True),
    Screen(f"{CALLBACKS}/add", endpoints.add, CHANGE, "POST", asks_again=True),
    Screen(f"{CALLBACKS}/deliveries", deliveries.deliveries, READ),
    Screen(DELIVERY, deliveries.delivery, READ),
    Screen(f"{DELIVERY}/replay", deliveries.replay, May.SETTLE, "POST"),
    Screen(ENDPOINT, endpoints.endpoint, READ),
    Screen(f"{ENDPOINT}/change", endpoints.change, CHANGE, "POST"),
    Screen(f"{ENDPOINT}/enable", endpoints.enable, CHANGE, "POST"),
    Screen(f"{ENDPOINT}/rotate", endpoints.rotate, CHANGE, "POST", asks_again=True, form=ENDPOINT),
    Screen(f"{ENDPOINT}/retire", endpoints.retire, CHANGE, "POST"),
    Screen(f"{ENDPOINT}/test", endpoints.test, CHANGE, "POST"),
    Screen(f"{ENDPOINT}/replay", endpoints.replay_form, May.SETTLE),
    Screen(f"{ENDPOINT}/replay", endpoints.replay, May.SETTLE, "POST"),
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
