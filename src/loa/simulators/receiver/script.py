"""What the simulated receiver answers: one frozen value for each path, changeable while it runs."""

from dataclasses import dataclass
from typing import Any, Final, Literal

from pydantic import ConfigDict, TypeAdapter, ValidationError

from loa.errors import ConfigError
from loa.simulators.pick import ALL, NOTHING, Pick


@dataclass(frozen=True, slots=True)
class ReceiverScript:
    """How requests are answered; the plain one takes everything with 200.

    `statuses`: one for each request in turn, after them `status`. `retry_after`: that header, as written.
    `redirect_to`: the Location header. `body_octets`: length of the answer's body. `delay_s`: before the answer.
    `delayed` picks which requests are delayed. `hang`: these are never answered. `close`: the connection is cut
    before an answer. Numbers count the requests to this path from the start, or since the script changed.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    status: int = 200
    statuses: tuple[int, ...] = ()
    retry_after: str = ""
    redirect_to: str = ""
    body_octets: int = 2
    delay_s: float = 0.0
    delayed: Pick = ALL
    hang: Pick = NOTHING
    close: Pick = NOTHING

    def status_of(self, number: int) -> int:
        """Give the status for the request with this number, counted from 1."""
        return self.statuses[number - 1] if number <= len(self.statuses) else self.status


Verdict = Literal["valid", "invalid", "unsigned", "unchecked"]

_SCRIPT: Final = TypeAdapter(ReceiverScript)


def receiver_script_from(values: dict[str, Any]) -> ReceiverScript:
    """Read a script from the plain values of a JSON document.

    Errors: ConfigError naming each unknown or wrong field.
    """
    try:
        return _SCRIPT.validate_python(values)
    except ValidationError as wrong:
        fields = "; ".join(f"{'.'.join(map(str, error['loc']))}: {error['msg']}" for error in wrong.errors())
        raise ConfigError(f"the receiver script is wrong: {fields}") from wrong
