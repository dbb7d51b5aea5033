"""What the native API answers with, as models: they are the documentation and the check at once.

Names are written in camel case on the wire. Everything is always present; what is not known is null.
"""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

StateName = Literal[
    "queued", "sending", "sent", "unknown", "delivered", "undelivered", "rejected", "expired", "cancelled"
]
ClassName = Literal["otp", "transactional", "advertising"]
Instant = Annotated[
    str,
    Field(
        description="An instant in UTC, RFC 3339 with milliseconds.",
        json_schema_extra={"format": "date-time"},
        examples=["2026-11-24T02:15:00.123Z"],
    ),
]
Cursor = Annotated[
    str | None, Field(description="Hand this in as `cursor` (`after` on the feed) to read on; null on the last page.")
]


class Wire(BaseModel):
    """The base of everything on the wire."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True)


class Asked(BaseModel):
    """The base of what a caller hands in: unknown members are refused, so that a slip of the pen is seen."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid")


class Message(Wire):
    """One message: one destination of a submission, as it stands now."""

    message_id: str
    referent_id: str
    request_id: str | None = Field(description="The caller's own id of the submission.")
    destination: str = Field(description="Country code and number, digits only; `zalo:` and digits for a user id.")
    sender: str
    traffic_class: ClassName = Field(validation_alias="class", serialization_alias="class")
    state: StateName
    channel: str | None = Field(description="The channel of the route plan that carries it now.")
    error: str | None = Field(description="Why it is where it is: a stable code, or the provider's own word.")
    segment_count: int
    attempt_count: int
    possible_duplicate: bool = Field(
        description="It was sent once more after an attempt whose outcome was unknown, or that stayed silent."
    )
    double_reach: bool = Field(description="It proves to have reached the handset over two steps of its route plan.")
    dead: bool = Field(description="Every try failed; nothing more happens by itself.")
    no_receipt: bool = Field(description="It was sent, and no receipt came within a day after its lifetime.")
    accepted_at: Instant
    due_at: Instant | None = Field(description="When the next step is due, null when nothing is.")
    expires_at: Instant
    updated_at: Instant


class Submission(Wire):
    """One accepted request with a page of its messages."""

    referent_id: str
    request_id: str | None
    sender: str
    traffic_class: ClassName = Field(validation_alias="class", serialization_alias="class")
    encoding: str
    segment_count: int
    message_count: int
    text: str | None = Field(description="Only for keys that may read content.")
    scheduled: bool
    accepted_at: Instant
    due_at: Instant
    expires_at: Instant
    ext: dict[str, Any] = Field(description="The `ext` object of the request, kept as it came.")
    messages: list[Message]
    next_cursor: Cursor


class Messages(Wire):
    """A page of messages, newest first."""

    messages: list[Message]
    next_cursor: Cursor


class Segment(Wire):
    """One segment of an attempt."""

    number: int
    provider_ref: str | None
    state: StateName | None = Field(description="What a receipt said of this segment.")
    at: Instant | None


class Attempt(Wire):
    """One try over one channel."""

    number: int
    channel: str
    claimed_at: Instant
    done_at: Instant | None = Field(description="When its outcome was known, null while it is open.")
    outcome: str | None = Field(description="accepted, refused, deferred or unknown.")
    reason: str | None
    price: int = Field(description="What it costs in VND, 0 where nobody has said.")
    charged: bool = Field(description="Whether that is owed, as far as is known.")
    segments: list[Segment]


class RawReceipt(Wire):
    """A receipt as it came."""

    hex: str
    text: str = Field(description="The same bytes, what is not printable ASCII escaped as \\xNN.")


class Receipt(Wire):
    """One receipt of the provider, read and raw."""

    received_at: Instant
    ref: str
    stat: str = Field(description="The provider's word for the state.")
    state: StateName | None = Field(description="What it proves; null when it only informs.")
    detail: str | None
    result: str = Field(description="applied, informed, parked or conflict.")
    repeats: int = Field(description="How often the same receipt came again.")
    raw: RawReceipt | None = Field(description="Only for keys that may read content: receipts quote the text.")


class Event(Wire):
    """One state the tenant is told of."""

    sequence: int
    state: StateName
    at: Instant
    error: str | None
    channel: str | None


class CallbackTry(Wire):
    """One POST of a callback and its answer."""

    number: int
    at: Instant
    status: int | None = Field(description="The HTTP status; null when there was no answer.")
    error: str | None
    excerpt: str = Field(description="The start of the answer.")
    elapsed_ms: int


class Callback(Wire):
    """One callback owed to an endpoint."""

    callback_id: str = Field(description="Sent as `webhook-id`, the same on every try.")
    sequence: int
    state: StateName
    url: str | None
    due_at: Instant | None
    done_at: Instant | None
    result: str | None = Field(description="delivered, failed, or null while it is not over.")
    tries: list[CallbackTry]


