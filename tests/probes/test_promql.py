"""The kind `promql`: a real Prometheus, and everything that may answer in its place."""

from __future__ import annotations

import json
import re
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from monitor.clock import SystemClock
from monitor.model import CheckId, Failure, Reason, Sample, State
from monitor.probes import load_kind
from monitor.probes.base import observe
from monitor.probes.promql.points import Points, Query, largest, read_points
from monitor.vendors import Found
from tests.acceptance.peers import until
from tests.fakes import START, FakeClock
from tests.probes.conftest import SECRET
from tests.probes.pages import Pages, serving
from tests.push.prometheus import prometheus

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    from monitor.probes.base import Check, Resources

CHECK = CheckId("shop", "app")
NOW = START.timestamp()
PAGE = """\
up_to_date 1
jobs{queue="mail",state="waiting"} 3
jobs{queue="pictures",state="waiting"} 5
jobs{queue="mail",state="running"} 1
nothing_yet NaN
size_megabytes 2
"""


def made(url: str, values: Mapping[str, Any], **fields: Any) -> Check:  # noqa: ANN401 - any field
    return load_kind("promql").model_validate({"kind": "promql", "url": url, "values": values, **fields})


def of(sample: Sample, name: str) -> dict[str, float]:
    """Return the values of a measure by their labels."""
    return {
        " ".join(value for _, value in measure.labels): measure.value
        for measure in sample.measures
        if measure.name == name
    }


async def test_a_real_prometheus_is_asked(resources: Resources, tmp_path: Path) -> None:
    """Scalars, vectors, labels, what is no number, what is empty, and its words for a query that is wrong."""

    async def found(values: Mapping[str, Any]) -> Sample:
        return await observe(CHECK, made(known.url, values), resources, SystemClock())

    async with serving(PAGE) as pages, prometheus(tmp_path, pages.port) as known:

        async def scraped() -> bool:
            return bool(await known.knows("up_to_date"))

        await until(scraped, "a scrape")
        sample = await found(
            {
                "up_to_date": "up_to_date",
                "one": "scalar(up_to_date)",
                "moment": {"query": "time()", "unit": "timestamp"},
                "waiting": {"query": 'jobs{state="waiting"}', "by": "queue"},
                "jobs": {"query": "jobs", "by": ["queue", "state"], "most": 2},
                "size": {"query": "size_megabytes", "unit": "MB"},
                "share": {"query": 'sum(jobs{state="running"}) / sum(jobs)', "unit": "ratio"},
                "none": {"query": "errors_total", "empty": 0},
                "none_by": {"query": "errors_total", "by": "path", "empty": 0},
                "nan": "nothing_yet",
            }
        )
        assert sample.state is State.UP, sample.detail
        assert (of(sample, "up_to_date"), of(sample, "one")) == ({"": 1.0}, {"": 1.0})
        assert of(sample, "moment")[""] == pytest.approx(time.time(), abs=60)
        assert of(sample, "waiting") == {"mail": 3.0, "pictures": 5.0}
        assert of(sample, "jobs") == {"mail waiting": 3.0, "pictures waiting": 5.0}
        assert of(sample, "size") == {"": 2e6}
        assert of(sample, "share") == {"": pytest.approx(1 / 9)}
        assert (of(sample, "none"), of(sample, "none_by"), of(sample, "nan")) == ({"": 0.0}, {}, {})
        assert sample.unmeasured == {"nan"}
        assert sample.remarks == {"jobs": "1 further series are left out, which are smaller"}
        assert {"duration", "phase"} <= {measure.name for measure in sample.measures}
        for query, reason, words in (
            ("sum(", Reason.UNKNOWN, "errors: bad_data: "),
            ("errors_total", Reason.MISSING, "errors: the answer is empty; if that means 0, say empty: 0"),
            ("jobs", Reason.UNKNOWN, "errors: 3 series, and two have nothing that `by` tells apart"),
            ("up_to_date[5m]", Reason.PROTOCOL, "leave a range such as [5m] to a function"),
            ('"text"', Reason.PROTOCOL, "errors: the query gives a text"),
            ("label_replace(jobs, 'a', '$1', 'queue', '(')", Reason.UNKNOWN, "errors: execution: "),
        ):
            sample = await found({"errors": query})
            assert (sample.state, sample.reason) == (State.UNKNOWN, reason), (query, sample)
            assert words in sample.detail
        sample = await found({"a": "up_to_date", "b": {"query": "jobs", "by": "queue"}})
        assert sample.detail == "b: 3 series, and two have the same queue: add them up in the query"
        assert of(sample, "a") == {"": 1.0}


