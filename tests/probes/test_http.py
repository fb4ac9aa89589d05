from __future__ import annotations

import asyncio
import base64
import json
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError
from ruamel.yaml import YAML

from monitor.clock import SystemClock
from monitor.model import CheckId, Reason, Sample, State
from monitor.probes.base import observe
from monitor.probes.http import HttpCheck
from monitor.units import Unit
from tests.fetch.web import PLAIN, redirect, serving
from tests.peers import free_port, hangs_up, silence, tcp_peer
from tests.probes.conftest import SECRET

if TYPE_CHECKING:
    from monitor.probes.base import Resources
    from tests.peers import Authority, NameServer

BOTH_LOOPS = True
CHECK = CheckId("shop", "site")
NAME = "shop.test"


def answer(body: bytes | str = b"", status: int = 200, /, **headers: str) -> bytes:
    body = body.encode() if isinstance(body, str) else body
    named = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status} X\r\n{named}Content-Length: {len(body)}\r\n\r\n".encode() + body


def made(**fields: Any) -> HttpCheck:  # noqa: ANN401 - as a file has it
    return HttpCheck.model_validate({"timeout": "500ms", **fields})


async def observed(resources: Resources, **fields: Any) -> Sample:  # noqa: ANN401 - as a file has it
    check = made(**fields)
    sample = await observe(CHECK, check, resources, SystemClock())
    declared = {spec.name: spec.labels for spec in check.declared()}
    for measure in sample.measures:
        assert tuple(name for name, _ in measure.labels) == declared[measure.name]
    assert (sample.state is State.UP) == (sample.reason is None) == (not sample.detail)
    assert sample.reason is None or sample.reason in check.reasons
    return sample


def value(sample: Sample, name: str, **label: str) -> float:
    (found,) = [each.value for each in sample.measures if each.name == name and set(label.items()) <= set(each.labels)]
    return found


def noted(sample: Sample) -> set[str]:
    return {measure.name for measure in sample.measures}


async def test_a_good_answer_is_up_and_measured(resources: Resources) -> None:
    async with tcp_peer(serving(answer("x" * 100))) as peer:
        sample = await observed(resources, url=f"http://127.0.0.1:{peer.port}/")
    assert sample.state is State.UP
    assert noted(sample) == {"duration", "phase", "status", "body_size", "redirects"}
    assert (value(sample, "status"), value(sample, "body_size"), value(sample, "redirects")) == (200, 100, 0)
    phases = [value(sample, "phase", phase=name) for name in ("dns", "connect", "processing", "transfer")]
    assert value(sample, "duration") == pytest.approx(sum(phases), abs=1e-5)


async def test_https_notes_expiry_and_issuer(resources: Resources, authority: Authority) -> None:
    tls = {"ca_file": str(authority.path), "server_name": NAME}
    async with tcp_peer(serving(PLAIN), authority.server(NAME)) as peer:
        sample = await observed(resources, url=f"https://127.0.0.1:{peer.port}/", tls=tls)
    assert sample.state is State.UP
    left = value(sample, "expiry") - SystemClock().now().timestamp()
    assert left == pytest.approx(60 * 86_400, abs=60)
    assert value(sample, "certificate", issuer="CN=Test Authority") == 1
    assert value(sample, "phase", phase="tls") > 0


async def test_a_certificate_that_is_refused_is_down_and_still_measured(
    resources: Resources, authority: Authority
) -> None:
    async with tcp_peer(serving(PLAIN), authority.server(NAME)) as peer:
        sample = await observed(resources, url=f"https://127.0.0.1:{peer.port}/", tls={"ca_file": str(authority.path)})
    assert (sample.state, sample.reason) == (State.DOWN, Reason.TLS_INVALID)
    assert {"expiry", "certificate"} <= noted(sample)
    assert "duration" not in noted(sample)


async def test_an_unexpected_answer_is_down_and_has_its_measures(resources: Resources) -> None:
    async with tcp_peer(serving(answer("sorry", 503))) as peer:
        sample = await observed(resources, url=f"http://127.0.0.1:{peer.port}/")
    assert (sample.state, sample.reason) == (State.DOWN, Reason.STATUS)
    assert sample.detail == "expected status 2xx, got 503"
    assert value(sample, "status") == 503
    assert "duration" in noted(sample)


