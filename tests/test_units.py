"""Quantities as people write and read them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.units import Unit, parse_duration, parse_quantity, parse_size, show, show_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("300ms", 0.3), ("30s", 30), ("5m", 300), ("1h30m", 5400), ("1.5d", 129_600), ("2w", 1_209_600), ("1 h", 3600)],
)
def test_durations(text: str, seconds: float) -> None:
    """One or several numbers with units."""
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "30", "s", "5 minutes", "-5s", "5s later", "1e3s", "11000d", "٣s"])
def test_what_is_no_duration(text: str) -> None:
    """A number without a unit least of all."""
    with pytest.raises(ValueError, match=r"duration|ten years"):
        parse_duration(text)


@pytest.mark.parametrize(("text", "size"), [("25MB", 25_000_000), ("1GiB", 2**30), ("512 KB", 512_000), ("0B", 0)])
def test_sizes(text: str, size: int) -> None:
    """Powers of ten, and of two where it says so."""
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["25", "25mb", "MB", "1.5.2MB", "-1MB"])
def test_what_is_no_size(text: str) -> None:
    """Case matters: Mb would be bits."""
    with pytest.raises(ValueError, match="not a size"):
        parse_size(text)


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("300ms", Unit.SECONDS, 0.3),
        ("-2h", Unit.TIMESTAMP, -7200),
        ("80%", Unit.RATIO, 0.8),
        ("-20 %", Unit.RATIO, -0.2),
        ("25MB", Unit.BYTES, 25e6),
        ("100/s", Unit.PER_SECOND, 100),
        ("100", Unit.PER_SECOND, 100),
        ("25MB/s", Unit.BYTES_PER_SECOND, 25e6),
        ("1 KiB/s", Unit.BYTES_PER_SECOND, 1024),
        ("1e3", Unit.NUMBER, 1000),
    ],
)
def test_quantities(text: str, unit: Unit, value: float) -> None:
    """In the unit of what they are held against."""
    assert parse_quantity(text, unit) == pytest.approx(value)


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("300", Unit.SECONDS),
        ("80%", Unit.SECONDS),
        ("0.8", Unit.RATIO),
        ("80", Unit.RATIO),
        ("x%", Unit.RATIO),
        ("25", Unit.BYTES),
        ("5s", Unit.NUMBER),
        ("nan", Unit.NUMBER),
        ("5%", Unit.PER_SECOND),
        ("25MB", Unit.BYTES_PER_SECOND),
        ("25/s", Unit.BYTES_PER_SECOND),
    ],
)
def test_another_unit_is_an_error(text: str, unit: Unit) -> None:
    """So that 300 is never taken for 300 seconds."""
    with pytest.raises(ValueError, match="not a"):
        parse_quantity(text, unit)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.612, Unit.SECONDS, "612 ms"),
        (12.5, Unit.SECONDS, "12.5 s"),
        (250, Unit.SECONDS, "4 min 10 s"),
        (534_000, Unit.TIMESTAMP, "6 d 4 h"),
        (3599.7, Unit.SECONDS, "1 h"),
        (-90, Unit.SECONDS, "-1 min 30 s"),
        (float("inf"), Unit.SECONDS, "for ever"),
        (0.815, Unit.RATIO, "81.5 %"),
        (1.234e9, Unit.BYTES, "1.23 GB"),
        (0, Unit.BYTES, "0 B"),
        (12_345, Unit.NUMBER, "12,345"),
        (2.5, Unit.PER_SECOND, "2.5/s"),
        (2.5e6, Unit.BYTES_PER_SECOND, "2.5 MB/s"),
        (float("nan"), Unit.NUMBER, "not a number"),
        (float("inf"), Unit.NUMBER, "inf"),
    ],
)
def test_shown_for_people(value: float, unit: Unit, text: str) -> None:
    """Three digits, and no more than two units of time."""
    assert show(value, unit) == text


@given(st.floats(0, 1e9))
def test_every_duration_can_be_shown(seconds: float) -> None:
    """Never empty, never with a unit too many."""
    shown = show_duration(seconds)
    assert shown
    assert len(shown.split()) in {2, 4}


@given(st.integers(1, 3_650 * 86_400))
def test_a_duration_written_in_seconds_is_that_duration(seconds: int) -> None:
    """Exactly, up to ten years."""
    assert parse_duration(f"{seconds}s") == timedelta(seconds=seconds)
