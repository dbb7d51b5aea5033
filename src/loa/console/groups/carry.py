"""The screens of what carries messages: channels, routes, senders, templates, rules, and what it costs."""

from typing import Final

from loa.console import balance, channel, registered, routes, rules, senders, where, wizard
from loa.console.channels import channels
from loa.console.screen import Screen
from loa.domain.roles import May

READ: Final = May.READ_MESSAGES
CHANGE: Final = May.CHANGE_CHANNELS
PAUSE: Final = May.PAUSE_CHANNELS
CHANNEL: Final = "/console/channels/{name:path}"
ROUTE: Final = "/console/routes/{route_id:int}"

SCREENS: Final[tuple[Screen, ...]] = (
    Screen("/console/channels", channels, May.READ_MESSAGES),
    Screen(wizard.PATH, wizard.wizard, CHANGE),
    Screen(wizard.PATH, wizard.add, CHANGE, "POST"),
    Screen(f"{CHANNEL}/test", channel.test, PAUSE, "POST"),
    Screen(f"{CHANNEL}/pause", channel.pause, PAUSE, "POST"),
    Screen(f"{CHANNEL}/resume", channel.resume, PAUSE, "POST"),
    Screen(f"{CHANNEL}/connect", channel.connect, CHANGE, "POST"),
    Screen(f"{CHANNEL}/settings", channel.settings, CHANGE),
    Screen(f"{CHANNEL}/settings", channel.change, CHANGE, "POST"),
    Screen(CHANNEL, channel.channel, READ),
    Screen(routes.PATH, routes.routes, READ),
    Screen(routes.PATH, routes.add, CHANGE, "POST"),
    Screen(where.PATH, where.where, READ),
    Screen(where.PATH, where.ask, READ, "POST"),
    Screen(f"{ROUTE}/move", routes.move, CHANGE, "POST"),
    Screen(f"{ROUTE}/remove", routes.removal, CHANGE),
    Screen(f"{ROUTE}/remove", routes.remove, CHANGE, "POST"),
    Screen(senders.PATH, senders.senders, READ),
    Screen(senders.PATH, senders.add, CHANGE, "POST"),
    Screen(registered.PATH, registered.registered, READ),
    Screen(registered.MATCH, registered.match, READ, "POST"),
    Screen(registered.SYNC, registered.sync, CHANGE, "POST"),
    Screen(registered.ONE, registered.one, READ),
    Screen(registered.ONE, registered.set_text, CHANGE, "POST"),
    Screen(rules.PATH, rules.rules, READ),
    Screen(rules.PATH, rules.change, CHANGE, "POST"),
    Screen(balance.PATH, balance.balance, READ),
)
