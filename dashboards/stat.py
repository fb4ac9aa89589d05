"""One number, large: how it stands at the end of the time that is looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grafana_foundation_sdk.models.common import BigValueColorMode, BigValueGraphMode, ReduceDataOptions
from grafana_foundation_sdk.models.stat import Options

from dashboards.panel import About, Look, panel, targets

if TYPE_CHECKING:
    from grafana_foundation_sdk.models.dashboard import Panel

    from dashboards.query import Query

LAST = ReduceDataOptions(values=False, calcs=["lastNotNull"], fields="")


def stat(about: About, *queries: Query, look: Look | None = None) -> Panel:
    """Return a number for each series, in the colour that its figures give it."""
    options = Options(
        graph_mode=BigValueGraphMode.NONE, color_mode=BigValueColorMode.BACKGROUND_SOLID, reduce_options=LAST
    )
    return panel("stat", about, targets(queries, now=True), look or Look(), options)
