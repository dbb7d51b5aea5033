"""A window without a socket, and attempts to put into it."""

from itertools import count

from loa.channels.pace import Pace
from loa.channels.smpp import settings as own
from loa.channels.smpp.compose import Composer
from loa.channels.smpp.known import KnownRefs
from loa.channels.smpp.references import References
from loa.channels.smpp.window import Window
from loa.domain.traffic import TrafficClass
from loa.ports.channel import Attempt
from loa.smpp.codec import decode

NOW = 1_800_000_000_000
LONG = "0123456789" * 32  # three segments


def settings_of(**given):
    return own.read({"host": "smsc.test", "system_id": "esme"} | given)


def attempt(message_id=1, text="hello", **fields):
    given = {
        "message_id": message_id,
        "number": 1,
        "channel_id": 7,
        "traffic_class": TrafficClass.OTP,
        "destination": 84912345678,
        "sender": "LOA",
        "text": text,
        "encoding": "gsm7",
        "segment_count": 1,
        "expires_at": NOW + 600_000,
        "referent_id": "sub_01J00000000000000000000000",
        "possible_duplicate": False,
        "ext": {},
    }
    return Attempt(**{**given, **fields})


class WindowRig:
    """One window; `written` holds sequence -> PDU of everything handed out."""

    def __init__(self, **given):
        self.settings = settings_of(**given)
        self.pace = Pace(self.settings.rate)
        self.lates = []
        self.outcomes = []
        self.written = {}
        self.now = 1_000.0
        self.window = Window(
            self.settings,
            Composer(self.settings, References()),
            self.pace,
            KnownRefs(self.settings.ref_mode),
            lambda attempt, outcome: self.lates.append((attempt.message_id, outcome)),
        )
        self._numbers = count(1)

    def add(self, *attempts):
        refused = self.window.add(attempts, self._settle, NOW)
        return [(each.message_id, outcome) for each, outcome in refused]

    def write(self):
        """Hand out what may be written now; give the new sequence numbers."""
        pdus = [decode(raw) for raw in self.window.next_batch(lambda: next(self._numbers), self.now, NOW)]
        self.written |= {pdu.sequence: pdu for pdu in pdus}
        return [pdu.sequence for pdu in pdus]

    def answer(self, sequence, status=0, ref=None):
        return self.window.answered(sequence, status, ref if ref is not None else f"r{sequence}", self.now)

    def _settle(self, attempt, outcome):
        self.outcomes.append((attempt.message_id, outcome))
