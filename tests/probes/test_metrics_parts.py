"""The parts of kind `metrics` that wait for nobody: selectors, pages, who answered, quantiles, what is told."""

from __future__ import annotations

import asyncio
import math
import random
from contextlib import suppress
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as openmetrics
from prometheus_client.parser import text_string_to_metric_families

from monitor.model import Failure, Reason, State
from monitor.probes.metrics.computing import Result, combined, histogram_quantile
from monitor.probes.metrics.fields import Figure
from monitor.probes.metrics.instances import MOST, Instances, returns
from monitor.probes.metrics.noting import choose, filled, remark
from monitor.probes.metrics.page import LONGEST_LINE, MOST_SERIES, OPENMETRICS, PIECE, Page, Reader, Series, names_of
from monitor.probes.metrics.scrapes import TURN, Answer, Scrapes
from monitor.probes.metrics.selector import Selector
from monitor.units import Unit
from tests import promql
from tests.fakes import START

if TYPE_CHECKING:
    from collections.abc import Mapping

MINUTE = 60_000_000
INF = math.inf


@pytest.mark.parametrize(
    ("text", "labels", "meant"),
    [
        ("x", {}, True),
        ("x", {"a": "1"}, True),
        (' x { a = "1" , } ', {"a": "1"}, True),
        ("x{}", {"a": "1"}, True),
        ('x{a="1"}', {"a": "2"}, False),
        ('x{a="1"}', {}, False),
        ('x{a=""}', {}, True),
        ('x{a!="1"}', {}, True),
        ('x{a!="1"}', {"a": "1"}, False),
        ('x{a=~"5.."}', {"a": "503"}, True),
        ('x{a=~"5.."}', {"a": "5030"}, False),
        ('x{a=~"4..|5.."}', {"a": "1404"}, False),
        ('x{a!~"5.."}', {"a": "200"}, True),
        ('x{a!~"5.."}', {"a": "500"}, False),
        ('x{a=~".*"}', {}, True),
        ('x{a=~".+"}', {}, False),
        ('x{a=~"a.c"}', {"a": "a\nc"}, True),
        (r'x{a="\"\\\n"}', {"a": '"\\\n'}, True),
        (r'x{a=~"\\d+"}', {"a": "12"}, True),
        (r"x{a=~`\d+`}", {"a": "12"}, True),
        ("x{a='}'}", {"a": "}"}, True),
        ('x{a="1", b="2"}', {"a": "1", "b": "3"}, False),
    ],
)
def test_a_selector_selects_as_promql_does(text: str, labels: Mapping[str, str], meant: bool) -> None:
    assert Selector(text).fits(labels) is meant


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "selects no series"),
        ("1x", "selects no series"),
        ("rate(x[5m])", "selects no series"),
        ("x{a=1}", "no matcher"),
        ('x{a=="1"}', "no matcher"),
        ('x{a=~"("}', "not a regular expression"),
        (r'x{a=~"\d"}', "written twice"),
        ("x" * 2_000, "selects no series"),
    ],
)
def test_what_is_no_selector_says_why(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        Selector(text)


def test_two_selectors_of_one_text_are_equal() -> None:
    assert Selector("x ") == Selector("x")
    assert len({Selector("x"), Selector("x"), Selector("y")}) == 2
    assert repr(Selector('x{a="1"}')) == 'x{a="1"}'


async def read(text: str | bytes, *selectors: str, media_type: str = "text/plain") -> Page:
    body = text.encode() if isinstance(text, str) else text
    return await Reader([Selector(selector) for selector in selectors]).read(body, media_type, str)


def shown(page: Page) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {(series.name, series.labels): value for series, value in page.values.items()}


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("x 1", 1.0),
        ("x\t1", 1.0),
        ("  x   1  ", 1.0),
        ("x 1\r", 1.0),
        ("x 1 1700000000000", 1.0),
        ("x 1e3", 1000.0),
        ("x +Inf", INF),
        ("x -Inf", -INF),
        ("x{} 1", 1.0),
        ("x {} 1", 1.0),
        ('x{a=""} 1', 1.0),
    ],
)
async def test_a_line_is_read_however_it_is_written(line: str, value: float) -> None:
    assert shown(await read(f"y 2\n{line}\nz 3\n", "x")) == {("x", ()): value}


async def test_nan_is_a_value() -> None:
    assert math.isnan(shown(await read("x NaN\n", "x"))["x", ()])


