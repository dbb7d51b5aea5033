"""What an admin does with endpoints that are there: change what they are told, change the secret, try one out."""

import secrets as randomness
from collections.abc import Callable
from typing import Final

from loa.app.admin_people import Shown, tenant_names
from loa.app.admin_ways import endpoint_shown
from loa.domain.callback_body import test_bytes
from loa.errors import CallerError, NotFound
from loa.notify.poster import HttpCallbackSender, agent_of, written
from loa.notify.signature import BadSecret
from loa.ports.callback_sender import Posting
from loa.ports.clock import Clock
from loa.ports.ledger import Directory
from loa.ports.records import Endpoint

TEST_PREFIX: Final = "test_"


class EndpointCare:
    """Endpoints that are there. `sender`: makes what posts a test, inside the running event loop."""

    def __init__(
        self,
        ledger: Directory,
        clock: Clock,
        new_secret: Callable[[], str],
        sender: Callable[[], HttpCallbackSender],
        version: str,
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self._new_secret = new_secret
        self._sender = sender
        self._agent = agent_of(version)

    async def change(self, *, endpoint_id: int, every_step: bool | None = None, inbound: bool | None = None) -> Shown:
        """Change what an endpoint is told. Errors: NotFound."""
        return await self._shown(
            _found(await self._ledger.change_endpoint(endpoint_id, every_step=every_step, inbound=inbound), endpoint_id)
        )

    async def rotate_secret(self, *, endpoint_id: int) -> Shown:
        """Give an endpoint a new secret, shown this once; the former one signs too. Of two the older one goes.

        Errors: NotFound.
        """
        endpoint = await self._endpoint(endpoint_id)
        secret = self._new_secret()
        changed = await self._ledger.change_endpoint(endpoint_id, secrets=(secret, *endpoint.secrets[:1]))
        return {**await self._shown(_found(changed, endpoint_id)), "secret": secret}

    async def retire_secret(self, *, endpoint_id: int) -> Shown:
        """Sign with the current secret alone: the overlap is over. Errors: NotFound; CallerError without one."""
        endpoint = await self._endpoint(endpoint_id)
        if len(endpoint.secrets) < 2:
            raise CallerError("one_secret", f"endpoint {endpoint_id} has only one secret: there is none to retire")
        changed = await self._ledger.change_endpoint(endpoint_id, secrets=endpoint.secrets[:1])
        return await self._shown(_found(changed, endpoint_id))

    async def test(self, *, endpoint_id: int) -> Shown:
        """Post a signed test event, once, and show the whole exchange.

        Errors: NotFound; CallerError where no secret opens.
        """
        endpoint = await self._endpoint(endpoint_id)
        now = self._clock.now()
        number = f"{TEST_PREFIX}{randomness.token_hex(8)}"
        body = test_bytes(number, now)
        posting = Posting(number, endpoint.url, endpoint.secrets, body, now // 1000)
        try:
            request = written(posting, self._agent)
        except BadSecret:
            raise CallerError("no_secret", f"endpoint {endpoint_id} has no secret that opens; add it anew") from None
        sender = self._sender()
        try:
            result = await sender.post(posting)
        finally:
            await sender.close()
        return {
            "endpoint": endpoint_id,
            "taken": result.ok,
            "request": request.decode("utf-8"),
            "status": result.status or None,
            "error": result.error or None,
            "answer": result.excerpt,
            "elapsedMs": result.elapsed_ms,
        }

    async def _endpoint(self, endpoint_id: int) -> Endpoint:
        found = [each for each in await self._ledger.endpoints() if each.id == endpoint_id]
        return _found(found[0] if found else None, endpoint_id)

    async def _shown(self, endpoint: Endpoint) -> Shown:
        names = await tenant_names(self._ledger)
        return endpoint_shown(endpoint, names.get(endpoint.tenant_id, ""))


def _found(endpoint: Endpoint | None, endpoint_id: int) -> Endpoint:
    if endpoint is None:
        raise NotFound(f"there is no endpoint {endpoint_id}; see: loa endpoints list")
    return endpoint
