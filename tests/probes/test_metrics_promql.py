"""The figures of kind `metrics` against a real Prometheus: thousands of results of the same scrapes are the same."""

from __future__ import annotations

import math
import random
import re
import subprocess
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

import pytest

from monitor.model import CheckId, State
from monitor.probes import load_kind
from monitor.probes.base import observe
from monitor.units import parse_duration
from tests import promql
from tests.acceptance.process import program
from tests.fakes import FakeClock
from tests.probes.pages import serving

if TYPE_CHECKING:
    from pathlib import Path

    from monitor.model import Sample
    from monitor.probes.base import Check, Resources

CHECK = CheckId("shop", "app")
EVERY, SCRAPES = 7, 60
WINDOWS = (20, 45, 121)
"""Seconds; no scrape lies on the edge of any, where Prometheus 2 and 3 differ."""
BOUNDS = ("0.1", "0.5", "1.0", "+Inf")
SHARE = 0.937
ERRORS = 'sum by (endpoint) (rate(http_requests_total{status=~"5.."}[W]))'
REQUESTS = "sum by (endpoint) (rate(http_requests_total[W]))"
FIGURES: dict[str, tuple[dict[str, object], str]] = {
    "rate": (
        {"rate": 'http_requests_total{status=~"2..|3.."}', "by": "endpoint"},
        'sum by (endpoint) (rate(http_requests_total{status=~"2..|3.."}[W]))',
    ),
    "increase": (
        {"increase": 'http_requests_total{endpoint!="/b"}'},
        'sum (increase(http_requests_total{endpoint!="/b"}[W]))',
    ),
    "ratio": (
        {"ratio": 'http_requests_total{status=~"5.."}', "of": "http_requests_total", "by": "endpoint"},
        f"({ERRORS} or {REQUESTS} * 0) / {REQUESTS}",
    ),
    "quantile": (
        {"quantile": SHARE, "histogram": "http_request_duration_seconds"},
        f"histogram_quantile({SHARE}, sum by (le) (rate(http_request_duration_seconds_bucket[W])))",
    ),
    "quantile_by": (
        {"quantile": SHARE, "histogram": "http_request_duration_seconds", "by": "endpoint"},
        f"histogram_quantile({SHARE}, sum by (le, endpoint) (rate(http_request_duration_seconds_bucket[W])))",
    ),
}
EXPRESSIONS = {
    f"{name}_{window}": expression.replace("W", f"{window}s")
    for name, (_, expression) in FIGURES.items()
    for window in WINDOWS
}


class Told(NamedTuple):
    """What the application shows at one moment: its series, None where it does not answer."""

    at: int
    started: int
    series: dict[str, float] | None

    @property
    def page(self) -> str:
        shown = {"process_start_time_seconds": FakeClock().now().timestamp() + self.started, **(self.series or {})}
        return "".join(f"{name} {value!r}\n" for name, value in shown.items())


def a_life(chance: random.Random) -> list[Told]:
    """Return what an application shows: traffic in bursts, restarts, single resets, series that come late and go."""
    started, life = 0, []
    counts: dict[str, float] = {}
    hidden: dict[str, int] = {}
    for number in range(SCRAPES):
        at = number * EVERY
        if chance.random() < 0.06:
            started, counts = at, {}
        serve_some(counts, chance)
        for name in list(counts):
            if chance.random() < 0.01 and "bucket" not in name:
                counts[name] = float(chance.randrange(5))
            if chance.random() < 0.01:
                hidden[name] = at + chance.randrange(20, 200)
        there = {name: value for name, value in counts.items() if hidden.get(name, 0) <= at}
        life.append(Told(at, started, there if chance.random() < 0.93 else None))
    return life


def serve_some(counts: dict[str, float], chance: random.Random) -> None:
    for endpoint in ("/a", "/b", "/c"):
        for status in ("200", "301", "500"):
            if chance.random() < 0.6:
                name = f'http_requests_total{{endpoint="{endpoint}",status="{status}"}}'
                counts[name] = counts.get(name, 0.0) + chance.randrange(40)
        observe_some(counts, endpoint, chance)


def observe_some(counts: dict[str, float], endpoint: str, chance: random.Random) -> None:
    for index, many in enumerate(chance.randrange(30) for _ in BOUNDS):
        for bound in BOUNDS[index:]:
            name = f'http_request_duration_seconds_bucket{{endpoint="{endpoint}",le="{bound}"}}'
            counts[name] = counts.get(name, 0.0) + many


def points_of(life: list[Told]) -> dict[str, list[tuple[int, float]]]:
    found: dict[str, list[tuple[int, float]]] = {}
    for told in life:
        for name, value in (told.series or {}).items():
            found.setdefault(name, []).append((told.at * 1000, value))
    return found


