"""Traffic classes and what each is owed: lifetime, order, and the policy for an unknown outcome."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum


class TrafficClass(IntEnum):
    """What a message is for; the number is its precedence, lowest first."""

    OTP = 0
    TRANSACTIONAL = 1
    ADVERTISING = 2

    @property
    def label(self) -> str:
        """The word used in the API, logs and metrics."""
        return self.name.lower()


VENDOR_TYPES = {0: TrafficClass.TRANSACTIONAL, 1: TrafficClass.ADVERTISING, 2: TrafficClass.OTP}
"""The vendor API's `type`. Source: vendor page sms/send-message."""


class OnUnknown(StrEnum):
    """What happens to a message whose hand-over has no known outcome once the wait for evidence is over."""

    NEVER = "never"
    RESEND_ONCE = "resend_once"
    """Once more, flagged: over the next step of the route plan, or over the same channel where it is the last."""
    NEXT_STEP = "next_step"
    """Over the next step of the route plan, flagged; never over the same channel again."""


@dataclass(frozen=True, slots=True)
class ClassPolicy:
    """How one traffic class is treated.

    Units: lifetime_s and evidence_wait_s in seconds; lifetime_s 0 means until the end of the allowed hours.
    """

    lifetime_s: int
    on_unknown: OnUnknown
    evidence_wait_s: int


DEFAULT_POLICIES: dict[TrafficClass, ClassPolicy] = {
    TrafficClass.OTP: ClassPolicy(300, OnUnknown.NEVER, 30),
    TrafficClass.TRANSACTIONAL: ClassPolicy(86_400, OnUnknown.RESEND_ONCE, 120),
    TrafficClass.ADVERTISING: ClassPolicy(0, OnUnknown.NEVER, 120),
}
