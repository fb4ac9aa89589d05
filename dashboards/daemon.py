"""The daemon itself: whether it leads, keeps its pace, gets rid of what it owes, and what that costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards import annotation, process, remote_write, variable
from dashboards.colour import ANY_IS_BAD, BAD, GOOD, YES_OR_NO, steps, words
from dashboards.layout import Board, Row
from dashboards.lines import bars, lines, stacked
from dashboards.measure import of_process, own
from dashboards.panel import About, Look
from dashboards.query import OWN, Query, newest, per_minute, per_second, quantile
from dashboards.stat import stat
from dashboards.table import Column, table
from dashboards.timeline import timeline

if TYPE_CHECKING:
    from grafana_foundation_sdk.models.dashboard import Dashboard, Panel

BOARD = Board(
    "monitor-daemon",
    "The daemon itself",
    "Whether runbook-monitor leads, keeps its pace, gets rid of what it owes, reaches its store, and what that costs.",
    "3h",
    [variable.instances()],
    annotation.starts(),
)
NO_IS_BAD = steps((1, GOOD), best=BAD)
LEADS = words(_0=("waits", "blue"), _1=("leads", GOOD))


def board() -> Dashboard:
    """Return the dashboard."""
    return BOARD.of(
        [
            Row("Now", [_now()]),
            Row("Who leads, and what runs", [[_leader(), _versions()]]),
            Row("Pace", [[_probes(), _lag()], [_waits(), _loop()], [_in_flight(), _missed()]]),
            Row("Messages", [[_owed(), _oldest()], [_delivered(), _failed()]]),
            Row("Store, switch and door", [[_store(), _pings()], [_refused(), _clock()]]),
            remote_write.row(),
            process.row(),
        ]
    )


def _now() -> list[Panel]:
    def yes(title: str, metric: str, meaning: str) -> Panel:
        asked = Query(f"min (monitor_{metric}{{{OWN}}})", "")
        return stat(About(title, meaning, "none"), asked, look=Look(NO_IS_BAD, YES_OR_NO))

    leaders = Query(f"sum (monitor_leader{{{OWN}}})", "")
    return [
        stat(
            About("Leaders", "Instances that lead. Not 1: nobody probes, or two stores are in use; see the log."),
            leaders,
            look=Look(steps((1, GOOD), (2, BAD), best=BAD)),
        ),
        yes("Store", "store_available", "Whether the store takes what is written. No: see what the log says of it."),
        yes(
            "Configuration",
            "config_last_reload_successful",
            "Whether the newest configuration was good. No: the old one goes on; `monitor validate` names every fault.",
        ),
        stat(
            About(
                "Oldest owed",
                "How long the oldest message has been waiting. Minutes: its channel does not take it; see below.",
                "s",
            ),
            Query(f"max (monitor_outbox_oldest_age_seconds{{{OWN}}})", ""),
            look=Look(steps((60, "orange"), (300, BAD))),
        ),
        stat(
            About(
                "Samples lost",
                "Samples dropped in the time shown since the store was away for too long. Any: they are a gap for "
                "ever.",
            ),
            Query(f"sum (increase(monitor_samples_lost_total{{{OWN}}}[$__range]))", ""),
            look=Look(ANY_IS_BAD),
        ),
        stat(
            About(
                "Up since",
                "The youngest instance's start. Short again and again: it dies; see its log.",
                "dateTimeFromNow",
            ),
            Query(f"1000 * max ({of_process('process_start_time_seconds')})", ""),
        ),
    ]


def _leader() -> Panel:
    return timeline(
        About(
            "Who leads",
            "A lane for each instance. Lanes that change often: instances die or lose their lease; see the log.",
            "none",
        ),
        own("leader"),
        look=Look(words=LEADS),
    )


def _versions() -> Panel:
    return table(
        About("Versions", "What each instance runs. Two versions for long: a deploy did not come to its end.", "none"),
        ["instance", "version", "python"],
        [Column(Query(newest("monitor_build_info", OWN, "instance, version, python")), "there", hidden=True)],
    )


def _probes() -> Panel:
    every = 'system=~".+"'
    return stacked(
        About(
            "Runs a second",
            "Of each system. Falling with the same configuration: the daemon is late; see its lag.",
            "ops",
        ),
        Query(per_second("monitor_probe_runs_total", every, "system"), "{{system}}"),
    )


def _lag() -> Panel:
    return lines(
        About(
            "Schedule lag",
            "How late runs begin: half of them, and 99 of 100. More than a second: too little CPU, or the loop stalls.",
            "s",
        ),
        *_halves("monitor_schedule_lag_seconds"),
    )


def _waits() -> Panel:
    return lines(
        About(
            "Wait for a slot",
            "How long runs wait for their turn. High: raise `limits.in_flight`, or `limits.per_host` for many checks "
            "of one host; or targets are slow.",
            "s",
        ),
        *_halves("monitor_slot_wait_seconds"),
    )


def _loop() -> Panel:
    return lines(
        About(
            "Event loop lag",
            "How late the loop wakes a task. More than 100 ms: measured durations are too long by as much; give it "
            "more CPU.",
            "s",
        ),
        *_halves("monitor_event_loop_lag_seconds"),
    )


def _halves(histogram: str) -> tuple[Query, Query]:
    def of(share: float, name: str) -> Query:
        return Query(quantile(share, histogram, OWN, "instance"), f"{{{{instance}}}} {name}")

    return of(0.5, "half"), of(0.99, "99 of 100")


def _in_flight() -> Panel:
    return lines(
        About(
            "Runs under way", "At once. Near `limits.in_flight`: many targets do not answer; the rest waits for a slot."
        ),
        own("probes_in_flight"),
    )


def _missed() -> Panel:
    every = 'system=~".+"'
    return bars(
        About(
            "Missed runs",
            "A minute, of each system. Any: see the overview for the checks, and the lag beside it.",
            "cpm",
        ),
        Query(per_minute("monitor_probe_missed_runs_total", every, "system"), "{{system}}"),
    )


def _owed() -> Panel:
    return lines(
        About(
            "Messages owed", "Not accepted by their channel yet. Growing: a channel refuses or hangs; see which one."
        ),
        own("outbox_pending"),
    )


def _oldest() -> Panel:
    return lines(
        About(
            "Age of the oldest message owed",
            "Over 60 s a critical one goes to the fallback, over 3 min to the dead man's switch. High: mend the "
            "channel; `monitor notify CHANNEL` tries it.",
            "s",
        ),
        own("outbox_oldest_age_seconds"),
    )


def _delivered() -> Panel:
    return bars(
        About("Messages delivered", "A minute, by channel. High: a storm, or a figure that pages for nothing.", "cpm"),
        Query(per_minute("monitor_notifications_total", OWN, "channel"), "{{channel}}"),
    )


def _failed() -> Panel:
    return bars(
        About(
            "Attempts that failed",
            "A minute, by channel: to be tried again, or rejected for good. Rejected: the address or token is wrong.",
            "cpm",
        ),
        Query(per_minute("monitor_notifications_failed_total", OWN, "channel, reason"), "{{channel}}: {{reason}}"),
    )


def _store() -> Panel:
    return timeline(
        About(
            "Store available",
            "Whether what is written is taken. No: the daemon goes on from memory; for how long the page on running "
            "it says.",
            "none",
        ),
        own("store_available"),
        look=Look(words=YES_OR_NO),
    )


def _pings() -> Panel:
    return bars(
        About(
            "Dead man's switch",
            "Attempts to reach it, a minute, and those that failed. None: it is not set, or nothing was judged; then "
            "only it can tell that the monitor is gone.",
            "cpm",
        ),
        Query(per_minute("monitor_deadman_pings_total", OWN, "instance"), "{{instance}} tried"),
        Query(per_minute("monitor_deadman_pings_failed_total", OWN, "instance"), "{{instance}} failed"),
    )


def _refused() -> Panel:
    return bars(
        About("Requests refused", "A minute, by what their token was. Many wrong ones: somebody guesses.", "cpm"),
        Query(per_minute("monitor_web_refused_total", OWN, "reason"), "{{reason}}"),
    )


def _clock() -> Panel:
    return lines(
        About(
            "Clock offset",
            "How far the system's clock is ahead of the daemon's, which leans towards it. Far from 0: somebody set "
            "the clock.",
            "s",
        ),
        own("clock_offset_seconds"),
        look=Look(least=None),
    )