@pytest.mark.parametrize("text", ["{", "}", '"', "\\", "\\n", " ", ",", "=", "#", "é\u2028", "a}b 2", '\\"'])
async def test_no_label_can_break_out_of_its_quotes(text: str) -> None:
    written = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    page = await read(f'x{{a="{written}",b="1"}} 5\n', "x")
    assert shown(page) == {("x", (("a", text), ("b", "1"))): 5.0}


async def test_exemplars_and_timestamps_are_passed_over() -> None:
    text = 'x_bucket{le="1.0"} 4 # {trace_id="}} 9"} 0.5 1700000000.1\nx_bucket{le="+Inf"} 5 1700000000\n# EOF\n'
    page = await read(text, "x_bucket", media_type=OPENMETRICS)
    assert sorted(page.values.values()) == [4.0, 5.0]


async def test_of_a_series_that_is_there_twice_the_first_counts() -> None:
    assert shown(await read('x{a="1"} 1\nx{a="1"} 2\n', "x")) == {("x", (("a", "1"),)): 1.0}


async def test_a_name_counts_as_there_when_only_its_type_is() -> None:
    """prometheus_client shows a counter with labels so, before it was used."""
    page = await read("# HELP x Things.\n# TYPE x histogram\n# TYPE y counter\n", "x_bucket", "y_total", "z")
    assert set(page.names) == {"x_bucket", "y_total"}
    assert not page.values


async def test_the_labels_that_any_series_of_a_name_carries() -> None:
    page = await read('x{a="1"} 1\nx{b="2"} 1\n', 'x{a="1"}')
    assert page.labels == {"x": {"a", "b"}}
    assert len(page.values) == 1


@pytest.mark.parametrize(
    ("body", "media_type", "reason"),
    [
        (b"<html>", "text/plain", Reason.BODY),
        (b"x 1\n", "text/html", Reason.BODY),
        (b"{}", "application/json", Reason.BODY),
        (b"x 1\n", OPENMETRICS, Reason.PROTOCOL),
        (b"x\n", "text/plain", Reason.PROTOCOL),
        (b"x one\n", "text/plain", Reason.PROTOCOL),
        (b"x 1_0\n", "text/plain", Reason.PROTOCOL),
        (b"x{a=1} 1\n", "text/plain", Reason.PROTOCOL),
        (b'x{a="1} 1\n', "text/plain", Reason.PROTOCOL),
        (b'x{a="1",a="2"} 1\n', "text/plain", Reason.PROTOCOL),
        (b'x{a="\xff"} 1\n', "text/plain", Reason.PROTOCOL),
        (b'x{a="' + b"y" * LONGEST_LINE + b'"} 1\n', "text/plain", Reason.PROTOCOL),
        (b"x{" + b"," * 100_000, "text/plain", Reason.PROTOCOL),
    ],
)
async def test_what_is_no_page_of_metrics_is_down(body: bytes, media_type: str, reason: Reason) -> None:
    with pytest.raises(Failure) as failure:
        await read(body, "x", media_type=media_type)
    assert (failure.value.reason, failure.value.state) == (reason, State.DOWN)


async def test_what_is_wrong_with_other_names_does_not_matter() -> None:
    assert shown(await read("y{{{ garbage\nx 1\nx_more one\nx_most\n", "x")) == {("x", ()): 1.0}


async def test_too_many_series_are_unknown() -> None:
    """A limit of ours is not the product's fault."""
    text = "".join(f'x{{a="{n}"}} 1\n' for n in range(MOST_SERIES + 1))
    with pytest.raises(Failure) as failure:
        await read(text, "x")
    assert failure.value.state is State.UNKNOWN
    assert "20,001 series" in failure.value.detail


async def test_names_for_whoever_mistyped_one() -> None:
    assert await names_of(b'# TYPE x counter\nx_total{a="1"} 1\ny 2\n\n') == ["x_total", "y"]


LABEL_VALUES = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\r\v\f\x1c\x1d\x1e\x85"), max_size=8
)


