"""The reference and the product against a real Prometheus, and the reference against results worked out by hand."""

from __future__ import annotations

import math
import os
import random
import re
import shutil
import subprocess
from datetime import timedelta
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

import pytest

from monitor.history import EPOCH, History
from monitor.model import CheckId, Measure, Sample, State
from monitor.units import parse_duration
from monitor.watch import parse_watch
from tests import promql

if TYPE_CHECKING:
    from pathlib import Path

    from tests.promql import Points

INSTALL = "needs promtool: apt-get install prometheus"
RANGES = {
    "avg": "avg_over_time(m[{0}])",
    "min": "min_over_time(m[{0}])",
    "max": "max_over_time(m[{0}])",
    "sum": "sum_over_time(m[{0}])",
    "p50": "quantile_over_time(0.5, m[{0}])",
    "p95": "quantile_over_time(0.95, m[{0}])",
    "rate": "rate(m[{0}])",
    "increase": "increase(m[{0}])",
}
MOMENTS = (30_500, 61_500, 140_500, 275_500)
WINDOWS = (20, 45, 120)
LENGTH = 300


class Query(NamedTuple):
    """One question to Prometheus."""

    function: str
    window: int
    at: int

    @property
    def expression(self) -> str:
        return RANGES[self.function].format(f"{self.window}s")


QUERIES = [Query(function, window, at) for function in RANGES for window in WINDOWS for at in MOMENTS]


@pytest.fixture
def promtool() -> str:
    """Return where promtool is; skip where it is not, but never in CI."""
    found = shutil.which("promtool")
    if found is None and os.environ.get("CI") == "true":
        pytest.fail(INSTALL)
    if found is None:
        pytest.skip(INSTALL)
    return found


def a_series(chance: random.Random) -> Points:
    """Return values at whole seconds: gauges and counters, with resets, gaps of any length and numbers of any size."""
    shown = chance.choice((1.0, 0.9, 0.5, 0.1))
    step = chance.choice((1, 2, 7, 15))
    counter, size, value = chance.random() < 0.6, chance.choice((1e-6, 1.0, 1e9)), chance.choice((0.0, 3.0, 1e4))
    points = []
    for second in range(0, LENGTH, step):
        value = value + chance.random() * size if counter else chance.uniform(-size, size)
        if counter and chance.random() < 0.05:
            value = chance.random() * size
        if chance.random() < shown:
            points.append((second * 1000, value))
    return points


def written(points: Points) -> str:
    """Return `points` in promtool's notation, `_` where a second has none."""
    values = dict(points)
    return " ".join(repr(values[second * 1000]) if second * 1000 in values else "_" for second in range(LENGTH))


def asked(promtool: str, folder: Path, all_series: list[Points]) -> dict[tuple[str, int], dict[int, float]]:
    """Return what Prometheus answers: by expression and moment, then by series.

    promtool only tells results that differ from the expected ones, so nothing is expected. Its windows were closed on
    the left before Prometheus 3, so the moments lie half a second beside the values. It loads values up to its last
    evaluation interval only, hence the short one.
    """
    lines = ["evaluation_interval: 1s", "tests:", "  - interval: 1s", "    input_series:"]
    lines += [
        f"""      - {{series: 'm{{s="{n}"}}', values: "{written(points)}"}}""" for n, points in enumerate(all_series)
    ]
    lines += ["    promql_expr_test:"]
    lines += [f"""      - {{expr: "{query.expression}", eval_time: {query.at}ms}}""" for query in QUERIES]
    file = folder / "rules.yml"
    file.write_text("\n".join(lines))
    run = subprocess.run(
        [promtool, "test", "rules", str(file)], capture_output=True, text=True, check=False, timeout=60
    )
    answers = {}
    for expression, moment, got in re.findall(
        r'expr: "(.*?)", time: (\S+),\s+exp: \S+\s+got: (.*)', run.stdout + run.stderr
    ):
        at = parse_duration(moment) // timedelta(milliseconds=1)
        answers[expression, at] = {int(n): float(value) for n, value in re.findall(r'\{s="(\d+)"\} ([^,\s]+)', got)}
    return answers