@pytest.mark.parametrize("status", ["100-599", 200])
async def test_a_transport_error_is_never_up(resources: Resources, status: object) -> None:
    async with tcp_peer(hangs_up) as peer:
        sample = await observed(resources, url=f"http://127.0.0.1:{peer.port}/", expect={"status": status})
    assert (sample.state, sample.reason) == (State.DOWN, Reason.RESET)
    sample = await observed(resources, url=f"http://127.0.0.1:{free_port()}/", expect={"status": status})
    assert (sample.state, sample.reason) == (State.DOWN, Reason.REFUSED)


async def test_no_answer_is_a_timeout_with_the_phases_so_far(resources: Resources) -> None:
    async with tcp_peer(silence) as peer:
        sample = await observed(resources, url=f"http://127.0.0.1:{peer.port}/", timeout="100ms")
    assert (sample.state, sample.reason) == (State.DOWN, Reason.TIMEOUT)
    assert {dict(each.labels)["phase"] for each in sample.measures} == {"dns", "connect"}


async def test_a_silent_name_server_is_unknown_and_an_absent_name_down(resources: Resources, names: NameServer) -> None:
    names.silent.add("silent.test")
    names.codes["absent.test"] = 3
    silent = await observed(resources, url="http://silent.test/")
    assert (silent.state, silent.reason) == (State.UNKNOWN, Reason.DNS)
    absent = await observed(resources, url="http://absent.test/")
    assert (absent.state, absent.reason) == (State.DOWN, Reason.DNS)


async def test_what_is_sent(resources: Resources) -> None:
    web = serving(PLAIN)
    async with tcp_peer(web) as peer:
        url = f"http://127.0.0.1:{peer.port}/"
        await observed(resources, url=url, auth={"basic": {"user": "me", "password": "pä:ss"}})
        await observed(resources, url=url, auth={"bearer": "t0ken"}, headers={"X-A": "1", "accept": "text/plain"})
        await observed(resources, url=url, json={"a": [1, None]})
        await observed(resources, url=url, body="ü", method="PUT", headers={"Content-Type": "text/plain"})
        await observed(resources, url=url, json=0, headers={"content-type": "application/vnd.api+json"})
    basic, bearer, posted, put, own = (request.decode() for request in web.requests)
    assert f"Authorization: Basic {base64.b64encode('me:pä:ss'.encode()).decode()}\r\n" in basic
    assert basic.startswith("GET / ")
    assert "Authorization: Bearer t0ken\r\n" in bearer
    assert "X-A: 1\r\n" in bearer
    assert "accept: text/plain\r\n" in bearer
    assert posted.startswith("POST / ")
    assert "Content-Type: application/json\r\n" in posted
    assert json.loads(posted.partition("\r\n\r\n")[2]) == {"a": [1, None]}
    assert put.startswith("PUT / ")
    assert put.endswith("\r\n\r\nü")
    assert "content-type: application/vnd.api+json\r\n" in own
    assert "Content-Type" not in own


async def test_values_become_measures_in_their_base_unit(resources: Resources) -> None:
    body = {"uptime": 12.5, "queue": {"depth": 3}, "memory": 81, "latency": 250, "size": 2, "renewed": 1.7e9}
    values = {
        "uptime": {"path": "uptime", "unit": "seconds"},
        "depth": "queue.depth",
        "memory": {"path": "memory", "unit": "%"},
        "latency": {"path": "latency", "unit": "ms"},
        "size": {"path": "size", "unit": "MiB"},
        "renewed": {"path": "renewed", "unit": "timestamp"},
    }
    async with tcp_peer(serving(answer(json.dumps(body)))) as peer:
        url = f"http://127.0.0.1:{peer.port}/"
        sample = await observed(resources, url=url, values=values)
    assert sample.state is State.UP
    found = {name: value(sample, name) for name in values}
    assert found == {
        "uptime": 12.5,
        "depth": 3,
        "memory": pytest.approx(0.81),
        "latency": 0.25,
        "size": 2**21,
        "renewed": 1.7e9,
    }
    units = {spec.name: spec.unit for spec in made(url=url, values=values).declared()}
    assert (units["memory"], units["latency"], units["renewed"]) == (Unit.RATIO, Unit.SECONDS, Unit.TIMESTAMP)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ('{"good": 1, "bad": "5"}', 'expected a number at bad, got "5"'),
        ('{"good": 1, "bad": true}', "expected a number at bad, got true"),
        ('{"good": 1}', "expected a number at bad, got null"),
        ('{"good": 1, "bad": 1e999}', "expected a number at bad, got Infinity"),
        (f'{{"good": 1, "bad": {"9" * 400}}}', "expected a number at bad, got 999"),
    ],
)
async def test_a_value_that_is_no_number_is_down_and_the_others_are_noted(
    resources: Resources, body: str, text: str
) -> None:
    async with tcp_peer(serving(answer(body))) as peer:
        values = {"bad": "bad", "worse": "length(good)", "good": "good"}
        sample = await observed(resources, url=f"http://127.0.0.1:{peer.port}/", values=values)
    assert (sample.state, sample.reason) == (State.DOWN, Reason.BODY)
    assert sample.detail.startswith(text)
    assert value(sample, "good") == 1


