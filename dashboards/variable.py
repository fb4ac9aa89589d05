"""What whoever looks can choose: where the data is, which systems, checks and instances."""

from __future__ import annotations

from grafana_foundation_sdk.models.dashboard import (
    DataSourceRef,
    VariableModel,
    VariableOption,
    VariableRefresh,
    VariableSort,
    VariableType,
)

SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")
LISTEN = "http://127.0.0.1:8080"
"""Where the daemon of docker-compose.yml shows its page."""


def source() -> VariableModel:
    """Return the choice of a Prometheus, or of what speaks like one."""
    return VariableModel(type_val=VariableType.DATASOURCE, name="datasource", label="Data source", query="prometheus")


def page() -> VariableModel:
    """Return the address of the daemon's page, for links."""
    here = VariableOption(selected=True, text=LISTEN, value=LISTEN)
    return VariableModel(
        type_val=VariableType.TEXTBOX,
        name="page",
        label="Status page",
        description="Where the daemon's own page is, for the links to it.",
        query=LISTEN,
        current=here,
        options=[here],
    )


def systems() -> VariableModel:
    """Return the choice of systems: all, or some."""
    return _asked("system", "System", "label_values(monitor_probe_runs_total, system)", many=True)


def system() -> VariableModel:
    """Return the choice of one system."""
    return _asked("system", "System", "label_values(monitor_probe_runs_total, system)")


def checks() -> VariableModel:
    """Return the choice of checks of that one system: all, or some."""
    return _asked("check", "Check", 'label_values(monitor_probe_runs_total{system="$system"}, check)', many=True)


def instances() -> VariableModel:
    """Return the choice of instances of the daemon: all, or some."""
    return _asked("instance", "Instance", "label_values(monitor_leader, instance)", many=True)


def _asked(name: str, label: str, query: str, *, many: bool = False) -> VariableModel:
    """Return a choice among what Prometheus knows in the time that is looked at; of many, all are chosen at first."""
    return VariableModel(
        type_val=VariableType.QUERY,
        name=name,
        label=label,
        query={"query": query, "refId": "PrometheusVariableQueryEditor-VariableQuery"},
        datasource=SOURCE,
        refresh=VariableRefresh.ON_TIME_RANGE_CHANGED,
        sort=VariableSort.ALPHABETICAL_ASC,
        multi=many,
        include_all=many,
        all_value=".+" if many else None,
        current=VariableOption(selected=True, text=["All"], value=["$__all"]) if many else None,
    )
