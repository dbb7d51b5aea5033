"""Every metric of Loa, in one registry of our own, under the prefix `loa_`.

Base units, `_total` for counters, `_seconds` for durations. Labels are few and bounded: never a number, a text, a token
or a tenant. Stages bump in groups: `.inc(n)` and `observe_many(...)` once a batch, never once a message.
"""

from collections.abc import Iterable
from typing import NamedTuple

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from loa.observe.histogram import FAST_SECONDS, SLOW_SECONDS, Cells, Histogram

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

REGISTRY = CollectorRegistry(auto_describe=True)
disable_created_metrics()  # type: ignore[no-untyped-call]
ProcessCollector(registry=REGISTRY)

CLASSES = ("otp", "transactional", "advertising")


class Described(NamedTuple):
    """One line of the reference page."""

    name: str
    kind: str
    labels: tuple[str, ...]
    documentation: str


CATALOGUE: list[Described] = []


def _counter(name: str, documentation: str, *labels: str) -> Counter:
    CATALOGUE.append(Described(f"loa_{name}", "counter", labels, documentation))
    return Counter(f"loa_{name}", documentation, labels, registry=REGISTRY)


def _gauge(name: str, documentation: str, *labels: str) -> Gauge:
    CATALOGUE.append(Described(f"loa_{name}", "gauge", labels, documentation))
    return Gauge(f"loa_{name}", documentation, labels, registry=REGISTRY)


def _histogram(name: str, documentation: str, *labels: str, bounds: tuple[float, ...] = FAST_SECONDS) -> Histogram:
    CATALOGUE.append(Described(f"loa_{name}", "histogram", labels, documentation))
    return Histogram(f"loa_{name}", documentation, registry=REGISTRY, labelnames=labels, bounds=bounds)


# --- intake ---
accepted_total = _counter("accepted_total", "Messages accepted and on disk.", "class")
submissions_total = _counter(
    "submissions_total", "Requests to send, by result: accepted, repeated, invalid, denied, unavailable.", "result"
)
accept_seconds = _histogram("accept_seconds", "Time from a request's last byte to its answer.")
ratelimited_total = _counter("ratelimited_total", "Requests refused because of a limit, a quota or overload.")

# --- dispatch ---
submit_attempts_total = _counter(
    "submit_attempts_total",
    "Attempts, by provider and result: accepted, refused, deferred, unknown.",
    "provider",
    "result",
)
outcome_unknown_total = _counter("outcome_unknown_total", "Attempts whose outcome nobody knows.")
submit_rtt_seconds = _histogram("submit_rtt_seconds", "Time from handing an attempt over to its outcome.")
end_to_end_seconds = _histogram(
    "end_to_end_seconds",
    "Time from a message's due time to the provider's acceptance.",
    "class",
    bounds=SLOW_SECONDS,
)
queue_depth = _gauge("queue_depth", "Messages queued, by lane.", "lane")
oldest_queued_seconds = _gauge("oldest_queued_seconds", "Age of the oldest due message, by lane.", "lane")
window_in_use = _gauge("window_in_use", "Attempts in flight on a channel.", "channel")
window_size = _gauge("window_size", "Attempts a channel may have in flight.", "channel")
slots_held = _gauge("slots_held", "Slots of a channel that this process works with.", "channel")
channel_stopped = _gauge(
    "channel_stopped", "1 while a provider refuses a channel for its set-up or its money, else 0.", "channel"
)
quota_left = _gauge("quota_left", "Messages that a channel's provider still takes today.", "channel")
provider_unknown_codes_total = _counter(
    "provider_unknown_codes_total", "Answers with an error code that no table knows.", "provider", "code"
)
link_up = _gauge("link_up", "1 while a link of a channel is bound, else 0.", "channel", "link")

