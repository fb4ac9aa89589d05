"""All systems: what fires, who is down, what is slow, what was not looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards import annotation, link, variable
from dashboards.colour import (
    ANY_IS_BAD,
    ANY_IS_DOUBTFUL,
    NEUTRAL,
    UP_OR_DOWN,
    UPTIME,
    VALID_FOR,
)
from dashboards.layout import Board, Row
from dashboards.lines import bars, lines
from dashboards.panel import About, Look
from dashboards.query import ALERT, CHECK, CHOSEN, Query, count_of, newest, per_minute, quantile
from dashboards.stat import stat
from dashboards.table import Column, table
from dashboards.timeline import timeline

if TYPE_CHECKING:
    from grafana_foundation_sdk.models.dashboard import Dashboard, Panel

BOARD = Board(
    "monitor-overview",
    "Overview of all systems",
    "What fires, who is down, what is slow and what was not looked at, over all systems that runbook-monitor watches.",
    "6h",
    [variable.systems()],
    [*annotation.alerts(CHOSEN), annotation.deploys(CHOSEN)],
)
FIRING = f'{CHOSEN},state="firing"'
RUNS = newest("monitor_probe_runs_total", CHOSEN)
UP = newest("monitor_probe_success", CHOSEN)
BOTH = (link.to_system(), link.to_check())


def board() -> Dashboard:
    """Return the dashboard."""
    return BOARD.of(
        [
            Row("Now", [_now()]),
            Row("What fires", [[_alerts(), _systems()]]),
            Row("How it stood", [[_states(), _failures()]]),
            Row("Slowest, and next to expire", [[_slowest(), _certificates()]]),
            Row("What was not looked at", [[_missed(), _unknown()], [_deploys(), _pace()]]),
        ]
    )


def _now() -> list[Panel]:
    def firing(where: str) -> Query:
        return Query(count_of(newest("monitor_alert", f"{CHOSEN},{where}", ALERT)), "")

    return [
        stat(
            About("Critical", "Critical alerts that fire. More than 0: open the system below and follow the remedy."),
            firing('state="firing",severity="critical"'),
            look=Look(ANY_IS_BAD),
        ),
        stat(
            About("Warnings", "Warnings that fire. More than 0: look within the day, before they get critical."),
            firing('state="firing",severity="warning"'),
            look=Look(ANY_IS_DOUBTFUL),
        ),
        stat(
            About("Pending", "Figures that are crossed, not for long enough yet. High: alerts are about to fire."),
            firing('state="pending"'),
            look=Look(ANY_IS_DOUBTFUL),
        ),
        stat(
            About("Down", "Checks whose newest run failed. High: look which systems they have in common."),
            Query(count_of(f"{UP} == 0"), ""),
            look=Look(ANY_IS_BAD),
        ),
        stat(
            About(
                "Unknown",
                "Checks of which nobody can tell: our own network, a vendor's refusal, or no run yet. High: it is the "
                "monitor's own side that fails; see the daemon's dashboard.",
            ),
            Query(count_of(f"{RUNS} unless {UP}"), ""),
            look=Look(ANY_IS_DOUBTFUL),
        ),
        stat(
            About(
                "Uptime",
                "The share of the time shown in which the checks were up, over all checks. Low: see the table of "
                "systems.",
                "percentunit",
            ),
            Query(f"avg (avg_over_time(monitor_probe_success{{{CHOSEN}}}[$__range]))", ""),
            look=Look(UPTIME),
        ),
    ]


def _alerts() -> Panel:
    return table(
        About(
            "Alerts",
            "Every alert that fires or is pending, and for which series. Follow a row to its check's page: there "
            "stand the remedy and who was told.",
            "none",
            "nothing fires",
        ),
        ALERT.split(", "),
        [Column(Query(newest("monitor_alert", CHOSEN, ALERT)), "there", hidden=True)],
        Look(links=(link.to_system(row=True), link.to_check(row=True))),
    )


def _systems() -> Panel:
    none = f"0 * count by (system) ({RUNS})"
    firing = f"count by (system) ({newest('monitor_alert', FIRING, ALERT)})"
    return table(
        About(
            "Systems",
            "Each system: its checks, the share of the time shown in which they were up, how many are down and how "
            "many alerts fire. More than 0 of the last two: follow the row.",
        ),
        ["system"],
        [
            Column(Query(f"count by (system) ({RUNS})"), "checks"),
            Column(
                Query(f"avg by (system) (avg_over_time(monitor_probe_success{{{CHOSEN}}}[$__range]))"),
                "uptime",
                "percentunit",
                UPTIME,
            ),
            Column(Query(f"sum by (system) (1 - {UP}) or {none}"), "down", steps=ANY_IS_BAD),
            Column(Query(f"{firing} or {none}"), "firing", steps=ANY_IS_BAD),
        ],
        Look(links=(link.to_system(row=True),)),
    )


def _states() -> Panel:
    return timeline(
        About(
            "Systems over time",
            "A system is down where any of its checks is; empty where nobody knew. Long red: follow the lane to the "
            "system, and see which check it was.",
            "none",
        ),
        Query(f"min by (system) ({UP})", "{{system}}"),
        look=Look(words=UP_OR_DOWN, links=(link.to_system(),)),
    )


def _failures() -> Panel:
    return bars(
        About(
            "Failures by reason",
            "Failed runs a minute by their reason, over all systems. Many of one reason at once (dns, timeout, "
            "tls_invalid) point at one cause: look there first.",
            "cpm",
        ),
        Query(per_minute("monitor_probe_failures_total", CHOSEN, "reason"), "{{reason}}"),
    )


def _slowest() -> Panel:
    slow = quantile(0.95, "monitor_probe_duration_seconds", CHOSEN, CHECK)
    return lines(
        About(
            "Slowest checks",
            "The ten checks whose runs take longest: 19 of 20 runs were faster. High: open the system, see which "
            "phase grew and whether a deploy came before.",
            "s",
        ),
        Query(f"topk(10, {slow})"),
        look=Look(links=BOTH),
    )


def _certificates() -> Panel:
    left = f"min by ({CHECK}) (monitor_tls_expiry_timestamp_seconds{{{CHOSEN}}}) - time()"
    return table(
        About(
            "Certificates",
            "How long each certificate is still valid. Under three weeks: renewal has failed already; under one: do "
            "it by hand now.",
            "s",
            "no check sees a certificate",
        ),
        ["system", "check"],
        [Column(Query(left), "left", "s", VALID_FOR)],
        Look(links=(link.to_system(row=True), link.to_check(row=True))),
        smallest_first=True,
    )


def _missed() -> Panel:
    return bars(
        About(
            "Missed runs",
            "Runs a minute that were left out because the one before took too long. More than 0: raise `every` or "
            "lower `timeout` of that check, or see whether the daemon has too little CPU.",
            "cpm",
        ),
        Query(f"topk(10, {per_minute('monitor_probe_missed_runs_total', CHOSEN)})"),
        look=Look(links=BOTH),
    )


def _unknown() -> Panel:
    return bars(
        About(
            "Runs that could not tell",
            "Runs a minute that say neither up nor down. High for many checks: our name server or network; for one: "
            "its page names the reason, often a key that expired or a rate limit.",
            "cpm",
        ),
        Query(f"topk(10, {per_minute('monitor_probe_unknown_total', CHOSEN)})"),
        look=Look(links=BOTH),
    )


def _deploys() -> Panel:
    return table(
        About(
            "Newest deploys",
            "When each system was last deployed, as far as it was noticed. A deploy shortly before an alert is the "
            "first suspect: the system's page says whether going back is safe.",
            "none",
            "no deploy was noticed",
        ),
        ["system"],
        [
            Column(
                Query(f"1000 * {newest('monitor_deploy_timestamp_seconds', CHOSEN, 'system')}"), "at", "dateTimeAsIso"
            )
        ],
        Look(links=(link.to_system(row=True),)),
    )


def _pace() -> Panel:
    ages = f"time() - {newest('monitor_probe_last_run_timestamp_seconds', CHOSEN)}"
    return lines(
        About(
            "Oldest looks",
            "The ten checks that were not looked at for the longest time. Much more than `every`: the daemon stands "
            "still, or nobody leads; see its dashboard.",
            "s",
        ),
        Query(f"topk(10, {ages})"),
        look=Look(NEUTRAL, links=BOTH),
    )
