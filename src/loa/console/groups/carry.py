"""Screens about the ways that messages take."""

from typing import Final

from loa.console.channels import channels
from loa.console.screen import Screen
from loa.domain.roles import May

READ: Final = May.READ_MESSAGES

SCREENS: Final = (Screen("/console/channels", channels, READ),)
