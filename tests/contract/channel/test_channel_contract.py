"""The contract of `Channel`, run whole against every provider in the registry."""

import contextlib
import io

import pytest
import structlog
from tests.contract.channel.harnesses import HARNESSES, SCENARIOS, UNKNOWN_STATUS
from tests.contract.channel.rig import SECRET

from loa.channels.registry import OWN, providers
from loa.domain.lifecycle import State
from loa.domain.outcome import Accepted, Deferred, Refused, Unknown
from loa.errors import ConfigError
from loa.observe.log import configure

CASES = [(name, scenario) for name, harness in HARNESSES.items() for scenario in harness.scenarios]
REPORTING = [name for name, harness in HARNESSES.items() if harness.reports]


@contextlib.asynccontextmanager
async def running(name, **changes):
    harness = HARNESSES[name]()
    await harness.open(**changes)
    try:
        yield harness
    finally:
        await harness.close()


def test_every_provider_has_a_harness_and_declares_what_it_shows():
    assert set(HARNESSES) == set(OWN) == set(providers())
    for name, harness in HARNESSES.items():
        if not OWN[name].info.simulated:
            assert set(harness.scenarios) >= set(SCENARIOS)


@pytest.mark.parametrize(("name", "scenario"), CASES)
async def test_one_message_has_the_outcome_that_the_peer_brought_about(name, scenario):
    async with running(name) as harness:
        await harness.arrange(scenario)
        outcome = await harness.rig.outcome_of(harness.message(1, scenario))
        if scenario == "unknown_status":
            assert isinstance(outcome, UNKNOWN_STATUS)
        else:
            assert isinstance(outcome, SCENARIOS[scenario])
        assert len(harness.rig.outcomes) == 1


@pytest.mark.parametrize("name", HARNESSES)
async def test_an_accepted_message_names_a_reference_for_what_was_handed_over(name):
    async with running(name) as harness:
        outcome = await harness.rig.outcome_of(harness.message(1))
        assert isinstance(outcome, Accepted)
        assert all(outcome.provider_refs)
        assert len(outcome.provider_refs) == 1


@pytest.mark.parametrize("name", HARNESSES)
async def test_a_lasting_refusal_is_final_and_the_channel_goes_on(name):
    async with running(name) as harness:
        await harness.arrange("refusal")
        outcome = await harness.rig.outcome_of(harness.message(1, "refusal"))
        assert outcome.lasting
        assert outcome.reason
        await harness.arrange("accept")
        await harness.rig.until_free()
        assert isinstance(await harness.rig.outcome_of(harness.message(2)), Accepted)


@pytest.mark.parametrize("name", [name for name in HARNESSES if name != "sandbox"])
async def test_throttling_costs_no_try_and_pauses_the_channel_which_then_wakes_the_dispatcher(name):
    async with running(name) as harness:
        await harness.arrange("throttle")
        outcome = await harness.rig.outcome_of(harness.message(1, "throttle"))
        assert isinstance(outcome, Deferred)
        assert not outcome.counts
        await harness.rig.watch.until(lambda: harness.rig.channel.free(harness.rig.clock.now()) == 0)
        await harness.arrange("accept")
        wakes = harness.rig.wakes
        await harness.rig.watch.until(lambda: harness.rig.wakes > wakes)
        await harness.rig.until_free()
        assert isinstance(await harness.rig.outcome_of(harness.message(2)), Accepted)


@pytest.mark.parametrize("name", [name for name, harness in HARNESSES.items() if harness.recovers])
@pytest.mark.parametrize("scenario", ["garbage", "slow", "cut_after_bytes"])
async def test_a_channel_recovers_by_itself_after_a_fault(name, scenario):
    async with running(name) as harness:
        await harness.arrange(scenario)
        assert isinstance(await harness.rig.outcome_of(harness.message(1)), Unknown)
        await harness.arrange("accept")
        await harness.rig.until_free()
        assert isinstance(await harness.rig.outcome_of(harness.message(2)), Accepted)
        assert harness.handed_over() == 2


@pytest.mark.parametrize("name", [name for name, harness in HARNESSES.items() if harness.recovers])
async def test_nothing_is_ever_sent_a_second_time_by_the_channel_itself(name):
    async with running(name) as harness:
        await harness.arrange("cut_after_bytes")
        assert isinstance(await harness.rig.outcome_of(harness.message(1)), Unknown)
        await harness.arrange("accept")
        await harness.rig.until_free()
        assert harness.handed_over() == 1


@pytest.mark.parametrize(("name", "scenario"), CASES)
async def test_every_attempt_of_a_burst_is_settled_exactly_once(name, scenario):
    async with running(name) as harness:
        await harness.arrange(scenario)
        burst = [harness.message(number, scenario) for number in range(1, 26)]
        harness.rig.submit(*burst)
        await harness.rig.settled(len(burst))
        await harness.rig.channel.stop(0)
        settled = sorted(each.message_id for each, _ in harness.rig.outcomes)
        assert settled == [each.message_id for each in burst]


@pytest.mark.parametrize("name", REPORTING)
async def test_repeated_receipts_are_each_offered_and_acknowledged(name):
    async with running(name) as harness:
        outcome = await harness.rig.outcome_of(harness.message(1))
        for _ in range(3):
            await harness.report(outcome.provider_refs[0], "delivered")
        receipts = await harness.rig.received(3)
        assert {receipt.refs for receipt in receipts} == {receipts[0].refs}
        assert {receipt.state for receipt in receipts} == {State.DELIVERED}
        assert await harness.acknowledged(3)


