"""What a check of Render measures, besides what every check of a vendor does."""

from __future__ import annotations

from monitor.probes.base import MeasureSpec
from monitor.units import Unit

ONE = ("resource",)
MEASURES = (
    MeasureSpec("missing", Unit.NUMBER, "of what is named, how many do not exist"),
    MeasureSpec("suspended", Unit.NUMBER, "1 if the service is suspended, for crashing too often too", ONE),
    MeasureSpec("crash_looping", Unit.NUMBER, "1 if Render gave up starting the service", ONE),
    MeasureSpec("strangers", Unit.NUMBER, "services that should not exist, where `only` is set"),
    MeasureSpec("deploy_live", Unit.NUMBER, "1 if the newest deploy is live", ONE),
    MeasureSpec(
        "deploy_failed",
        Unit.NUMBER,
        "1 if the newest deploy that has ended failed: build, pre-deploy or update",
        ONE,
    ),
    MeasureSpec("deploy_canceled", Unit.NUMBER, "1 if the newest deploy that has ended was canceled", ONE),
    MeasureSpec("deploy_started", Unit.TIMESTAMP, "when the newest deploy began", ONE),
    MeasureSpec("deploy_running", Unit.SECONDS, "for how long the newest deploy has been under way, else 0", ONE),
    MeasureSpec("instances", Unit.NUMBER, "instances that run", ONE),
    MeasureSpec("instance_share", Unit.RATIO, "of those that are configured, the share that runs", ONE, exceeds=True),
    MeasureSpec(
        "cpu_share", Unit.RATIO, "of the CPU limit, the share in use, of the busiest instance", ONE, exceeds=True
    ),
    MeasureSpec(
        "memory_share",
        Unit.RATIO,
        "of the memory limit, the share in use, of the fullest instance",
        ONE,
        exceeds=True,
    ),
    MeasureSpec("disk_share", Unit.RATIO, "of the disk, the share in use", ONE, exceeds=True),
    MeasureSpec("connections", Unit.NUMBER, "open connections of a database or key value", ONE),
    MeasureSpec("request_rate", Unit.PER_SECOND, "requests by status", ("resource", "status")),
    MeasureSpec("instance_rate", Unit.PER_SECOND, "requests for each configured instance", ONE),
    MeasureSpec("error_share", Unit.RATIO, "of the requests, the share that was answered with 5xx", ONE),
    MeasureSpec("latency", Unit.SECONDS, "quantiles of the time to answer", ("resource", "quantile")),
    MeasureSpec("failures", Unit.NUMBER, "failures within `look_back`, by cause", ("resource", "cause")),
    MeasureSpec("backup_failures", Unit.NUMBER, "failed backups within `look_back`, where Render tells", ONE),
    MeasureSpec("log_lines", Unit.NUMBER, "lines within the logs' window, by level", ("level",)),
    MeasureSpec("log_matches", Unit.NUMBER, "of these lines, how many fit a pattern", ("pattern",)),
    MeasureSpec("available", Unit.NUMBER, "1 if the database or key value can be used", ONE),
    MeasureSpec("expires", Unit.TIMESTAMP, "when a free database will be deleted", ONE),
    MeasureSpec("backup_age", Unit.SECONDS, "the age of the newest backup; 0 while any moment can be recovered", ONE),
    MeasureSpec("recovery_window", Unit.SECONDS, "how far back any moment can be recovered", ONE),
    MeasureSpec("domain_verified", Unit.NUMBER, "1 if Render has verified the domain", ("domain",)),
    MeasureSpec("missing_variables", Unit.NUMBER, "of `variables`, how many are not set", ONE),
    MeasureSpec("cost", Unit.NUMBER, "US$ a month for the plan of each resource", ONE),
    MeasureSpec("monthly_cost", Unit.NUMBER, "US$ a month for the plans of all"),
    MeasureSpec("budget_share", Unit.RATIO, "how much of the budget that is", exceeds=True),
    MeasureSpec("unpriced", Unit.NUMBER, "resources with a plan whose price is not known, and not in the cost"),
)
