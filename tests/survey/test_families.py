"""What is watched of a page of metrics."""

from __future__ import annotations

import pytest

from monitor.probes.metrics import MetricsCheck
from monitor.survey.families import families, is_metrics
from monitor.survey.written import system_text
from tests.survey.files import checks, loaded, place, survey

PYTHON = """\
# HELP process_resident_memory_bytes Resident memory size in bytes.
# TYPE process_resident_memory_bytes gauge
process_resident_memory_bytes 3.9e+07
# TYPE process_cpu_seconds_total counter
process_cpu_seconds_total 1.2
# TYPE http_requests_total counter
http_requests_total{method="GET",status="200"} 12
# TYPE http_request_duration_seconds histogram
http_request_duration_seconds_bucket{le="0.1"} 11
http_request_duration_seconds_bucket{le="+Inf"} 12
http_request_duration_seconds_sum 0.5
http_request_duration_seconds_count 12
"""
SPRING = """\
# TYPE http_server_requests_seconds summary
http_server_requests_seconds_count{method="GET",outcome="SUCCESS",status="200",uri="/"} 5.0
# TYPE hikaricp_connections_pending gauge
hikaricp_connections_pending{pool="p"} 0.0
"""
BARE = "# TYPE orders_total counter\norders_total 3\n"


def test_requests_their_time_and_the_process() -> None:
    found = {family.name: dict(family.fields) for family in families(PYTHON)}
    assert found == {
        "error_rate": {"ratio": 'http_requests_total{status=~"5.."}', "of": "http_requests_total"},
        "p95": {"histogram": "http_request_duration_seconds"},
        "memory": {"value": "process_resident_memory_bytes", "unit": "bytes"},
        "cpu": {"rate": "process_cpu_seconds_total", "unit": "seconds"},
    }
    assert [family.name for family in families(SPRING)] == ["error_rate", "waiting_for_connections"]
    assert families(BARE) == ()


@pytest.mark.parametrize("text", [PYTHON, SPRING])
def test_the_check_computes_them(text: str) -> None:
    found = survey(metrics=place("/metrics", media_type="text/plain"), families=families(text))
    check = checks(found)["metrics"]
    assert isinstance(check, MetricsCheck)
    assert list(check.values) == [family.name for family in families(text)]
    assert check.needs == ["site"]
    assert [threshold.watch for threshold in check.thresholds] == ["error_rate"]


def test_without_requests_there_is_no_figure_and_without_anything_known_no_check() -> None:
    page = place("/metrics", media_type="text/plain")
    memory = families("# TYPE process_resident_memory_bytes gauge\nprocess_resident_memory_bytes 1\n")
    assert checks(survey(metrics=page, families=memory))["metrics"].thresholds == []
    text = system_text(survey(metrics=page), "shop")
    assert "# https://shop.example.com/metrics is a page of metrics, but nothing on it" in text
    assert [plan.id.check for plan in loaded(text).plans.values()] == ["site"]


@pytest.mark.parametrize("text", ["", "OK", "<html>", '{"a": 1}', "# TYPE", "a b c", "# TYPE x y\n"])
def test_what_is_no_page_of_metrics(text: str) -> None:
    assert not is_metrics(text)
    assert families(text) == ()


def test_a_hostile_page_takes_no_time() -> None:
    """No line makes the expressions go back and forth."""
    text = "# TYPE a counter\n" + "a{" + 'b="' * 300_000 + "\n" + "#" * 300_000
    assert families(text) == ()
