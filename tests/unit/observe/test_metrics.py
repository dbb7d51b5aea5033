"""Metrics: names, labels, cheap groups, and the page that lists them."""

import threading
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from loa.domain.traffic import TrafficClass
from loa.observe import metrics
from loa.observe.histogram import Histogram

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "metrics.md"

CORE = [
    "loa_accepted_total",
    "loa_submit_attempts_total",
    "loa_outcome_unknown_total",
    "loa_receipts_total",
    "loa_receipts_orphan",
    "loa_receipts_repeat_total",
    "loa_accept_seconds",
    "loa_submit_rtt_seconds",
    "loa_end_to_end_seconds",
    "loa_queue_depth",
    "loa_oldest_queued_seconds",
    "loa_window_in_use",
    "loa_window_size",
    "loa_link_up",
    "loa_callback_deliveries_total",
    "loa_callback_lag_seconds",
    "loa_ledger_commit_seconds",
    "loa_fsync_seconds",
    "loa_disk_free_bytes",
    "loa_ratelimited_total",
    "loa_build_info",
]


def samples(text):
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_the_core_set_is_there():
    assert set(CORE) <= {metric.name for metric in metrics.CATALOGUE}


@pytest.mark.parametrize("metric", metrics.CATALOGUE, ids=lambda metric: metric.name)
def test_every_metric_has_the_prefix_a_unit_and_a_help_text(metric):
    assert metric.name.startswith("loa_")
    assert metric.documentation.endswith(".")
    assert metric.name.endswith("_total") == (metric.kind == "counter")
    assert metric.name.endswith("_seconds") or metric.kind != "histogram"


def test_what_is_rendered_is_readable_and_has_no_created_series():
    text = metrics.render().decode()
    names = {family.name for family in text_string_to_metric_families(text)}
    assert {"loa_accepted", "loa_accept_seconds", "loa_queue_depth", "process_open_fds"} <= names
    assert "_created" not in text


def test_class_labels_are_those_of_the_domain():
    assert {kind.label for kind in TrafficClass} == set(metrics.CLASSES)


def test_counters_take_groups():
    child = metrics.receipts_total.labels("delivered")
    before = samples(metrics.render().decode())[("loa_receipts_total", (("state", "delivered"),))]
    child.inc(250)
    after = samples(metrics.render().decode())[("loa_receipts_total", (("state", "delivered"),))]
    assert after - before == 250


def test_a_histogram_counts_like_the_library():
    registry = CollectorRegistry()
    histogram = Histogram("h_seconds", "H.", registry=registry, labelnames=("lane",), bounds=(0.1, 1.0))
    metrics.observe_many(histogram.labels("a"), [0.05, 0.1, 0.5, 7.0])
    histogram.labels("a").observe(1.0, times=3)
    seen = samples(generate_latest(registry).decode())
    bucket = {dict(labels)["le"]: value for (name, labels), value in seen.items() if name == "h_seconds_bucket"}
    assert bucket == {"0.1": 2, "1.0": 6, "+Inf": 7}
    assert seen[("h_seconds_count", (("lane", "a"),))] == 7
    assert seen[("h_seconds_sum", (("lane", "a"),))] == pytest.approx(10.65)


def test_a_histogram_refuses_the_wrong_number_of_labels():
    histogram = Histogram("g_seconds", "G.", registry=CollectorRegistry(), labelnames=("lane",))
    with pytest.raises(ValueError, match="g_seconds"):
        histogram.observe(1.0)


def test_threads_lose_no_value():
    histogram = Histogram("t_seconds", "T.", registry=CollectorRegistry())

    def add():
        for _ in range(200):
            histogram.observe_many([0.001] * 50)

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    buckets, total = histogram.labels().read()
    assert buckets[-1] == ("+Inf", 40_000)
    assert total == pytest.approx(40.0)


def test_the_reference_page_is_fresh():
    assert PAGE.read_text(encoding="utf-8") == metrics.reference_page(), "write metrics.reference_page() to the page"
