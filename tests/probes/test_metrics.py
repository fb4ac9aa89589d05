"""The kind `metrics`: pages of a real server, one after the other, and what becomes of them."""

from __future__ import annotations

import re
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web

from monitor.model import CheckId, Reason, Sample, State
from monitor.probes import load_kind
from monitor.probes.base import Check, Resources, Run, observe
from monitor.probes.metrics import LONGEST_PAGE
from tests.examples import SECOND
from tests.fakes import FakeClock
from tests.probes.conftest import SECRET
from tests.probes.pages import Pages, serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

CHECK = CheckId("shop", "app")
EVERY = 15 * SECOND
REQUESTS = "http_requests_total"
ERRORS: dict[str, Any] = {"ratio": f'{REQUESTS}{{status="500"}}', "of": REQUESTS}
SPEED: dict[str, Any] = {"quantile": 0.5, "histogram": "took_seconds"}
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


class Application:
    """An application and the check that looks at it, on a clock that is moved by hand."""

    def __init__(
        self, pages: Pages, resources: Resources, values: Mapping[str, Any], fields: Mapping[str, Any]
    ) -> None:
        self.pages = pages
        self.clock = FakeClock()
        self.began = self.clock.now().timestamp()
        self._resources = resources
        self.newest: Sample
        self.check = self.made(values, fields)

    def made(self, values: Mapping[str, Any], fields: Mapping[str, Any]) -> Check:
        given = {"kind": "metrics", "url": self.pages.url, "every": "15s", "values": values, **fields}
        return load_kind("metrics").model_validate(given)

    async def scraped(self, *lines: str, started: float | None = None) -> Sample:
        """Show these lines, and let the check look at them; `started`: seconds since we began, if the page says it."""
        own = [] if started is None else [f"process_start_time_seconds {self.began + started!r}"]
        self.pages.text = "".join(f"{line}\n" for line in (*own, *lines))
        return await self.looked()

    async def looked(self) -> Sample:
        self.newest = await observe(CHECK, self.check, self._resources, self.clock)
        await self.clock.advance(EVERY)
        return self.newest

    async def inspected(self) -> list[str]:
        return list(await self.check.inspect(Run(self._resources, timedelta(seconds=9), self.clock)))


@asynccontextmanager
async def application(
    resources: Resources,
    fields: Mapping[str, Any] | None = None,
    **values: Any,  # noqa: ANN401 - any figure
) -> AsyncIterator[Application]:
    async with serving() as pages:
        yield Application(pages, resources, values, fields or {})


def of(sample: Sample, name: str) -> dict[str, float]:
    """Return the values of a measure by their label."""
    return {
        "".join(value for _, value in measure.labels): measure.value
        for measure in sample.measures
        if measure.name == name
    }


def requests(good: float, bad: float, path: str = "/") -> list[str]:
    return [f'{REQUESTS}{{path="{path}",status="{status}"}} {many}' for status, many in (("200", good), ("500", bad))]


async def test_values_are_those_of_the_newest_page(resources: Resources) -> None:
    values: dict[str, Any] = {
        "shops": "active_shops",
        "size": {"value": "size_bytes", "unit": "MB", "combine": "max"},
        "queue": {"value": "queue", "by": "name"},
    }
    async with application(resources, **values) as app:
        sample = await app.scraped("active_shops 3", 'size_bytes{a="1"} 2', 'size_bytes{a="2"} 5', 'queue{name="x"} 1')
        assert sample.state is State.UP
        assert (of(sample, "shops"), of(sample, "size"), of(sample, "queue")) == ({"": 3.0}, {"": 5e6}, {"x": 1.0})
        assert of(sample, "series") == {"": 4.0}
        sample = await app.scraped("active_shops 4", 'size_bytes{a="1"} 2', 'queue{name="y"} 1')
        assert (of(sample, "shops"), of(sample, "size"), of(sample, "queue")) == ({"": 4.0}, {"": 2e6}, {"y": 1.0})
        assert not sample.unmeasured


