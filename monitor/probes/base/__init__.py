"""What every kind of check shares: its fields, what a run may use, and the one place of deadline and failure."""

from monitor.probes.base.check import Check, MeasureSpec
from monitor.probes.base.run import LONGEST_DETAIL, Resources, Run, in_memory, observe, starved
from monitor.probes.base.terms import Down, LevelDurations, RemedyText, Retry, Step, ThresholdFields

__all__ = [
    "LONGEST_DETAIL",
    "Check",
    "Down",
    "LevelDurations",
    "MeasureSpec",
    "RemedyText",
    "Resources",
    "Retry",
    "Run",
    "Step",
    "ThresholdFields",
    "in_memory",
    "observe",
    "starved",
]
