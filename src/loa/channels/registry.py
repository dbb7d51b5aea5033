"""Which providers there are: the table of our own, and those that other packages add under `loa.channels`.

An added provider is an object that satisfies `loa.ports.channel.Provider`; it cannot take the name of another.
"""

from importlib.metadata import entry_points
from types import MappingProxyType
from typing import Final

from loa.channels.sandbox.provider import PROVIDER as SANDBOX
from loa.channels.smpp.provider import PROVIDER as SMPP
from loa.channels.vendor.provider import PROVIDER as VENDOR
from loa.channels.zalo.provider import PROVIDER as ZALO
from loa.errors import ConfigError
from loa.ports.channel import Provider

ENTRY_POINTS: Final = "loa.channels"

OWN: Final = MappingProxyType({"smpp": SMPP, "vendor": VENDOR, "zalo": ZALO, "sandbox": SANDBOX})


def providers() -> dict[str, Provider]:
    """Give every provider by name.

    Errors: ConfigError when an added one cannot be loaded or takes a name that is used.
    """
    found: dict[str, Provider] = dict(OWN)
    for point in entry_points(group=ENTRY_POINTS):
        try:
            provider: Provider = point.load()
        except (ImportError, AttributeError) as wrong:
            raise ConfigError(f"the provider {point.name} cannot be loaded: {wrong}; reinstall its package") from wrong
        name = provider.info.name
        if name in found:
            raise ConfigError(f"two packages provide {name}; remove the one that adds {point.value}")
        found[name] = provider
    return found