def asked(promtool: str, folder: Path, life: list[Told]) -> dict[tuple[str, int], dict[str, float]]:
    """Return what Prometheus answers, by expression and second, then by endpoint.

    promtool tells only what differs from what is expected, so nothing is expected.
    """
    lines = ["evaluation_interval: 1s", "tests:", "  - interval: 1s", "    input_series:"]
    for name, points in points_of(life).items():
        values = {at // 1000: value for at, value in points}
        written = " ".join(repr(values[second]) if second in values else "_" for second in range(SCRAPES * EVERY))
        lines.append(f"""      - {{series: '{name}', values: "{written}"}}""")
    lines.append("    promql_expr_test:")
    for expression in EXPRESSIONS.values():
        lines += [f"""      - {{expr: '{expression}', eval_time: {told.at}s}}""" for told in life if told.series]
    file = folder / "rules.yml"
    file.write_text("\n".join(lines))
    run = subprocess.run([promtool, "test", "rules", str(file)], capture_output=True, text=True, check=False)
    answers = {}
    for expression, moment, got in re.findall(
        r'expr: "(.*?)", time: (\S+),\s+exp: \S+\s+got: (.*)', run.stdout + run.stderr
    ):
        at = parse_duration(moment) // timedelta(seconds=1)
        plain = expression.replace('\\"', '"')
        found = re.findall(r'\{(?:endpoint="(.*?)")?\} ([^,\s]+)', got)
        answers[plain, at] = {endpoint: float(value) for endpoint, value in found}
    assert answers, run.stdout + run.stderr
    return answers


def check_of(port: int) -> Check:
    values = {
        f"{name}_{window}": {**fields, "window": f"{window}s"}
        for name, (fields, _) in FIGURES.items()
        for window in WINDOWS
    }
    return load_kind("metrics").model_validate(
        {"kind": "metrics", "url": f"http://127.0.0.1:{port}/metrics", "every": f"{EVERY}s", "values": values}
    )


async def ours(life: list[Told], resources: Resources) -> dict[int, Sample]:
    """Return what the real probe finds at each scrape."""
    clock, found = FakeClock(), {}
    async with serving() as pages:
        check = check_of(pages.port)
        for told in life:
            pages.status = 200 if told.series is not None else 503
            pages.text = told.page
            found[told.at] = await observe(CHECK, check, resources, clock)
            await clock.advance(timedelta(seconds=EVERY))
    return found


def disputed(name: str, at: int, points: dict[str, list[tuple[int, float]]]) -> bool:
    """Return whether Prometheus before 2.51 extrapolates any counter of this window in another way than after."""
    window = int(name.rpartition("_")[2]) * 1000
    for each in points.values():
        seen = promql.select(each, at * 1000, window)
        if len(seen) > 1:
            old, new = (promql.increase(seen, at * 1000, window, before_2_51=before) for before in (True, False))
            if old != new:
                return True
    return False


def before_2_51(promtool: str) -> bool:
    version = subprocess.run([promtool, "--version"], capture_output=True, text=True, check=True)
    ((major, minor),) = re.findall(r"^promtool, version (\d+)\.(\d+)", version.stdout + version.stderr)
    return (int(major), int(minor)) < (2, 51)


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_the_figures_are_those_of_a_real_prometheus(seed: int, resources: Resources, tmp_path: Path) -> None:
    """Over restarts, resets, gaps, and series that vanish and come back; what is told at all is the same."""
    promtool = program("promtool", "prometheus")
    old = before_2_51(promtool)
    life = a_life(random.Random(seed))
    points, answers, found = points_of(life), asked(promtool, tmp_path, life), await ours(life, resources)
    compared = dict.fromkeys(FIGURES, 0)
    for told in life[20:]:
        if told.series is None:
            assert found[told.at].state is State.DOWN
            continue
        for name, expression in EXPRESSIONS.items():
            if old and disputed(name, told.at, points):
                continue
            compared[name.rpartition("_")[0]] += agreed(name, found[told.at], answers.get((expression, told.at), {}))
    assert min(compared.values()) > 60, compared
    assert sum(compared.values()) > 800, compared


def agreed(name: str, sample: Sample, answer: dict[str, float]) -> int:
    """Return how many results there are, after each was seen to be the same as Prometheus'."""
    mine = {
        "".join(value for _, value in measure.labels): measure.value
        for measure in sample.measures
        if measure.name == name
    }
    if not mine and name in sample.unmeasured:
        return 0
    expected = {endpoint: value for endpoint, value in answer.items() if math.isfinite(value)}
    assert mine.keys() == expected.keys(), (name, sample.at, sample.detail)
    for endpoint, value in mine.items():
        assert math.isclose(value, expected[endpoint], rel_tol=1e-9, abs_tol=1e-9), (name, sample.at, endpoint)
    return len(mine)
