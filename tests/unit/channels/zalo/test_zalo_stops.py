"""Stops: what holds a message back, when Zalo is asked, and what ends it."""

from loa.channels.zalo.stops import FIRST_S, LONGEST_S, Stops


def test_a_stop_is_news_once_and_holds_its_scope_only():
    stops = Stops()
    assert stops.trip("number", "-115", 1_000, 10.0)
    assert not stops.trip("number", "-115", 1_000, 10.0)
    assert stops.held("number").code == "-115"
    assert stops.held("number").until == 1_000 + FIRST_S * 1000
    assert stops.held("consultation") is None


def test_zalo_is_asked_ever_later_while_it_says_no():
    stops = Stops()
    stops.trip("number", "-115", 0, 0.0)
    at, waits = 0.0, []
    for _ in range(8):
        due = stops.scopes["number"].look_at
        assert stops.due(due - 0.1) == []
        assert stops.due(due) == ["number"]
        waits.append(due - at)
        at = due
        stops.looked("number", good=False, now=0, monotonic=at)
    assert waits == [60, 120, 240, 480, *[LONGEST_S] * 4]


def test_one_message_at_a_time_goes_when_zalo_says_yes_and_only_its_acceptance_ends_the_stop():
    stops = Stops()
    stops.trip("number", "-115", 0, 0.0)
    stops.looked("number", good=True, now=60_000, monotonic=60.0)
    assert stops.held("number") is None
    stops.trying("number")
    assert stops.held("number") is not None, "the second waits"
    stops.tried("number")
    assert stops.held("number") is None, "the first came back with another answer"
    stops.trying("number")
    assert stops.accepted("number")
    assert stops.scopes == {}
    assert not stops.accepted("number")


def test_a_message_that_meets_the_same_wall_doubles_the_wait():
    stops = Stops()
    stops.trip("number", "-115", 0, 0.0)
    stops.looked("number", good=True, now=60_000, monotonic=60.0)
    stops.trying("number")
    assert not stops.trip("number", "-137", 60_000, 60.0)
    assert stops.held("number").code == "-137"
    assert stops.due(179.9) == []
    assert stops.due(180.0) == ["number"]


def test_an_answer_from_before_the_stop_does_not_end_it():
    stops = Stops()
    stops.trip("number", "-115", 0, 0.0)
    assert not stops.accepted("number")
    stops.tried("number")
    assert stops.held("number") is not None
    stops.looked("elsewhere", good=True, now=0, monotonic=0.0)
    stops.trying("elsewhere")