@pytest.mark.parametrize("name", REPORTING)
async def test_receipts_out_of_order_are_offered_as_they_come(name):
    async with running(name) as harness:
        outcome = await harness.rig.outcome_of(harness.message(1))
        for state in ("delivered", "on_its_way", "undelivered"):
            await harness.report(outcome.provider_refs[0], state)
        receipts = await harness.rig.received(3)
        assert [receipt.state for receipt in receipts] == [State.DELIVERED, None, State.UNDELIVERED]


@pytest.mark.parametrize("name", REPORTING)
async def test_a_receipt_can_be_matched_to_what_was_accepted(name):
    async with running(name) as harness:
        message = harness.message(1)
        outcome = await harness.rig.outcome_of(message)
        await harness.report(outcome.provider_refs[0], "delivered")
        (receipt,) = await harness.rig.received()
        assert outcome.provider_refs[0] in receipt.refs
        assert receipt.channel_id == message.channel_id
        assert receipt.destination == message.destination
        assert receipt.raw


@pytest.mark.parametrize("name", HARNESSES)
async def test_the_window_bounds_what_may_be_handed_over(name):
    async with running(name, window=5, **({"answer_s": 3600} if name == "sandbox" else {})) as harness:
        if name != "sandbox":
            await harness.arrange("slow")
        assert harness.rig.channel.free(harness.rig.clock.now()) == 5
        harness.rig.submit(*(harness.message(number) for number in range(1, 6)))
        assert harness.rig.channel.free(harness.rig.clock.now()) == 0
        status = harness.rig.channel.status()
        assert (status.window_in_use, status.window_size) == (5, 5)


@pytest.mark.parametrize("name", HARNESSES)
async def test_stopping_settles_what_is_left_and_takes_no_more(name):
    async with running(name, **({"answer_s": 3600} if name == "sandbox" else {"response_timeout_s": 60})) as harness:
        if name != "sandbox":
            await harness.arrange("slow")
        harness.rig.submit(*(harness.message(number) for number in range(1, 4)))
        if name != "sandbox":
            await harness.peer.watch.until(lambda: harness.handed_over() == 3)
        await harness.rig.channel.stop(0.05)
        assert len(harness.rig.outcomes) == 3
        if name != "sandbox":
            assert all(isinstance(outcome, Unknown) for _, outcome in harness.rig.outcomes)
        assert harness.rig.channel.free(harness.rig.clock.now()) == 0
        assert not harness.rig.channel.status().ready


@pytest.mark.parametrize("name", HARNESSES)
async def test_what_was_handed_over_at_the_moment_of_stopping_is_settled_as_well(name):
    async with running(name, **({"answer_s": 3600} if name == "sandbox" else {"response_timeout_s": 60})) as harness:
        if name != "sandbox":
            await harness.arrange("slow")
        harness.rig.submit(*(harness.message(number) for number in range(1, 4)))
        await harness.rig.channel.stop(0)
        assert sorted(each.message_id for each, _ in harness.rig.outcomes) == [1, 2, 3]
        assert not any(isinstance(outcome, Refused) for _, outcome in harness.rig.outcomes)


@pytest.mark.parametrize("name", HARNESSES)
async def test_an_idle_channel_says_what_it_is(name):
    async with running(name) as harness:
        status = harness.rig.channel.status()
        assert status.ready
        assert status.links_up == status.links == 1
        assert status.window_in_use == 0
        steps = await harness.rig.channel.test()
        assert steps
        assert all(step.name and step.detail for step in steps)


@pytest.mark.parametrize("name", [name for name in HARNESSES if OWN[name].info.secrets])
@pytest.mark.parametrize("scenario", ["accept", "garbage", "cut_before_bytes", "refusal"])
async def test_secrets_numbers_and_texts_stay_out_of_status_tests_and_logs(name, scenario):
    log = io.StringIO()
    configure(json=True, level="debug", stream=log)
    try:
        async with running(name) as harness:
            await harness.arrange(scenario)
            await harness.rig.outcome_of(harness.message(1, scenario))
            shown = [repr(harness.rig.channel.status()), repr(await harness.rig.channel.test())]
            shown.append(repr(harness.rig.channel))
    finally:
        structlog.reset_defaults()
    shown.append(log.getvalue())
    for text in shown:
        assert SECRET not in text
        assert "84912345678" not in text
        assert "hello" not in text


@pytest.mark.parametrize("name", HARNESSES)
def test_unknown_and_wrong_settings_are_refused_by_name(name):
    provider = OWN[name]
    given = {
        "smpp": {"host": "h", "system_id": "s"},
        "vendor": {"base_url": "https://h", "api_key": SECRET},
        "zalo": {"app_id": "1", "app_secret": SECRET, "oa_id": "2"},
        "sandbox": {},
    }[name]
    assert provider.check(provider.check(given)) == provider.check(given)
    with pytest.raises(ConfigError, match=r"windwo.*did you mean window"):
        provider.check(given | {"windwo": 3})
    with pytest.raises(ConfigError, match="window: give a whole number"):
        provider.check(given | {"window": "many"})
    assert provider.check(given | {"window": "3"})["window"] == 3