@given(st.dictionaries(LABEL_VALUES, st.floats(allow_nan=False), max_size=8), st.booleans())
def test_a_page_reads_as_the_official_parser_reads_it(values: dict[str, float], new: bool) -> None:
    """Whatever the labels and values, in both formats."""
    registry = CollectorRegistry()
    gauge = Gauge("x", "Any.", ["a"], registry=registry)
    for label, value in values.items():
        gauge.labels(label).set(value)
    body: bytes = (openmetrics if new else generate_latest)(registry)
    page = asyncio.run(read(body, "x", media_type=OPENMETRICS if new else "text/plain"))
    official = {
        (("a", sample.labels["a"]),) if sample.labels["a"] else (): sample.value
        for family in text_string_to_metric_families(generate_latest(registry).decode())
        for sample in family.samples
    }
    assert {labels: value for (_, labels), value in shown(page).items()} == official


async def test_counters_and_histograms_go_by_the_names_that_prometheus_gives_them() -> None:
    registry = CollectorRegistry()
    Counter("c", "Any.", registry=registry).inc(3)
    Histogram("h", "Any.", registry=registry, buckets=(1,)).observe(0.5)
    new: bytes = openmetrics(registry)  # type: ignore[no-untyped-call]
    for body, media_type in ((generate_latest(registry), "text/plain"), (new, OPENMETRICS)):
        page = await read(body, "c_total", "h_bucket", "h_count", media_type=media_type)
        assert shown(page) == {
            ("c_total", ()): 3.0,
            ("h_bucket", (("le", "1.0"),)): 1.0,
            ("h_bucket", (("le", "+Inf"),)): 1.0,
            ("h_count", ()): 1.0,
        }


async def test_a_large_page_leaves_others_their_turn() -> None:
    """At least one for each piece of a page, and more where series are met for the first time."""
    lines = "".join(f'x_bucket{{path="/things/{n}",le="0.5"}} {n}\n' for n in range(5_000))
    body = (lines * 3 + "# a comment, as long as any\n" * 20_000).encode()
    turns, reading = 0, True

    async def count() -> None:
        nonlocal turns
        while reading:
            turns += 1
            await asyncio.sleep(0)

    others = asyncio.create_task(count())
    reader = Reader([Selector('x_bucket{le="0.5"}')])
    await reader.read(body, "text/plain", str)
    first, turns = turns, 0
    await reader.read(body, "text/plain", str)
    reading = False
    await others
    assert turns >= len(body) // (PIECE + 100)
    assert first >= turns + 90


# Who answers


