"""What stands over every page while something is wrong."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that is wrong: the key of its sentence, how bad it is, what it is about, and where it is dealt with."""

    kind: str
    tone: str
    about: str = ""
    path: str = ""
