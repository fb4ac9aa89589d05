"""The grammar of watches and figures: what it takes, what it means, and what it says of what it does not take."""

from __future__ import annotations

import math
from datetime import timedelta
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.model import Severity, labels
from monitor.units import Unit, parse_duration
from monitor.watch import (
    COMPARISONS,
    Function,
    Watch,
    parse_figure,
    parse_watch,
    result_unit,
    settled,
    values_needed,
)

if TYPE_CHECKING:
    from random import Random

FUNCTIONS = (
    "functions are avg, min, max, sum, rate, increase, change, usual, drift, unseen"
    " and p50, p95, p99, p99.9 and the like"
)
NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)
SELECTIONS = st.dictionaries(NAMES, st.text(max_size=8), max_size=4)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("duration", Watch("duration", Function.LAST, "duration")),
        ("x{}", Watch("x{}", Function.LAST, "x")),
        (" size ", Watch("size", Function.LAST, "size")),
        ("avg(x, 5m)", Watch("avg(x, 5m)", Function.AVG, "x", window=timedelta(minutes=5))),
        ("max ( x ,1h30m )", Watch("max ( x ,1h30m )", Function.MAX, "x", window=timedelta(minutes=90))),
        ("p95(x, 5m)", Watch("p95(x, 5m)", Function.QUANTILE, "x", window=timedelta(minutes=5), quantile=0.95)),
        ("p99.9(x, 1d)", Watch("p99.9(x, 1d)", Function.QUANTILE, "x", window=timedelta(days=1), quantile=0.999)),
        ("p5(x, 1d)", Watch("p5(x, 1d)", Function.QUANTILE, "x", window=timedelta(days=1), quantile=0.05)),
        ("p95", Watch("p95", Function.LAST, "p95")),
    ],
)
def test_a_watch_is_a_measure_or_a_function_over_a_window(text: str, expected: Watch) -> None:
    assert parse_watch(text) == expected


@pytest.mark.parametrize("function", ["avg", "min", "max", "sum", "rate", "increase", "change"])
def test_each_function_is_known_by_its_name(function: str) -> None:
    assert parse_watch(f"{function}(x, 5m)").function == function


@pytest.mark.parametrize(
    ("text", "inner", "window", "by", "least"),
    [
        ("usual(x, 1h)", Function.AVG, "1h", "", ""),
        (" usual ( x , 30m ) ", Function.AVG, "30m", "", ""),
        ("usual(x, 1h, 10)", Function.AVG, "1h", "", "10"),
        ("usual(rate(x, 1h))", Function.RATE, "1h", "", ""),
        ("usual(rate( x , 5m ), 0.1/s)", Function.RATE, "5m", "", "0.1/s"),
        ("drift(x, 1d)", Function.SUM, "1d", "", ""),
        ("drift(x by type, 7d)", Function.SUM, "7d", "type", ""),
        ("drift(x by\n type, 7d, 100)", Function.SUM, "7d", "type", "100"),
        ("drift(rate(x, 1d) by type)", Function.INCREASE, "1d", "type", ""),
        ("drift(rate(x, 1d)by type, 5)", Function.INCREASE, "1d", "type", "5"),
        ("unseen(x)", None, "1h", "", ""),
        ("unseen(x by type)", None, "1h", "type", ""),
        ("unseen(x by type, 14d)", None, "14d", "type", ""),
    ],
)
def test_a_watch_that_looks_back_says_what_it_compares(
    text: str, inner: Function | None, window: str, by: str, least: str
) -> None:
    watch = parse_watch(text)
    assert watch.looks_back
    assert (watch.measure, watch.window, watch.by, watch.least) == ("x", parse_duration(window), by, least)
    assert (watch.inner.function if watch.inner else None) is inner
    assert watch.inner is None or (watch.inner.window, watch.inner.looks_back) == (watch.window, False)


@pytest.mark.parametrize(
    "text",
    [
        'usual(x{a="1,)}", b!="(5m by y"}, 1h, 3)',
        'usual(rate(x{a="1,)}", b!="(5m by y"}, 1h), 3)',
        'drift(x{a="1,)}", b!="(5m by y"} by type, 1h, 3)',
        'drift(rate(x{a="1,)}", b!="(5m by y"}, 1h) by type)',
        """unseen(x{a='1,)}', b!='(5m by y'}by type, 1h)""",
        """unseen(x{a='1,)}', b!='(5m by y'})""",
    ],
)
def test_a_selection_with_anything_in_it_stands_wherever_a_measure_does(text: str) -> None:
    watch = parse_watch(text)
    assert (watch.measure, watch.selection, watch.exclusion) == ("x", (("a", "1,)}"),), (("b", "(5m by y"),))
    assert watch.inner is None or watch.inner.selects(labels({"a": "1,)}"}))


