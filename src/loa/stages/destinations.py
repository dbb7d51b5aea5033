"""Destinations in: every written form to one number, repeats dropped, all bad ones named, each group with its plan.

The work here is done once for each destination of each request, so the loops are few and flat.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import phonenumbers

from loa.domain import msisdn
from loa.domain.destination import USER_PREFIX, user_destination
from loa.domain.msisdn import Msisdn
from loa.domain.numbering.table import VIETNAM, NumberTable
from loa.domain.routes import RoutePlan
from loa.domain.rules import Finding

NO_ROUTE: Final = "no_route"


@dataclass(frozen=True, slots=True)
class Numbers:
    """How destinations are read. `allow_countries`: calling codes, None for all."""

    table: NumberTable = VIETNAM
    allow_countries: frozenset[str] | None = msisdn.VIETNAM_ONLY
    convert_2018: bool = False


def calling_codes(countries: Iterable[str]) -> frozenset[str]:
    """Give the calling codes of countries named by ISO 3166 codes; unknown names add nothing."""
    codes = {phonenumbers.country_code_for_region(country.upper()) for country in countries}
    return frozenset(str(code) for code in codes if code)


@dataclass(slots=True)
class Sorted:
    """The destinations of a request, sorted out.

    `plans`: route plans with the numbers that follow each, in the order of the request. `findings` name what cannot be
    reached, in that order too; `bad` are their indexes, `repeated` the indexes of repeats that were dropped.
    """

    plans: list[tuple[RoutePlan, list[int]]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    bad: list[int] = field(default_factory=list)
    repeated: int = 0


def _nowhere() -> RoutePlan:
    return ()


def sort_out(
    raws: Sequence[str],
    numbers: Numbers,
    plan_of: Callable[[str], RoutePlan],
    *,
    by_carrier: bool,
    plan_of_users: Callable[[], RoutePlan] = _nowhere,
) -> Sorted:
    """Read, check and group the destinations of one request.

    `plan_of` gives the route plan for a carrier ("" where it is not known), () for none; where `by_carrier` is False it
    is asked once, for all. `plan_of_users` gives that of destinations that are user ids.
    """
    users = [index for index, raw in enumerate(raws) if raw.startswith(USER_PREFIX)]
    if users:
        return _sort_out_mixed(raws, users, numbers, plan_of, plan_of_users, by_carrier=by_carrier)
    sorted_out = Sorted()
    good, bad = msisdn.parse_many(
        raws, table=numbers.table, allow_countries=numbers.allow_countries, convert_2018=numbers.convert_2018
    )
    for index, refused in bad:
        sorted_out.bad.append(index)
        sorted_out.findings.append(Finding(f"destinations[{index}]", refused.code, {"detail": refused.detail}))
    unique = dict.fromkeys(good)
    sorted_out.repeated = len(good) - len(unique)
    plans: dict[RoutePlan, list[int]] = {}
    if by_carrier:
        plans = _by_plan(unique, numbers.table, plan_of)
    elif unique:
        plans = {plan_of(""): list(map(int, unique))}
    stranded = plans.pop((), None)
    if stranded:
        _name_stranded(sorted_out, raws, numbers, set(stranded))
    sorted_out.plans = list(plans.items())
    return sorted_out


def _sort_out_mixed(
    raws: Sequence[str],
    users: Sequence[int],
    numbers: Numbers,
    plan_of: Callable[[str], RoutePlan],
    plan_of_users: Callable[[], RoutePlan],
    *,
    by_carrier: bool,
) -> Sorted:
    """Sort out destinations some of which, at the places `users`, are user ids."""
    places = [index for index in range(len(raws)) if index not in set(users)]
    found = sort_out([raws[index] for index in places], numbers, plan_of, by_carrier=by_carrier)
    named = {
        places[index]: replace(finding, where=f"destinations[{places[index]}]")
        for index, finding in zip(found.bad, found.findings, strict=True)
    }
    plan, ids = plan_of_users(), {}
    for index in users:
        user = user_destination(raws[index].removeprefix(USER_PREFIX))
        if user is None or not plan:
            named[index] = Finding(f"destinations[{index}]", "user_id_form" if user is None else NO_ROUTE)
        else:
            ids[user] = index
    if ids:
        found.plans.append((plan, list(ids)))
    found.bad = sorted(named)
    found.findings = [named[index] for index in found.bad]
    found.repeated += len(users) - len(ids) - sum(index in named for index in users)
    return found


def carrier_of(number: Msisdn, numbers: Numbers) -> str:
    """Give the label of a number's carrier, a hint; "" where it is not known."""
    return msisdn.carrier_hint(number, numbers.table) or ""


def read_one(raw: str, numbers: Numbers) -> Msisdn | None:
    """Read one destination as `sort_out` does; None where that refuses it."""
    good, _ = msisdn.parse_many(
        (raw,), table=numbers.table, allow_countries=numbers.allow_countries, convert_2018=numbers.convert_2018
    )
    return good[0] if good else None


def read_destination(raw: str, numbers: Numbers) -> int | None:
    """Read one destination, a number or a user id, as it is stored; None where `sort_out` refuses it."""
    if raw.startswith(USER_PREFIX):
        return user_destination(raw.removeprefix(USER_PREFIX))
    number = read_one(raw, numbers)
    return None if number is None else int(number)


def _by_plan(
    unique: Iterable[Msisdn], table: NumberTable, plan_of: Callable[[str], RoutePlan]
) -> dict[RoutePlan, list[int]]:
    """Group numbers by the plan of their carrier, which is looked up once for each beginning and not each number."""
    width = 2 + table.width
    plans: dict[RoutePlan, list[int]] = {}
    groups: dict[str, list[int]] = {}
    for number in unique:
        head = number[:width]
        group = groups.get(head)
        if group is None:
            plan = plan_of(msisdn.carrier_hint(Msisdn(head), table) or "")
            group = groups[head] = plans.setdefault(plan, [])
        group.append(int(number))
    return plans


def _name_stranded(sorted_out: Sorted, raws: Sequence[str], numbers: Numbers, stranded: set[int]) -> None:
    """Name every destination, repeats too, that no route leads to."""
    findings = dict(zip(sorted_out.bad, sorted_out.findings, strict=True))
    for index, raw in enumerate(raws):
        if index in findings:
            continue
        number = read_one(raw, numbers)
        if number is not None and int(number) in stranded:
            findings[index] = Finding(f"destinations[{index}]", NO_ROUTE)
    sorted_out.bad = sorted(findings)
    sorted_out.findings = [findings[index] for index in sorted_out.bad]
