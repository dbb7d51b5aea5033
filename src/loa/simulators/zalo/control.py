"""What the control port of a running Zalo platform takes.

Shapes: {"do":"status"} · {"do":"script","set":{…},"recount":true} · {"do":"shown"} ·
{"do":"tokens"} · {"do":"revoke"} · {"do":"say","user":"…","text":"…"} · {"do":"follow","user":"…"} ·
{"do":"unfollow","user":"…"} · {"do":"rate","message":"…","rate":5,"note":"…"} ·
{"do":"template","id":"…","set":{…}} · {"do":"user","set":{…}} · {"do":"quota","daily":9,"remaining":0} ·
{"do":"post","event":{…}} · {"do":"events_on"} · {"do":"reset"}; what is done to an Official Account takes its id as
"oa", and is done to the first without.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from loa.errors import ConfigError
from loa.simulators.control import Command, fields_of
from loa.simulators.zalo.script import zalo_script_from, zalo_script_values
from loa.simulators.zalo.server import ZaloSimulator
from loa.simulators.zalo.watch import count_values
from loa.simulators.zalo.world import user_from

Given = dict[str, Any]


def _text(command: Given, name: str, *, needed: bool = True) -> str:
    value = command.get(name, "")
    if not isinstance(value, str) or (needed and not value):
        raise ConfigError(f'"{name}" must be a text')
    return value


def _number(command: Given, name: str) -> int | None:
    value = command.get(name)
    if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
        raise ConfigError(f'"{name}" must be a number')
    return value


def _oa(command: Given) -> str:
    return _text(command, "oa", needed=False)


def _status(zalo: ZaloSimulator, _: Given) -> Given:
    return {"url": zalo.url, "counts": count_values(zalo.counts)}


def _script(zalo: ZaloSimulator, command: Given) -> Given:
    if "set" in command:
        changed = zalo_script_from(fields_of(command, "set"), zalo.script)
        zalo.change(changed, recount=bool(command.get("recount")))
    return {"script": zalo_script_values(zalo.script)}


def _shown(zalo: ZaloSimulator, _: Given) -> Given:
    return {"shown": [asdict(each) for each in zalo.shown]}


def _tokens(zalo: ZaloSimulator, command: Given) -> Given:
    access, refresh = zalo.tokens(_oa(command))
    return {"access_token": access, "refresh_token": refresh}


def _revoke(zalo: ZaloSimulator, command: Given) -> Given:
    zalo.acts.revoke(_oa(command))
    return {}


def _say(zalo: ZaloSimulator, command: Given) -> Given:
    return {"msg_id": zalo.acts.say(_text(command, "user"), _text(command, "text"), _oa(command))}


def _follow(zalo: ZaloSimulator, command: Given) -> Given:
    return {"posted": zalo.acts.follow(_text(command, "user"), _oa(command))}


def _unfollow(zalo: ZaloSimulator, command: Given) -> Given:
    return {"posted": zalo.acts.unfollow(_text(command, "user"), _oa(command))}


def _rate(zalo: ZaloSimulator, command: Given) -> Given:
    rate, note = _number(command, "rate"), _text(command, "note", needed=False)
    return {"posted": zalo.acts.rate(_text(command, "message"), 5 if rate is None else rate, note)}


def _template(zalo: ZaloSimulator, command: Given) -> Given:
    zalo.acts.change_template(_text(command, "id"), _oa(command), **fields_of(command, "set"))
    return {}


def _user(zalo: ZaloSimulator, command: Given) -> Given:
    zalo.acts.add_user(user_from(fields_of(command, "set")), _oa(command))
    return {}


def _quota(zalo: ZaloSimulator, command: Given) -> Given:
    zalo.acts.set_quota(_number(command, "daily"), _number(command, "remaining"), _oa(command))
    return {}


def _post(zalo: ZaloSimulator, command: Given) -> Given:
    return {"posted": zalo.acts.post(fields_of(command, "event"), _oa(command))}


def _events_on(zalo: ZaloSimulator, _: Given) -> Given:
    zalo.acts.switch_events_on()
    return {}


COMMANDS: Final[Mapping[str, Command[ZaloSimulator]]] = {
    "status": _status,
    "script": _script,
    "shown": _shown,
    "tokens": _tokens,
    "revoke": _revoke,
    "say": _say,
    "follow": _follow,
    "unfollow": _unfollow,
    "rate": _rate,
    "template": _template,
    "user": _user,
    "quota": _quota,
    "post": _post,
    "events_on": _events_on,
    "reset": lambda zalo, _: {"connections": zalo.reset_all()},
}
