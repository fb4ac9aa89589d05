"""What requests a web service answers, how, and how fast, as Render's edge sees them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from monitor.model import Failure, Reason, State
from monitor.probes.render.series import by_resource, read_series, resolution

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import timedelta

    from monitor.probes.base import Run
    from monitor.probes.render.asking import Render
    from monitor.probes.render.series import Series
    from monitor.probes.render.services import Service

UNITS = {"s": 1.0, "seconds": 1.0, "ms": 1e-3, "milliseconds": 1e-3}
"""What a latency may be counted in; the answer says which it is."""
STATUS = "statusCode"
SERVERS_FAULT = "5"
CODE, OTHER = re.compile("[1-5][0-9][0-9]"), "other"


async def look_at_requests(run: Run, render: Render, services: Mapping[str, Service], span: timedelta) -> None:
    """Note the requests of `services` over the last `span`, by status; raises `Failure` (unknown)."""
    run.asking = "the question for requests"
    ids = [service.id for service in services.values()]
    found = by_resource(await read_series(render, "http-requests", ids, span, ("aggregateBy", STATUS)))
    for name, service in services.items():
        rates = _rates(found.get(service.id, ()), span)
        if not rates:
            run.leave_out("request_rate", "instance_rate", "error_share")
            continue
        for status, rate in rates.items():
            run.note("request_rate", rate, resource=name, status=status)
        total = sum(rates.values())
        run.note("instance_rate", total / max(service.instances, 1), resource=name)
        if total:
            failed = sum(rate for status, rate in rates.items() if status.startswith(SERVERS_FAULT))
            run.note("error_share", failed / total, resource=name)


async def look_at_latency(
    run: Run, render: Render, services: Mapping[str, Service], span: timedelta, quantiles: Sequence[str]
) -> None:
    """Note the `quantiles`, such as p95, of the latencies of `services` over the last `span`; raises `Failure`."""
    run.asking = "the question for latencies"
    ids = [service.id for service in services.values()]
    for quantile in quantiles:
        asked = ("quantile", str(int(quantile[1:]) / 10 ** len(quantile[1:])))
        found = by_resource(await read_series(render, "http-latency", ids, span, asked))
        for name, service in services.items():
            series = found.get(service.id, ())
            if series:
                slowest = max(each.mean * _unit(each) for each in series)
                run.note("latency", slowest, resource=name, quantile=quantile)
            else:
                run.leave_out("latency")


def _rates(found: Sequence[Series], span: timedelta) -> dict[str, float]:
    """Return the requests in a second by status. A status without a request for a while has no points then."""
    moments = {at for each in found for at, _ in each.points}
    seconds = resolution(span).total_seconds() * len(moments)
    rates: dict[str, float] = {}
    for each in found:
        said = each.labels.get(STATUS, "")
        status = said if CODE.fullmatch(said) else OTHER
        rates[status] = rates.get(status, 0.0) + sum(value for _, value in each.points) / seconds
    return rates


def _unit(series: Series) -> float:
    unit = UNITS.get(series.unit.lower())
    if unit is None:
        text = f"expected latencies in seconds or milliseconds, got {series.unit!r}"
        raise Failure(Reason.PROTOCOL, text, State.UNKNOWN)
    return unit
