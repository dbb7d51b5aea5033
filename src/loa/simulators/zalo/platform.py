"""The simulated platform without its sockets: who is there, which tokens are good, what was accepted."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from loa.errors import ConfigError
from loa.ports.clock import Clock
from loa.simulators.zalo.judge import Judge, Subject
from loa.simulators.zalo.script import ZaloScript
from loa.simulators.zalo.state import Message, OaState
from loa.simulators.zalo.tokens import TokenBook
from loa.simulators.zalo.watch import ZaloCounts
from loa.simulators.zalo.world import Oa

STATUS_KEPT: Final = 20_000
"""So many messages can be asked for by their id."""

Payload = Mapping[str, Any]
SuccessEnvelope: Final = {"error": 0, "message": "Success"}


@dataclass(slots=True)
class Case:
    """One request, read and checked, before anything came of it.

    `code`: why it is refused, 0 for not. `commit` lets it take effect and gives the answer. `line`: for the journal.
    `message`: what was accepted; `events`: what is to be posted, each with whether it is marked as from the template
    side. `headers`: of the answer.
    """

    subject: Subject
    oa: OaState | None = None
    code: int = 0
    detail: str = ""
    commit: Callable[[], Payload] = dict
    line: dict[str, Any] | None = None
    message: Message | None = None
    events: list[tuple[dict[str, Any], bool]] = field(default_factory=list)
    headers: Mapping[str, str] | None = None

    def __enter__(self) -> None:
        """Begin to check; a Refusal inside makes this a refused case."""

    def __exit__(self, _: object, error: BaseException | None, __: object) -> bool:
        """See `__enter__`."""
        if not isinstance(error, Refusal):
            return False
        self.code, self.detail = error.code, error.detail
        return True


class Refusal(Exception):
    """A request that the platform refuses by its own rules."""

    def __init__(self, code: int, detail: str = "") -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail


class Platform:
    """Everything that requests are answered from."""

    def __init__(self, oas: tuple[Oa, ...], script: ZaloScript, clock: Clock) -> None:
        self.clock = clock
        self.judge = Judge(script)
        self.counts = ZaloCounts()
        now = clock.now()
        self.oas = {told.oa_id: OaState(told, now) for told in oas}
        self.tokens = TokenBook(now, self.oas.values())
        self.messages: OrderedDict[str, Message] = OrderedDict()
        self._numbers = now * 1_000

    @property
    def script(self) -> ZaloScript:
        """The script in force."""
        return self.judge.script

    def oa(self, oa_id: str = "") -> OaState:
        """Give an Official Account, the first without a name. Errors: ConfigError."""
        found = self.oas.get(oa_id or next(iter(self.oas), ""))
        if found is None:
            raise ConfigError(f"there is no Official Account {oa_id!r}; there are {', '.join(self.oas)}")
        return found

    def new_id(self) -> str:
        """Make an id that was never given: 24 hexadecimal digits, as Zalo's look."""
        self._numbers += 1
        return f"{self._numbers:024x}"

    def new_number(self) -> str:
        """Make an id of digits, longer than 2^53."""
        self._numbers += 1
        return f"{self._numbers * 1_000}"

    def remember(self, message: Message) -> None:
        """Keep a message, so that it can be asked for."""
        self.messages[message.message_id] = message
        if len(self.messages) > STATUS_KEPT:
            self.messages.popitem(last=False)


def success(data: Any) -> Payload:
    """Put an answer into the envelope."""
    return {**SuccessEnvelope, "data": data}