async def test_moments_and_ages(resources: Resources) -> None:
    """Of several moments the newest counts."""
    values = {"backup": {"value": "backup_time", "unit": "age"}, "ends": {"value": "ends", "unit": "timestamp"}}
    async with application(resources, **values) as app:
        sample = await app.scraped(
            f'backup_time{{n="1"}} {app.began - 50}', f'backup_time{{n="2"}} {app.began - 60}', f"ends {app.began + 9}"
        )
    assert of(sample, "backup") == {"": 50.0}
    assert of(sample, "ends") == {"": app.began + 9}


async def test_a_figure_over_a_window_needs_two_scrapes(resources: Resources) -> None:
    """Until then it is left out, so that nothing that is open ends by our own start."""
    async with application(resources, errors=ERRORS, p50=SPEED) as app:
        first = await app.scraped(
            *requests(100, 10), 'took_seconds_bucket{le="1"} 0', 'took_seconds_bucket{le="+Inf"} 0'
        )
        assert first.state is State.UP
        assert first.unmeasured == {"errors", "p50"}
        second = await app.scraped(
            *requests(190, 20), 'took_seconds_bucket{le="1"} 10', 'took_seconds_bucket{le="+Inf"} 10'
        )
    assert of(second, "errors") == {"": pytest.approx(0.1)}
    assert of(second, "p50") == {"": pytest.approx(0.5)}
    assert "in 5 min" in second.remarks["errors"]


async def test_a_rate_waits_until_scrapes_fill_its_window(resources: Resources) -> None:
    """As PromQL has it, a minute's traffic over five minutes would be a fifth of what there is."""
    values = {"rate": {"rate": REQUESTS, "window": "1m"}, "grown": {"increase": REQUESTS, "window": "1m"}}
    async with application(resources, **values) as app:
        samples = [await app.scraped(f"{REQUESTS} {n * 15}", started=-900) for n in range(6)]
        assert [bool(of(sample, "rate")) for sample in samples] == [False, False, True, True, True, True]
        assert of(samples[-1], "rate") == {"": pytest.approx(1.0)}
        assert of(samples[-1], "grown") == {"": pytest.approx(60.0)}
        await app.clock.advance(5 * EVERY)
        after = await app.scraped(f"{REQUESTS} 200", started=-900)
    assert after.unmeasured == {"rate", "grown"}


async def test_a_name_that_is_missing_is_down_and_the_others_count(resources: Resources) -> None:
    async with application(resources, requests="http_request_total", shops="shops") as app:
        sample = await app.scraped(f"{REQUESTS} 1", "shops 2")
    assert (sample.state, sample.reason) == (State.DOWN, Reason.MISSING)
    assert sample.detail == "the page has no http_request_total; did you mean http_requests_total?"
    assert of(sample, "shops") == {"": 2.0}


async def test_a_label_that_no_series_has_is_missing_too(resources: Resources) -> None:
    """Else an error rate would be 0 for ever, for a misspelt label."""
    async with application(resources, errors={"ratio": f'{REQUESTS}{{code=~"5.."}}', "of": REQUESTS}) as app:
        sample = await app.scraped(*requests(1, 1))
        assert sample.reason is Reason.MISSING
        assert sample.detail == "no http_requests_total has a label code; they have path, status"
    async with application(resources, by={"rate": REQUESTS, "by": "route"}) as app:
        assert "has a label route" in (await app.scraped(*requests(1, 1))).detail


async def test_a_name_that_only_its_type_tells_is_not_missing(resources: Resources) -> None:
    """So a fresh application shows its counters; nothing has happened yet."""
    async with application(resources, errors=ERRORS, p50=SPEED, requests=REQUESTS) as app:
        lines = [f"# TYPE {REQUESTS} counter", "# TYPE took_seconds histogram"]
        await app.scraped(*lines)
        sample = await app.scraped(*lines)
    assert sample.state is State.UP
    assert sample.unmeasured == {"errors", "p50", "requests"}


