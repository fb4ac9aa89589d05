from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from yarl import URL

from monitor.answer import Answer
from monitor.expect import Document, Expect, excerpt, judge
from monitor.model import Failure, Reason
from monitor.secrets import Redactor, Secret

SECRET = "hunter2/very-secret"
REDACT = Redactor([Secret(SECRET)])


def answer(
    body: bytes | str = b"", status: int = 200, took: float = 0.1, *, truncated: bool = False, **headers: str
) -> Answer:
    named = tuple((name.replace("_", "-").lower(), value) for name, value in headers.items())
    body = body.encode() if isinstance(body, str) else body
    return Answer(URL("https://shop.test/a"), status, named, body, truncated, timedelta(seconds=took))


def judged(found: Answer, **expect: Any) -> Failure | None:  # noqa: ANN401 - as a file has it
    try:
        judge(Expect.model_validate(expect), Document(found, REDACT))
    except Failure as failure:
        return failure
    return None


def holds(found: Answer, **expect: Any) -> bool:  # noqa: ANN401 - as a file has it
    return judged(found, **expect) is None


def told(found: Answer, **expect: Any) -> tuple[Reason, str]:  # noqa: ANN401 - as a file has it
    failure = judged(found, **expect)
    assert failure is not None
    return failure.reason, failure.detail


def test_without_expectations_any_2xx_will_do() -> None:
    assert holds(answer(status=204))
    assert told(answer(status=301)) == (Reason.STATUS, "expected status 2xx, got 301")


@pytest.mark.parametrize(
    ("status", "reason"),
    [(500, Reason.STATUS), (401, Reason.AUTH), (403, Reason.AUTH), (429, Reason.RATE_LIMITED), (404, Reason.STATUS)],
)
def test_an_unexpected_status_says_which_and_some_have_reasons_of_their_own(status: int, reason: Reason) -> None:
    assert told(answer(status=status), status=[200, "3xx"]) == (reason, f"expected status 200 or 3xx, got {status}")


def test_a_status_can_be_explained_the_first_that_fits() -> None:
    explain = {404: "the route is not registered", "5xx": "the service is down", "2xx": "a hole"}
    assert told(answer(status=404), status=400, explain=explain)[1].endswith("got 404 (the route is not registered)")
    assert told(answer(status=503), status=400, explain=explain)[1].endswith("got 503 (the service is down)")
    assert told(answer(status=418), status=400, explain=explain)[1].endswith("got 418")
    assert holds(answer(status=400), status=400, explain=explain)


def test_an_answer_can_be_too_late() -> None:
    assert holds(answer(took=2), within="2s")
    expected = "expected an answer within 2 s, got it after 2.5 s"
    assert told(answer(took=2.5), within="2s") == (Reason.TIMEOUT, expected)


@pytest.mark.parametrize(
    ("location", "expected", "fits"),
    [
        ("/b", "https://shop.test/b", True),
        ("/b?token=x#y", "https://shop.test/b", True),
        ("http://shop.test/b", "https://shop.test/b", False),
        ("https://other.test/x/y", {"contains": "other.test"}, True),
        ("https://other.test/", {"matches": "^https://(www|other)[.]test/$"}, True),
        ("http://[", "https://shop.test/b", False),
        ("", "https://shop.test/b", False),
    ],
)
def test_the_target_of_a_redirect_is_judged_as_a_whole_address(location: str, expected: object, fits: bool) -> None:
    failure = judged(answer(status=301, location=location), location=expected)
    assert (failure is None) is fits
    assert failure is None or failure.reason is Reason.HEADER


def test_a_location_is_expected_of_a_redirect_only() -> None:
    assert told(answer(status=200, location="/b"), location="https://shop.test/b")[1] == "expected status 3xx, got 200"


def test_the_content_type_is_judged_without_parameters_and_case() -> None:
    assert holds(answer(content_type="Text/HTML; charset=utf-8"), content_type="text/html")
    expected = 'expected the content type application/json, got "text/html"'
    assert told(answer(content_type="text/html"), content_type="application/json") == (Reason.HEADER, expected)
    assert told(answer(), content_type="text/html")[1].endswith("got nothing")


