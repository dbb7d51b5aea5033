"""The sandbox provider; the only kind that a test key may use."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from loa.channels import fields
from loa.channels.sandbox.channel import PROVIDER_NAME, SandboxChannel, SandboxSettings, read_settings
from loa.domain.receipt import Receipt
from loa.ports.channel import Channel, ChannelContext, Provider, ProviderInfo

SLOTS: Final = 4
"""Processes that may work on one channel at once, where its window is as large."""


class SandboxProvider:
    """Checks settings and builds channels."""

    info = ProviderInfo(
        name=PROVIDER_NAME,
        removes_duplicates=False,
        secrets=fields.secrets_of(SandboxSettings),
        settings=fields.describe(SandboxSettings),
        simulated=True,
    )

    def check(self, settings: Mapping[str, Any]) -> Mapping[str, Any]:
        """Complete and check settings. Errors: ConfigError naming the field and how to cure it."""
        return fields.plain(read_settings(settings))

    def slots(self, settings: Mapping[str, Any]) -> int:
        """Divide the window."""
        return min(SLOTS, read_settings(settings).window)

    def part(self, settings: Mapping[str, Any], held: int) -> Mapping[str, Any]:
        """Give so many slots' part of the window, never rounded up."""
        whole = read_settings(settings)
        return fields.plain(replace(whole, window=whole.window * held // min(SLOTS, whole.window)))

    def build(self, context: ChannelContext) -> Channel:
        """Build a channel."""
        return SandboxChannel(context)

    def read_report(self, channel_id: int, report: Mapping[str, Any], now: int) -> Receipt | None:  # noqa: ARG002
        """Give None: nothing outside speaks for the sandbox."""
        return None


PROVIDER: Provider = SandboxProvider()
