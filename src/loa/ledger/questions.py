"""What a provider may be asked about, as both engines read it."""

import json
from typing import Any

from loa.ports.channel import Question


def question(row: Any) -> Question:
    """Make a question of a row: message, attempt, destination, references as they are stored, tenant."""
    message_id, number, destination, refs, tenant_id = row
    pairs = json.loads(refs) if refs else []
    return Question(message_id, number, destination, pairs[0][0] if pairs else "", tenant_id)
