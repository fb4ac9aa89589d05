"""`python -m benchmarks.judging`: what judging a sample costs, by what the threshold watches, and what a past costs."""

from __future__ import annotations

import time
import tracemalloc
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import TYPE_CHECKING

from monitor.history import History
from monitor.hour import Hour, HourMeasure
from monitor.model import CheckId, Measure, Sample, Severity, State, labels
from monitor.thresholds import Threshold, judge
from monitor.units import Unit
from monitor.watch import parse_figure, parse_watch

if TYPE_CHECKING:
    from monitor.baseline import Baseline

CHECK = CheckId("bench", "check")
START = datetime(2026, 1, 5, 12, tzinfo=UTC)
EVERY = timedelta(seconds=15)
HOUR = timedelta(hours=1)
WEEKS = 8
SAMPLES = 4_000
ROUNDS = 5
WATCHES = ("x", "avg(x, 1h)", "usual(x, 1h)", "usual(x, 1d)", "drift(x by type, 1h)", "unseen(x by type)")


def key(number: int) -> tuple[tuple[str, str], ...]:
    """Return the labels of one of several series."""
    return labels({"type": f"type-{number}"})


def threshold(text: str) -> Threshold:
    """Return a threshold that is never crossed."""
    unit = Unit.RATIO if text.startswith("drift") else Unit.NUMBER
    figure = parse_figure(Severity.WARNING, "> 99%" if unit is Unit.RATIO else "> 1000", unit)
    return Threshold(text, parse_watch(text), unit, (figure,))


def known(baseline: Baseline, series: int) -> float:
    """Let `baseline` know eight weeks of so many series; return the seconds that took."""
    hours = [
        Hour(CHECK, START + (number - WEEKS * 168) * HOUR, 240, 0, 0, measures(number, series))
        for number in range(WEEKS * 168)
    ]
    began = time.process_time()
    for hour in hours:
        baseline.add(hour)
    return time.process_time() - began


def measures(number: int, series: int) -> tuple[HourMeasure, ...]:
    """Return what an hour summed up."""
    return tuple(HourMeasure("x", key(one), 240, 240.0 * (1 + (number + one) % 7), 0.5, 9.0) for one in range(series))


def judging(text: str, series: int) -> float:
    """Return the seconds of CPU that taking in and judging one sample of so many series takes."""
    one = threshold(text)
    history = History([one.watch])
    if one.watch.looks_back:
        known(history.past, series)
    samples = [
        Sample(CHECK, START + number * EVERY, EVERY, State.UP, measures=tuple(
            Measure("x", 3.0 + number % 5, key(label)) for label in range(series)
        ))
        for number in range(SAMPLES)
    ]  # fmt: skip
    began = time.process_time()
    for sample in samples:
        history.add(sample)
        judge(CHECK, one, history, sample, ())
    return (time.process_time() - began) / SAMPLES


def room(text: str, series: int) -> tuple[float, float]:
    """Return the bytes that the past of so many series takes, and the seconds of CPU to take it in."""
    history = History([parse_watch(text)])
    seconds = known(History([parse_watch(text)]).past, series)
    tracemalloc.start()
    known(history.past, series)
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return taken, seconds


def main() -> None:
    """Measure and print."""
    print(f"CPU to take in and judge a sample, median of {ROUNDS} rounds of {SAMPLES:,}")
    for text in WATCHES:
        costs = [median(judging(text, series) for _ in range(ROUNDS)) for series in (1, 10)]
        print(f"{text:24} {costs[0] * 1e6:7.1f} µs with one series {costs[1] * 1e6:7.1f} µs with ten")
    print(f"\na past of {WEEKS} weeks")
    for text in WATCHES[2:]:
        for series in (1, 10, 1_000):
            taken, seconds = room(text, series)
            print(f"{text:24} {series:5} series {taken / 1e3:10,.0f} kB {seconds * 1e3:8,.0f} ms to take in")


if __name__ == "__main__":
    main()
