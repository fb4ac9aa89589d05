"""Graphs over time: what was measured as lines, and the figures it is held against as dashed ones in their colours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grafana_foundation_sdk.models.common import (
    GraphDrawStyle,
    LegendDisplayMode,
    LegendPlacement,
    LineStyle,
    SortOrder,
    StackingConfig,
    StackingMode,
    TooltipDisplayMode,
    VisibilityMode,
    VizLegendOptions,
    VizTooltipOptions,
)
from grafana_foundation_sdk.models.dashboard import DashboardFieldConfigSourceOverrides as Override
from grafana_foundation_sdk.models.dashboard import DynamicConfigValue, MatcherConfig
from grafana_foundation_sdk.models.timeseries import FieldConfig, Options

from dashboards.colour import SEVERITIES, fixed
from dashboards.panel import About, Look, panel, targets

if TYPE_CHECKING:
    from collections.abc import Iterator

    from grafana_foundation_sdk.models.dashboard import Panel

    from dashboards.query import Query

LEGEND = VizLegendOptions(
    LegendDisplayMode.TABLE, LegendPlacement.BOTTOM, show_legend=True, calcs=["lastNotNull", "max"]
)
TOOLTIP = VizTooltipOptions(TooltipDisplayMode.MULTI, SortOrder.DESCENDING)


def lines(about: About, *queries: Query, look: Look | None = None) -> Panel:
    """Return a graph with a line for each series. A gap is a gap: what was not looked at is not drawn."""
    return _graph(about, queries, look, FieldConfig(line_width=1, fill_opacity=0, show_points=VisibilityMode.AUTO))


def stacked(about: About, *queries: Query, look: Look | None = None) -> Panel:
    """Return a graph whose series stand on each other: parts of a whole."""
    whole = StackingConfig(StackingMode.NORMAL, "A")
    return _graph(about, queries, look, FieldConfig(line_width=1, fill_opacity=35, stacking=whole))


def bars(about: About, *queries: Query, look: Look | None = None) -> Panel:
    """Return a graph of stacked bars: how often something happened."""
    whole = StackingConfig(StackingMode.NORMAL, "A")
    custom = FieldConfig(draw_style=GraphDrawStyle.BARS, line_width=0, fill_opacity=80, stacking=whole)
    return _graph(about, queries, look, custom)


def _graph(about: About, queries: tuple[Query, ...], look: Look | None, custom: FieldConfig) -> Panel:
    asked = targets(queries)
    made = panel("timeseries", about, asked, look or Look(), Options([], LEGEND, TOOLTIP), custom)
    for query, target in zip(queries, asked, strict=True):
        if query.figures:
            made.field_config.overrides += _as_figures(target.ref_id)
    return made


def _as_figures(ref_id: str) -> Iterator[Override]:
    """Yield what makes dashed lines of a query's series, apart from what is measured, each in its severity's colour."""
    drawn = {
        "custom.lineStyle": LineStyle("dash", [10, 10]),
        "custom.lineWidth": 2,
        "custom.fillOpacity": 0,
        "custom.showPoints": VisibilityMode.NEVER,
        "custom.drawStyle": GraphDrawStyle.LINE,
        "custom.stacking": StackingConfig(StackingMode.NONE, "figures"),
    }
    yield Override(MatcherConfig("byFrameRefID", ref_id), [DynamicConfigValue(*each) for each in drawn.items()])
    for severity, colour in SEVERITIES.items():
        yield Override(MatcherConfig("byRegexp", f"/ · {severity}$/"), [fixed(colour)])
