"""Messages under decision: taken up from their rows, given to the rules, and what is to be written back.

Shared by the engines, so that both read a message alike and the rules stand once, in domain.standing.
"""

from dataclasses import dataclass, field
from typing import Any

from loa.domain.lifecycle import State
from loa.domain.routes import read_plan
from loa.domain.standing import Event, Standing

_STATES = {state.value: state for state in State}
_QUEUED = State.QUEUED


@dataclass(slots=True)
class Change:
    """One message that the rules changed.

    `before`: its state when it was taken up; `lane_before`: the channel it was queued for then, None when it was not.
    """

    message: Standing
    traffic_class: int
    before: State
    lane_before: int | None
    events: list[Event]

    @property
    def waited(self) -> bool:
        """Whether it may have been waiting for its step to speak."""
        return self.before is State.SENT and any(step.patience_ms for step in self.message.plan)

    @property
    def waits(self) -> bool:
        """Whether it waits for its step to speak now, until `due_at`."""
        return self.message.state is State.SENT and self.message.due_at is not None

    @property
    def lane_after(self) -> int | None:
        """The channel it is queued for now, None when it is not."""
        return self.message.channel_id if self.message.state is _QUEUED else None


@dataclass(slots=True)
class Working:
    """Messages under decision, with the state each was taken up in."""

    messages: dict[int, Standing] = field(default_factory=dict)
    classes: dict[int, int] = field(default_factory=dict)
    _before: dict[int, State] = field(default_factory=dict)
    _lanes: dict[int, int | None] = field(default_factory=dict)

    def add(self, row: Any) -> None:
        """Take a message up from its row, see the `standing` columns of the queries."""
        state = _STATES[row[5]]
        message = Standing(
            row[0],
            row[1],
            row[2],
            read_plan(row[3]),
            row[4],
            state,
            row[6],
            row[7],
            row[8],
            row[9],
            row[10],
            row[11],
            row[12],
            row[13],
            row[14],
            bool(row[15]),
            row[17],
        )
        self.messages[message.id] = message
        self.classes[message.id] = row[16]
        self._before[message.id] = state
        self._lanes[message.id] = message.channel_id if state is _QUEUED else None

    def take_changes(self) -> list[Change]:
        """Give what changed since the last time, and take note that it is written."""
        changes = []
        for message in self.messages.values():
            if not message.changed:
                continue
            key = message.id
            change = Change(message, self.classes[key], self._before[key], self._lanes[key], message.events)
            changes.append(change)
            self._before[key], self._lanes[key] = message.state, change.lane_after
            message.changed = False
            message.events = []
        return changes


def event_row(event: Event) -> list[Any]:
    """Give what an event's row holds after its id; a callback is due at once where an endpoint is set."""
    return [
        event.tenant_id,
        event.message_id,
        event.sequence,
        event.state,
        event.at,
        event.error,
        event.flags,
        event.channel_id,
        event.endpoint_id,
        event.at if event.endpoint_id is not None else None,
    ]