@pytest.mark.parametrize(
    ("rule", "value", "fits"),
    [
        ("nosniff", "nosniff", True),
        ("nosniff", "NoSniff", True),
        ("nosniff", "sniff", False),
        ("nosniff", None, False),
        (True, "x", True),
        (True, None, False),
        (False, None, True),
        (False, "x", False),
        ({"present": True}, "", True),
        ({"contains": "SUB"}, "a; subdomains", True),
        ({"contains": ["a", "z"]}, "abc", False),
        ({"matches": "^v[0-9]+$"}, "v12", True),
        ({"matches": "^v[0-9]+$"}, "V12", False),
        ({"differs": "*"}, "*", False),
        ({"differs": "*"}, None, True),
        ({"differs": ["*", "a"]}, "b", True),
        ({"differs": ["*", "a"]}, "A", False),
        ({"differs": "*", "contains": "b"}, None, False),
        ({"directives": {"max-age": ">= 31536000"}}, "max-age=31536000; includeSubDomains", True),
        ({"directives": {"max-age": ">= 31536000"}}, "max-age=600; includeSubDomains", False),
        ({"directives": {"max-age": ">= 1"}}, 'Max-Age="5"', True),
        ({"directives": {"max-age": ">= 1"}}, "max-age=soon", False),
        ({"directives": {"max-age": ">= 1"}}, "max-age=" + "9" * 5000, False),
        ({"directives": {"includeSubDomains": True}}, "max-age=1;includesubdomains", True),
        ({"directives": {"includeSubDomains": True}}, "max-age=1", False),
        ({"directives": {"no-store": True, "max-age": 0}}, "no-store, max-age=0", True),
    ],
)
def test_headers(rule: object, value: str | None, fits: bool) -> None:
    found = answer() if value is None else answer(x_test=value)
    failure = judged(found, headers={"X-Test": rule})
    assert (failure is None) is fits
    if failure:
        assert failure.reason is Reason.HEADER
        assert failure.detail.startswith("expected the header X-Test ")


@pytest.mark.parametrize(
    ("rule", "body", "fits"),
    [
        ("OK", "all is OK here", True),
        ("OK", "ok", False),
        ({"equals": "OK"}, "OK", True),
        ({"equals": "OK"}, "\ufeffOK\r\n", True),
        ({"equals": "OK"}, "OK!", False),
        ({"equals": ""}, " ", True),
        ({"contains": ["<div", "root"]}, '<div id="root">', True),
        ({"contains": ["<div", "app"]}, '<div id="root">', False),
        ({"matches": "(?i)status: *up"}, "Status:  UP", True),
        ({"matches": "^up$"}, "down", False),
        ({"absent": "error"}, "fine", True),
        ({"absent": ["error", "Traceback"]}, "a Traceback", False),
        ({"contains": "OK", "absent": "error"}, "OK error", False),
    ],
)
def test_bodies(rule: object, body: str, fits: bool) -> None:
    failure = judged(answer(body), body=rule)
    assert (failure is None) is fits
    assert failure is None or failure.reason is Reason.BODY


def test_json_by_path() -> None:
    body = json.dumps({"status": "healthy", "database": {"connected": True}, "uptime": 12.5, "keys": [1, 2]})
    assert holds(
        answer(body),
        json={
            "status": "healthy",
            "database.connected": True,
            "uptime": "> 0",
            "length(keys)": ">= 1",
            "type(uptime)": "number",
            "version": None,
            "keys": [1, 2],
        },
    )
    assert told(answer(body), json={"status": "ok"}) == (Reason.BODY, 'expected status to be "ok", got "healthy"')
    assert told(answer(body), json={"version": "!= null"})[1] == "expected version != null, got null"
    assert told(answer(body), json={"uptime": "> 60"})[1] == "expected uptime > 60, got 12.5"
    assert told(answer(body), json={"keys": [1]})[1] == "expected keys to be [1], got [1, 2]"