class Answers:
    """Something that answers in Prometheus' place."""

    def __init__(self, pages: Pages, resources: Resources) -> None:
        self.pages = pages
        self.clock = FakeClock()
        self._resources = resources

    async def asked(self, answer: object = None, status: int = 200, values: object = "x", **fields: Any) -> Sample:  # noqa: ANN401 - any field
        """Ask with `answer` at the other end: JSON, or a text."""
        self.pages.text = answer if isinstance(answer, str) else json.dumps(answer)
        self.pages.status = status
        given = values if isinstance(values, dict) else {"value": values}
        check = made(f"http://127.0.0.1:{self.pages.port}/prom/", given, **fields)
        return await observe(CHECK, check, self._resources, self.clock)


@asynccontextmanager
async def answering(resources: Resources) -> AsyncIterator[Answers]:
    async with serving() as pages:
        pages.headers = {"Content-Type": "application/json"}
        yield Answers(pages, resources)


def success(*values: object, **more: object) -> dict[str, object]:
    """Return an answer with one series for each of `values`."""
    result = [{"metric": {"n": str(n)}, "value": [NOW, value]} for n, value in enumerate(values)]
    return {"status": "success", "data": {"resultType": "vector", "result": result}, **more}


def error(kind: str, text: str) -> dict[str, str]:
    return {"status": "error", "errorType": kind, "error": text}


async def test_how_it_asks(resources: Resources) -> None:
    """A form that is posted, as long queries are; who we are and whose data we want are headers."""
    async with answering(resources) as answers:
        fields: dict[str, Any] = {"auth": {"bearer": "t0ken"}, "headers": {"X-Scope-OrgID": "shop"}, "timeout": "7s"}
        sample = await answers.asked(success("1"), values="sum(a + b)", **fields)
        assert sample.state is State.UP
        (asked,), (body,) = answers.pages.asked, answers.pages.bodies
    form = parse_qs(body.decode())
    assert (asked.method, asked.path) == ("POST", "/prom/api/v1/query")
    assert (asked.headers["Authorization"], asked.headers["X-Scope-OrgID"]) == ("Bearer t0ken", "shop")
    assert form["query"] == ["sum(a + b)"]
    assert 5 < float(form["timeout"][0]) <= 7


