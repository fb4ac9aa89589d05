"""One system: how its checks stand, how fast they answer against their figures, what fires, what was deployed when."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards import annotation, link, variable
from dashboards.colour import ANY_IS_BAD, BAD, SEVERITIES, UP_OR_DOWN, UPTIME, VALID_FOR, WARNING, words
from dashboards.layout import Board, Row
from dashboards.lines import bars, lines, stacked
from dashboards.panel import About, Look
from dashboards.query import ALERT, CHECK, ONE, Query, count_of, figures, newest, per_minute, quantile
from dashboards.stat import stat
from dashboards.table import Column, table
from dashboards.timeline import timeline

if TYPE_CHECKING:
    from grafana_foundation_sdk.models.dashboard import Dashboard, Panel

SYSTEM = 'system="$system"'
BOARD = Board(
    link.ONE_SYSTEM,
    "One system",
    "How the checks of one system stand, how fast they answer against their figures, what fires, what was deployed "
    "when.",
    "3h",
    [variable.system(), variable.checks()],
    [*annotation.alerts(ONE), annotation.deploys(SYSTEM)],
)
UP = newest("monitor_probe_success", ONE)
DURATIONS = r'__name__=~"monitor_[a-z0-9]+_duration_seconds"'
PHASES = r'__name__=~"monitor_[a-z0-9]+_phase_seconds"'
PAGE = (link.to_check(),)
LEVELS = words(_1=("info", SEVERITIES["info"]), _2=("warning", WARNING), _3=("critical", BAD))


def board() -> Dashboard:
    """Return the dashboard."""
    return BOARD.of(
        [
            Row("Now", [_now()]),
            Row("Checks and alerts over time", [[_states(), _alerts_over_time()]]),
            Row("What fires", [[_alerts()]]),
            Row("How fast", [[_latency(), _slowest()], [_phases(), _runs()]]),
            Row("What failed, and what was not looked at", [[_failures(), _left()]]),
            Row("Figures", [[_figures(), _history()]]),
        ]
    )


def _now() -> list[Panel]:
    deployed = newest("monitor_deploy_timestamp_seconds", SYSTEM, "system")
    return [
        stat(
            About("Down", "Checks whose newest run failed. More than 0: the lane below says which, its page says why."),
            Query(count_of(f"{UP} == 0"), ""),
            look=Look(ANY_IS_BAD),
        ),
        stat(
            About("Firing", "Alerts that fire. More than 0: follow the remedy on the page of the check."),
            Query(count_of(newest("monitor_alert", f'{ONE},state="firing"', ALERT)), ""),
            look=Look(ANY_IS_BAD),
        ),
        stat(
            About(
                "Uptime",
                "The share of the time shown in which the checks were up. Low: the lanes below show when they were "
                "not.",
                "percentunit",
            ),
            Query(f"avg (avg_over_time(monitor_probe_success{{{ONE}}}[$__range]))", ""),
            look=Look(UPTIME),
        ),
        stat(
            About(
                "Newest look",
                "How long ago any of the checks last ran. High: the daemon stands still, or nobody leads.",
                "s",
            ),
            Query(f"time() - max (monitor_probe_last_run_timestamp_seconds{{{ONE}}})", ""),
        ),
        stat(
            About(
                "Newest deploy",
                "How long ago the system was last deployed, as far as it was noticed. Short before an alert: suspect "
                "it first; the page says whether going back is safe.",
                "dateTimeFromNow",
                "no deploy was noticed",
            ),
            Query(f"1000 * {deployed}", ""),
        ),
        stat(
            About(
                "Certificate",
                "How long the certificate that expires first is still valid. Low: renewal has failed; renew it by "
                "hand.",
                "s",
                "no check sees one",
            ),
            Query(f"min (monitor_tls_expiry_timestamp_seconds{{{ONE}}}) - time()", ""),
            look=Look(VALID_FOR),
        ),
    ]


def _states() -> Panel:
    return timeline(
        About(
            "Checks",
            "Each check's newest run; empty where nobody could tell. Red: follow the lane to the check's page, which "
            "says why and what to do.",
            "none",
        ),
        Query(UP, "{{check}}"),
        look=Look(words=UP_OR_DOWN, links=PAGE),
    )


def _alerts_over_time() -> Panel:
    def of(severity: str, rank: int) -> str:
        firing = f'{ONE},state="firing",severity="{severity}"'
        return f"{rank} * {newest('monitor_alert', firing, f'{CHECK}, alert')}"

    worst = " or ".join([of("critical", 3), of("warning", 2), of("info", 1)])
    return timeline(
        About(
            "Alerts",
            "Each alert from its beginning to its end, at the severity it had. Many short ones: its figure is too "
            "near to what is usual; `monitor review` says which one would have been silent.",
            "none",
            "nothing fired",
        ),
        Query(worst, "{{check}}: {{alert}}"),
        look=Look(words=LEVELS, links=PAGE),
    )


def _alerts() -> Panel:
    return table(
        About(
            "Alerts now",
            "Every alert that fires or is pending, and for which series. Follow a row to the remedy.",
            "none",
            "nothing fires",
        ),
        ALERT.split(", "),
        [Column(Query(newest("monitor_alert", ONE, ALERT)), "there", hidden=True)],
        Look(links=(link.to_check(row=True),)),
    )


def _latency() -> Panel:
    return lines(
        About(
            "Duration of each run, and its figures",
            "How long each run took that came to its end; dashed, what it is judged against. Above the lines: see "
            "which phase grew, and whether a deploy came before.",
            "s",
        ),
        Query(f"max by ({CHECK}) ({{{DURATIONS},{ONE}}})", "{{check}}"),
        figures("duration", ONE),
        look=Look(links=PAGE),
    )


def _slowest() -> Panel:
    return lines(
        About(
            "19 of 20 runs were faster",
            "The 95th percentile of the duration of runs, failed ones too. High while single runs look well: a few "
            "are very slow; look for a cold start, a lock, a retry.",
            "s",
        ),
        Query(quantile(0.95, "monitor_probe_duration_seconds", ONE, CHECK), "{{check}}"),
        look=Look(links=PAGE),
    )


def _phases() -> Panel:
    return stacked(
        About(
            "Phases",
            "What the runs' time went into. dns or connect high: the network; tls: the load balancer; processing or "
            "query: the product itself, or its database.",
            "s",
        ),
        Query(f"max by ({CHECK}, phase) ({{{PHASES},{ONE}}})", "{{check}} {{phase}}"),
        look=Look(links=PAGE),
    )


def _runs() -> Panel:
    return lines(
        About(
            "Runs a minute",
            "How often each check is looked at. High: a deploy or a failure is looked at more closely; low: runs are "
            "missed.",
            "cpm",
        ),
        Query(per_minute("monitor_probe_runs_total", ONE), "{{check}}"),
        look=Look(links=PAGE),
    )


def _failures() -> Panel:
    return bars(
        About(
            "Failures by reason",
            "Failed runs a minute. Any: the reason says where to begin, and `remedy_for` what to do.",
            "cpm",
        ),
        Query(per_minute("monitor_probe_failures_total", ONE, f"{CHECK}, reason"), "{{check}}: {{reason}}"),
        look=Look(links=PAGE),
    )


def _left() -> Panel:
    return bars(
        About(
            "Runs that tell nothing",
            "Runs a minute that could not tell up from down, that were missed since the one before took too long, and "
            "that were left out on purpose. High: nobody watches in that time; see the reasons on the check's page.",
            "cpm",
        ),
        Query(per_minute("monitor_probe_unknown_total", ONE), "{{check}}: unknown"),
        Query(per_minute("monitor_probe_missed_runs_total", ONE), "{{check}}: missed"),
        Query(per_minute("monitor_probe_left_out_total", ONE), "{{check}}: left out"),
        look=Look(links=PAGE),
    )


def _figures() -> Panel:
    return table(
        About(
            "All figures",
            "What each threshold is judged against, in base units: seconds, bytes, shares of 1. One that is too near "
            "to what is usual pages for nothing; `monitor review` proposes another.",
            "none",
            "no threshold",
        ),
        ["system", "check", "watch", "level"],
        [Column(Query(newest("monitor_threshold", ONE, f"{CHECK}, watch, level")), "figure", "none")],
        Look(links=(link.to_check(row=True),)),
    )


def _history() -> Panel:
    return lines(
        About(
            "How far back thresholds know",
            "How much of the past those thresholds know that compare with it (usual, drift, unseen). Under two weeks: "
            "they do not judge yet.",
            "s",
            "no threshold compares with the past",
        ),
        Query(newest("monitor_threshold_history_seconds", ONE, f"{CHECK}, watch"), "{{check}} {{watch}}"),
        look=Look(links=PAGE),
    )
