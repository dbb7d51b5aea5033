"""What holds for a tenant's messages, and where each rule comes from: settings, their origins, the tenant's own."""

from collections.abc import Mapping
from typing import Final

from loa.app import translate
from loa.app.admin_people import Name, Shown, tenant_named
from loa.domain.numbering.table import NumberTable
from loa.domain.rules import RULES
from loa.domain.traffic import ClassPolicy
from loa.ports.ledger import Directory
from loa.settings.load import Loaded
from loa.settings.outline import outline, value_of
from loa.settings.show import rows
from loa.settings.tree import Settings
from loa.stages.registry import class_policies

SECTIONS: Final = ("limits", "numbers", "otp", "transactional", "advertising")
"""Sections of the settings that are rules for messages."""


class RuleDesk:
    """Reads the rules. `origins`: where settings came from, by dotted name; those not named are told from defaults."""

    def __init__(self, ledger: Directory, settings: Settings, origins: Mapping[str, str]) -> None:
        self._ledger = ledger
        self._settings = settings
        self._origins = origins

    async def show(self, *, tenant: Name) -> Shown:
        """Show what holds for a tenant. Errors: NotFound, ConfigError for a numbering table that cannot be used."""
        owner = await tenant_named(self._ledger, tenant)
        installation = translate.class_policies(self._settings)
        in_force = class_policies(owner.policies, installation)
        table = translate.numbers(self._settings).table
        return {
            "tenant": owner.name,
            "ruleset": translate.ruleset(self._settings).version,
            "rules": [{"name": rule.name, "source": rule.source} for rule in RULES],
            "policies": [
                {
                    "class": each.label,
                    "installation": _policy(installation[each]),
                    "own": dict(owner.policies.get(each.label, {})),
                    "inForce": _policy(in_force[each]),
                }
                for each in installation
            ],
            "settings": self._shown(),
            "numbering": _numbering(table),
        }

    def _shown(self) -> list[Shown]:
        origins = {name: self._origins.get(name) or self._guessed(name) for name in outline()}
        return [
            {"name": row.name, "value": row.value, "origin": row.origin}
            for row in rows(Loaded(self._settings, origins))
            if row.name.partition(".")[0] in SECTIONS
        ]

    def _guessed(self, name: str) -> str:
        """Tell a default from what somebody has set, where nobody says more."""
        return "default" if value_of(self._settings, name) == outline()[name].default else "set"


def _policy(policy: ClassPolicy) -> Shown:
    return {
        "lifetime_s": policy.lifetime_s,
        "on_unknown": policy.on_unknown.value,
        "evidence_wait_s": policy.evidence_wait_s,
    }


def _numbering(table: NumberTable) -> Shown:
    carriers: dict[str, list[str]] = {}
    for prefix, carrier in table.prefixes.items():
        carriers.setdefault(carrier or "", []).append(prefix)
    return {"version": table.version.isoformat(), "prefixes": carriers, "moved2018": len(table.moved_2018)}
