from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.web.accept import takes_gzip, wants_openmetrics

PROMETHEUS_2 = (
    "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,"
    "text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)
PROMETHEUS_3_TEXT_FIRST = "text/plain;version=0.0.4;q=0.6,application/openmetrics-text;version=1.0.0;q=0.5,*/*;q=0.4"


@pytest.mark.parametrize(
    ("accept", "openmetrics"),
    [
        ("", False),
        ("*/*", False),
        ("text/plain", False),
        ("application/openmetrics-text", True),
        ('application/openmetrics-text; version="1.0.0"', True),
        ("Application/OpenMetrics-Text; Version=0.0.1", True),
        ("application/openmetrics-text; version=2.0.0", False),
        ("application/openmetrics-text;q=0", False),
        ("application/openmetrics-text;q=nan", False),
        ("application/openmetrics-text;q=7", False),
        ("application/openmetrics-text;q=x", False),
        (PROMETHEUS_2, True),
        (PROMETHEUS_3_TEXT_FIRST, False),
    ],
)
def test_openmetrics_is_for_those_who_ask_for_it(accept: str, *, openmetrics: bool) -> None:
    """Prometheus gets the format that it likes best; everybody else the plain one."""
    assert wants_openmetrics(accept) is openmetrics


@pytest.mark.parametrize(
    ("header", "gzip"),
    [("", False), ("gzip", True), ("br, GZIP;q=0.5", True), ("gzip;q=0, *", False), ("*", True), ("identity", False)],
)
def test_gzip_is_for_those_who_take_it(header: str, *, gzip: bool) -> None:
    """A weight of 0 is a refusal."""
    assert takes_gzip(header) is gzip


@given(st.text())
def test_no_header_is_an_error(header: str) -> None:
    """Whatever a client writes is an answer, never an exception."""
    assert wants_openmetrics(header) in {True, False}
    assert takes_gzip(header) in {True, False}