def test_series_are_told_apart_by_all_their_labels_or_by_one() -> None:
    series = labels({"shop": "a", "type": "paid"})
    assert parse_watch("unseen(x)").group(series) == series
    assert parse_watch("unseen(x by type)").group(series) == labels({"type": "paid"})
    assert parse_watch("unseen(x by other)").group(series) == labels({"other": ""})


@pytest.mark.parametrize(
    ("text", "unit", "floor"),
    [
        ("usual(x, 1h)", Unit.SECONDS, 0.0),
        ("usual(x, 1h, 100ms)", Unit.SECONDS, 0.1),
        ("usual(x, 1h, 5)", Unit.NUMBER, 5.0),
        ("usual(rate(x, 1h), 1MB/s)", Unit.BYTES, 1e6),
        ("drift(rate(x, 1h), 1MB)", Unit.BYTES, 1e6),
        ("drift(x, 1h, 50)", Unit.NUMBER, 50.0),
        ("unseen(x)", Unit.NUMBER, 0.0),
    ],
)
def test_the_least_amount_is_in_the_unit_of_what_is_compared(text: str, unit: Unit, floor: float) -> None:
    assert settled(parse_watch(text), unit).floor == floor


@pytest.mark.parametrize(
    ("text", "unit", "message"),
    [
        ("usual(x, 1h, 100)", Unit.SECONDS, "needs a unit such as 100ms"),
        ("usual(x, 1h, 1MB)", Unit.NUMBER, "'1MB' is not a plain number"),
        ("usual(x, 1h, 0)", Unit.NUMBER, "the least that is compared must be more than 0"),
        ("drift(x, 1h, -5)", Unit.NUMBER, "the least that is compared must be more than 0"),
    ],
)
def test_a_fault_in_the_least_amount_says_what_is_allowed(text: str, unit: Unit, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        settled(parse_watch(text), unit)


@pytest.mark.parametrize(
    ("text", "selection", "exclusion"),
    [
        ('x{state="idle in transaction"}', {"state": "idle in transaction"}, ()),
        ("x{state='idle'}", {"state": "idle"}, ()),
        ('x{ a = "1" , b!="2", }', {"a": "1"}, (("b", "2"),)),
        ('x{b!="2",b!="1"}', {}, (("b", "1"), ("b", "2"))),
        (r'x{a="say \"no\" \\ \n"}', {"a": 'say "no" \\ \n'}, ()),
        ('max(x{a="1,)}", b="(5m"}, 5m)', {"a": "1,)}", "b": "(5m"}, ()),
    ],
)
def test_a_selection_takes_quoted_texts_with_anything_in_them(
    text: str, selection: dict[str, str], exclusion: tuple[tuple[str, str], ...]
) -> None:
    watch = parse_watch(text)
    assert (watch.measure, watch.selection, watch.exclusion) == ("x", labels(selection), exclusion)


@given(SELECTIONS, SELECTIONS, st.randoms(use_true_random=False))
def test_the_order_of_labels_changes_nothing_and_no_text_is_lost(
    wanted: dict[str, str], unwanted: dict[str, str], chance: Random
) -> None:
    """Written in any order and with any text, the same selection comes out."""
    parts = [f"{name}={quoted(value)}" for name, value in wanted.items()]
    parts += [f"{name}!={quoted(value)}" for name, value in unwanted.items()]
    chance.shuffle(parts)
    watch = parse_watch(f"max(x{{{', '.join(parts)}}}, 5m)")
    assert watch.selection == labels(wanted)
    assert watch.exclusion == labels(unwanted)


def quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


@pytest.mark.parametrize(
    ("text", "series", "selects"),
    [
        ("x", {"a": "1"}, True),
        ('x{a="1"}', {"a": "1", "b": "2"}, True),
        ('x{a="1"}', {"a": "2"}, False),
        ('x{a="1"}', {}, False),
        ('x{a=""}', {"b": "1"}, True),
        ('x{a!="1"}', {"a": "1"}, False),
        ('x{a!="1"}', {}, True),
        ('x{a!=""}', {}, False),
        ('x{a="1", b!="2"}', {"a": "1", "b": "2"}, False),
        ('x{a="1", b!="2"}', {"a": "1", "b": "3"}, True),
    ],
)
def test_a_label_that_is_absent_counts_as_empty(text: str, series: dict[str, str], selects: bool) -> None:
    assert parse_watch(text).selects(labels(series)) is selects


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("p95(duration)", "'p95(duration)' lacks a window: write p95(duration, 5m)"),
        ("avg()", "'avg()' lacks a window: write avg(measure, 5m)"),
        ('p95(x{a="b, 5m"})', """'p95(x{a="b, 5m"})' lacks a window: write p95(x{a="b, 5m"}, 5m)"""),
        ("rate(x[5m])", "'rate(x[5m])': write rate(x, 5m)"),
        ('rate(x{a="1"}[5m])', """'rate(x{a="1"}[5m])': write rate(x{a="1"}, 5m)"""),
        ("count(x, 5m)", f"'count(x, 5m)': 'count' is no function; {FUNCTIONS}"),
        ("p100(x, 5m)", f"'p100(x, 5m)': 'p100' is no function; {FUNCTIONS}; p100 is max"),
        ("p0(x, 5m)", f"'p0(x, 5m)': 'p0' is no function; {FUNCTIONS}; p0 is min"),
        ("p0.0(x, 5m)", f"'p0.0(x, 5m)': 'p0.0' is no function; {FUNCTIONS}"),
        ("last(x, 5m)", f"'last(x, 5m)': 'last' is no function; {FUNCTIONS}"),
        ("avg(x, 5)", "'avg(x, 5)': the window '5' is not a duration such as 300ms, 30s, 5m, 1h30m or 2d"),
        ("max(x, 0s)", "'max(x, 0s)': a window is longer than 0 and at most 14d, for which samples are kept"),
        ("max(x, 15d)", "'max(x, 15d)': a window is longer than 0 and at most 14d, for which samples are kept"),
        ("", f"'' is no measure, measure{{label=\"text\"}} or function(measure, window); {FUNCTIONS}"),
        ("x{", f"'x{{' is no measure, measure{{label=\"text\"}} or function(measure, window); {FUNCTIONS}"),
        ("x > 5", f"'x > 5' is no measure, measure{{label=\"text\"}} or function(measure, window); {FUNCTIONS}"),
        ('x{a=~"b"}', """'x{a=~"b"}': 'a=~"b"' is no label selection such as state="idle" or state!="idle\""""),
        ("x{a=b}", """'x{a=b}': 'a=b' is no label selection such as state="idle" or state!="idle\""""),
        ('x{a="1" b="2"}', """: 'a="1" b="2"' is no label selection such as state="idle" or state!="idle\""""),
        ('x{a="1",a="2"}', """'x{a="1",a="2"}': a cannot have two values at once"""),
        ("usual(x)", "'usual(x)': write usual(measure, 1h), usual(measure, 1h, least) or usual(rate(counter, 1h))"),
        ("usual(x, 1h, 2, 3)", "write usual(measure, 1h), usual(measure, 1h, least) or usual(rate(counter, 1h))"),
        ("usual(rate(x), 1h)", "write usual(measure, 1h), usual(measure, 1h, least) or usual(rate(counter, 1h))"),
        ("usual(max(x, 1h))", "write usual(measure, 1h), usual(measure, 1h, least) or usual(rate(counter, 1h))"),
        ("usual(x, 1h,)", "write usual(measure, 1h), usual(measure, 1h, least) or usual(rate(counter, 1h))"),
        ("usual(x by y, 1h)", "'usual(x by y, 1h)': usual judges each series by itself, and knows no by"),
        ("usual(x, 25h)", "'usual(x, 25h)': usual compares hours of the week, so its window is at most 1d"),
        ("usual(x, 0s)", "'usual(x, 0s)': a window is longer than 0 and at most 14d, for which samples are kept"),
        ("usual(x{a=, 1h)", "write usual(measure, 1h), usual(measure, 1h, least) or usual(rate(counter, 1h))"),
        ("drift(x by y)", "write drift(measure by label, 1d), drift(measure by label, 1d, least) or drift(rate("),
        ("drift(rate(x by y, 1d))", "'drift(rate(x by y, 1d))' is no measure"),
        ("drift(x by, 1d)", "'drift(x by, 1d)' is no measure"),
        ("unseen()", "'unseen()' is no measure"),
        ("unseen(x,)", "'unseen(x,)': write unseen(measure by label) or unseen(measure by label, 1h)"),
        ("unseen(x, 1h, 5)", "write unseen(measure by label) or unseen(measure by label, 1h)"),
        ("unseen(rate(x, 1h))", "'unseen(rate(x, 1h))' is no measure"),
        ("avg(x by y, 5m)", "'avg(x by y, 5m)' is no measure"),
        ("avg(max(x, 5m), 5m)", "is no measure"),
        ("avg(x, 5m) > 3", "is no measure"),
    ],
)
def test_a_fault_in_a_watch_says_what_is_allowed(text: str, message: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the message is compared whole
        parse_watch(text)
    assert message in str(caught.value)


@given(
    st.text(alphabet="pavgx95(){}[]=!~\"',5m \\\n", max_size=30)
    | st.lists(
        st.sampled_from(
            ["usual", "drift", "unseen", "rate", "(", ")", ",", " by ", "x", "1h", "10", '{a="b"}', "{", '"', " "]
        ),
        max_size=14,
    ).map("".join)
)
def test_no_text_is_anything_but_a_watch_or_a_value_error(text: str) -> None:
    try:
        watch = parse_watch(text)
    except ValueError as error:
        message = str(error)
        assert message
    else:
        assert watch.measure
        assert (watch.window > timedelta()) is (watch.function is not Function.LAST)


@pytest.mark.parametrize(
    ("text", "unit", "comparison", "value"),
    [
        ("> 300ms", Unit.SECONDS, ">", 0.3),
        (">=300 ms\n", Unit.SECONDS, ">=", 0.3),
        ("< 14d", Unit.TIMESTAMP, "<", 1_209_600.0),
        ("> 80%", Unit.RATIO, ">", 0.8),
        ("< -50%", Unit.RATIO, "<", -0.5),
        ("<= 25MB", Unit.BYTES, "<=", 25e6),
        ("> 100/s", Unit.PER_SECOND, ">", 100.0),
        ("> 25MB/s", Unit.BYTES_PER_SECOND, ">", 25e6),
        ("== 3", Unit.NUMBER, "==", 3.0),
        ("!= -1.5e3", Unit.NUMBER, "!=", -1500.0),
        ("> 0", Unit.SECONDS, ">", 0.0),
        ("> 0", Unit.BYTES, ">", 0.0),
        ("!= 0", Unit.RATIO, "!=", 0.0),
    ],
)
def test_a_figure_is_a_comparison_and_a_quantity_in_the_base_unit(
    text: str, unit: Unit, comparison: str, value: float
) -> None:
    figure = parse_figure(Severity.WARNING, text, unit)
    assert (figure.severity, figure.comparison, figure.value) == (Severity.WARNING, comparison, value)
    assert figure.text == text.strip()


@pytest.mark.parametrize(
    ("text", "unit", "message"),
    [
        ("> 300", Unit.SECONDS, "'> 300' needs a unit such as 300ms"),
        ("> 80", Unit.RATIO, "'> 80' needs a unit such as 80%"),
        ("> 5", Unit.BYTES, "'> 5' needs a unit such as 5MB"),
        ("< 14", Unit.TIMESTAMP, "'< 14' needs a unit such as 14d"),
        ("300", Unit.SECONDS, "'300' has no comparison (> >= < <= == !=)"),
        ("300ms\n", Unit.SECONDS, 'if one was meant, quote it: "> 300ms"'),
        ("", Unit.SECONDS, 'quote it: "> 300ms"'),
        ("= 3", Unit.NUMBER, "'= 3': '=' is no comparison, which are > >= < <= == !="),
        ("=> 3", Unit.NUMBER, "'=>' is no comparison, which are > >= < <= == !="),
        ("≥ 3", Unit.NUMBER, "'≥' is no comparison"),
        (">", Unit.SECONDS, "'>': '' is not a duration"),
        ("> 5MB", Unit.SECONDS, "'> 5MB': '5MB' is not a duration such as 300ms"),
        ("> 5s", Unit.BYTES, "'> 5s': '5s' is not a size such as"),
        ("> 3 > 2", Unit.NUMBER, "'> 3 > 2': '3 > 2' is not a plain number"),
        ("> nan", Unit.NUMBER, "'nan' is not a plain number"),
        ("> inf", Unit.NUMBER, "'inf' is not a plain number"),
        ("> 1e999", Unit.NUMBER, "'> 1e999' is too large"),
    ],
)
def test_a_fault_in_a_figure_says_what_is_allowed(text: str, unit: Unit, message: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the message is compared
        parse_figure(Severity.WARNING, text, unit)
    assert message in str(caught.value)


@pytest.mark.parametrize("comparison", COMPARISONS)
@pytest.mark.parametrize("value", [0.2, 0.3, 0.4])
def test_a_figure_is_crossed_when_its_comparison_holds(comparison: str, value: float) -> None:
    figure = parse_figure(Severity.WARNING, f"{comparison} 300ms", Unit.SECONDS)
    holds = {">": value > 0.3, ">=": value >= 0.3, "<": value < 0.3, "<=": value <= 0.3, "==": value == 0.3}
    assert figure.crossed(value) is (holds | {"!=": value != 0.3})[comparison]


@pytest.mark.parametrize(
    ("text", "measure", "result"),
    [
        ("x", Unit.SECONDS, Unit.SECONDS),
        ("x", Unit.TIMESTAMP, Unit.TIMESTAMP),
        ("min(x, 5m)", Unit.TIMESTAMP, Unit.TIMESTAMP),
        ("max(x, 5m)", Unit.TIMESTAMP, Unit.TIMESTAMP),
        ("p95(x, 5m)", Unit.SECONDS, Unit.SECONDS),
        ("sum(x, 5m)", Unit.BYTES, Unit.BYTES),
        ("rate(x, 5m)", Unit.NUMBER, Unit.PER_SECOND),
        ("rate(x, 5m)", Unit.BYTES, Unit.BYTES_PER_SECOND),
        ("rate(x, 5m)", Unit.SECONDS, Unit.RATIO),
        ("increase(x, 5m)", Unit.BYTES, Unit.BYTES),
        ("change(x, 5m)", Unit.BYTES, Unit.RATIO),
        ("change(x, 5m)", Unit.RATIO, Unit.RATIO),
        ("usual(x, 5m)", Unit.SECONDS, Unit.NUMBER),
        ("usual(rate(x, 5m))", Unit.BYTES, Unit.NUMBER),
        ("drift(x, 5m)", Unit.NUMBER, Unit.RATIO),
        ("drift(rate(x, 5m))", Unit.NUMBER, Unit.RATIO),
        ("unseen(x, 5m)", Unit.SECONDS, Unit.NUMBER),
    ],
)
def test_the_unit_of_the_result_follows_from_that_of_the_measure(text: str, measure: Unit, result: Unit) -> None:
    assert result_unit(parse_watch(text), measure) is result


@pytest.mark.parametrize("function", ["avg", "sum", "p95", "rate", "increase", "change", "usual", "drift"])
def test_of_a_moment_only_itself_and_its_extremes_make_sense(function: str) -> None:
    with pytest.raises(ValueError, match=r"x is a moment, judged by the time left; allowed are itself, min and max"):
        result_unit(parse_watch(f"{function}(x, 5m)"), Unit.TIMESTAMP)


@pytest.mark.parametrize("function", ["rate", "increase"])
@pytest.mark.parametrize("unit", [Unit.RATIO, Unit.PER_SECOND])
def test_what_is_no_counter_has_no_rate(function: str, unit: Unit) -> None:
    with pytest.raises(ValueError, match=rf"x is in {unit} and no counter; allowed are avg, min, max, pNN, change"):
        result_unit(parse_watch(f"{function}(x, 5m)"), unit)


@pytest.mark.parametrize("function", ["usual", "drift"])
def test_what_is_no_counter_has_no_usual_rate(function: str) -> None:
    with pytest.raises(ValueError, match="x is in ratio and no counter"):
        result_unit(parse_watch(f"{function}(rate(x, 5m))"), Unit.RATIO)


@pytest.mark.parametrize(
    ("text", "needed"),
    [
        ("x", 1),
        ("avg(x, 5m)", 1),
        ("max(x, 5m)", 1),
        ("rate(x, 5m)", 2),
        ("increase(x, 5m)", 2),
        ("change(x, 5m)", 2),
        ("p50(x, 5m)", 3),
        ("p90(x, 5m)", 11),
        ("p95(x, 5m)", 21),
        ("p99(x, 5m)", 101),
        ("p99.9(x, 5m)", 1001),
        ("usual(x, 5m)", 1),
        ("usual(rate(x, 5m))", 2),
        ("drift(x, 5m)", 1),
        ("drift(rate(x, 5m))", 2),
        ("unseen(x, 5m)", 1),
    ],
)
def test_a_result_needs_so_many_values(text: str, needed: int) -> None:
    assert values_needed(parse_watch(text)) == needed


def test_every_percentile_needs_exactly_as_many_values_as_the_formula_says() -> None:
    """From p0.01 to p99.99: no rounding of floats adds or loses a value."""
    for hundredths in range(1, 10_000):
        watch = parse_watch(f"p{hundredths // 100}.{hundredths % 100:02}(x, 5m)")
        assert values_needed(watch) == math.ceil(1 / (1 - Fraction(hundredths, 10_000))) + 1, watch.text
