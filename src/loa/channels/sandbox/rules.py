"""What the sandbox does with a message, by the last two digits of its number: a table, so that tests can be planned."""

from dataclasses import dataclass
from typing import Final

from loa.domain.lifecycle import State
from loa.domain.outcome import Accepted, Deferred, Outcome, Refused, Unknown


@dataclass(frozen=True, slots=True)
class Rule:
    """One behaviour: the answer to the hand-over, then the receipts in the order they come.

    `answer`: accept, refuse, refuse_passing, defer, unknown. A `defer` is accepted at its second attempt. `late`: the
    answer that follows an `unknown`.
    """

    name: str
    meaning: str
    answer: str = "accept"
    receipts: tuple[tuple[str, State | None], ...] = (("DELIVRD", State.DELIVERED),)
    late: bool = False

    def outcome(self, refs: tuple[str, ...], number: int) -> Outcome:
        """Give the outcome of attempt `number`."""
        match self.answer:
            case "refuse":
                return Refused("sandbox_refused")
            case "refuse_passing":
                return Refused("sandbox_refused_for_now", lasting=False)
            case "defer" if number == 1:
                return Deferred("sandbox_deferred")
            case "unknown":
                return Unknown("sandbox_no_answer", ("",) * len(refs))
            case _:
                return Accepted(refs)


_NO: Final[tuple[tuple[str, State | None], ...]] = ()

RULES: Final[dict[str, Rule]] = {
    "deliver": Rule("deliver", "accepted, then delivered"),
    "undelivered": Rule("undelivered", "accepted, then undelivered", receipts=(("UNDELIV", State.UNDELIVERED),)),
    "rejected": Rule("rejected", "accepted, then rejected by a receipt", receipts=(("REJECTD", State.REJECTED),)),
    "expired": Rule("expired", "accepted, then expired by a receipt", receipts=(("EXPIRED", State.EXPIRED),)),
    "refuse": Rule("refuse", "refused for good", "refuse", _NO),
    "refuse_passing": Rule("refuse_passing", "refused for now, at every attempt", "refuse_passing", _NO),
    "defer": Rule("defer", "put off once, then as `deliver`", "defer"),
    "unknown": Rule("unknown", "no answer, no receipt", "unknown", _NO),
    "unknown_delivered": Rule("unknown_delivered", "no answer, but a receipt of delivery comes", "unknown"),
    "late": Rule("late", "no answer in time; it comes late, then the receipt of delivery", "unknown", late=True),
    "silent": Rule("silent", "accepted, no receipt ever", receipts=_NO),
    "repeated": Rule(
        "repeated",
        "accepted; the receipt of delivery comes three times, then an older one",
        receipts=(("DELIVRD", State.DELIVERED),) * 3 + (("ENROUTE", None),),
    ),
}

BY_ENDING: Final[dict[int, str]] = {
    88: "late",
    89: "repeated",
    90: "undelivered",
    91: "rejected",
    92: "expired",
    93: "refuse",
    94: "refuse_passing",
    95: "defer",
    96: "unknown",
    97: "unknown_delivered",
    98: "silent",
}
"""Last two digits of the destination -> rule; every other number is delivered."""

BY_NUMBER: Final = "by_number"


def rule_for(destination: int, setting: str) -> Rule:
    """Give the rule for a destination under the channel's `behaviour`."""
    if setting != BY_NUMBER:
        return RULES[setting]
    return RULES[BY_ENDING.get(destination % 100, "deliver")]
