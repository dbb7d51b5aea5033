"""Whatever happens to a window, in any order: each message is settled once, and no taken segment is sent again."""

from collections import Counter

from hypothesis import settings as hypothesis_settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from hypothesis.strategies import booleans, integers, sampled_from
from tests.unit.channels.window_rig import LONG, WindowRig, attempt

from loa.domain.outcome import Accepted, Deferred, Refused, Unknown

FIRST = 84_900_000_000
STATUSES = [0, 0, 0, 0, 0x58, 0x14, 0x08, 0x0B, 0x04, 0x4FE]


class WindowModel(RuleBasedStateMachine):
    @initialize(window=integers(1, 6), rate=sampled_from([0, 3]))
    def begin(self, window, rate):
        self.rig = WindowRig(window=window, rate=rate, response_timeout_s=30)
        self.given = 0
        self.unanswered = []
        self.given_up = []
        self.taken = Counter()
        self.over = False

    @rule(long=booleans())
    def submit(self, long):
        if self.over:
            return
        self.given += 1
        text = LONG if long else f"text {self.given}"
        self.rig.add(attempt(self.given, text, destination=FIRST + self.given))

    @rule()
    def write(self):
        for sequence in self.rig.write():
            self.unanswered.append(sequence)
            assert self.taken[self._segment(sequence)] == 0

    @rule(pick=integers(0, 20), status=sampled_from(STATUSES))
    def answer(self, pick, status):
        if self.unanswered:
            sequence = self.unanswered.pop(pick % len(self.unanswered))
            self.rig.answer(sequence, status)
            self.taken[self._segment(sequence)] += status == 0

    @rule(pick=integers(0, 20), status=sampled_from(STATUSES))
    def answer_late(self, pick, status):
        if self.given_up:
            self.rig.answer(self.given_up[pick % len(self.given_up)], status)

    @rule(seconds=sampled_from([0.3, 1.1, 31.0]))
    def time_passes(self, seconds):
        self.rig.now += seconds
        before = self.rig.window.in_use
        gone = self.rig.window.overdue(self.rig.now)
        assert self.rig.window.in_use == before - gone
        self.given_up += self.unanswered[:gone]
        del self.unanswered[:gone]

    @rule()
    def the_link_is_lost(self):
        self.rig.window.lost("link_lost")
        self.unanswered.clear()
        self.given_up.clear()
        self.over = True

    @invariant()
    def each_message_is_settled_at_most_once(self):
        if not hasattr(self, "rig"):
            return
        settled = [message for message, _ in self.rig.outcomes]
        assert len(settled) == len(set(settled))
        assert self.rig.window.in_use == len(self.unanswered)
        assert self.rig.window.in_use <= self.rig.settings.window

    def teardown(self):
        if not hasattr(self, "rig"):
            return
        self.rig.window.lost("link_lost")
        assert sorted(message for message, _ in self.rig.outcomes) == list(range(1, self.given + 1))
        for message, outcome in self.rig.outcomes:
            self._is_true(message, outcome)

    def _is_true(self, message, outcome):
        """An outcome says no more and no less than what was written and answered."""
        segments = {self._segment(sequence) for sequence in self.rig.written}
        written = [segment for segment in segments if segment[0] == str(FIRST + message)]
        taken = sum(self.taken[segment] for segment in written)
        if isinstance(outcome, Deferred):
            assert taken == 0
        elif isinstance(outcome, Accepted):
            assert all(outcome.provider_refs)
        else:
            assert isinstance(outcome, Refused | Unknown)
            assert written

    def _segment(self, sequence):
        pdu = self.rig.written[sequence]
        return pdu.destination, pdu.short_message


TestWindowModel = WindowModel.TestCase
TestWindowModel.settings = hypothesis_settings(max_examples=150, stateful_step_count=40, deadline=None)
