"""The window of a link: every rule about answers, time-outs and lost links, without a socket."""

import pytest
from tests.unit.channels.window_rig import LONG, NOW, WindowRig, attempt

from loa.domain.outcome import Accepted, Deferred, Refused, Unknown
from loa.smpp.outcomes import StatusClass


def test_the_window_bounds_what_is_unanswered():
    rig = WindowRig(window=2)
    rig.add(attempt(1), attempt(2), attempt(3))
    assert rig.write() == [1, 2]
    assert (rig.window.in_use, rig.window.queued, rig.window.free) == (2, 1, 0)
    rig.answer(1)
    assert rig.write() == [3]
    assert rig.outcomes == [(1, Accepted(("r1",)))]


def test_free_counts_what_waits_too():
    rig = WindowRig(window=5)
    rig.add(attempt(1, LONG))
    assert rig.window.free == 2
    rig.write()
    assert rig.window.free == 2


def test_f35_where_the_encoder_fails_nothing_of_its_batch_is_written_later():
    rig = WindowRig()
    with pytest.raises(AttributeError):
        rig.add(attempt(1), attempt(2, None))
    assert rig.window.idle
    assert rig.write() == []


def test_a_single_message_has_the_outcome_of_its_answer():
    rig = WindowRig()
    rig.add(*(attempt(number) for number in range(1, 7)))
    rig.write()
    assert rig.answer(1, 0x0B) is StatusClass.REFUSED
    assert rig.answer(2, 0x08) is StatusClass.DEFERRED
    assert rig.answer(3, 0x04) is StatusClass.NOT_BOUND
    assert rig.answer(4, 0x58) is StatusClass.THROTTLED
    assert rig.answer(5, 0x4FF) is StatusClass.DEFERRED
    assert rig.answer(6, 0, "") is StatusClass.ACCEPTED
    assert rig.outcomes == [
        (1, Refused("ESME_RINVDSTADR")),
        (2, Deferred("ESME_RSYSERR", counts=True)),
        (3, Deferred("not_bound", counts=False)),
        (4, Deferred("throttled", counts=False)),
        (5, Deferred("vendor status 0x4FF", counts=True)),
        (6, Accepted(("",))),
    ]


def test_an_answer_to_nothing_is_counted_and_changes_nothing():
    rig = WindowRig()
    assert rig.answer(99) is None
    assert rig.window.strays == 1
    assert not rig.outcomes


def test_throttling_gives_back_what_was_not_begun():
    rig = WindowRig(window=2)
    rig.add(attempt(1), attempt(2), attempt(3), attempt(4, LONG))
    rig.write()
    rig.answer(1, 0x58)
    assert sorted(rig.outcomes) == [(number, Deferred("throttled", counts=False)) for number in (1, 3, 4)]
    rig.answer(2)
    assert rig.window.idle
    assert rig.write() == []


def test_a_held_segment_waits_for_the_end_of_the_pause():
    rig = WindowRig()
    rig.add(attempt(1, LONG))
    rig.write()
    rig.answer(1)
    rig.answer(2, 0x58)
    rig.answer(3)
    assert rig.write() == []
    assert rig.window.waiting
    rig.now += 1.01
    (again,) = rig.write()
    assert rig.written[again].short_message == rig.written[2].short_message
    rig.answer(again)
    assert rig.outcomes == [(1, Accepted(("r1", f"r{again}", "r3")))]


def test_segments_that_meet_a_passing_fault_beside_taken_ones_are_tried_only_so_often():
    rig = WindowRig()
    rig.add(attempt(1, LONG))
    rig.write()
    rig.answer(1)
    rig.answer(2)
    rig.answer(3, 0x08)
    tries = 0
    while not rig.outcomes:
        rig.now += 60
        (again,) = rig.write() or (0,)
        if again:
            tries += 1
            rig.answer(again, 0x08)
    assert tries == 5
    assert rig.outcomes == [(1, Refused("ESME_RSYSERR", True, ("r1", "r2")))]


