"""Tables: a row for each set of labels, with the values of all questions beside each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from grafana_foundation_sdk.models.common import FieldTextAlignment, TableFieldOptions, TableSortByFieldState
from grafana_foundation_sdk.models.dashboard import DashboardFieldConfigSourceOverrides as Override
from grafana_foundation_sdk.models.dashboard import DataTransformerConfig, DynamicConfigValue, MatcherConfig
from grafana_foundation_sdk.models.table import Options

from dashboards.colour import BY_SEVERITY
from dashboards.panel import About, Look, panel, targets

if TYPE_CHECKING:
    from collections.abc import Sequence

    from grafana_foundation_sdk.models.dashboard import Panel, ThresholdsConfig

    from dashboards.query import Query

COLOURED = DynamicConfigValue("custom.cellOptions", {"type": "color-text"})
SEVERITY = Override(MatcherConfig("byName", "severity"), [DynamicConfigValue("mappings", [BY_SEVERITY]), COLOURED])


class Column(NamedTuple):
    """A question whose answer is one column: what it is called, its unit, and the colours of its cells."""

    query: Query
    title: str
    unit: str = "short"
    steps: ThresholdsConfig | None = None
    hidden: bool = False


def table(
    about: About,
    labels: Sequence[str],
    columns: Sequence[Column],
    look: Look | None = None,
    *,
    smallest_first: bool = False,
) -> Panel:
    """Return a table with a column for each label and each question, sorted by the last question."""
    sort_by = [TableSortByFieldState(each.title, desc=not smallest_first) for each in columns[-1:] if not each.hidden]
    made = panel(
        "table",
        about,
        targets([column.query for column in columns], now=True, table=True),
        look or Look(),
        Options(sort_by=sort_by),
        TableFieldOptions(align=FieldTextAlignment.AUTO),
    )
    values = _value_names(len(columns))
    order = {name: place for place, name in enumerate((*labels, *values))}
    kept = {
        "indexByName": order,
        "excludeByName": {
            "Time": True,
            **{name: True for name, each in zip(values, columns, strict=True) if each.hidden},
        },
        "renameByName": {name: column.title for name, column in zip(values, columns, strict=True)},
    }
    made.transformations = [
        DataTransformerConfig("merge", options={}),
        DataTransformerConfig("organize", options=kept),
    ]
    made.field_config.overrides = [_dressed(column) for column in columns if not column.hidden]
    if "severity" in labels:
        made.field_config.overrides.append(SEVERITY)
    return made


def _value_names(count: int) -> list[str]:
    """Return what Grafana calls the values of so many questions: a single one has no letter."""
    return ["Value"] if count == 1 else [f"Value #{letter}" for letter in "ABCDEFGH"[:count]]


def _dressed(column: Column) -> Override:
    settings = [DynamicConfigValue("unit", column.unit)]
    if column.steps:
        settings += [DynamicConfigValue("thresholds", column.steps), COLOURED]
    return Override(MatcherConfig("byName", column.title), settings)
