"""What the simulated SMSC does with a bind, a submit and a receipt: one frozen value, changeable while it runs.

The plain `Script()` takes every bind and every submit at once and reports each message as delivered. Numbers in a
`Pick` count submits over all links from the start of the simulator, or from the last `recount`.
"""

from dataclasses import dataclass
from typing import Any, Final, Literal

from pydantic import ConfigDict, TypeAdapter, ValidationError

from loa.errors import ConfigError
from loa.simulators.pick import ALL, NOTHING, Pick
from loa.smpp.status import ESME_RTHROTTLED

_STRICT: Final = ConfigDict(extra="forbid", ser_json_bytes="hex", val_json_bytes="hex")

IdStyle = Literal["decimal", "hex", "hex_upper", "padded", "hex_padded", "opaque"]
Stat = Literal["DELIVRD", "UNDELIV", "REJECTD", "EXPIRED", "DELETED", "UNKNOWN", "ACCEPTD", "NONE"]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Answer what `pick` picks with `status`."""

    __pydantic_config__ = _STRICT

    pick: Pick
    status: int


@dataclass(frozen=True, slots=True)
class Fortune:
    """How a share of messages ends. `digits`: only destinations that end with them. `stat` NONE: never reported.

    `share`: 0 to 1 of the messages that the rule applies to; all parts of one message share one fortune.
    """

    __pydantic_config__ = _STRICT

    stat: Stat
    digits: str = ""
    share: float = 1.0
    error: str = ""


@dataclass(frozen=True, slots=True)
class Script:
    """Everything that can be scripted; docs/reference/simulators.md explains each field. Units: `_s` seconds."""

    __pydantic_config__ = _STRICT

    # Binds. Empty `system_id` and `password` let anyone in.
    system_id: str = ""
    password: str = ""
    max_binds: int = 0
    bind_delay_s: float = 0.0
    refuse_binds: Refusal | None = None

    # Submits and their responses.
    refuse: tuple[Refusal, ...] = ()
    throttle: Pick = NOTHING
    throttle_status: int = ESME_RTHROTTLED
    rate_per_s: float = 0.0
    response_delay_s: float = 0.0
    delayed: Pick = ALL
    drop_response: Pick = NOTHING
    duplicate_response: Pick = NOTHING
    garbage: Pick = NOTHING
    garbage_bytes: bytes = bytes.fromhex("00000004deadbeef")
    congestion: int | None = None

    # The connection.
    reset: Pick = NOTHING
    reset_point: Literal["before_accept", "before_response", "after_response"] = "before_response"
    unbind: Pick = NOTHING
    answer_enquire_link: bool = True
    enquire_s: float = 0.0
    slice_octets: int = 0

    # What a receipt says, and when.
    fortunes: tuple[Fortune, ...] = ()
    enroute_first: bool = False
    receipt_delay_s: float = 0.0
    early_receipts: bool = False
    receipt_copies: int = 1
    receipt_gap_s: float = 0.0
    receipt_order: Literal["kept", "newest_first"] = "kept"
    receipt_parts: Literal["all", "first", "last"] = "all"
    receipt_link: Literal["same", "other"] = "same"
    receipt_window: int = 100
    receipt_timeout_s: float = 30.0
    receipt_retry_s: float = 1.0

    # How a receipt is written.
    response_id: IdStyle = "decimal"
    receipt_id: IdStyle = "decimal"
    receipt_form: Literal["both", "text", "tlv", "comma"] = "both"
    receipt_pdu: Literal["deliver_sm", "data_sm"] = "deliver_sm"
    receipt_flagged: bool = True
    receipt_dates: Literal["10", "12", "empty"] = "10"
    receipt_error: str = ""
    echo_reference: bool = False


_SCRIPT: Final = TypeAdapter(Script)


def script_from(values: dict[str, Any], base: Script | None = None) -> Script:
    """Read a script, or a change of one, from the plain values of a JSON document; octets are hexadecimal.

    Errors: ConfigError naming each unknown or wrong field.
    """
    merged = {**script_values(base or Script()), **values}
    try:
        return _SCRIPT.validate_json(_ANY.dump_json(merged))
    except ValidationError as wrong:
        fields = "; ".join(f"{'.'.join(map(str, error['loc']))}: {error['msg']}" for error in wrong.errors())
        raise ConfigError(f"the SMSC script is wrong: {fields}") from wrong


def script_values(script: Script) -> dict[str, Any]:
    """Give a script as plain values of a JSON document."""
    values: dict[str, Any] = _SCRIPT.dump_python(script, mode="json")
    return values


_ANY: Final = TypeAdapter[Any](Any)