def test_held_segments_are_given_up_when_the_lifetime_is_over():
    rig = WindowRig()
    rig.add(attempt(1, LONG, expires_at=NOW))
    rig.write()
    rig.answer(1)
    rig.answer(2, 0x58)
    rig.answer(3)
    rig.now += 2
    assert rig.write() == []
    assert rig.outcomes == [(1, Refused("throttled", True, ("r1", "r3")))]
    assert rig.window.idle


def test_no_further_segment_is_written_once_one_was_refused():
    rig = WindowRig(window=1)
    rig.add(attempt(1, LONG), attempt(2))
    rig.write()
    rig.answer(1, 0x0A)
    assert rig.outcomes == [(1, Refused("ESME_RINVSRCADR"))]
    (second,) = rig.write()
    assert rig.written[second].short_message == b"hello"


def test_answers_that_do_not_come_make_the_message_unknown_and_free_the_window():
    rig = WindowRig(window=2, response_timeout_s=30)
    rig.add(attempt(1), attempt(2), attempt(3))
    rig.write()
    rig.now += 29
    assert rig.window.overdue(rig.now) == 0
    rig.answer(1)
    rig.write()
    rig.now += 1
    assert rig.window.overdue(rig.now) == 1
    assert rig.outcomes == [(1, Accepted(("r1",))), (2, Unknown("response_timeout", ("",)))]
    assert rig.window.in_use == 1


def test_a_late_answer_is_evidence():
    rig = WindowRig(response_timeout_s=30)
    rig.add(attempt(1), attempt(2), attempt(3))
    rig.write()
    rig.now += 31
    rig.window.overdue(rig.now)
    rig.answer(1)
    rig.answer(2, 0x0B)
    rig.answer(3, 0x58)
    rig.answer(1)
    assert rig.lates == [(1, Accepted(("r1",))), (2, Refused("ESME_RINVDSTADR"))]
    assert len(rig.outcomes) == 3


def test_a_late_answer_to_one_segment_counts_when_all_are_there():
    rig = WindowRig(response_timeout_s=30)
    rig.add(attempt(1, LONG))
    rig.write()
    rig.answer(2)
    rig.now += 31
    rig.window.overdue(rig.now)
    assert rig.outcomes == [(1, Unknown("response_timeout", ("", "r2", "")))]
    rig.answer(3)
    assert not rig.lates
    rig.answer(1)
    assert rig.lates == [(1, Accepted(("r1", "r2", "r3")))]


def test_an_answer_that_is_late_for_one_segment_but_not_for_the_message_is_an_ordinary_one():
    rig = WindowRig(response_timeout_s=30, window=2)
    rig.add(attempt(1, LONG[:300]))
    rig.window._size = 1
    rig.write()
    rig.window._size = 2
    rig.now += 20
    rig.write()
    rig.now += 11
    rig.window.overdue(rig.now)
    rig.answer(1)
    rig.answer(2)
    assert rig.outcomes == [(1, Accepted(("r1", "r2")))]
    assert not rig.lates


def test_a_lost_link_defers_what_was_not_written_and_makes_the_rest_unknown():
    rig = WindowRig(window=3)
    rig.add(attempt(1), attempt(2, LONG), attempt(3))
    rig.write()
    rig.answer(1)
    rig.window.lost("link_lost")
    assert sorted(rig.outcomes[1:]) == [
        (2, Unknown("link_lost", ("", "", ""))),
        (3, Deferred("link_lost", counts=False)),
    ]
    assert rig.window.idle


def test_a_lost_link_leaves_a_message_unknown_whose_held_segment_stands_beside_a_taken_one():
    rig = WindowRig()
    rig.add(attempt(1, LONG))
    rig.write()
    rig.answer(1)
    rig.answer(2, 0x58)
    rig.answer(3)
    rig.window.lost("link_lost")
    assert rig.outcomes == [(1, Unknown("link_lost", ("r1", "", "r3")))]


def test_what_can_never_be_written_is_refused_at_once():
    rig = WindowRig(forbidden_characters="<>")
    assert rig.add(attempt(1, "a<b"), attempt(2, "fine"), attempt(3, sender="x" * 21)) == [
        (1, Refused("text_forbidden_character")),
        (3, Refused("sender_not_sendable")),
    ]
    assert rig.add(attempt(4, "Việt")) == [(4, Refused("text_not_in_alphabet"))]
    assert len(rig.write()) == 1
