"""Turns settings into what each part of the program works with."""

import ipaddress
from pathlib import Path

from loa.domain.hours import AllowedHours
from loa.domain.numbering.table import VIETNAM, load_table
from loa.domain.rules import LabelPolicy, Ruleset
from loa.domain.traffic import ClassPolicy, OnUnknown, TrafficClass
from loa.ledger.postgres.ledger import PostgresOptions
from loa.ledger.sqlite.ledger import SqliteOptions
from loa.notify.guard import GuardPolicy
from loa.settings.tree import Advertising, Otp, Settings, Transactional, minute_of_day
from loa.stages.callbacks import CallbackRules
from loa.stages.destinations import Numbers, calling_codes
from loa.stages.dispatch import DispatchRules
from loa.stages.intake import IntakeLimits
from loa.stages.planning import PlanningLimits

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


def sqlite_options(settings: Settings) -> SqliteOptions:
    """How the ledger's file is kept."""
    return SqliteOptions(
        request_keep_ms=settings.limits.request_id_keep_hours * HOUR_MS,
        reserve_octets=settings.ledger.reserve_bytes,
        free_floor_octets=settings.limits.disk_free_min_bytes,
        checkpoint_pages=settings.ledger.checkpoint_pages,
        busy_ms=settings.ledger.busy_ms,
        cache_kib=settings.ledger.cache_kib,
        readers=settings.ledger.readers,
    )


def postgres_options(settings: Settings) -> PostgresOptions:
    """How the PostgreSQL server is used."""
    own = settings.postgres
    return PostgresOptions(
        request_keep_ms=settings.limits.request_id_keep_hours * HOUR_MS,
        connections=own.connections,
        readers=own.readers,
        waiting_max=own.calls_max,
        timeout_s=own.timeout_s,
        dead_after_s=own.dead_after_s,
        owner=own.owner.reveal(),
    )


def class_policies(settings: Settings) -> dict[TrafficClass, ClassPolicy]:
    """Say what each traffic class is owed where a tenant says nothing else."""
    chosen: dict[TrafficClass, Otp | Transactional | Advertising] = {
        TrafficClass.OTP: settings.otp,
        TrafficClass.TRANSACTIONAL: settings.transactional,
        TrafficClass.ADVERTISING: settings.advertising,
    }
    return {
        traffic_class: ClassPolicy(own.lifetime_s, OnUnknown(own.on_unknown), own.evidence_wait_s)
        for traffic_class, own in chosen.items()
    }


def allowed_hours(settings: Settings) -> AllowedHours | None:
    """When advertising may be sent; None where the admin keeps the hours in another way."""
    own = settings.advertising
    if not own.hours_enforced:
        return None
    return AllowedHours(minute_of_day(own.hours_open), minute_of_day(own.hours_last), minute_of_day(own.hours_close))


def ruleset(settings: Settings) -> Ruleset:
    """Give the numbers the rules of intake work with."""
    return Ruleset(
        hours=allowed_hours(settings),
        label_policy=LabelPolicy(settings.advertising.label),
        labels=settings.advertising.labels,
        segments_max=settings.limits.segments_max,
    )


def numbers(settings: Settings) -> Numbers:
    """How destinations are read. Errors: ConfigError for a numbering table that cannot be used."""
    own = settings.numbers
    return Numbers(
        table=load_table(Path(own.table)) if own.table else VIETNAM,
        allow_countries=calling_codes(own.countries),
        convert_2018=own.convert_2018_prefixes,
    )


def planning_limits(settings: Settings) -> PlanningLimits:
    """Give the largest of everything in a request."""
    own = settings.limits
    return PlanningLimits(
        text_chars_max=own.text_chars_max,
        ext_bytes_max=own.ext_bytes_max,
        schedule_days_max=own.schedule_days_max,
        destinations_max=own.destinations_max,
        json_depth_max=own.json_depth_max,
    )


def intake_limits(settings: Settings) -> IntakeLimits:
    """How much may be on its way into the ledger at once."""
    return IntakeLimits(submissions=settings.limits.accepts_in_flight_max)


def dispatch_rules(settings: Settings) -> DispatchRules:
    """How messages are handed over."""
    own = settings.dispatch
    return DispatchRules(own.claim_s * 1000, own.poll_ms, own.batch_max, allowed_hours(settings))


def callback_rules(settings: Settings) -> CallbackRules:
    """How much is posted at once."""
    own = settings.callbacks
    return CallbackRules(own.concurrency, own.per_endpoint, claim_ms=int(own.timeout_s * 1000) + 45_000)


def guard_policy(settings: Settings) -> GuardPolicy:
    """Where callbacks may go."""
    own = settings.callbacks
    return GuardPolicy(own.allow_http, own.ports, tuple(ipaddress.ip_network(text) for text in own.allow_networks))


def keep_ms(settings: Settings) -> dict[str, int]:
    """How long rows are kept, by kind."""
    own = settings.retention
    return {
        "request_ids": settings.limits.request_id_keep_hours * HOUR_MS,
        "parked": settings.receipts.park_hours * HOUR_MS,
        "content_otp": own.content_otp_hours * HOUR_MS,
        "content": own.content_days * DAY_MS,
        "numbers": own.numbers_days * DAY_MS,
        "receipts": own.receipts_days * DAY_MS,
        "history": own.events_days * DAY_MS,
    }