class Timeline(Message):
    """A message with everything that happened to it."""

    text: str | None = Field(description="Only for keys that may read content.")
    cost: int = Field(description="What it costs so far in VND, over all its attempts.")
    attempts: list[Attempt]
    receipts: list[Receipt]
    events: list[Event]
    callbacks: list[Callback]


class CallbackBody(Wire):
    """The body of a callback, and of one event in the feed: the vendor's seven fields, then ours."""

    msisdn: str
    request_id: str
    send_time: Instant
    response_time_telco: Instant | None = Field(description="When the provider took it.")
    status: Literal[-2, -1, 0, 1, 2, 6] = Field(
        description="2 delivered, -2 undelivered, -1 rejected or cancelled, 6 expired, 0 finally unknown, 1 sent."
    )
    referent_id: str
    retry_count: int = Field(description="How often this callback was repeated; 0 in the feed.")
    state: StateName
    sequence: int = Field(description="Grows with every state of the message: what comes late and lower is old news.")
    occurred_at: Instant
    error: str | None
    channel: str | None
    message_id: str
    segment_count: int
    possible_duplicate: bool
    double_reach: bool = Field(description="It proves by now to have reached the handset over two steps.")
    cost: int = Field(description="What the message costs so far in VND, over all its attempts.")
    metadata: Any = Field(description="`ext.metadata` of the request.")


class InboundBody(Wire):
    """The body of a callback, and of one event in the feed, that tells of an inbound event.

    What can be read of the provider's event stands beside these members, under names of its own.
    """

    model_config = ConfigDict(extra="allow")

    type: Literal["inbound"]
    id: str = Field(description="The inbound event; the same at every endpoint.", examples=["in_1B4"])
    event: str = Field(description="What happened, as the provider names it.", examples=["user_send_text"])
    channel: str | None
    from_: str | None = Field(
        validation_alias="from",
        serialization_alias="from",
        description="Whom it is about: a number, or `zalo:` and digits for a user id; null for nobody.",
    )
    received_at: Instant
    at: Instant | None = Field(description="When it happened, as the provider says.")
    raw: Any = Field(
        description="The provider's event as it came; null once it is forgotten, and to keys that may not read content."
    )


class Feed(Wire):
    """Events after a cursor, oldest first; those with a `type` tell of no message."""

    events: list[CallbackBody | InboundBody]
    next_cursor: str = Field(description="Always present: hand it in as `after` next time, also after an empty page.")


class MaskedMessage(Wire):
    """What the holder of a token sees of a message."""

    destination: str = Field(description="Masked.", examples=["84•••••••78"])
    state: StateName
    updated_at: Instant


class TokenStatus(Wire):
    """What the holder of a token sees of a submission."""

    referent_id: str
    message_count: int
    accepted_at: Instant
    due_at: Instant
    expires_at: Instant
    messages: list[MaskedMessage]
    next_cursor: Cursor


class Endpoint(Wire):
    """A URL that takes callbacks."""

    endpoint_id: int
    url: str
    every_step: bool = Field(description="It is also told of `sent`, not of final states only.")
    inbound: bool = Field(description="It is also told of inbound events, all of its tenant's.")
    is_default: bool = Field(
        validation_alias="default", serialization_alias="default", description="What this key's submissions report to."
    )
    failing_since: Instant | None
    disabled_at: Instant | None
    disabled_reason: str | None


class NewEndpoint(Endpoint):
    """An endpoint just made, with its secret."""

    secret: str | None = Field(description="Signs every callback (Standard Webhooks). Shown this once.")


class Endpoints(Wire):
    """A tenant's endpoints."""

    endpoints: list[Endpoint]


class Replayed(Wire):
    """How many callbacks were made due again."""

    replayed: int


class Warned(Wire):
    """Something the tenant may want to look at."""

    at: Instant
    kind: str
    detail: str


class Warnings(Wire):
    """The latest warnings, newest first."""

    warnings: list[Warned]


def _one_line(url: str) -> str:
    if any(character.isspace() or not character.isprintable() for character in url):
        raise ValueError("white space")
    return url


class EndpointWanted(Asked):
    """An endpoint to make."""

    url: Annotated[str, AfterValidator(_one_line)] = Field(
        min_length=1, max_length=2048, examples=["https://example.com/loa"]
    )
    every_step: bool = False
    inbound: bool = Field(default=False, description="Also tell of inbound events, such as a user's message.")
    is_default: bool = Field(
        default=False, validation_alias="default", description="Report this key's submissions to it."
    )


class ReplayWanted(Asked):
    """Callbacks to make due again: named ones, or all that failed at an endpoint since a time."""

    callback_ids: list[str] = Field(default_factory=list, max_length=500)
    endpoint_id: int | None = Field(default=None, ge=1, le=2**63 - 1)
    since: AwareDatetime | None = None