@pytest.mark.parametrize(
    ("answer", "status", "reason", "words"),
    [
        (error("bad_data", "parse error: unexpected )"), 400, Reason.UNKNOWN, "bad_data: parse error: unexpected )"),
        (error("execution", "many-to-many matching"), 422, Reason.UNKNOWN, "execution: many-to-many"),
        (error("timeout", "query timed out"), 503, Reason.TIMEOUT, "timeout: query timed out"),
        (error("canceled", "too long"), 503, Reason.TIMEOUT, "canceled"),
        (error("bad_data", "tenant unknown"), 401, Reason.AUTH, "it does not take who we say that we are: bad_data"),
        (error("bad_data", "odd"), 200, Reason.UNKNOWN, "bad_data: odd"),
        ("no org id", 401, Reason.AUTH, "who we say that we are"),
        ("", 403, Reason.AUTH, "does not let us"),
        ("<h1>404</h1>", 404, Reason.PROTOCOL, "is that the address of a Prometheus?"),
        ("", 429, Reason.RATE_LIMITED, "fewer questions"),
        ("<h1>502</h1>", 502, Reason.STATUS, "it answers 502"),
        ("", 302, Reason.UNKNOWN, "it answers 302"),
        ("<html>", 200, Reason.PROTOCOL, "this is no Prometheus: expected JSON"),
        ('{"status": "suc', 200, Reason.PROTOCOL, "this is no Prometheus"),
        ([], 200, Reason.PROTOCOL, "expected an object"),
        ({}, 200, Reason.PROTOCOL, "'status'"),
        ({"status": 5}, 500, Reason.STATUS, "it answers 500"),
        ({"status": "success"}, 200, Reason.PROTOCOL, "'data'"),
        ({"status": "success", "data": {"resultType": "vector", "result": {}}}, 200, Reason.PROTOCOL, "a list"),
        ({"status": "success", "data": {"resultType": "tensor", "result": []}}, 200, Reason.PROTOCOL, "no number"),
        ({"status": "success", "data": {"resultType": "scalar", "result": [NOW]}}, 200, Reason.PROTOCOL, "no moment"),
        (
            {"status": "success", "data": {"resultType": "vector", "result": [{"metric": {}, "histogram": [NOW, {}]}]}},
            200,
            Reason.PROTOCOL,
            "native histograms",
        ),
        (success(5), 200, Reason.PROTOCOL, "expected a text"),
        (success("five"), 200, Reason.PROTOCOL, "a value that is no number"),
    ],
)
async def test_whatever_goes_wrong_is_unknown(
    resources: Resources, answer: object, status: int, reason: Reason, words: str
) -> None:
    """None of it is the product's fault."""
    async with answering(resources) as answers:
        sample = await answers.asked(answer, status)
    assert (sample.state, sample.reason) == (State.UNKNOWN, reason), sample
    assert sample.detail.startswith("value: ")
    assert words in sample.detail


@pytest.mark.parametrize(("text", "taken"), [("NaN", None), ("+Inf", None), ("-Inf", None), ("1e3", 1e3), ("-0", 0.0)])
async def test_what_is_no_number_is_left_out(resources: Resources, text: str, taken: float | None) -> None:
    async with answering(resources) as answers:
        sample = await answers.asked(success(text))
    assert sample.state is State.UP
    assert of(sample, "value") == ({} if taken is None else {"": taken})
    assert sample.unmeasured == ({"value"} if taken is None else set())


@pytest.mark.parametrize(("off", "words"), [(-600, "10 min old"), (600, "10 min ahead of us")])
async def test_an_answer_about_another_moment_is_not_taken(resources: Resources, off: float, words: str) -> None:
    """A cache's, or that of a clock that is wrong."""
    async with answering(resources) as answers:
        old = {"resultType": "scalar", "result": [NOW + off, "1"]}
        sample = await answers.asked({"status": "success", "data": old})
    assert (sample.state, sample.reason) == (State.UNKNOWN, Reason.UNKNOWN)
    assert words in sample.detail


async def test_what_it_warns_of_is_passed_on(resources: Resources) -> None:
    """Thanos and Mimir say so that a part of their stores did not answer."""
    async with answering(resources) as answers:
        sample = await answers.asked(success("1", warnings=["store 10.0.0.1 did not answer", "more"]))
    assert sample.remarks == {"value": "Prometheus warns: store 10.0.0.1 did not answer"}


async def test_an_answer_that_is_too_long_is_unknown(resources: Resources) -> None:
    async with answering(resources) as answers:
        sample = await answers.asked(" " * (5 * 2**20))
    assert (sample.state, sample.reason) == (State.UNKNOWN, Reason.BODY)
    assert "let the query add series up" in sample.detail


async def test_a_redirect_is_not_followed(resources: Resources) -> None:
    async with answering(resources) as answers:
        answers.pages.headers["Location"] = "/elsewhere"
        sample = await answers.asked("", 307)
        assert len(answers.pages.asked) == 1
    assert sample.state is State.UNKNOWN


