"""States over time: a lane for each series, in which a colour and a word stand for each state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grafana_foundation_sdk.models.common import (
    LegendDisplayMode,
    LegendPlacement,
    SortOrder,
    TooltipDisplayMode,
    VisibilityMode,
    VizLegendOptions,
    VizTooltipOptions,
)
from grafana_foundation_sdk.models.statetimeline import FieldConfig, Options

from dashboards.panel import About, Look, panel, targets

if TYPE_CHECKING:
    from grafana_foundation_sdk.models.dashboard import Panel

    from dashboards.query import Query


def timeline(about: About, *queries: Query, look: Look) -> Panel:
    """Return lanes; where nothing is known a lane is empty."""
    options = Options(
        show_value=VisibilityMode.NEVER,
        merge_values=True,
        legend=VizLegendOptions(LegendDisplayMode.LIST, LegendPlacement.BOTTOM, show_legend=True),
        tooltip=VizTooltipOptions(TooltipDisplayMode.SINGLE, SortOrder.NONE),
    )
    return panel("state-timeline", about, targets(queries), look, options, FieldConfig(line_width=0, fill_opacity=80))