async def test_a_failed_expectation_is_told_before_a_value_that_is_missing(resources: Resources) -> None:
    async with tcp_peer(serving(answer("<h1>502</h1>", 502))) as peer:
        sample = await observed(resources, url=f"http://127.0.0.1:{peer.port}/", values={"a": "a"})
    assert sample.detail == "expected status 2xx, got 502"


async def test_where_redirects_led_is_told(resources: Resources) -> None:
    web = serving(redirect("/b?token=hunter2"), answer("", 404))
    async with tcp_peer(web) as peer:
        sample = await observed(resources, url=f"http://127.0.0.1:{peer.port}/a")
        web.answers[:] = [redirect("/b"), redirect("/c"), answer("", 404)]
        twice = await observed(resources, url=f"http://127.0.0.1:{peer.port}/a")
    where = f"http://127.0.0.1:{peer.port}"
    assert sample.detail == f"expected status 2xx, got 404 (after a redirect, from {where}/b)"
    assert twice.detail == f"expected status 2xx, got 404 (after 2 redirects, from {where}/c)"
    assert value(twice, "redirects") == 2


async def test_redirects_are_followed_limited_or_asserted(resources: Resources) -> None:
    web = serving(redirect("/b"), PLAIN)
    async with tcp_peer(web) as peer:
        url = f"http://127.0.0.1:{peer.port}/"
        assert (await observed(resources, url=url)).state is State.UP
        web.answers[:] = [redirect("/b"), redirect("/c"), PLAIN]
        limited = await observed(resources, url=url, redirects=1)
        assert limited.detail == "expected at most 1 redirects, got more"
        web.answers[:] = [redirect("/b")]
        unfollowed = await observed(resources, url=url, redirects=False)
        assert unfollowed.detail == "expected status 2xx, got 302"
        assert (await observed(resources, url=url, expect={"location": f"{url}b"})).state is State.UP
        wrong = await observed(resources, url=url, expect={"location": "https://shop.test/", "status": 302})
    assert wrong.reason is Reason.HEADER
    assert wrong.detail == f'expected a redirect to an address equal to "https://shop.test/", got "{url}b"'


ORIGIN = "https://app.test"
ALLOW = "Access_Control_Allow_Origin"


@pytest.mark.parametrize(
    ("cors", "reply", "reason"),
    [
        ({}, answer("", 204, **{ALLOW: ORIGIN}), None),
        ({}, answer("", 204, **{ALLOW: "*"}), Reason.HEADER),
        ({}, answer("", 204, **{ALLOW: "https://evil.test"}), Reason.HEADER),
        ({}, answer("", 204), Reason.HEADER),
        ({}, answer("", 500, **{ALLOW: ORIGIN}), Reason.STATUS),
        ({"method": "PUT"}, answer(**{ALLOW: ORIGIN, "Access_Control_Allow_Methods": "GET, put"}), None),
        ({"method": "PUT"}, answer(**{ALLOW: ORIGIN, "Access_Control_Allow_Methods": "*"}), None),
        ({"method": "PUT"}, answer(**{ALLOW: ORIGIN, "Access_Control_Allow_Methods": "GET,COMPUTE"}), Reason.HEADER),
        ({"method": "DELETE"}, answer(**{ALLOW: ORIGIN}), Reason.HEADER),
        ({"allowed": False}, answer("", 400), None),
        ({"allowed": False}, answer("", 200, **{ALLOW: "https://other.test"}), None),
        ({"allowed": False}, answer("", 200, **{ALLOW: ORIGIN}), Reason.HEADER),
        ({"allowed": False}, answer("", 200, **{ALLOW: "*"}), Reason.HEADER),
        ({"allowed": False}, answer("", 500), Reason.STATUS),
    ],
)
async def test_cors(resources: Resources, cors: dict[str, Any], reply: bytes, reason: Reason | None) -> None:
    web = serving(reply)
    async with tcp_peer(web) as peer:
        sample = await observed(resources, url=f"http://127.0.0.1:{peer.port}/api", cors={"origin": ORIGIN, **cors})
    assert sample.reason is reason
    assert web.requests[0].startswith(b"OPTIONS /api ")
    assert f"Origin: {ORIGIN}\r\n".encode() in web.requests[0]
    assert f"Access-Control-Request-Method: {cors.get('method', 'GET')}\r\n".encode() in web.requests[0]