async def test_one_that_is_down_is_unknown(resources: Resources) -> None:
    async with answering(resources) as answers:
        answers.pages.answer = _abort
        sample = await answers.asked()
    assert (sample.state, sample.reason) == (State.UNKNOWN, Reason.RESET)


def _abort(request: web.Request) -> web.Response:
    assert request.transport
    request.transport.abort()
    return web.Response()


async def test_a_series_that_was_told_and_is_too_much_now_is_left_out_and_not_gone(resources: Resources) -> None:
    query = {"query": "x", "by": "n", "most": 1}
    async with answering(resources) as answers:
        check = made(f"http://127.0.0.1:{answers.pages.port}", {"value": query})
        found = []
        for values in (("1", "2"), ("3", "2"), ("3",)):
            answers.pages.text = json.dumps(success(*values))
            found.append(await observe(CHECK, check, resources, answers.clock))
    assert [of(sample, "value") for sample in found] == [{"1": 2.0}, {"0": 3.0}, {"0": 3.0}]
    assert [bool(sample.unmeasured) for sample in found] == [False, True, False]


async def test_no_secret_is_shown(resources: Resources) -> None:
    async with answering(resources) as answers:
        sample = await answers.asked(error("bad_data", f"no tenant {SECRET}"), 400)
        assert "no tenant •••" in sample.detail
        data = {"resultType": "vector", "result": [{"metric": {"n": SECRET}, "value": [NOW, "1"]}]}
        sample = await answers.asked({"status": "success", "data": data}, values={"x": {"query": "x", "by": "n"}})
    assert of(sample, "x") == {"•••": 1.0}


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"url": "http://x/api/v1/query"}, "the address before /api/v1/query"),
        ({"url": "http://x/?a=b"}, "the address before"),
        ({"url": "ftp://x"}, "not an address"),
        ({"url": "http://me:secret@x"}, "does not belong in the address"),
        ({"values": {}}, "at least 1"),
        ({"values": {"x": ""}}, "at least 1 character"),
        ({"values": {"x": {"query": "x", "by": "a-b"}}}, "by"),
        ({"values": {"x": {"query": "x", "unit": "cm"}}}, "is not a unit"),
        ({"values": {f"x{n}": {"query": "x", "by": "a", "most": 400} for n in range(3)}}, "more than 900 series"),
        ({"headers": {"Content-Length": "5"}}, "cannot be set"),
    ],
)
def test_what_makes_no_sense_says_why(fields: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=re.escape(why)):
        made(**{"url": "http://x", "values": {"x": "x"}, **fields})


def test_what_a_check_says_of_itself() -> None:
    check = made("https://x/", {"a": "up", "b": {"query": "x", "by": ["q", "r"], "unit": "%"}})
    assert check.asks == (("POST", "https://x/api/v1/query"),) * 2
    assert check.implied() == ()
    assert [(spec.name, spec.unit, spec.labels) for spec in check.declared()[-2:]] == [
        ("a", "", ()),
        ("b", "ratio", ("q", "r")),
    ]


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["metric", "value", "n"]), inner),
    max_leaves=8,
)
ANSWERS = st.fixed_dictionaries(
    {"resultType": st.sampled_from(["vector", "scalar", "matrix", "x"]) | JSON, "result": st.lists(JSON) | JSON}
)


@given(ANSWERS | JSON, st.sampled_from([(), ("n",)]))
def test_no_answer_can_crash_it(data: Any, by: tuple[str, ...]) -> None:  # noqa: ANN401 - any JSON value
    """It is read, or it is a failure that blames nobody but what answered."""
    query = Query(query="x", by=by, empty=0)
    state, points = State.UP, Points({})
    try:
        points = read_points(query, Found(data), START, str)
    except Failure as failure:
        state = failure.state
    told, hidden = largest(points, 1)
    assert len(told) + len(hidden) == len(points.values)
    assert state is not State.DOWN