async def test_what_nothing_is(resources: Resources) -> None:
    """`empty` is told once two scrapes have seen that there is nothing, and not before."""
    figures = {"errors": {**ERRORS, "empty": 0}, "p50": {**SPEED, "empty": 0}, "jobs": {"value": "jobs", "empty": 7}}
    async with application(resources, **figures) as app:
        first = await app.scraped()
        assert first.state is State.UP
        assert first.unmeasured == {"errors", "p50"}
        assert of(first, "jobs") == {"": 7.0}
        second = await app.scraped()
    assert (of(second, "errors"), of(second, "p50"), of(second, "jobs")) == ({"": 0.0}, {"": 0.0}, {"": 7.0})


async def test_without_traffic_there_is_no_share(resources: Resources) -> None:
    async with application(resources, errors=ERRORS) as app:
        await app.scraped(*requests(5, 5))
        sample = await app.scraped(*requests(5, 5))
    assert sample.state is State.UP
    assert sample.unmeasured == {"errors"}


async def test_too_little_traffic_is_no_share_either(resources: Resources) -> None:
    figures = {"errors": {**ERRORS, "least": 20}, "p50": {**SPEED, "least": 20}}
    async with application(resources, **figures) as app:
        for many in (0, 10, 30):
            buckets = [f'took_seconds_bucket{{le="{bound}"}} {many}' for bound in ("1", "+Inf")]
            await app.scraped(*requests(many, 0), *buckets, started=0)
            assert bool(of(app.newest, "errors")) is bool(of(app.newest, "p50")) is (many == 30)


async def test_errors_that_never_were_are_a_share_of_nothing(resources: Resources) -> None:
    """Where PromQL has no result, since no series of errors exists."""
    async with application(resources, errors=ERRORS) as app:
        for many in (10, 20):
            await app.scraped(f'{REQUESTS}{{status="200"}} {many}')
    assert of(app.newest, "errors") == {"": 0.0}


@pytest.mark.parametrize(("from_zero", "expected"), [(False, 0.0), (True, 0.05)])
async def test_the_first_error_counts_only_from_zero(resources: Resources, from_zero: bool, expected: float) -> None:
    """PromQL's increase begins at the first value that was seen, and that is 1."""
    async with application(resources, {"from_zero": from_zero}, errors=ERRORS) as app:
        for many in (100, 120, 140):
            await app.scraped(f'{REQUESTS}{{status="200"}} {many}', started=-900)
        for many in (159, 179):
            await app.scraped(*requests(many, 1).copy()[1:], f'{REQUESTS}{{status="200"}} {many}', started=-900)
    assert of(app.newest, "errors") == {"": pytest.approx(expected, abs=0.04 if from_zero else 0)}
    assert bool(of(app.newest, "errors")[""]) is from_zero


async def test_a_series_that_comes_back_does_not_count_from_zero(resources: Resources) -> None:
    """Its 5,000 were counted long ago."""
    async with application(resources, {"from_zero": True}, grown={"increase": REQUESTS, "window": "30s"}) as app:
        there, gone = [f'{REQUESTS}{{a="1"}} 5000', f'{REQUESTS}{{a="2"}} 1'], [f'{REQUESTS}{{a="2"}} 1']
        await app.scraped(*there, started=-900)
        for _ in range(4):
            await app.scraped(*gone, started=-900)
        await app.scraped(*there, started=-900)
    assert of(app.newest, "grown") == {"": 0.0}


async def test_a_restart_counts_from_zero(resources: Resources) -> None:
    """As PromQL has it; and how long it runs is told."""
    async with application(resources, grown={"increase": REQUESTS, "window": "1m"}) as app:
        for number, many in enumerate((100, 115, 130, 145, 160)):
            await app.scraped(f"{REQUESTS} {many}", started=-900)
            assert number < 9
        await app.scraped(f"{REQUESTS} 12", started=70)
    assert of(app.newest, "grown")[""] == pytest.approx(4 / 3 * (160 - 130 + 12), rel=0.01)
    assert of(app.newest, "uptime") == {"": pytest.approx(5.0)}
    assert of(app.newest, "instances") == {"": 1.0}


async def test_a_counter_that_is_not_a_number_makes_no_figure(resources: Resources) -> None:
    async with application(resources, grown={"increase": REQUESTS, "window": "1m"}, now={"value": REQUESTS}) as app:
        for _ in range(6):
            await app.scraped(f'{REQUESTS}{{a="1"}} +Inf', f'{REQUESTS}{{a="2"}} NaN')
    assert app.newest.state is State.UP
    assert app.newest.unmeasured == {"grown", "now"}


