"""Pages of metrics in Prometheus' text format, whose counters grow with time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from monitor.clock import Clock


class Traffic:
    """Counters that have grown, since they were last looked at, at the pace of now."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._at: datetime = clock.now()
        self._began = clock.now()
        self._counted: dict[str, float] = {}

    def page(self, rates: Mapping[str, float]) -> web.Response:
        """Return the page, after letting each counter grow by its rate per second."""
        now = self._clock.now()
        seconds, self._at = (now - self._at).total_seconds(), now
        for series, rate in rates.items():
            self._counted[series] = self._counted.get(series, 0.0) + rate * seconds
        lines = [f"process_start_time_seconds {self._began.timestamp()}"]
        lines += [f"{series} {count:.3f}" for series, count in self._counted.items()]
        return web.Response(text="\n".join([*lines, ""]), content_type="text/plain")