async def test_a_preflight_follows_no_redirect_as_no_browser_does(resources: Resources) -> None:
    web = serving(redirect("/b"), answer(Access_Control_Allow_Origin=ORIGIN))
    async with tcp_peer(web) as peer:
        sample = await observed(resources, url=f"http://127.0.0.1:{peer.port}/", cors={"origin": ORIGIN})
    assert sample.detail == "expected status 2xx, got 302"
    assert len(web.requests) == 1


async def test_cors_and_own_expectations_hold_together(resources: Resources) -> None:
    async with tcp_peer(serving(answer("", 500))) as peer:
        sample = await observed(
            resources,
            url=f"http://127.0.0.1:{peer.port}/",
            cors={"origin": ORIGIN},
            expect={"explain": {500: "a variable is missing"}, "headers": {"Vary": True}},
        )
    assert sample.detail == "expected status 2xx, got 500 (a variable is missing)"


@pytest.mark.parametrize("where", ["body", "header", "json", "location"])
async def test_no_part_of_a_secret_comes_back(resources: Resources, where: str) -> None:
    echo = "x" * 90 + SECRET
    reply = {
        "body": answer(echo),
        "header": answer(X_A=echo),
        "json": answer(json.dumps({"a": echo})),
        "location": answer("", 302, Location=f"/{SECRET}?{SECRET}"),
    }[where]
    expect = {
        "body": {"body": {"equals": "never"}},
        "header": {"headers": {"X-A": "never"}},
        "json": {"json": {"a": "never"}, "show": "a"},
        "location": {"location": "never"},
    }[where]
    async with tcp_peer(serving(reply)) as peer:
        url = f"http://127.0.0.1:{peer.port}/?key=hunter2"
        sample = await observed(resources, url=url, headers={"X-Key": SECRET}, expect=expect)
    assert sample.state is State.DOWN
    assert "hunt" not in repr(sample)


