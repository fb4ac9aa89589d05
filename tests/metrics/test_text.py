from __future__ import annotations

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from monitor.metrics.text import LONGEST_VALUE, Family, label_pairs, label_value, metric_name, number
from monitor.probes.base import MeasureSpec
from monitor.units import Unit

HOSTILE = ['a"b', "a\\", "a\nb", '"} 1\nfake 2\n', "\\n", "{}=,", "\u2028", "\x1b[31m", "\x00", "\ud800", "é✓", "%s%d"]


@given(st.floats())
@example(math.inf)
@example(-math.inf)
def test_numbers_are_read_back_unchanged(value: float) -> None:
    """What is written is what Prometheus reads, NaN and infinities included."""
    family = next(iter(text_string_to_metric_families(f"a {number(value)}\n")))
    read = family.samples[0].value
    assert read == value or (math.isnan(read) and math.isnan(value))


@given(
    st.text(alphabet=st.characters(exclude_categories=("Cc", "Cs")), max_size=LONGEST_VALUE) | st.sampled_from(HOSTILE)
)
def test_a_label_value_comes_back_alone_and_the_same(text: str) -> None:
    """No value breaks out of its quotes; all but control characters come back unchanged."""
    families = list(text_string_to_metric_families(f'a{{x="{label_value(text)}",y="1"}} 1\n'))
    assert len(families) == 1
    labels = families[0].samples[0].labels
    assert set(labels) == {"x", "y"}
    if text.replace("\n", "").isprintable():
        assert labels["x"] == text


@given(st.text())
def test_a_label_value_is_always_one_line_of_utf8(text: str) -> None:
    """Neither line breaks nor control characters nor surrogates get on the page."""
    written = label_value(text)
    written.encode("utf-8")
    assert not any(ord(character) < 32 or 127 <= ord(character) < 160 for character in written)


def test_control_characters_are_shown() -> None:
    """What a terminal would obey is written out."""
    assert label_value("\x1b[31m\ud800") == r"\\x1b[31m\\ud800"


def test_a_long_label_value_is_cut() -> None:
    """A megabyte of label does not get on the page."""
    assert len(label_value("x" * 1_000_000)) == LONGEST_VALUE


@pytest.mark.parametrize(
    ("name", "fitting"),
    [
        ("phase", "phase"),
        ("check", "exported_check"),
        ("system", "exported_system"),
        ("le", "exported_le"),
        ("__name__", "exported___name__"),
        ("application name", "application_name"),
        ("usenameOf", "usename_of"),
        ("9", "_9"),
        ("", "_"),
        ('x="1",y', "x__1__y"),
    ],
)
def test_label_names_are_made_to_fit(name: str, fitting: str) -> None:
    """A name that Prometheus would refuse, or that is ours, becomes one that it takes."""
    assert label_pairs([(name, "v")]) == f'{fitting}="v"'


def test_two_names_that_fit_the_same_are_one_label() -> None:
    """A label name never stands twice in one series, which would cost the whole page."""
    assert label_pairs([("a b", "1"), ("a_b", "2")]) == 'a_b="2"'


@pytest.mark.parametrize(
    ("name", "unit", "metric"),
    [
        ("duration", Unit.SECONDS, "monitor_http_duration_seconds"),
        ("uptime_seconds", Unit.SECONDS, "monitor_http_uptime_seconds"),
        ("size", Unit.BYTES, "monitor_http_size_bytes"),
        ("used", Unit.RATIO, "monitor_http_used_ratio"),
        ("expiry", Unit.TIMESTAMP, "monitor_http_expiry_timestamp_seconds"),
        ("requests", Unit.PER_SECOND, "monitor_http_requests_per_second"),
        ("status", Unit.NUMBER, "monitor_http_status"),
        ("orders_total", Unit.NUMBER, "monitor_http_orders_total_value"),
        ("row_count", Unit.NUMBER, "monitor_http_row_count_value"),
        ("queueDepth", Unit.NUMBER, "monitor_http_queue_depth"),
        ("näme", Unit.NUMBER, "monitor_http_n_me"),
    ],
)
def test_metric_names_follow_kind_measure_and_unit(name: str, unit: Unit, metric: str) -> None:
    """Names end in their base unit once, and never in what only a counter or a histogram may end in."""
    assert metric_name("http", MeasureSpec(name, unit, "")) == metric


def test_a_measure_may_name_its_metric() -> None:
    """An override is taken as it is."""
    assert metric_name("http", MeasureSpec("expiry", Unit.TIMESTAMP, "", metric="monitor_x")) == "monitor_x"


def test_headers_differ_between_the_formats() -> None:
    """OpenMetrics names a counter without its suffix and escapes quotes, the older format does neither."""
    family = Family("runs_total", "counter", 'Of a "check",\nall \\ of them.')
    assert family.header(openmetrics=False) == (
        b'# HELP runs_total Of a "check",\\nall \\\\ of them.\n# TYPE runs_total counter\n'
    )
    assert family.header(openmetrics=True) == (
        b'# HELP runs Of a \\"check\\",\\nall \\\\ of them.\n# TYPE runs counter\n'
    )
