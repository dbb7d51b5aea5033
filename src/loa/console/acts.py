"""What the console can have done: the verbs of administration, with what somebody must be allowed for each."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from starlette.requests import Request

from loa.domain.roles import May


@dataclass(frozen=True, slots=True)
class Act:
    """One verb. `subject`: the argument that names what it is done to; `told`: those that the audit log keeps too.

    `tells_itself`: the verb writes its own entry, which knows what was before.
    """

    needs: May
    subject: str = ""
    told: tuple[str, ...] = ()
    tells_itself: bool = False


ACTS: Final[Mapping[str, Act]] = {
    "channels.add": Act(May.CHANGE_CHANNELS, "name", ("provider",)),
    "channels.set": Act(May.CHANGE_CHANNELS, "name"),
    "channels.pause": Act(May.PAUSE_CHANNELS, "name"),
    "channels.resume": Act(May.PAUSE_CHANNELS, "name"),
    "channels.test": Act(May.PAUSE_CHANNELS, "name"),
    "channels.try": Act(May.CHANGE_CHANNELS, "name", ("provider",)),
    "grants.connect": Act(May.CHANGE_CHANNELS, "name"),
    "tenants.policies": Act(May.CHANGE_CHANNELS, "name", ("policies",)),
    "routes.add": Act(May.CHANGE_CHANNELS, "tenant", ("channels", "sender", "traffic_class", "carrier")),
    "routes.move": Act(May.CHANGE_CHANNELS, "route_id", ("place",)),
    "routes.remove": Act(May.CHANGE_CHANNELS, "route_id"),
    "senders.add": Act(May.CHANGE_CHANNELS, "name", ("tenant", "kind")),
    "templates.text": Act(May.CHANGE_CHANNELS, "template_id", ("channel",)),
    "templates.sync": Act(May.CHANGE_CHANNELS, "channel"),
    "keys.create": Act(May.CHANGE_KEYS, "name", ("tenant", "live", "permissions", "senders", "networks", "expires_at")),
    "keys.rotate": Act(May.CHANGE_KEYS, "key", ("name", "expires_at")),
    "keys.revoke": Act(May.CHANGE_KEYS, "key"),
    "endpoints.add": Act(May.CHANGE_ENDPOINTS, "url", ("tenant", "every_step", "inbound")),
    "messages.settle": Act(May.SETTLE, "tenant", ("messages", "ruling", "reason")),
    "messages.cancel": Act(May.SETTLE, "tenant", ("messages",)),
    "endpoints.enable": Act(May.CHANGE_ENDPOINTS, "endpoint_id"),
    "endpoints.change": Act(May.CHANGE_ENDPOINTS, "endpoint_id", ("every_step", "inbound")),
    "endpoints.rotate_secret": Act(May.CHANGE_ENDPOINTS, "endpoint_id"),
    "endpoints.retire_secret": Act(May.CHANGE_ENDPOINTS, "endpoint_id"),
    "endpoints.test": Act(May.CHANGE_ENDPOINTS, "endpoint_id"),
    "callbacks.replay": Act(May.SETTLE, "endpoint_id", ("tenant", "callbacks", "since")),
    "batches.add": Act(May.SEND, "name", ("tenant", "live")),
    "batches.check": Act(May.SEND, "batch", ("tenant",)),
    "batches.start": Act(May.SEND, "batch", ("tenant", "rate", "start_at")),
    "batches.pause": Act(May.SEND, "batch", ("tenant",)),
    "batches.resume": Act(May.SEND, "batch", ("tenant",)),
    "batches.stop": Act(May.SEND, "batch", ("tenant",)),
    "batches.remove": Act(May.SEND, "batch", ("tenant",)),
    "users.add": Act(May.CHANGE_USERS, "name", tells_itself=True),
    "users.role": Act(May.CHANGE_USERS, "name", tells_itself=True),
    "users.disable": Act(May.CHANGE_USERS, "name", tells_itself=True),
    "users.enable": Act(May.CHANGE_USERS, "name", tells_itself=True),
    "users.reset_link": Act(May.CHANGE_USERS, "name", tells_itself=True),
    "users.audit.export": Act(May.READ_AUDIT, told=("who", "verb", "subject", "since", "until")),
    "world.turn": Act(May.SETTLE, "knob", ("on",)),
    "world.normal": Act(May.SETTLE),
    "world.say": Act(May.SEND, "handset"),
    "world.follow": Act(May.SEND, "handset"),
    "world.crash": Act(May.SETTLE, "run"),
    "system.bundle": Act(May.READ_SYSTEM),
}
"""A verb that is not here can only be read with. Arguments that are not named are kept nowhere: they may be secrets."""


class Acts(Protocol):
    """The way to the verbs."""

    async def read(self, verb: str, /, **args: Any) -> Any:
        """Ask with a verb that changes nothing. Errors: those of the verb."""
        ...

    async def do(self, request: Request, verb: str, /, **args: Any) -> Any:
        """Have something done, once it stands in the audit log who wants it.

        Errors: Forbidden where the visitor's role does not allow it, nothing is done then; those of the verb.
        """
        ...