TWO = {"errors": ERRORS, "rate": {"rate": REQUESTS, "window": "1m"}, "now": {"value": "workers"}}


async def test_two_processes_in_turns_are_told_apart(resources: Resources) -> None:
    """Shares are those of both, each by its own counters; what would be that of one of them is left out."""
    async with application(resources, **TWO) as app:
        for turn in range(8):
            one = [*requests(1_000 + 10 * turn, 0), "workers 4"]
            other = [*requests(90_000 + 10 * turn, 500 + 10 * turn), "workers 9"]
            await app.scraped(*(other if turn % 2 else one), started=-9_000 if turn % 2 else -900)
            assert of(app.newest, "instances") == {"": 2.0 if turn else 1.0}
            assert ("now" in app.newest.unmeasured) is (turn > 0)
    assert of(app.newest, "errors") == {"": pytest.approx(1 / 3, rel=0.1)}
    assert app.newest.unmeasured == {"rate", "now"}
    assert app.newest.remarks["instances"] == "2 processes or more answer in turns"
    async with application(resources, **TWO) as app:
        implied = {fields.name: fields.watch for fields in app.check.implied()}
    assert implied == {"several processes": "instances"}


async def test_a_header_can_name_the_process(resources: Resources) -> None:
    async with application(resources, {"instance": "X-Instance"}, **TWO) as app:
        for turn in range(6):
            app.pages.headers["X-Instance"] = "ab"[turn % 2]
            base = 5_000 * (turn % 2)
            await app.scraped(*requests(base + 10 * turn, base + 10 * turn), "workers 1")
    assert of(app.newest, "instances") == {"": 2.0}
    assert of(app.newest, "errors") == {"": pytest.approx(0.5)}


async def test_processes_without_names_make_no_figure(resources: Resources) -> None:
    """Counters that go back and forth are no restarts; nothing that could be computed would be true."""
    async with application(resources, **TWO) as app:
        for turn in range(8):
            base = 5_000 * (turn % 2)
            await app.scraped(*requests(base + 10 * turn, 0), "workers 1")
        assert app.newest.unmeasured == {"errors", "rate", "now"}
        assert of(app.newest, "instances") == {"": 2.0}
        for turn in range(30):
            await app.scraped(*requests(9_000 + 10 * turn, 0), "workers 1")
    assert not app.newest.unmeasured
    assert of(app.newest, "instances") == {"": 1.0}


async def test_after_a_rolling_deploy_one_process_is_left(resources: Resources) -> None:
    async with application(resources, **TWO) as app:
        for turn, (started, base) in enumerate([(-900.0, 5_000), (10.0, 0)] * 3 + [(10.0, 0)] * 30):
            await app.scraped(*requests(base + 15 * turn, 0), "workers 1", started=started)
            assert of(app.newest, "errors") == {"": 0.0} or turn < 5
    assert not app.newest.unmeasured
    assert of(app.newest, "rate") == {"": pytest.approx(1.0)}


async def test_of_many_values_of_a_label_the_biggest_are_told(resources: Resources) -> None:
    """And what was told and is no longer is left out rather than gone."""
    figure = {"rate": REQUESTS, "window": "30s", "by": "path", "most": 2}
    async with application(resources, requests=figure) as app:
        for turn in range(4):
            await app.scraped(*(f'{REQUESTS}{{path="{path}"}} {turn * (ord(path) - 90)}' for path in "abc"))
        assert set(of(app.newest, "requests")) == {"b", "c"}
        assert "1 further values of path are left out" in app.newest.remarks["requests"]
        assert not app.newest.unmeasured
        for turn in range(4):
            paths = (f'{REQUESTS}{{path="{path}"}} {300 + turn * (110 - ord(path))}' for path in "abc")
            await app.scraped(*paths)
        assert set(of(app.newest, "requests")) == {"a", "b"}
        assert app.newest.unmeasured == {"requests"}


