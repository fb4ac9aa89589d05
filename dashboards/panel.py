"""What every panel has: a title, what it means and what to do, its questions, its unit, what it says without data."""

from __future__ import annotations

from string import ascii_uppercase
from typing import TYPE_CHECKING, NamedTuple

from grafana_foundation_sdk.models.dashboard import FieldConfig, FieldConfigSource, Panel
from grafana_foundation_sdk.models.prometheus import Dataquery, PromQueryFormat, QueryEditorMode

from dashboards.colour import NEUTRAL
from dashboards.variable import SOURCE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from grafana_foundation_sdk.models.dashboard import DashboardLink, ThresholdsConfig, ValueMap

    from dashboards.query import Query

NOTHING = "nothing known"


class About(NamedTuple):
    """Title and description of a panel, and the unit of its values.

    The description says what is shown, what a high value means and what to do then. `empty` is shown without data.
    """

    title: str
    meaning: str
    unit: str = "short"
    empty: str = NOTHING


class Look(NamedTuple):
    """How values are shown: their colours, the words for them, the ways that lead on, and the ends of the axis."""

    steps: ThresholdsConfig = NEUTRAL
    words: ValueMap | None = None
    links: Sequence[DashboardLink] = ()
    least: float | None = 0
    most: float | None = None


def targets(queries: Iterable[Query], *, now: bool = False, table: bool = False) -> list[Dataquery]:
    """Return what is asked: over the time that is looked at, or `now` only; as series, or as a table's rows."""
    return [
        Dataquery(
            expr=query.expr,
            ref_id=letter,
            legend_format="" if table else query.legend,
            instant=now,
            range_val=not now,
            editor_mode=QueryEditorMode.CODE,
            format_val=PromQueryFormat.TABLE if table else PromQueryFormat.TIME_SERIES,
            datasource=SOURCE,
        )
        for letter, query in zip(ascii_uppercase, queries, strict=False)
    ]


def panel(kind: str, about: About, asked: list[Dataquery], look: Look, options: object, custom: object = None) -> Panel:
    """Return a panel of a kind, with what belongs to that kind: its options, and its settings of a field."""
    return Panel(
        type_val=kind,
        title=about.title,
        description=about.meaning,
        datasource=SOURCE,
        targets=[*asked],
        options=options,
        field_config=FieldConfigSource(
            defaults=FieldConfig(
                unit=about.unit,
                no_value=about.empty,
                thresholds=look.steps,
                mappings=[look.words] if look.words else [],
                links=[*look.links],
                min_val=look.least,
                max_val=look.most,
                custom=custom,
            ),
            overrides=[],
        ),
    )
