"""From text to the wire and back: names, labels, values and moments come through as they are, or end at once."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from monitor.metrics import Metrics
from monitor.metrics.text import label_pairs, label_value, number
from monitor.model import CheckId, Measure, State
from monitor.model import labels as sort
from monitor.push import wire
from monitor.push.filling import MOST_SAMPLES, Filling
from monitor.push.series import PIECE, Shown, pieces, read_labels
from tests.fakes import START
from tests.metrics.reading import plan, sample
from tests.push.decoding import Point, bits, decode

if TYPE_CHECKING:
    from monitor.push.backlog import Batch

AT = wire.milliseconds(START)
# Two underscores are reserved: our page never shows such a name, and the parser refuses it.
NAMES = st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_]{0,10}", fullmatch=True).filter(lambda name: not name.startswith("__"))
VALUES = st.floats() | st.sampled_from([math.inf, -math.inf, math.nan, -0.0, 1e308, 5e-324, 0.1, 2.0**53])
AWKWARD = st.text(st.sampled_from('a\\"\n{}=, #é\u2028\r\t\x00\ud800'), max_size=20)


def sealed(*parts: bytes, at: datetime = START) -> Batch:
    filling = Filling(at)
    assert filling.add(parts) is None
    batch = filling.seal()
    assert batch
    assert filling.seal() is None
    return batch


def pushed(text: bytes, shown: Shown) -> list[Point]:
    parts = [part for lines in pieces(text) for part in shown.add(lines)]
    return decode(sealed(*parts, *shown.settle()).body)


@given(NAMES, st.dictionaries(NAMES, st.text() | AWKWARD, max_size=5), VALUES)
def test_a_line_comes_through_as_prometheus_reads_it(name: str, labels: dict[str, str], value: float) -> None:
    """Whatever the labels hold, escaped as on our page; a label without a value is none."""
    written = ",".join(f'{key}="{label_value(text)}"' for key, text in labels.items())
    line = f"{name}{{{written}}} {number(value)}\n"
    (family,) = text_string_to_metric_families(line)
    (read,) = family.samples
    kept = sort({"__name__": read.name, **{key: text for key, text in read.labels.items() if text}})
    (point,) = pushed(line.encode(), Shown())
    assert (point.labels, point.at) == (kept, AT)
    assert point.bits == bits(value) or (math.isnan(point.value) and math.isnan(value))
    assert not point.stale


def test_the_whole_page_comes_through() -> None:
    """Every series of a page, its own and those of checks, with exactly its labels and its value."""
    metrics = Metrics()
    check = CheckId("shop", 'with "quotes", a \\ and {braces} = 1')
    metrics.watch(plan(check))
    phases = [Measure("phase", value, (("phase", f"p {value}"),)) for value in (math.inf, -math.inf, 1e308, -0.0)]
    metrics.sample(sample(State.UP, Measure("duration", math.nan), *phases, check=check))
    text = metrics.page()
    points = {point.labels: point for point in pushed(text, Shown())}
    read = [one for family in text_string_to_metric_families(text.decode()) for one in family.samples]
    assert len(points) == len(read) > 60
    for one in read:
        point = points[sort({"__name__": one.name, **{key: value for key, value in one.labels.items() if value}})]
        assert point.bits == bits(one.value) or math.isnan(point.value) is math.isnan(one.value) is True


def test_what_was_seen_before_is_the_same_the_second_time() -> None:
    """What is remembered of a series is not its value."""
    shown = Shown((("instance", "one"),))
    first, second = (pushed(f'm{{a="b"}} {value}\n'.encode(), shown) for value in (1, 2))
    assert first == [Point((("__name__", "m"), ("a", "b"), ("instance", "one")), bits(1), AT)]
    assert second == [first[0]._replace(bits=bits(2))]


def test_a_series_that_vanishes_ends_once() -> None:
    """With the one NaN that means so; and it begins again as if nothing had been."""
    shown = Shown()
    assert not any(point.stale for point in pushed(b"m 1\nn 2\n", shown))
    assert [(point.name, point.stale) for point in pushed(b"n 2\n", shown)] == [("n", False), ("m", True)]
    assert [point.name for point in pushed(b"n 2\n", shown)] == ["n"]
    assert [(point.name, point.stale) for point in pushed(b"m 3\nn 2\n", shown)] == [("m", False), ("n", False)]


def test_the_end_ends_everything_even_in_the_middle_of_a_push() -> None:
    """What the push under way had, and what only the one before had."""
    shown = Shown()
    pushed(b"m 1\nn 2\n", shown)
    shown.add([b"n 2", b"o 3"])
    points = decode(sealed(*shown.end()).body)
    assert sorted(point.name for point in points) == ["m", "n", "o"]
    assert all(point.stale for point in points)
    assert shown.end() == []


@given(st.lists(st.text(st.characters(exclude_characters="\n", codec="utf-8"), max_size=3_000), max_size=30))
def test_pieces_are_whole_lines(lines: list[str]) -> None:
    """Nothing is lost or torn, and no piece is much longer than it should be."""
    text = "".join(f"{line}\n" for line in lines).encode()
    found = [*pieces(text)]
    assert [line for piece in found for line in piece] == [line.encode() for line in lines]
    assert all(sum(len(line) + 1 for line in piece[:-1]) <= PIECE for piece in found)


@pytest.mark.parametrize(
    ("moment", "sent"),
    [
        (START, AT),
        (START + timedelta(microseconds=999), AT),
        (datetime(1970, 1, 1, tzinfo=UTC), wire.EARLIEST),
        (datetime(9999, 1, 1, tzinfo=UTC), wire.LATEST),
    ],
)
def test_a_moment_is_sent_in_milliseconds(moment: datetime, sent: int) -> None:
    """A clock far beyond all sense must not make a message that nobody can read."""
    (part,) = Shown().add([b"m 1"])
    assert [point.at for point in decode(sealed(part, at=moment).body)] == [sent]


def test_google_reads_it_too() -> None:
    """The decoder of these tests is not alone with its opinion."""
    request = wire.WriteRequest()
    request.ParseFromString(Shown().add([b'm{a="b"} 2.5'])[0] + wire.tail(AT))
    assert (
        str(request).split()
        == (
            'timeseries { labels { name: "__name__" value: "m" } labels { name: "a" value: "b" } '
            f"samples {{ value: 2.5 timestamp: {AT} }} }}"
        ).split()
    )


@given(st.integers(1, 3 * MOST_SAMPLES), st.integers(1, 300))
def test_no_request_holds_more_than_it_may(series: int, step: int) -> None:
    """All samples are in one of them, in order."""
    filling = Filling(START)
    parts = Shown().add([f"m{n} {n}".encode() for n in range(series)])
    batches = [filling.add(parts[start : start + step]) for start in range(0, series, step)]
    points = [decode(batch.body) for batch in (*batches, filling.seal()) if batch]
    assert max(map(len, points)) <= MOST_SAMPLES
    assert [point.name for batch in points for point in batch] == [f"m{n}" for n in range(series)]


def test_long_labels_make_shorter_requests() -> None:
    """A request is not only limited by how many samples it holds."""
    filling = Filling(START)
    long = label_pairs([(f"label_{n}", "x" * 500) for n in range(100)])
    batches = [filling.add(Shown().add([f"m{n}{{{long}}} 1".encode()])) for n in range(30)]
    assert [batch.samples for batch in batches if batch] == [20]


def test_labels_are_read_without_braces_too() -> None:
    assert read_labels("m") == read_labels("m{}") == (("__name__", "m"),)
