"""A dashboard from its rows: bands of panels that share the width evenly, each panel with a number of its own."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, NamedTuple

from grafana_foundation_sdk.models.dashboard import (
    AnnotationContainer,
    Dashboard,
    DashboardCursorSync,
    DashboardDashboardTemplating,
    DashboardDashboardTime,
    GridPos,
    Panel,
    RowPanel,
)

from dashboards import link, variable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from grafana_foundation_sdk.models.dashboard import AnnotationQuery, VariableModel

SCHEMA = 39
"""The version of Grafana's schema, of 10.3 to 11.x; newer releases bring it up to date as they load it."""
WIDTH = 24
HEIGHTS = {"stat": 4}
"""In units of the grid; whatever is not here has `TALL`."""
TALL = 9


class Row(NamedTuple):
    """A title, and bands of panels below it."""

    title: str
    bands: Sequence[Sequence[Panel]]


class Board(NamedTuple):
    """What a dashboard is, besides its rows. `since`: how far back it looks at first, such as `6h`."""

    uid: str
    title: str
    description: str
    since: str
    variables: Sequence[VariableModel]
    annotations: Sequence[AnnotationQuery]

    def of(self, rows: Sequence[Row]) -> Dashboard:
        """Return the dashboard of these rows."""
        return Dashboard(
            uid=self.uid,
            title=self.title,
            description=self.description,
            tags=[link.TAG],
            time=DashboardDashboardTime(f"now-{self.since}", "now"),
            refresh="30s",
            editable=True,
            graph_tooltip=DashboardCursorSync.CROSSHAIR,
            schema_version=SCHEMA,
            links=link.of_dashboard(),
            templating=DashboardDashboardTemplating([variable.source(), *self.variables, variable.page()]),
            annotations=AnnotationContainer([*self.annotations]),
            panels=[*_placed(rows)],
        )


def _placed(rows: Sequence[Row]) -> Iterator[Panel | RowPanel]:
    """Yield each row's heading and panels, from the top left on."""
    numbers, y = count(1), 0
    for row in rows:
        yield RowPanel(title=row.title, id_val=next(numbers), grid_pos=GridPos(h=1, w=WIDTH, x=0, y=y))
        y += 1
        for band in row.bands:
            height = max(HEIGHTS.get(panel.type_val, TALL) for panel in band)
            width = WIDTH // len(band)
            for place, panel in enumerate(band):
                panel.id_val = next(numbers)
                panel.grid_pos = GridPos(h=height, w=width, x=place * width, y=y)
                yield panel
            y += height