async def test_a_bound_that_is_no_number_is_passed_over(resources: Resources) -> None:
    async with application(resources, p50=SPEED) as app:
        for many in (0, 10):
            buckets = (f'took_seconds_bucket{{le="{bound}"}} {many}' for bound in ("1", "+Inf", "ten", "NaN"))
            await app.scraped(*buckets)
    assert of(app.newest, "p50") == {"": 0.5}
    assert app.check.asks == (("GET", app.pages.url),)


async def test_a_quantile_beyond_the_last_bound_says_so(resources: Resources) -> None:
    async with application(resources, p50=SPEED) as app:
        for many in (0, 10):
            await app.scraped(
                f'took_seconds_bucket{{le="0.5"}} {many / 10}', f'took_seconds_bucket{{le="+Inf"}} {many}'
            )
    assert of(app.newest, "p50") == {"": 0.5}
    assert app.newest.remarks["p50"].endswith("and it lies beyond the last bound in 5 min")


@pytest.mark.parametrize(
    ("status", "reason"),
    [(204, Reason.STATUS), (401, Reason.AUTH), (403, Reason.AUTH), (404, Reason.STATUS), (429, Reason.RATE_LIMITED)],
)
async def test_an_answer_that_is_no_page_is_down(resources: Resources, status: int, reason: Reason) -> None:
    async with application(resources, x="x") as app:
        app.pages.status = status
        sample = await app.scraped("x 1")
    assert (sample.state, sample.reason) == (State.DOWN, reason)
    assert str(status) in sample.detail


async def test_a_page_that_is_too_long_is_down(resources: Resources) -> None:
    async with application(resources, x="x") as app:
        app.pages.text = b"# " + b"x" * LONGEST_PAGE + b"\nx 1\n"
        sample = await app.looked()
    assert (sample.state, sample.reason) == (State.DOWN, Reason.BODY)
    assert "longer than 10,485,760 bytes" in sample.detail


async def test_a_page_that_is_just_short_enough_is_read(resources: Resources) -> None:
    async with application(resources, x="x") as app:
        app.pages.text = b"x 1\n# " + b"x" * (LONGEST_PAGE - 7) + b"\n"
        sample = await app.looked()
    assert sample.state is State.UP
    assert of(sample, "page_size") == {"": LONGEST_PAGE}


async def test_it_asks_as_prometheus_does(resources: Resources) -> None:
    async with application(resources, {"timeout": "7s"}, x="x_total") as app:
        app.pages.compress = True
        app.pages.headers["Content-Type"] = OPENMETRICS
        sample = await app.scraped("# TYPE x counter", "x_total 1", "# EOF")
        assert sample.state is State.UP
        asked = app.pages.asked[0].headers
    assert asked["Accept"].startswith("application/openmetrics-text;version=1.0.0")
    assert (asked["Accept-Encoding"], asked["X-Prometheus-Scrape-Timeout-Seconds"]) == ("gzip", "7")


async def test_headers_of_the_file_come_instead_of_ours(resources: Resources) -> None:
    fields = {"headers": {"accept": "text/plain"}, "auth": {"bearer": "t0ken"}}
    async with application(resources, fields, x="x") as app:
        await app.scraped("x 1")
        asked = app.pages.asked[0].headers
    assert (asked.getall("Accept"), asked["Authorization"]) == (["text/plain"], "Bearer t0ken")


async def test_a_page_in_which_a_part_is_missing_is_down(resources: Resources) -> None:
    async with application(resources, x="x") as app:
        app.pages.headers["Content-Type"] = OPENMETRICS
        sample = await app.scraped("x 1")
    assert (sample.state, sample.reason) == (State.DOWN, Reason.PROTOCOL)


async def test_a_secret_in_a_label_is_not_shown(resources: Resources) -> None:
    written = SECRET.replace('"', '\\"')
    async with application(resources, x={"value": "x", "by": "key"}) as app:
        sample = await app.scraped(f'x{{key="of {written}"}} 1')
    assert of(sample, "x") == {"of •••": 1.0}
    assert "hunter2" not in repr(sample)


