"""What comes in by itself: webhooks and their deliveries, jobs that report; and users' ways through the product."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards import annotation, variable
from dashboards.colour import ANY_IS_BAD, UP_OR_DOWN
from dashboards.layout import Board, Row
from dashboards.lines import bars, lines, stacked
from dashboards.measure import BOTH, LOOK, SHARE, gauge
from dashboards.panel import About, Look
from dashboards.query import CHECK, CHOSEN, Query, figures, newest, per_minute
from dashboards.stat import stat
from dashboards.timeline import timeline

if TYPE_CHECKING:
    from grafana_foundation_sdk.models.dashboard import Dashboard, Panel

BOARD = Board(
    "monitor-webhooks",
    "Webhooks, heartbeats and flows",
    "Whether receivers verify and are fast, what the senders' own records say, whether jobs reported, whether a "
    "user's way through the product works.",
    "24h",
    [variable.systems()],
    [*annotation.alerts(CHOSEN), annotation.deploys(CHOSEN)],
)
KINDS = "webhook|stripe|shopify|sql|heartbeat|flow"
OWN_COLUMNS = r'__name__=~"monitor_sql_.+",__name__!~"monitor_sql_(duration|phase)_seconds"'


def board() -> Dashboard:
    """Return the dashboard."""
    return BOARD.of(
        [
            Row("Now", [_now()]),
            Row("How it stood", [[_states(), _failures()]]),
            Row("Receivers", [[_answers(), _codes()]]),
            Row("What the senders know", [[_backlog(), _undelivered()], [_subscriptions(), _limits()]]),
            Row("What the database knows", [[_rows(), _query_time()]]),
            Row("Heartbeats", [[_late(), _running()], [_took(), _exits()]]),
            Row("Flows", [[_flows(), _steps()]]),
        ]
    )


def _now() -> list[Panel]:
    def of(kind: str, meaning: str) -> Panel:
        where = f'{CHOSEN},kind="{kind}"'
        asked = Query(f"sum (1 - {newest('monitor_probe_success', where)})", "")
        title = f"{kind} down".capitalize()
        return stat(About(title, meaning, empty="not watched"), asked, look=Look(ANY_IS_BAD))

    return [
        of("webhook", "Receivers that fail. More than 0: events are lost from now on; see the failures below."),
        of("stripe", "Stripe's records that say no. More than 0: see undelivered events and the endpoint's state."),
        of("shopify", "Shopify's records that say no. More than 0: subscriptions are gone, or the app's token is."),
        of("sql", "Queries whose rows are not as expected. More than 0: the page shows what was found."),
        of("heartbeat", "Jobs that are late or failed. More than 0: look at the job's own log."),
        of("flow", "Ways through the product that do not work. More than 0: its page names the step."),
    ]


def _states() -> Panel:
    return timeline(
        About(
            "Checks over time",
            "Every check of these kinds; empty where nobody could tell. Red: follow the lane to its page.",
            "none",
        ),
        Query(newest("monitor_probe_success", f'{CHOSEN},kind=~"{KINDS}"')),
        look=Look(words=UP_OR_DOWN, links=BOTH),
    )


def _failures() -> Panel:
    every = per_minute("monitor_probe_failures_total", CHOSEN, f"{CHECK}, reason")
    ours = f'last_over_time(monitor_probe_success{{{CHOSEN},kind=~"{KINDS}"}}[1h])'
    return bars(
        About(
            "Failures by reason",
            "Failed runs a minute. `header`, `status`: the receiver takes what is forged or refuses what is signed, "
            "often after a secret was changed; `missing`: a route or subscription is gone.",
            "cpm",
        ),
        Query(f"{every} and on ({CHECK}) {ours}", "{{system}}/{{check}}: {{reason}}"),
        look=LOOK,
    )


def _answers() -> Panel:
    return lines(
        About(
            "Time to answer each event",
            "How long the receiver takes for an event that is unsigned, forged, stale or ours; dashed, the figures. "
            "High: senders give up and send again; take the event first, work on it later.",
            "s",
        ),
        gauge("webhook_duration_seconds", "event"),
        figures("duration", CHOSEN, "webhook"),
        look=LOOK,
    )


def _codes() -> Panel:
    return lines(
        About(
            "Status of each answer",
            "What each event was answered with. 2xx for a forged or unsigned one: nothing is verified; 4xx for ours: "
            "the secret is another one.",
            "none",
        ),
        gauge("webhook_status", "event"),
        look=LOOK,
    )


def _backlog() -> Panel:
    return lines(
        About(
            "Stripe: not delivered",
            "Events that were not delivered, of all types, and how many of the newest in a row; dashed, the figures. "
            "Growing: the endpoint fails; mend it, then send them again.",
        ),
        gauge("stripe_backlog", legend="not delivered"),
        gauge("stripe_newest_failed", legend="newest in a row"),
        figures("backlog|newest_failed", CHOSEN, "stripe"),
        look=LOOK,
    )


def _undelivered() -> Panel:
    return lines(
        About(
            "Stripe: age of what is not delivered",
            "The age of the oldest undelivered event of each type. Above three days: Stripe stops trying, and the "
            "event has to be fetched by hand.",
            "s",
            "all is delivered",
        ),
        gauge("stripe_undelivered_age_seconds", "type"),
        figures("undelivered_age", CHOSEN, "stripe"),
        look=LOOK,
    )


def _subscriptions() -> Panel:
    return lines(
        About(
            "What nobody is subscribed to",
            "Events, topics and prices that should be there and are not, and whether Stripe's endpoint is enabled "
            "(1). More than 0 missing: subscribe again; what happened meanwhile was not sent.",
        ),
        gauge("stripe_missing_events", legend="missing events"),
        gauge("stripe_missing_prices", legend="missing prices"),
        gauge("stripe_inactive_prices", legend="inactive prices"),
        gauge("stripe_endpoint_enabled", legend="endpoint enabled"),
        gauge("shopify_missing_topics", legend="missing topics"),
        look=LOOK,
    )


def _limits() -> Panel:
    refused = r'__name__=~"monitor_(stripe|shopify)_api_errors_ratio"'
    return lines(
        About(
            "Rate limits and refusals",
            "How much of Shopify's rate limit is in use, by anybody, and the share of our requests that were refused. "
            "High: another program uses it up; look less often, or find it.",
            "percentunit",
        ),
        gauge("shopify_throttle_share_ratio", legend="rate limit"),
        Query(f"max by ({CHECK}) ({{{refused},{CHOSEN}}})", "{{system}}/{{check}} refused"),
        look=SHARE,
    )


def _rows() -> Panel:
    return lines(
        About(
            "What queries count",
            "The columns of `sql` checks that are measures, and how many rows there were: events that wait, payments "
            "without an order. What is too much the check's own figures say.",
        ),
        Query(f"max by (__name__, {CHECK}) ({{{OWN_COLUMNS},{CHOSEN}}})", "{{system}}/{{check}} {{__name__}}"),
        look=LOOK,
    )


def _query_time() -> Panel:
    return lines(
        About(
            "How long the queries take",
            "The whole run; dashed, the figures. Growing: the query needs an index, or the table is too large to "
            "count.",
            "s",
        ),
        gauge("sql_duration_seconds"),
        figures("duration", CHOSEN, "sql"),
        look=LOOK,
    )


def _late() -> Panel:
    return lines(
        About(
            "Since the last success, and late by",
            "How long ago each job succeeded, and for how long a success has been expected; dashed, the figures. "
            "Late: the job did not run, or did not report; look at its host.",
            "s",
        ),
        gauge("heartbeat_age_seconds", legend="last success"),
        gauge("heartbeat_late_seconds", legend="late by"),
        figures("age|late", CHOSEN, "heartbeat"),
        look=LOOK,
    )


def _running() -> Panel:
    return lines(
        About(
            "Under way for",
            "How long a run has been going on, 0 while there is none. Much longer than usual: it hangs, or the one "
            "before it did not end.",
            "s",
        ),
        gauge("heartbeat_running_seconds"),
        look=LOOK,
    )


def _took() -> Panel:
    return lines(
        About(
            "How long runs took",
            "That of the run that ended last, if its start was reported. Growing from run to run: it will meet the "
            "next one; find what grows.",
            "s",
            "no start was reported",
        ),
        gauge("heartbeat_took_seconds"),
        look=LOOK,
    )


def _exits() -> Panel:
    return stat(
        About(
            "Exit status",
            "That of the run that ended last. Other than 0: the job failed; its own log says why.",
            "none",
            "no run has ended",
        ),
        gauge("heartbeat_exit_status"),
        look=Look(ANY_IS_BAD, links=BOTH),
    )


def _flows() -> Panel:
    return lines(
        About(
            "How long each flow takes",
            "The whole way with its clean-up; dashed, the figures. High: users wait as long; see which step grew.",
            "s",
        ),
        gauge("flow_duration_seconds"),
        figures("duration", CHOSEN, "flow"),
        look=LOOK,
    )


def _steps() -> Panel:
    return stacked(
        About(
            "Steps",
            "How long each step took that succeeded. One that grows: that is where to look; one that vanished: it "
            "fails.",
            "s",
        ),
        gauge("flow_step_seconds", "step"),
        look=LOOK,
    )