def test_the_first_fault_is_told_in_the_order_of_the_fields() -> None:
    found = answer("<h1>502</h1>", status=502, took=9)
    expect: dict[str, Any] = {"json": {"a": 1}, "body": "x", "headers": {"A": True}, "within": "1s", "status": 200}
    reasons = []
    for name in ("status", "within", "headers", "body", "json"):
        reasons.append(told(found, **{"status": 502, **expect})[0])
        del expect[name]
    assert reasons == [Reason.STATUS, Reason.TIMEOUT, Reason.HEADER, Reason.BODY, Reason.BODY]


def test_what_the_answer_says_of_itself_can_be_shown() -> None:
    body = json.dumps({"status": "not ready", "detail": "database: connection refused"})
    expected = "expected status 2xx, got 503: database: connection refused"
    assert told(answer(body, status=503), show="detail")[1] == expected
    assert told(answer(body, status=503), show="missing")[1] == "expected status 2xx, got 503"
    assert told(answer("<h1>", status=503), show="detail")[1] == "expected status 2xx, got 503"
    assert told(answer('{"detail": {"a": 1}}', status=503), show="detail")[1].endswith(': {"a": 1}')


HOSTILE = {
    "html": (b"<h1>502 Bad Gateway</h1>", 'expected JSON, got "<h1>502 Bad Gateway</h1>"'),
    "nothing": (b"", "expected JSON, got nothing"),
    "half": (b'{"a": ', 'expected JSON, got "{"a":"'),
    "not UTF-8": (b'{"a": "\xff"}', "not UTF-8"),
    "UTF-16": ('{"a": 1}'.encode("utf-16"), "not UTF-8"),
    "NaN": (b'{"a": NaN}', "expected JSON, got"),
    "Infinity": (b"[-Infinity]", "expected JSON, got"),
    "a key twice": (b'{"a": 1, "a": 1}', 'the key "a" twice'),
    "deep lists": (b"[" * 40_000, "nested too deeply"),
    "deep objects": (b'{"a":' * 40_000, "nested too deeply"),
    "a very long number": (b"1" * 100_000, "expected JSON, got"),
    "a hundred thousand lists": (b"[" + b"[]," * 99_999 + b"[]]", "more than 50,000 lists and objects"),
    "a hundred thousand objects": (b"[" + b"{}," * 99_999 + b"{}]", "more than 50,000 lists and objects"),
    "control characters": (b'{"a": "\x1b[31m"}', "expected JSON, got"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_json_that_is_none_is_a_clear_failure(name: str) -> None:
    body, text = HOSTILE[name]
    reason, detail = told(answer(body), json={"a": "> 5"})
    assert reason is Reason.BODY
    assert text in detail
    assert detail.isprintable()
    assert len(detail) < 200


def test_json_that_was_cut_is_told_as_such() -> None:
    assert "more than" in told(answer(b"[1]", truncated=True), json={"a": 1})[1]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("length(a)", '{"a": null}'),
        ("max(@)", '[1, "a"]'),
        ("ceil(@)", "1e999"),
        ("sort_by(@, &a)", '[{"a": 1}, {"a": "b"}]'),
        ("to_string(@)", "[" * 900 + "]" * 900),
        ("sum(@)", "[1, null]"),
        ("join(', ', @)", "[1]"),
        ("[::0]", "[1]"),
        ("keys(@)", "5"),
    ],
)
def test_a_path_that_does_not_fit_what_came_is_a_failure_and_no_crash(path: str, body: str) -> None:
    reason, detail = told(answer(body), json={path: 1})
    assert reason is Reason.BODY
    assert len(detail) < 250


def test_json_of_any_depth_is_a_clear_failure() -> None:
    """At some depth the parser still copes and what is done with its result no longer does."""
    for depth in range(880, 1020):
        body = "[" * depth + "]" * depth
        for path in ("to_string(@)", "@", "length(@)"):
            assert told(answer(body), json={path: "> 5"})[0] is Reason.BODY


