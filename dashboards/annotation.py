"""What happened, drawn over every graph: alerts from beginning to end, deploys, starts of the daemon.

Grafana's Prometheus source makes one region of points that follow each other, and takes a value for a moment where it
is told to (`useValueForTime`, in milliseconds). It reads those fields beside the query; older releases also read
`expr` there (grafana/grafana, packages/grafana-prometheus/src/annotations.ts), so both forms are written.
"""

from __future__ import annotations

from typing import NamedTuple

from grafana_foundation_sdk.models.dashboard import AnnotationQuery

from dashboards.query import OWN, newest
from dashboards.variable import SOURCE

STEP = "15s"
COLOURS = {"critical": "red", "warning": "orange", "info": "blue"}


class Words(NamedTuple):
    """What a mark says: its title, its text, and the labels that become its tags."""

    title: str
    text: str
    tags: str


class Marks(AnnotationQuery):
    """Marks that a query of Prometheus yields."""

    def __init__(self, name: str, colour: str, expr: str, words: Words, *, moments: bool = False) -> None:
        """`moments`: the values are moments in milliseconds; else each series marks the time in which it is there."""
        super().__init__(name=name, datasource=SOURCE, enable=True, hide=False, icon_color=colour, expr=expr)
        self._more: dict[str, object] = {
            "target": {"expr": expr, "interval": STEP, "refId": "Anno", "range": True, "instant": False},
            "step": STEP,
            "titleFormat": words.title,
            "textFormat": words.text,
            "tagKeys": words.tags,
            "useValueForTime": moments,
        }

    def to_json(self) -> dict[str, object]:
        """Return it as it stands in a dashboard."""
        return {**super().to_json(), **self._more}


def alerts(where: str) -> list[Marks]:
    """Return the alerts that fire, a colour for each severity."""
    words = Words("{{severity}}: {{system}}/{{check}}", "{{alert}} {{series}}", "system,check,alert")
    labels = "system, check, alert, severity, series"
    return [
        Marks(
            f"Alerts: {severity}",
            colour,
            newest("monitor_alert", f'{where},state="firing",severity="{severity}"', labels),
            words,
        )
        for severity, colour in COLOURS.items()
    ]


def deploys(where: str) -> Marks:
    """Return when systems were deployed, as far as each look at the series knows: its newest deploy."""
    return _moments("Deploys", "purple", newest("monitor_deploy_timestamp_seconds", where, "system"), "{{system}}")


def starts() -> list[Marks]:
    """Return when instances of the daemon began, and when they took up a configuration."""
    begun = f"process_start_time_seconds and on (instance, job) monitor_leader{{{OWN}}}"
    taken_up = newest("monitor_config_last_reload_success_timestamp_seconds", OWN, "instance")
    return [
        _moments("Starts of the daemon", "purple", f"max by (instance) ({begun})", "{{instance}}"),
        _moments("Configurations taken up", "blue", taken_up, "{{instance}}"),
    ]


def _moments(name: str, colour: str, seconds: str, whose: str) -> Marks:
    label = whose.strip("{}")
    return Marks(name, colour, f"1000 * {seconds}", Words(name, whose, label), moments=True)