def test_a_check_prints_no_secret() -> None:
    check = made(
        url="https://shop.test/",
        headers={"X-Key": SECRET},
        auth={"basic": {"user": "me", "password": SECRET}},
        body=SECRET,
    )
    _ = check._request  # made and kept
    assert SECRET not in repr(check)
    assert SECRET not in check.model_dump_json()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"url": "shop.test"}, "this is not an address such as"),
        ({"url": "ftp://shop.test/"}, "this is not an address such as"),
        ({"url": "http://"}, "this is not an address such as"),
        ({"url": "http://a b/"}, "this is not an address such as"),
        ({"url": "http://shop.test:99999/"}, "this is not an address such as"),
        ({"url": "http://me:hunter2@shop.test/"}, "write it under auth"),
        ({"method": "get"}, "pattern"),
        ({"method": "GET / HTTP/1.1\r\nX: y"}, "pattern"),
        ({"headers": {"X-A": "a\r\nX-B: hunter2"}}, "the value of X-A holds a line break"),
        ({"headers": {"X A": "hunter2"}}, "'X A' is not a header name"),
        ({"headers": {"Content-Length": "5"}}, "cannot be set"),
        ({"headers": {"X-A": "1", "x-a": "2"}}, "given twice"),
        ({"headers": {"authorization": "a"}, "auth": {"bearer": "hunter2"}}, "given twice"),
        ({"auth": {"bearer": "hunter2\n"}}, "the value of Authorization holds a line break"),
        ({"auth": {"basic": {"user": "a:b", "password": "hunter2"}}}, "pattern"),
        ({"auth": {}}, "give one of basic and bearer"),
        ({"auth": {"bearer": "hunter2", "basic": {"user": "a", "password": "b"}}}, "give one of basic and bearer"),
        ({"body": "a", "json": 1}, "give one of body and json"),
        ({"cors": {"origin": "https://app.test"}, "method": "GET"}, "cors sends an OPTIONS"),
        ({"cors": {"origin": "https://app.test"}, "body": "a"}, "cors sends an OPTIONS"),
        ({"cors": {"origin": "https://app.test/"}}, "is not an origin"),
        ({"cors": {"origin": "https://App.test"}}, "is not an origin"),
        ({"cors": {"origin": "*"}}, "not an address"),
        ({"redirects": 0}, "greater than"),
        ({"redirects": 21}, "less than"),
        ({"redirects": True, "expect": {"location": "https://a/"}}, "a location can only be expected"),
        ({"values": {"Up": "a"}}, "pattern"),
        ({"values": {"up": "a..b"}}, "is not a JMESPath"),
        ({"values": {"up": {"path": "a", "unit": "parsecs"}}}, "'parsecs' is not a unit"),
        ({"tls": {"minimum": "1.1"}}, "1.2"),
    ],
)
def test_what_can_never_work_is_refused_and_no_secret_repeated(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        made(**{"url": "https://shop.test/", **fields})
    texts = [error["msg"] for error in caught.value.errors()]
    assert any(message in text for text in texts), texts
    assert not any("hunter2" in text for text in texts)


def test_only_headers_that_tell_who_we_are_are_secret() -> None:
    """Whatever their case; what is secret shows neither in a repr nor in what is dumped, the rest may be told."""
    open_ones = {"Origin": "https://shop.test", "Accept": "text/plain", "X-Request-Source": "monitor"}
    closed = dict.fromkeys(
        ("authorization", "Proxy-Authorization", "COOKIE", "X-Api-Key", "X-Auth-Token", "X-Hub-Signature"), "hunter2"
    )
    check = made(url="https://shop.test/", headers={**open_ones, **closed})
    assert check.model_dump(mode="json")["headers"] == {**open_ones, **dict.fromkeys(closed, "•••")}
    assert "hunter2" not in repr(check)
    assert all(value.reveal() for _, value in check._headers)


def test_the_null_origin_can_be_asked_for() -> None:
    assert made(url="https://shop.test/", cors={"origin": "null", "allowed": False}).method == "OPTIONS"


def test_a_certificate_threshold_is_implied_for_https_only() -> None:
    (implied,) = made(url="https://shop.test/").implied()
    assert (implied.name, implied.watch, implied.warning, implied.critical) == (
        "certificate",
        "expiry",
        "< 21d",
        "< 7d",
    )
    assert implied.remedy
    assert made(url="http://shop.test/").implied() == ()


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://Shop.test:8443/a", "shop.test"),
        ("http://[::1]/", "::1"),
        ("https://bücher.test/", "xn--bcher-kva.test"),
    ],
)
def test_the_host_limits_runs(url: str, host: str) -> None:
    assert made(url=url).host == host


async def test_a_broken_ca_file_is_unknown(resources: Resources) -> None:
    async with tcp_peer(silence) as peer:
        sample = await observed(resources, url=f"https://127.0.0.1:{peer.port}/", tls={"ca_file": "/does/not/exist"})
    assert sample.state is State.UNKNOWN


async def test_runs_of_one_check_do_not_disturb_each_other(resources: Resources) -> None:
    check = made(url="http://127.0.0.1:1/")
    async with tcp_peer(serving(PLAIN)) as peer:
        check = made(url=f"http://127.0.0.1:{peer.port}/")
        samples = await asyncio.gather(*(observe(CHECK, check, resources, SystemClock()) for _ in range(5)))
    assert {sample.state for sample in samples} == {State.UP}


# What the runbooks ask for, as their system files may write it.