def test_a_value_that_is_nested_too_deeply_is_not_written_out() -> None:
    deep: list[Any] = []
    for _ in range(200_000):
        deep = [deep]
    assert excerpt(deep) == "deeply nested JSON"
    while deep:  # or freeing it would nest as deeply
        deep = deep.pop()


@given(st.binary(max_size=100), st.sampled_from(["a", "length(@)", "@", "keys(@)", "[].a", "to_number(@)"]))
def test_no_body_crashes(body: bytes, path: str) -> None:
    failure = judged(answer(body), json={path: "> 5"}, body={"absent": "y"}, show="@")
    assert failure is None or failure.detail.isprintable()


@given(st.text(max_size=200))
def test_no_text_of_the_target_leaves_its_line_or_grows_long(text: str) -> None:
    for expect in ({"body": {"equals": "\0never"}}, {"json": {"a": 1}}, {"headers": {"X-A": "never"}}):
        failure = judged(answer(text, x_a=text), **expect, show="@")
        assert failure is not None
        assert failure.detail.isprintable()
        assert len(failure.detail) < 350


@pytest.mark.parametrize("before", [0, 40, 80, 90, 98, 99, 100, 4090])
def test_no_part_of_a_secret_is_told_also_where_the_text_is_cut(before: int) -> None:
    echo = "x" * before + SECRET
    told_texts = [
        told(answer(echo), body={"equals": "y"}),
        told(answer(echo), json={"a": 1}),
        told(answer(json.dumps({"a": echo})), json={"a": 1}, show="a"),
        told(answer(json.dumps({"a": [echo]})), json={"a": 1}),
        told(answer(x_a=echo), headers={"X-A": "y"}),
        told(answer("y"), body={"equals": echo}),
        told(answer("y"), body={"contains": echo}),
        told(answer(x_a="y"), headers={"X-A": echo}),
        told(answer(content_type=echo), content_type="a/b"),
        told(answer(json.dumps({echo: 1})[:-1] + f', "{echo}": 2}}'), json={"a": 1}),
    ]
    for _, detail in told_texts:
        assert "hunter" not in detail


@pytest.mark.parametrize(
    ("expect", "message"),
    [
        ({"json": {"a..b": 1}}, "is not a JMESPath"),
        ({"json": {"": 1}}, "is not a JMESPath"),
        ({"json": {"a[?nosuch(@)]": 1}}, "is no function of JMESPath: 'nosuch'"),
        ({"show": "a["}, "is not a JMESPath"),
        ({"json": {"a": "> 300ms"}}, "is no number"),
        ({"body": {"matches": "(?=a)"}}, "is not a regular expression as RE2"),
        ({"body": {"matches": "["}}, "is not a regular expression as RE2"),
        ({"headers": {"A": {"matches": r"(a)\1"}}}, "is not a regular expression as RE2"),
        ({"body": {}}, "nothing is expected: give one of equals"),
        ({"headers": {"A": {}}}, "nothing is expected: give one of present"),
        ({"body": 5}, "valid dictionary"),
        ({"status": "2x"}, "is not a status"),
        ({"explain": {"2x": "y"}}, "is not a status"),
        ({"within": 5}, "needs a unit"),
        ({"within": "0s"}, "greater than"),
        ({"colour": "red"}, "not permitted"),
    ],
)
def test_what_can_never_be_judged_is_refused_at_once(expect: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Expect.model_validate(expect)


def test_a_hostile_expression_is_no_slower_than_the_text_is_long() -> None:
    """`(a*)*b` takes a backtracking engine for ever."""
    assert not holds(answer("a" * 2**20), body={"matches": "(a*)*b"})


def test_the_schema_allows_both_forms() -> None:
    schema = Expect.model_json_schema(by_alias=True)
    text, truth, mapping = schema["$defs"]["Header"]["anyOf"]
    assert (text, truth, mapping["type"]) == ({"type": "string"}, {"type": "boolean"}, "object")
    assert "json" in schema["properties"]