async def test_other_figures_begin_anew(resources: Resources) -> None:
    """A file that was changed under a running monitor must not mix up what was remembered."""
    async with application(resources, errors=ERRORS) as app:
        await app.scraped(*requests(10, 0))
        app.check = app.made({"other": "x", "errors": ERRORS}, {})
        sample = await app.scraped(*requests(20, 0), "x 1")
        assert sample.unmeasured == {"errors"}
        assert of(await app.scraped(*requests(30, 0), "x 1"), "errors") == {"": 0.0}


async def test_two_looks_at_one_moment_are_one(resources: Resources) -> None:
    """Whoever asks again before it pages may ask while the clock stands still."""
    async with application(resources, errors=ERRORS) as app:
        await app.scraped(*requests(10, 0))
        await app.clock.advance(-EVERY)
        sample = await app.scraped(*requests(20, 0))
    assert sample.unmeasured == {"errors"}


async def test_what_is_doubtful_can_be_seen_beforehand(resources: Resources) -> None:
    async with application(resources, x="x", y="y_total") as app:
        app.pages.text = "x 1\ny_total 1\nprocess_start_time_seconds 5\n"
        assert await app.inspected() == []
        app.pages.answer = lambda _: web.Response(text=f"x 1\nprocess_start_time_seconds {len(app.pages.asked) % 2}\n")
        assert await app.inspected() == [
            "the page has no y_total",
            "2 processes answer in turns, so rate, increase and value are left out",
        ]


@pytest.mark.parametrize(
    ("figure", "why"),
    [
        ({}, "give one of value, rate, increase, ratio, quantile"),
        ({"value": "x", "rate": "x"}, "give only one of"),
        ({"ratio": "x"}, "ratio and of go together"),
        ({"value": "x", "of": "x"}, "ratio and of go together"),
        ({"quantile": 0.5}, "quantile and histogram go together"),
        ({"quantile": 1.5, "histogram": "x"}, "less than 1"),
        ({"value": "x", "window": "5m"}, "has no window"),
        ({"rate": "x", "window": "2d"}, "at most 1d"),
        ({"rate": "x", "window": "29s"}, "holds no two scrapes every 15 s"),
        ({"rate": "x", "combine": "max"}, "combine goes with value"),
        ({"rate": "x", "least": 5}, "least goes with ratio and quantile"),
        ({"rate": "x", "unit": "%"}, "not of %"),
        ({"rate": "x", "unit": "timestamp"}, "a moment is a value"),
        ({"rate": "x", "unit": "age"}, "an age goes with value"),
        ({"value": "x", "unit": "cm"}, "is not a unit"),
        ({"quantile": 0.5, "histogram": 'x{le="1"}'}, "told apart by le"),
        ({"quantile": 0.5, "histogram": "x", "by": "le"}, "told apart by le"),
        ({"value": 5}, "a text is expected that selects series"),
        ("x{", "selects no series"),
    ],
)
async def test_a_figure_that_makes_no_sense_says_why(resources: Resources, figure: object, why: str) -> None:
    with pytest.raises(ValueError, match=re.escape(why)):
        async with application(resources, x=figure):
            pass


@pytest.mark.parametrize(
    ("figure", "unit", "labels", "exceeds"),
    [
        ("x", "", (), False),
        ({"rate": "x", "by": "a"}, "per_second", ("a",), False),
        ({"rate": "x", "unit": "MB"}, "bytes_per_second", (), False),
        ({"rate": "x", "unit": "seconds"}, "ratio", (), True),
        ({"increase": "x", "unit": "ms"}, "seconds", (), False),
        (ERRORS, "ratio", (), False),
        ({"ratio": "x", "of": "y"}, "ratio", (), True),
        ({"ratio": "x_sum", "of": "x_count", "unit": "seconds"}, "seconds", (), False),
        (SPEED, "seconds", (), False),
        ({"value": "x", "unit": "age"}, "seconds", (), False),
    ],
)
async def test_the_unit_of_a_figure(
    resources: Resources, figure: object, unit: str, labels: tuple[str, ...], exceeds: bool
) -> None:
    async with application(resources, x=figure) as app:
        spec = app.check.declared()[-1]
    assert (spec.name, spec.unit, spec.labels, spec.exceeds) == ("x", unit, labels, exceeds)