HEALTHY = (
    '{"status": "healthy", "database": {"connected": true}, "uptime": 5, "version": "2", "environment": "production"}'
)
SECURE = {
    "X_Content_Type_Options": "nosniff",
    "X_Frame_Options": "DENY",
    "X_XSS_Protection": "1; mode=block",
    "Strict_Transport_Security": "max-age=31536000; includeSubDomains",
}
RUNBOOKS = {
    "SS-01": (
        "expect: {status: 200, json: {status: healthy}}",
        answer(HEALTHY),
        answer('{"status": "degraded"}'),
        "degraded",
    ),
    "SS-02": ("expect: {status: [200, 404]}", answer("", 404), answer("", 502), "502"),
    "SS-03": (
        """
method: POST
expect:
  status: 400
  explain: {404: the route is not registered, 502-503: the service is down, 2xx: an unsigned event was accepted}
""",
        answer("", 400),
        answer("", 200),
        "an unsigned event was accepted",
    ),
    "SS-04": (
        "expect: {status: 200, content_type: text/html}",
        answer(Content_Type="text/html"),
        answer("{}"),
        "content type",
    ),
    "SS-05": ("expect: {status: 200, body: healthy}", answer("healthy"), answer("<h1>"), "healthy"),
    "SS-14": (
        "cors: {origin: https://auth.seedsource.dev}\nexpect: {explain: {500: a variable is missing}}",
        answer(Access_Control_Allow_Origin="https://auth.seedsource.dev"),
        answer("", 500),
        "a variable is missing",
    ),
    "SS-15": (
        "expect: {status: [401, 403], explain: {500: JWT_SECRET is missing}}",
        answer("", 401),
        answer("", 500),
        "JWT_SECRET is missing",
    ),
    "SS-21": ("expect: {status: 200}", answer(), answer("", 404), "404"),
    "RS-01": ("expect: {status: 200}", answer(), answer("", 500), "500"),
    "RS-12": ('expect: {json: {"length(keys)": ">= 1"}}', answer('{"keys": [{}]}'), answer('{"keys": []}'), "got 0"),
    "RS-13": (
        "auth: {bearer: token}\nexpect: {status: 200, json: {name: qwen-image-edit}}",
        answer('{"name": "qwen-image-edit"}'),
        answer("", 401),
        "401",
    ),
    "RS-16": (
        "expect: {status: [301, 308], location: 'https://api.real-staging.ai/'}",
        answer("", 301, Location="https://api.real-staging.ai/"),
        answer("", 301, Location="http://api.real-staging.ai/"),
        "redirect",
    ),
    "CL-01": (
        """
expect: {status: 200, json: {status: healthy, 'type(uptime)': number}}
values: {uptime: {path: uptime, unit: seconds}}
""",
        answer(HEALTHY),
        answer('{"status": "healthy", "uptime": "5"}'),
        "uptime",
    ),
    "CL-02": (
        "expect: {json: {status: healthy, database.connected: true}}",
        answer(HEALTHY),
        answer('{"status": "healthy", "database": {"connected": "true"}}'),
        "database.connected",
    ),
    "CL-03": (
        "expect: {status: 200, content_type: text/html, body: '<div id=\"root\"'}",
        answer('<div id="root">', Content_Type="text/html; charset=utf-8"),
        answer("parked", Content_Type="text/html"),
        "root",
    ),
    "TA-01": ("timeout: 30s\nexpect: {status: 200, body: {equals: OK}}", answer("OK\n"), answer("NOT OK"), "NOT OK"),
    "TA-21": (
        """
expect:
  headers:
    X-Content-Type-Options: nosniff
    X-Frame-Options: DENY
    X-XSS-Protection: 1; mode=block
    Strict-Transport-Security: {directives: {max-age: '>= 31536000', includeSubDomains: true}}
""",
        answer(**SECURE),
        answer(**{**SECURE, "Strict_Transport_Security": "max-age=600; includeSubDomains"}),
        "max-age",
    ),
    "ED-01": (
        "expect: {json: {status: healthy, version: '!= null', environment: production}}",
        answer(HEALTHY),
        answer(HEALTHY.replace("production", "staging")),
        "staging",
    ),
    "ED-02": (
        "expect: {json: {status: ready}, show: detail}",
        answer('{"status": "ready"}'),
        answer('{"detail": "redis: connection refused"}', 503),
        "got 503: redis: connection refused",
    ),
    "ED-18": (
        "expect: {status: 200, content_type: text/html}",
        answer(Content_Type="text/html"),
        answer("", 500),
        "500",
    ),
    "ED-19": (
        "cors: {origin: 'https://evil.example', allowed: false}",
        answer("", 400),
        answer(Access_Control_Allow_Origin="*"),
        "Access-Control-Allow-Origin",
    ),
}


@pytest.mark.parametrize("line", RUNBOOKS)
async def test_lines_of_the_runbooks(resources: Resources, line: str) -> None:
    text, good, bad, told = RUNBOOKS[line]
    fields = YAML(typ="safe").load(text)
    web = serving(good)
    async with tcp_peer(web) as peer:
        url = f"http://127.0.0.1:{peer.port}/"
        up = await observed(resources, url=url, **fields)
        web.answers[:] = [bad]
        down = await observed(resources, url=url, **fields)
    assert up.state is State.UP, up.detail
    assert down.state is State.DOWN
    assert told in down.detail
