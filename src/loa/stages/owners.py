"""Owners: whose inbound events of a channel are. Asked for every event, so it is worked out once a snapshot."""

from typing import Final

from loa.observe.log import get_logger
from loa.ports.records import ChannelRecord
from loa.stages.registry import Snapshot

SETTING: Final = "owner"
"""The setting of a channel that names its tenant."""

log = get_logger("loa.stages.owners")


def owner_of(snapshot: Snapshot, channel: ChannelRecord) -> int | None:
    """Give the tenant that a channel names, or else the only one whose routes use it; None for nobody or several."""
    named = channel.settings.get(SETTING)
    if named:
        return next((view.tenant.id for view in snapshot.views.values() if view.tenant.name == named), None)
    using = {
        tenant_id
        for tenant_id, view in snapshot.views.items()
        if any(channel.id in route.channels for route in view.routes)
    }
    return using.pop() if len(using) == 1 else None


class Owners:
    """Answers from the snapshot it is given, and says once of each channel that it is nobody's."""

    def __init__(self) -> None:
        self._revision: int | None = None
        self._known: dict[int, int | None] = {}
        self._said: set[int] = set()

    def of(self, snapshot: Snapshot, channel_id: int) -> int | None:
        """Give the tenant whose inbound events of a channel are, None for nobody."""
        if snapshot.revision != self._revision:
            self._revision, self._known = snapshot.revision, {}
        if channel_id not in self._known:
            channel = snapshot.channels.get(channel_id)
            self._known[channel_id] = None if channel is None else owner_of(snapshot, channel)
            self._say(channel, self._known[channel_id])
        return self._known[channel_id]

    def _say(self, channel: ChannelRecord | None, found: int | None) -> None:
        if channel is None or found is not None or channel.id in self._said:
            return
        self._said.add(channel.id)
        log.warning(
            "inbound events of a channel are told to nobody: no tenant alone has a route over it",
            channel=channel.name,
            hint=f"loa channels set {channel.name} --set {SETTING}=TENANT",
        )
