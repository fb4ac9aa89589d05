"""Whether a compute of Neon's is awake: asked of Neon's own API, which wakes nothing.

Neon stops a compute that nobody queries, and a query wakes it: a check that looked all the same would keep it running
for good, at 182 hours of a quarter of a compute unit a month.
"""

from __future__ import annotations

import asyncio
import re
from http import HTTPStatus
from time import perf_counter
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, Field
from yarl import URL

from monitor.expect import Document, excerpt
from monitor.fetch import Exchange, Options, Request, header_fault
from monitor.fields import Fields
from monitor.model import Failure, LeftOut, Reason, State
from monitor.permission import Permission
from monitor.secrets import Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from monitor.answer import Answer
    from monitor.probes.base import Run

ID = r"[a-z0-9-]{1,60}"
"""How the API's own description has the ids of projects and computes."""
POOLED = "-pooler"
"""Ends the name of a compute where its host means the pooler before it."""
SHARE = 0.5
"""Of the run's time, what the API has for its answer: the database needs the rest."""
NEON_KEY = Permission("Neon, API keys", "a key that is confined to the project")
REFUSALS: Mapping[int, Reason] = {
    HTTPStatus.UNAUTHORIZED: Reason.AUTH,
    HTTPStatus.FORBIDDEN: Reason.AUTH,
    HTTPStatus.NOT_FOUND: Reason.MISSING,
    HTTPStatus.TOO_MANY_REQUESTS: Reason.RATE_LIMITED,
}
"""What a status says; any other than 200 says `status`."""


def _sendable(key: Secret) -> Secret:
    if fault := header_fault("Authorization", f"Bearer {key.reveal()}"):
        raise ValueError(fault)
    return key


def _address(text: str) -> str:
    url = URL(text)
    if url.scheme not in {"http", "https"} or not url.host or url.user or url.query_string or url.fragment:
        raise ValueError("an address such as https://console.neon.tech/api/v2 is expected")
    return text.rstrip("/")


class Neon(Fields):
    """Neon's API, asked at the start of each run whether the compute is awake. While it sleeps, the run is left out.

    A compute that is disabled is down. While the API cannot tell (401, 429, silence …) the check is unknown, and the
    database is not asked either. No connection is kept.
    """

    project: Annotated[str, Field(pattern=f"^{ID}$")]
    """The id of the project, such as `shiny-wind-028834`."""
    api_key: Annotated[Secret, AfterValidator(_sendable)]
    """A key of Neon's API; one that is confined to the project will do."""
    endpoint: Annotated[str, Field(pattern=f"^({ID})?$")] = ""
    """The id of the compute, `ep-…`; default: what the host of the `dsn` begins with."""
    url: Annotated[str, AfterValidator(_address)] = "https://console.neon.tech/api/v2"
    """Where the API is."""

    async def ask(self, run: Run, host: str) -> None:
        """Return if the compute at `host` is awake.

        Raises `LeftOut` while it sleeps, and `Failure`: down when it is disabled, unknown when that cannot be told.
        """
        started = perf_counter()
        compute = self.endpoint or host.partition(".")[0].removesuffix(POOLED)
        try:
            async with asyncio.timeout(run.timeout.total_seconds() * SHARE):
                answer = await self._exchange(run, compute).run()
            found = _endpoint(Document(answer, run.resources.redact), compute)
        except TimeoutError:
            raise _untold(Reason.TIMEOUT, "no answer") from None
        except Failure as failure:
            raise _untold(failure.reason, failure.detail) from None
        run.note("phase", perf_counter() - started, phase="api")
        _judge(found, run.resources.redact)

    def _exchange(self, run: Run, compute: str) -> Exchange:
        if not re.fullmatch(ID, compute):
            raise Failure(Reason.MISSING, "the host of the dsn begins with no compute's id, give `endpoint`")
        headers = (("Authorization", Secret(f"Bearer {self.api_key.reveal()}")), ("Accept", Secret("application/json")))
        request = Request(URL(f"{self.url}/projects/{self.project}/endpoints/{compute}"), headers=headers)
        options = Options(redirects=0, within=run.timeout * SHARE)
        return Exchange(request, run.resources.resolver, run.resources.tls, options)


def _endpoint(document: Document, compute: str) -> dict[str, Any]:
    """Return what the API says of `compute`; raises `Failure` when it says something else."""
    answer: Answer = document.answer
    if answer.status != HTTPStatus.OK:
        reason = REFUSALS.get(answer.status, Reason.STATUS)
        raise Failure(reason, f"it answers {answer.status}, {excerpt(answer.text, document.redact)}")
    found = document.find("endpoint")
    if not isinstance(found, dict) or found.get("id") != compute:
        raise Failure(Reason.BODY, f"expected the endpoint {compute}, got {excerpt(answer.text, document.redact)}")
    return found


def _judge(endpoint: dict[str, Any], redact: Callable[[str], str]) -> None:
    """Return if a compute may be asked; raises as `Neon.ask` does."""
    if endpoint.get("disabled") is True:
        raise Failure(Reason.REFUSED, f"the compute {endpoint['id']} is disabled: it takes no connections")
    state, pending = endpoint.get("current_state"), endpoint.get("pending_state")
    match state, pending:
        case "active", None | "" | "active":
            return
        case ("active", "idle") | ("idle", _):
            raise LeftOut("the compute is asleep")
        case "init", _:
            raise Failure(Reason.STARTING, f"the compute {endpoint['id']} is being made", State.UNKNOWN)
        case _:
            got = f"{excerpt(state, redact)}, {excerpt(pending, redact)}"
            raise _untold(Reason.BODY, f"expected the state active or idle, got {got}")


def _untold(reason: Reason, why: str) -> Failure:
    return Failure(reason, f"whether the compute sleeps cannot be told by Neon's API: {why}", State.UNKNOWN)