def answers(instances: Instances, *names: tuple[str, float | None], every: int = MINUTE // 4, start: int = 0) -> None:
    for number, (name, started) in enumerate(names):
        instances.answered(start + number * every, name, started, 0.0)


def made() -> Instances:
    return Instances(reach=5 * MINUTE, shortest=MINUTE)


def test_one_process_is_one() -> None:
    instances = made()
    answers(instances, *[("a", 0.0)] * 40)
    assert (instances.count, instances.apart) == (1, False)


def test_a_restart_is_no_second_process() -> None:
    instances = made()
    answers(instances, ("a", -900.0), ("a", -900.0), ("b", 40.0), ("b", 40.0))
    assert (instances.count, instances.apart) == (1, False)


def test_one_that_was_running_all_the_time_is_a_second_one_at_once() -> None:
    instances = made()
    answers(instances, ("a", -900.0), ("b", -800.0))
    assert (instances.count, instances.apart, instances.named) == (2, True, True)


def test_one_that_comes_back_is_a_second_one() -> None:
    """Where no header and no page says when it was started."""
    instances = made()
    answers(instances, ("a", None), ("b", None))
    assert not instances.apart
    answers(instances, ("a", None), start=MINUTE)
    assert (instances.count, instances.apart) == (2, True)


def test_a_deploy_of_one_by_one_ends_when_the_old_one_has_been_silent_for_the_longest_window() -> None:
    instances = made()
    answers(instances, ("a", -900.0), ("b", 14.0), ("a", -900.0), *[("b", 14.0)] * 18)
    assert instances.apart
    answers(instances, *[("b", 14.0)] * 6, start=5 * MINUTE)
    assert (instances.count, instances.apart) == (1, False)


def test_no_end_of_names_is_remembered() -> None:
    instances = Instances(reach=10**12, shortest=1)
    answers(instances, *[(str(n), None) for n in range(3 * MOST)])
    assert len(instances._seen) == MOST


@pytest.mark.parametrize(
    ("levels", "count"),
    [
        ([], 0),
        ([1, 2, 3], 0),
        ([100, 5, 20, 40, 60, 80, 100, 120], 0),  # a restart, and the same traffic as before
        ([100, 5, 50, 3, 40, 4, 39], 0),  # it crashes again and again
        ([100, 40, 103, 42, 105], 2),  # two in turns
        ([40, 100, 42, 44, 105, 47, 110], 2),
        ([100, 0, 500], 1),  # a burst after a restart
    ],
)
def test_without_names_counters_tell(levels: list[float], count: int) -> None:
    assert returns(levels) == count


@given(st.lists(st.floats(0, 100), min_size=2, max_size=60), st.integers(1, 58))
def test_one_process_that_restarts_once_is_never_several(steps: list[float], restart: int) -> None:
    level, levels = 0.0, []
    for number, step in enumerate(steps):
        level = step if number == restart else level + step
        levels.append(level)
    assert returns(levels) < 2


@given(st.lists(st.booleans(), min_size=30, max_size=60), st.floats(1_000, 1e6))
def test_two_that_answer_by_chance_are_told_without_names(turns: list[bool], apart: float) -> None:
    """As far as they come to answer in turns three times."""
    levels = [number + (apart if turn else 0.0) for number, turn in enumerate(turns)]
    changes = sum(one is True and two is False for one, two in pairwise(turns))
    assert returns(levels) >= min(changes - 1, 2)


# Quantiles


@pytest.mark.parametrize(
    ("buckets", "expected"),
    [
        ({0.1: 0, 0.5: 10, INF: 10}, 0.1 + 0.4 * 0.95),
        ({0.1: 10, INF: 10}, 0.095),
        ({0.1: 0, 0.5: 0, INF: 10}, 0.5),
        ({0.1: 10, 0.5: 5, INF: 10}, 0.095),  # a bucket that was read before its smaller one was written
        ({-1.0: 10, 0.0: 10, INF: 10}, -1.0),
        ({0.1: 0, INF: 0}, math.nan),
        ({INF: 10}, math.nan),
        ({0.1: 5, 0.5: 10}, math.nan),
        ({}, math.nan),
    ],
)
def test_a_quantile_of_a_histogram(buckets: dict[float, float], expected: float) -> None:
    assert histogram_quantile(0.95, buckets) == pytest.approx(expected, nan_ok=True)


@given(
    st.dictionaries(st.floats(0.001, 100), st.integers(0, 1000), min_size=1, max_size=8),
    st.floats(0.01, 0.98),
)
def test_a_quantile_lies_within_the_bounds_and_rises_with_its_share(counts: dict[float, int], share: float) -> None:
    buckets, total = {}, 0
    for bound in sorted(counts):
        total += counts[bound]
        buckets[bound] = float(total)
    buckets[INF] = float(total)
    low, high = histogram_quantile(share, buckets), histogram_quantile(share + 0.01, buckets)
    if not total:
        assert math.isnan(low)
        return
    assert 0 <= low <= max(counts) * (1 + 1e-9)
    assert low <= high * (1 + 1e-9)


@pytest.mark.parametrize(
    ("how", "values", "expected"),
    [
        ("sum", [1.0, 2.0], 3.0),
        ("avg", [1.0, 2.0], 1.5),
        ("max", [1.0, math.nan, 2.0], 2.0),
        ("min", [math.nan, 1.0], 1.0),
        ("max", [math.nan], math.nan),
        ("sum", [math.nan, 1.0], math.nan),
        ("sum", [INF, -INF], math.nan),
        ("sum", [1e308, 1e308], math.nan),
    ],
)
def test_several_series_are_made_one(how: str, values: list[float], expected: float) -> None:
    figure = Figure.model_validate({"value": "x", "combine": how})
    assert combined(figure.combining, values) == pytest.approx(expected, nan_ok=True)


# What is told

BY = Figure.model_validate({"rate": "x", "by": "path", "most": 3})


def test_the_biggest_are_told_and_the_others_counted() -> None:
    found = {
        name: Result(weight, weight) for name, weight in (("a", 1.0), ("b", 5.0), ("c", 3.0), ("d", 4.0), ("e", 0.0))
    }
    chosen = choose(BY, found, str)
    assert list(chosen.told) == ["b", "d", "c"]
    assert chosen.hidden == ["a", "e"]
    assert remark(BY, chosen, Unit.PER_SECOND) == (
        "b 5/s, d 4/s, c 3/s in 5 min; 2 further values of path are left out, which have less in them"
    )


def test_two_values_that_look_the_same_are_not_one() -> None:
    chosen = choose(BY, {"aa": Result(1.0, 1.0), "ab": Result(2.0, 2.0)}, lambda name: name[0])
    assert chosen.told == {"a": Result(2.0, 2.0)}
    assert chosen.hidden == ["a"]


@pytest.mark.parametrize(
    ("fields", "found", "expected"),
    [
        ({}, {}, {}),
        ({"empty": 2}, {}, {"": 2.0}),
        ({"empty": 2, "unit": "ms"}, {}, {"": 0.002}),
        ({"empty": 2}, {"": Result(1.0, 1.0)}, {"": 1.0}),
        ({"empty": 2}, {"": Result(math.nan, 1.0)}, {"": 2.0}),
        ({}, {"": Result(math.nan, 1.0)}, {}),
        ({}, {"": Result(INF, 1.0)}, {}),
        ({"empty": 2, "by": "path"}, {}, {}),
        ({"empty": 2, "by": "path"}, {"a": Result(math.nan, 0.0), "b": Result(1.0, 1.0)}, {"a": 2.0, "b": 1.0}),
    ],
)
def test_what_nothing_is(fields: dict[str, object], found: dict[str, Result], expected: dict[str, float]) -> None:
    figure = Figure.model_validate({"value": "x", **fields})
    assert {name: result.value for name, result in filled(figure, found).items()} == pytest.approx(expected)


def test_a_remark_without_anything_to_say_is_none() -> None:
    figure = Figure.model_validate("x")
    assert remark(figure, choose(figure, {"": Result(1.0, 1.0)}, str), Unit.NUMBER) == ""


def test_the_choice_does_not_depend_on_the_order() -> None:
    names = [str(n) for n in range(20)]
    found = {name: Result(1.0, 1.0) for name in names}
    random.Random(1).shuffle(names)
    assert choose(BY, found, str).told == choose(BY, {name: found[name] for name in names}, str).told


# What is remembered

SECONDS = timedelta(seconds=1)


def counters(*values: float) -> dict[Series, float]:
    return {Series("x", (("n", str(n)),), (1,)): value for n, value in enumerate(values)}


async def grown(scrapes: Scrapes, window: int = 100) -> list[float]:
    return [each.increase async for each in scrapes.increases(1, window * SECONDS)]


async def added(scrapes: Scrapes, second: int, values: dict[Series, float]) -> None:
    await scrapes.add(START + second * SECONDS, values, Answer("", None))


@pytest.mark.parametrize("turns", range(12))
async def test_a_scrape_that_is_cut_off_leaves_no_trace(turns: int) -> None:
    """The deadline may come at any moment while thousands of series are taken in."""
    count = 3 * TURN
    scrapes = Scrapes([1], [100 * SECONDS], from_zero=True)
    for second in (0, 10):
        await added(scrapes, second, counters(*[1_000.0 + second] * count))
    cut = asyncio.create_task(added(scrapes, 20, counters(*[9_999.0] * (count + TURN))))
    for _ in range(turns):
        await asyncio.sleep(0)
    cut.cancel()
    with suppress(asyncio.CancelledError):
        await cut
    await added(scrapes, 30, counters(*[1_030.0] * count))
    found = await grown(scrapes)
    assert len(found) in {count, count + TURN}
    without, taken = 30 * 37.5 / 30, (30 + 9_999) * 35 / 30
    (increase,) = {round(increase, 6) for increase in found[:count]}
    assert increase in {without, taken}


@given(
    st.lists(st.tuples(st.integers(1, 30), st.none() | st.integers(0, 50)), min_size=2, max_size=20),
    st.integers(5, 200),
)
def test_what_is_remembered_is_what_promql_sees(steps: list[tuple[int, int | None]], window: int) -> None:
    """A counter that grows, falls, and is missing at times, scraped at any pace."""

    async def prove() -> None:
        scrapes = Scrapes([1], [window * SECONDS], from_zero=False)
        at, points = 0, []
        for gap, value in steps:
            at += gap
            await added(scrapes, at, {} if value is None else counters(float(value)))
            if value is not None:
                points.append((at * 1000, float(value)))
            seen = promql.select(points, at * 1000, window * 1000)
            expected = [promql.increase(seen, at * 1000, window * 1000)] if len(seen) > 1 else []
            assert await grown(scrapes, window) == pytest.approx(expected)

    asyncio.run(prove())
