"""Users' unit tests of thresholds and routes: results in; what fires, and who is told when, out. On a virtual clock.

`reading` turns a file into cases; `stage` plays each of them through the real pipeline and the real outbox, with
results in place of probes and channels that only note what they are given; `story` and `figures` hold what happened
(`ledger`) against what was expected; `coverage` says which rules no case has seen fire and end.
"""

from monitor.trial.command import Trial, read_trials, run_trials
from monitor.trial.nouns import Outcome
from monitor.trial.report import Covered, as_json, as_junit, as_lines, percent, sum_line

__all__ = [
    "Covered",
    "Outcome",
    "Trial",
    "as_json",
    "as_junit",
    "as_lines",
    "percent",
    "read_trials",
    "run_trials",
    "sum_line",
]