def ours(query: Query, points: Points) -> float | None:
    """Return what the product reads at that moment, None when there is no such series."""
    watch = parse_watch(f"{query.function}(m, {query.window}s)")
    history = History([watch])
    for moment, value in points:
        if moment <= query.at:
            history.add(a_sample(moment, Measure("m", value)))
    history.add(a_sample(query.at))
    return history.read(watch).get(())


def a_sample(moment: int, *measures: Measure) -> Sample:
    at = EPOCH + timedelta(milliseconds=moment)
    return Sample(CheckId("shop", "site"), at, timedelta(), State.UP, measures=measures)


def test_the_reference_and_the_product_agree_with_a_real_prometheus(promtool: str, tmp_path: Path) -> None:
    """Thousands of results over gauges and counters with gaps and resets are the same in all three."""
    version = subprocess.run([promtool, "--version"], capture_output=True, text=True, check=True)
    ((major, minor),) = re.findall(r"^promtool, version (\d+)\.(\d+)", version.stdout + version.stderr)
    old = (int(major), int(minor)) < (2, 51)
    chance = random.Random(20_261_121)
    all_series = [a_series(chance) for _ in range(40)]
    answers = asked(promtool, tmp_path, all_series)
    compared = judged = 0
    for query in QUERIES:
        answer = answers.get((query.expression, query.at), {})
        for number, points in enumerate(all_series):
            window = promql.select(points, query.at, query.window * 1000)
            expected = reference(query, window, before_2_51=old)
            assert (number in answer) is (expected is not None), (query, window)
            if expected is None:
                continue
            compared += 1
            assert promql.same(answer[number], expected, window), (query, window)
            mine = ours(query, points)
            assert mine is not None
            if reference(query, window, before_2_51=False) == expected and not math.isnan(mine):
                judged += 1
                assert promql.same(mine, answer[number], window), (query, window)
    assert compared > 3_000
    assert judged > 2_500


def reference(query: Query, window: Points, *, before_2_51: bool) -> float | None:
    """Return what the reference says for `query` over the points of its window, None where PromQL says nothing."""
    if query.function in {"rate", "increase"}:
        function = promql.rate if query.function == "rate" else promql.increase
        return function(window, query.at, query.window * 1000, before_2_51=before_2_51) if len(window) > 1 else None
    if not window:
        return None
    if query.function.startswith("p"):
        return promql.quantile_over_time(Fraction(query.function[1:]) / 100, window)
    return promql.read(query.function, window, query.at, query.window * 1000)


def test_the_increase_of_a_steady_counter_reaches_both_edges() -> None:
    """One a second from 10 on, seen every 10 s: 60 in a minute, although only 50 lie between the first and the last."""
    points = [(second * 1000, 10.0 + second) for second in range(5, 60, 10)]
    assert promql.increase(points, 60_000, 60_000) == pytest.approx(60)


def test_a_counter_that_began_in_the_window_is_not_extended_below_zero() -> None:
    points = [(10_000, 1.0), (20_000, 11.0), (30_000, 21.0)]
    assert promql.increase(points, 30_000, 30_000) == pytest.approx(21)


def test_after_a_gap_only_half_an_interval_is_added() -> None:
    points = [(10_000, 100.0), (20_000, 110.0), (30_000, 120.0)]
    assert promql.increase(points, 60_000, 50_500) == pytest.approx(20 + 0.5 + 5)


def test_a_reset_counts_from_zero() -> None:
    points = [(0, 100.0), (10_000, 110.0), (20_000, 5.0), (30_000, 15.0)]
    assert promql.increase(points, 30_000, 30_001) == pytest.approx(25, rel=1e-3)


def test_a_quantile_lies_between_its_neighbours() -> None:
    points = [(n, float(n)) for n in range(1, 12)]
    assert promql.quantile_over_time(Fraction("0.95"), points) == pytest.approx(10.5)


def test_the_window_is_open_on_the_left_and_closed_on_the_right() -> None:
    assert promql.select([(0, 1.0), (1, 2.0), (10, 3.0), (11, 4.0)], 10, 10) == [(1, 2.0), (10, 3.0)]
