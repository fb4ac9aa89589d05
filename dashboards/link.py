"""Where one gets from here: between the dashboards, and to the daemon's own pages."""

from __future__ import annotations

from grafana_foundation_sdk.models.dashboard import DashboardLink, DashboardLinkType

TAG = "runbook-monitor"
ONE_SYSTEM = "monitor-system"
PAGE = "${page}"
"""The address of the daemon's page, which whoever looks can change: a variable of each dashboard."""

_TIMES = "${__url_time_range}&var-datasource=${datasource}&var-page=${page:percentencode}"
_SERIES, _ROW = "${__field.labels.%s}", "${__data.fields.%s}"


def to_system(*, row: bool = False) -> DashboardLink:
    """Return the way to the dashboard of the system of a series, or of a table's row."""
    chosen = (_ROW if row else _SERIES) % "system"
    return DashboardLink(title="The system, in detail", url=f"/d/{ONE_SYSTEM}?var-system={chosen}&{_TIMES}")


def to_check(*, row: bool = False) -> DashboardLink:
    """Return the way to the daemon's page of a check: its last answers with their reasons, and the remedy."""
    place = _ROW if row else _SERIES
    url = f"{PAGE}/systems/{place % 'system'}/{place % 'check'}"
    return DashboardLink(title="Its page: answers, reasons, remedy", url=url, target_blank=True)


def of_dashboard() -> list[DashboardLink]:
    """Return what stands at the top of every dashboard: the others, and the daemon's page."""
    others = DashboardLink(
        title="Other dashboards", type_val=DashboardLinkType.DASHBOARDS, tags=[TAG], keep_time=True, include_vars=True
    )
    page = DashboardLink(
        title="Status page",
        url=f"{PAGE}/",
        icon="external link",
        tooltip="The daemon's own page: acknowledge, silence, run now",
        target_blank=True,
    )
    return [others, page]