# --- receipts ---
receipts_total = _counter("receipts_total", "Receipts stored, by the state they report.", "state")
receipts_repeat_total = _counter("receipts_repeat_total", "Receipts that repeated an earlier one.")
receipts_conflict_total = _counter("receipts_conflict_total", "Receipts that contradicted a final state.")
double_reach_total = _counter(
    "double_reach_total", "Messages that prove to have reached the handset over two steps of their route plan."
)
silent_total = _counter("silent_total", "Messages whose next step began because the one before stayed silent.")
receipts_orphan = _gauge("receipts_orphan", "Receipts parked because nothing matches them yet.")

# --- inbound ---
heard_total = _counter(
    "heard_total",
    "Events that providers posted, by result: taken, unavailable, or why one was not believed: signature, unknown_app,"
    " unknown_oa, unreadable.",
    "provider",
    "result",
)
inbound_total = _counter("inbound_total", "Inbound events stored.")
inbound_repeat_total = _counter("inbound_repeat_total", "Inbound events that repeated an earlier one.")
inbound_unowned_total = _counter("inbound_unowned_total", "Inbound events stored that no tenant is told of.")

# --- callbacks ---
callback_deliveries_total = _counter(
    "callback_deliveries_total", "Tries of callbacks, by result: delivered, failed, given_up.", "result"
)
callback_lag_seconds = _histogram(
    "callback_lag_seconds", "Time from a change of state to the callback being taken.", bounds=SLOW_SECONDS
)

# --- grants ---
grant_renewals_total = _counter(
    "grant_renewals_total",
    "Renewals of grants, by how they ended: kept, overtaken, unsent, unserved, doubtful, refused, interrupted,"
    " unreadable.",
    "result",
)
grant_consent_needed = _gauge(
    "grant_consent_needed", "1 while a channel's grant waits for a person's consent, else 0.", "channel"
)
grant_access_seconds = _gauge(
    "grant_access_seconds", "Time until a channel's access token is over; below 0 when it is.", "channel"
)
grant_refresh_seconds = _gauge(
    "grant_refresh_seconds", "Time until a channel's refresh token is over, where the provider says so.", "channel"
)

# --- ledger ---
ledger_commit_seconds = _histogram("ledger_commit_seconds", "Time of one commit of the ledger, with its writes.")
fsync_seconds = _histogram("fsync_seconds", "Time of one sync of the ledger's log to disk.")
disk_free_bytes = _gauge("disk_free_bytes", "Free space where the ledger lies.")

# --- the program ---
build_info = _gauge("build_info", "Always 1; the labels say what runs.", "version", "python", "store", "roles")

for _class in CLASSES:
    accepted_total.labels(_class)
    end_to_end_seconds.labels(_class)


def observe_many(histogram: Histogram | Cells, values: Iterable[float]) -> None:
    """Count a group of values at once, from any thread."""
    histogram.observe_many(values)


def render() -> bytes:
    """Give all metrics in Prometheus' text format, see CONTENT_TYPE."""
    return generate_latest(REGISTRY)


def reference_page() -> str:
    """Write docs/reference/metrics.md."""
    lines = [
        "# Metrics",
        "",
        "`GET /metrics` answers in the Prometheus text format: on the main listener to loopback addresses only, on the",
        "admin listener (`server.admin_port`) to anyone who reaches it. No label holds a number, a text, a token or a",
        "tenant. `class` is `otp`, `transactional` or `advertising`; a `lane` is `channel/class`.",
        "",
        "This page is generated from `loa.observe.metrics`.",
        "",
        "| Name | Kind | Labels | Meaning |",
        "|---|---|---|---|",
    ]
    for metric in sorted(CATALOGUE):
        labels = ", ".join(f"`{label}`" for label in metric.labels)
        lines.append(f"| `{metric.name}` | {metric.kind} | {labels} | {metric.documentation} |")
    lines += ["", "Beside these stand the usual `process_…` metrics: CPU, memory, open files, start time.", ""]
    return "\n".join(lines)
