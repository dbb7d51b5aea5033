"""What the console can send, and be told beforehand: through the one intake, by a key that nobody holds."""

from collections.abc import Mapping
from typing import Any, Protocol

from starlette.requests import Request

from loa.console.language import Language
from loa.domain.rules import Finding
from loa.ports.records import Tenant
from loa.stages.explain import Explanation
from loa.stages.request import Taken


class Sending(Protocol):
    """The way into intake. `body`: members of the vendor's send-message call; `live`: over real channels."""

    async def explain(self, tenant: Tenant, body: Mapping[str, Any], *, live: bool = True) -> Explanation:
        """Tell what would become of a request; writes nothing. Errors: CallerError with findings."""
        ...

    async def submit(self, request: Request, tenant: Tenant, body: Mapping[str, Any], *, live: bool = True) -> Taken:
        """Send, once it stands in the audit log who wants it: when this returns, it is on disk.

        Errors: Forbidden where the role does not allow it; CallerError and Forbidden with findings; StorageError.
        """
        ...

    def sentence(self, finding: Finding, language: Language) -> str:
        """Say a finding in a language."""
        ...
