"""Which references the peer gave lately, so that a receipt is matched by the one spelling that is surely right.

Only a short cut: what is not remembered, or was forgotten in a crash, is offered in every spelling.
"""

from typing import Final

from loa.smpp.refs import RefMode, candidate_refs, normalise

KEPT: Final = 16_384
"""References in each of two generations; the older one is dropped when the younger is full."""


class KnownRefs:
    """The references of one channel with the numbers they belong to."""

    __slots__ = ("_mode", "_old", "_young")

    def __init__(self, mode: RefMode) -> None:
        self._mode = mode
        self._young: dict[str, int] = {}
        self._old: dict[str, int] = {}

    def take(self, answered: str, destination: int) -> str:
        """Note a reference from a response; give the form under which it is stored."""
        ref = normalise(answered, self._mode)
        if len(self._young) >= KEPT:
            self._old, self._young = self._young, {}
        self._young[ref] = destination
        return ref

    def forms(self, reported: str, destination: int) -> tuple[str, ...]:
        """Give the forms under which the message of a receipt may be stored, best first.

        A form that was lately given for the same number goes first; if it is the reference as received, alone.
        """
        if self._mode != "auto":
            return candidate_refs(reported, self._mode)
        folded = normalise(reported, self._mode)
        if self._belongs(folded, destination):
            return (folded,)
        forms = candidate_refs(reported, self._mode)
        for form in forms[1:]:
            if self._belongs(form, destination):
                return (form, *(other for other in forms if other != form))
        return forms

    def _belongs(self, ref: str, destination: int) -> bool:
        found = self._young.get(ref)
        if found is None:
            found = self._old.get(ref, 0)
        return found != 0 and found == destination
