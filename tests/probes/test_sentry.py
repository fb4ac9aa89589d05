"""The kind `sentry` against a stand-in of its API."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.clock import SystemClock
from monitor.model import CheckId, Reason, State
from monitor.probes import load_kind
from monitor.probes.base import observe
from monitor.probes.sentry import SentryCheck
from monitor.probes.sentry.records import following
from monitor.vendors import Accounts
from tests.fakes import ImpatientClock
from tests.systems.openapi import stand_in_faults
from tests.systems.sentry_api import MINUTE, ORG, TOKEN, SentryApi
from tests.systems.site import Answer, page, says_json

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from monitor.model import Sample
    from monitor.probes.base import Resources

CHECK = CheckId("shop", "sentry")
PERSONAL = "KeyError: eve@example.com"


@pytest.fixture
async def sentry() -> AsyncIterator[SentryApi]:
    api = SentryApi("127.0.0.1", None)
    async with AsyncExitStack() as stack:
        await api.start(stack)
        yield api


@pytest.fixture
def patient(resources: Resources) -> Resources:
    """Resources with which a pause between two requests takes no time."""
    return replace(resources, accounts=Accounts(ImpatientClock(SystemClock())))


def made(api: SentryApi, **fields: Any) -> SentryCheck:  # noqa: ANN401 - any field
    check = load_kind("sentry").model_validate({"kind": "sentry", "org": ORG, "token": TOKEN, "url": api.url} | fields)
    assert isinstance(check, SentryCheck)
    return check


async def look(check: SentryCheck, resources: Resources) -> Sample:
    sample = await observe(CHECK, check, resources, SystemClock())
    assert TOKEN[7:] not in repr(sample)
    assert sample.reason is None or sample.reason in check.reasons
    assert sample.state is not State.DOWN
    return sample


def measured(sample: Sample, name: str, **label: str) -> float | None:
    found = [each.value for each in sample.measures if each.name == name and dict(each.labels) == label]
    assert len(found) <= 1
    return found[0] if found else None


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"org": "my org"}, "match pattern"),
        ({"org": "../../"}, "match pattern"),
        ({"token": "sntrys_1\n"}, "visible characters alone"),
        ({"look_back": "1m"}, "greater than or equal to datetime.timedelta.seconds=300"),
        ({"url": "http://sentry.example.com"}, "over https only"),
        ({"titles": "yes"}, "valid boolean"),
    ],
)
def test_what_makes_no_sense_is_refused(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=f"(?s){said}"):
        load_kind("sentry").model_validate({"kind": "sentry", "org": ORG, "token": TOKEN} | fields)


async def test_a_quiet_hour(sentry: SentryApi, patient: Resources) -> None:
    sentry.has("ongoing")
    sentry.has(None)
    sample = await look(made(sentry), patient)
    assert sample.state is State.UP, sample.detail
    expected = {"new_issues": 0, "regressed_issues": 0, "escalating_issues": 0, "errors": 120, "requests": 3}
    assert {name: measured(sample, name) for name in expected} == expected
    assert measured(sample, "dropped", outcome="rate_limited") == 0
    assert not sample.remarks
    assert [(each.watch, each.info, each.warning) for each in made(sentry).implied()] == [
        ("new_issues", "> 0", ""),
        ("regressed_issues", "> 0", ""),
        ("escalating_issues", "", "> 0"),
        ("dropped", "", "> 0"),
    ]


async def test_issues_by_what_they_are(sentry: SentryApi, patient: Resources) -> None:
    """Sentry calls an issue new for a week; here it is new for as long as one looks back."""
    sentry.has("new", PERSONAL, first=10 * MINUTE)
    sentry.has("ongoing", PERSONAL, first=20 * MINUTE)
    sentry.has("new", PERSONAL, first=90 * MINUTE)
    sentry.has("regressed", PERSONAL)
    sentry.has("escalating", PERSONAL)
    sentry.has("archived_forever", PERSONAL)
    sentry.has("simmering", PERSONAL)
    sample = await look(made(sentry), patient)
    assert sample.state is State.UP, sample.detail
    assert [measured(sample, f"{kind}_issues") for kind in ("new", "regressed", "escalating")] == [2, 1, 1]
    assert sample.remarks["new_issues"] == "API-1, API-2: https://example.sentry.io/issues/1/"
    assert sample.remarks["escalating_issues"] == "API-5: https://example.sentry.io/issues/5/"
    assert "eve" not in repr(sample)
    assert measured(await look(made(sentry, look_back="2h"), patient), "new_issues") == 3


async def test_titles_are_shown_only_where_that_is_allowed(sentry: SentryApi, patient: Resources) -> None:
    for _ in range(5):
        sentry.has("new", PERSONAL, first=MINUTE)
    sample = await look(made(sentry, titles=True), patient)
    assert sample.remarks["new_issues"] == (
        f"API-1 {PERSONAL}, API-2 {PERSONAL}, API-3 {PERSONAL} and 2 more: https://example.sentry.io/issues/1/"
    )
    assert "eve" not in repr(await look(made(sentry), patient))


async def test_an_id_that_is_none_is_not_shown(sentry: SentryApi, patient: Resources) -> None:
    """Whatever is written there could be a text of the issue."""
    sentry.has("new", first=MINUTE)
    sentry.issues[0]["shortId"] = PERSONAL
    assert (await look(made(sentry), patient)).remarks["new_issues"].startswith("an issue: ")


@pytest.mark.parametrize("outcome", ["rate_limited", "abuse", "cardinality_limited", "invalid"])
async def test_dropped_events_mean_blindness(sentry: SentryApi, outcome: str, patient: Resources) -> None:
    """That nothing is new then means nothing; what was filtered out on purpose is not lost."""
    sentry.drops(1_200, outcome)
    sentry.has("new", first=MINUTE)
    sample = await look(made(sentry), patient)
    assert measured(sample, "dropped", outcome=outcome) == 1_200
    words = outcome.replace("_", " ")
    assert sample.remarks["dropped"] == f"1,200 {words} within two hours: what Sentry shows is not all"
    assert sample.remarks["new_issues"].endswith(f"dropped events within two hours (1,200 {words}), so this is not all")
    assert sample.remarks["errors"].startswith("Sentry dropped events")


async def test_what_is_asked_for(sentry: SentryApi, patient: Resources) -> None:
    """Names of projects narrow all but the counts by outcome, for which Sentry takes ids alone."""
    await look(made(sentry, projects=["api", "web"], environments=["production"]), patient)
    outcomes, issues, errors = (request.query for request in sentry.asked)
    assert outcomes.getall("project") == ["-1"]
    assert (outcomes["category"], outcomes["groupBy"], outcomes["interval"]) == ("error", "outcome", "1h")
    for query in (issues, errors):
        assert query.getall("project") == ["api", "web"]
        assert query.getall("environment") == ["production"]
    assert (issues["query"], issues["statsPeriod"], issues["sort"]) == ("is:unresolved", "3600s", "date")
    assert (errors["dataset"], errors["yAxis"], errors["statsPeriod"]) == ("errors", "count()", "1h")
    sentry.asked.clear()
    await look(made(sentry, projects=["7"]), patient)
    assert sentry.asked[0].query.getall("project") == ["7"]


async def test_several_pages(sentry: SentryApi, patient: Resources) -> None:
    for _ in range(120):
        sentry.has("ongoing")
    sentry.has("regressed")
    sample = await look(made(sentry), patient)
    assert (measured(sample, "regressed_issues"), measured(sample, "requests")) == (1, 5)
    for _ in range(600):
        sentry.has("ongoing")
    sample = await look(made(sentry), patient)
    assert (sample.state, measured(sample, "requests")) == (State.UP, 12)


async def test_a_list_that_goes_in_circles_is_unknown(sentry: SentryApi, patient: Resources) -> None:
    sentry.has("new")
    sentry.repeats = True
    sample = await look(made(sentry), patient)
    assert (sample.state, sample.reason) == (State.UNKNOWN, Reason.PROTOCOL)
    assert "the same page again" in sample.detail


@given(st.text(max_size=200))
def test_any_link_header_has_a_cursor_or_none(text: str) -> None:
    assert following(text) is None or 'rel="next"' in text


@pytest.mark.parametrize(
    ("link", "cursor"),
    [
        ("", None),
        ('<https://x/?a=1,2>; rel="next"; results="true"; cursor="0:50:0"', "0:50:0"),
        ('<https://x>; rel="next"; results="false"; cursor="0:50:0"', None),
        ('<https://x>;rel="previous";results="true";cursor="1:1:1", <y>;rel="next";results="true";cursor="2"', "2"),
        ('<https://x>; rel="next"; results="true"', None),
    ],
)
def test_the_cursor_of_the_next_page(link: str, cursor: str | None) -> None:
    assert following(link) == cursor


BAD = [
    (says_json({"detail": "Invalid token"}, 401), Reason.AUTH, "revoked, rolled, or is another's"),
    (says_json({"detail": "You do not have permission"}, 403), Reason.AUTH, "does not allow the key to see this"),
    (Answer(429, "", {"Retry-After": "5"}), Reason.RATE_LIMITED, "we ask again in 5 s"),
    (Answer(429, "", {"Retry-After": "Wed, 21 Oct 2099 07:28:00 GMT"}), Reason.RATE_LIMITED, "again in 1 d"),
    (Answer(429, "{}"), Reason.RATE_LIMITED, "again in 30 s"),
    (Answer(502, "<html>"), Reason.STATUS, "Sentry is out of order: it answers 502"),
    (page("<h1>Sentry</h1>"), Reason.PROTOCOL, "got a web page"),
    (Answer(200, '[{"id": "1"'), Reason.PROTOCOL, "expected JSON"),
    (says_json("no"), Reason.PROTOCOL, "expected "),
    (says_json([5]), Reason.PROTOCOL, "expected an object"),
    (says_json({"groups": {}, "timeSeries": {}}), Reason.PROTOCOL, "expected a list"),
]


@pytest.mark.parametrize("path", ["/stats_v2/", "/issues/", "/events-timeseries/"])
@pytest.mark.parametrize(("answer", "reason", "said"), BAD, ids=range(len(BAD)))
async def test_what_sentry_does_wrong_is_unknown(
    sentry: SentryApi, path: str, answer: Answer, reason: Reason, said: str, patient: Resources
) -> None:
    sentry.lies[path] = answer
    sample = await look(made(sentry), patient)
    assert (sample.state, sample.reason) == (State.UNKNOWN, reason), sample.detail
    assert said in sample.detail


async def test_an_organisation_that_is_not_there_is_unknown(sentry: SentryApi, patient: Resources) -> None:
    sample = await look(made(sentry, org="another"), patient)
    assert (sample.state, sample.reason) == (State.UNKNOWN, Reason.MISSING)
    assert "knows no organisation another here" in sample.detail


async def test_a_right_that_is_lacking_is_named(sentry: SentryApi, patient: Resources) -> None:
    sentry.lies["/stats_v2/"] = says_json({"detail": "no"}, 403)
    assert "give it org:read" in (await look(made(sentry), patient)).detail
    sentry.lies = {"/issues/": says_json({"detail": "no"}, 403)}
    assert "give it event:read" in (await look(made(sentry), patient)).detail


@pytest.mark.parametrize(
    ("field", "value"), [("firstSeen", "lately"), ("firstSeen", 5), ("title", None), ("shortId", {})]
)
async def test_a_field_of_another_type_is_unknown(
    sentry: SentryApi, field: str, value: object, patient: Resources
) -> None:
    sentry.has("new", first=MINUTE)
    sentry.issues[0][field] = value
    sample = await look(made(sentry), patient)
    assert (sample.state, sample.reason) == (State.UNKNOWN, Reason.PROTOCOL)


async def test_what_is_new_goes_by_sentrys_clock(sentry: SentryApi, patient: Resources) -> None:
    """Ours may be wrong by hours."""
    sentry.has("ongoing", first=10 * MINUTE + timedelta(hours=5))
    sentry.headers["Date"] = (sentry.now() - timedelta(hours=5)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    assert measured(await look(made(sentry), patient), "new_issues") == 1
    sentry.issues[0]["firstSeen"] = sentry.issues[0]["firstSeen"].removesuffix("Z")
    assert measured(await look(made(sentry), patient), "new_issues") == 1


async def test_a_limit_that_is_used_up_is_kept(sentry: SentryApi, patient: Resources) -> None:
    """Though the answer that says so was good."""
    spent = {"X-Sentry-Rate-Limit-Remaining": "0", "X-Sentry-Rate-Limit-Reset": "40"}
    sentry.headers = spent
    sample = await look(made(sentry), patient)
    assert sample.reason is Reason.RATE_LIMITED
    assert "has asked us to wait for" in sample.detail


@pytest.mark.parametrize("path", ["issues", "stats_v2", "events-timeseries"])
async def test_the_stand_in_answers_as_sentry_describes(sentry: SentryApi, path: str) -> None:
    """Held against Sentry's own description, where that is at hand.

    It calls required what only `expand` brings, and what its own example of an issue lacks.
    """
    sentry.has("new")
    sentry.has(None)
    described = f"/api/0/organizations/{{organization_id_or_slug}}/{path}/"
    url = f"{sentry.url}/api/0/organizations/{ORG}/{path}/?limit=50"
    found = await stand_in_faults("sentry", url, described, {"Authorization": f"Bearer {TOKEN}"})
    assert [fault for fault in found if "is a required property" not in fault] == []
    lacking = {fault.split("'")[1] for fault in found}
    assert not lacking & {"shortId", "title", "permalink", "firstSeen", "substatus", "groups", "timeSeries", "by"}
