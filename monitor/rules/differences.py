"""What PromQL cannot say, or says otherwise than the daemon: of every configuration, and of this one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.units import show_duration
from monitor.watch import Function

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import timedelta

    from monitor.config import Config
    from monitor.plan import Plan
    from monitor.thresholds import Threshold

PREAMBLE = (
    "The thresholds of runbook-monitor as Prometheus rules, written by `monitor rules`. Do not edit: write them anew.",
    "Scrape and evaluate every {0}, or write them for another pace with --interval. Windows are open on the left, as",
    "in Prometheus 3; an older one sees the value on the edge too. keep_firing_for needs Prometheus 2.42.",
    "At the end stands what these rules cannot say, or say otherwise.",
)
EVERYWHERE = (
    "While nobody can tell (an unknown run, too few values, no daemon) nothing begins and nothing ends, as in ours.",
    "`for` and `keep_firing_for` then begin anew, while the daemon goes on counting afterwards.",
    "Between two runs Prometheus sees the newest value again: windows weigh by time and not by runs.",
    "`for` may so pass before the run that the daemon would wait for; time left is judged at each evaluation.",
    "What an unknown run measured lies in Prometheus's windows; in ours it counts nowhere.",
    "A value that is no number makes avg, sum and pNN unjudged while it lies in their window; the daemon skips it.",
    "A measure that a run could not take though its check is up looks as if it had gone: what fired ends.",
    "Failed runs in a row: a success that no scrape saw does not end it, a restart of the daemon begins it anew.",
    "Prometheus remembers what fires for five minutes: where it does not evaluate for longer, what was held ends.",
    "Holding back (down before thresholds, needs, blind before no data) is Alertmanager's business: its inhibit rules.",
    "The daemon also holds back before the cause fires, and looks at it once more before it pages.",
    "Maintenance, acknowledgements, flapping, evidence from steps, what else happened at that time: not there.",
)
LOOKS_BACK = {
    Function.USUAL: "the usual value of that hour of the week, a median over eight weeks of hours, is in our store",
    Function.DRIFT: "a distance between two mixes, over weeks of hours, is in our store",
    Function.UNSEEN: "which values were ever seen, over 400 days of hours, is in our store",
}


def refusal(threshold: Threshold) -> str:
    """Return why PromQL cannot say what `threshold` watches, or nothing if it can."""
    return LOOKS_BACK.get(threshold.watch.function, "")


def report(config: Config, interval: timedelta) -> list[str]:
    """Return what rules for `config`, scraped every `interval`, cannot say, and what they say otherwise."""
    unsaid, otherwise = [], []
    for plan in config.plans.values():
        otherwise += [f"- {plan.id}: {text}" for text in _otherwise_of(plan, interval)]
        for threshold in plan.thresholds:
            said = f"- {plan.id}, {threshold.name} ({threshold.watch.text}): "
            if why := refusal(threshold):
                unsaid.append(f"{said}{why}")
            otherwise += [f"{said}{text}" for text in _otherwise(plan, threshold, interval)]
    unsaid = ["What these rules do not say, so that the daemon must go on judging it:", *unsaid] if unsaid else []
    if otherwise:
        otherwise = ["What they say otherwise, each for itself:", *otherwise]
    return [*unsaid, *otherwise, "What they say otherwise everywhere:", *(f"- {text}" for text in EVERYWHERE)]


def _otherwise_of(plan: Plan, interval: timedelta) -> Iterator[str]:
    if plan.check.every < interval:
        pace = show_duration(plan.check.every.total_seconds())
        yield f"it runs every {pace}, and not every run is scraped"
    if not plan.check.scheduled:
        yield "it runs only when somebody asks for it, so no data is expected of it"


def _otherwise(plan: Plan, threshold: Threshold, interval: timedelta) -> Iterator[str]:
    match threshold.watch.function:
        case Function.CHANGE:
            yield "against the value one window ago, and not the first one in the window, which may be younger"
        case Function.SUM if plan.check.every != interval:
            yield "what is scraped is added up, times the share of scrapes that show a new run"
        case _:
            return
