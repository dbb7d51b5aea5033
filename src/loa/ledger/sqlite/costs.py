"""What messages cost so far, and what it takes to tell."""

import json
from collections.abc import Collection, Mapping

import apsw

from loa.domain.cost import Attempted, Bill, costs_at_once, costs_by_attempts
from loa.ledger.sqlite.unit import QUERIES


def costs_of(connection: apsw.Connection, bills: Mapping[int, Bill]) -> dict[int, int]:
    """Give what messages cost, by their ids; attempts are read only of those for which it takes them."""
    costs = costs_at_once(bills)
    unclear = bills.keys() - costs.keys()
    return costs | costs_by_attempts(bills, tried_of(connection, unclear)) if unclear else costs


def tried_of(connection: apsw.Connection, ids: Collection[int]) -> list[Attempted]:
    """Read the attempts of messages, each with whether it proves to have arrived."""
    found = connection.execute(QUERIES["tried_of"], (json.dumps(sorted(ids)),)).get
    return json.loads(str(found))  # type: ignore[no-any-return]
