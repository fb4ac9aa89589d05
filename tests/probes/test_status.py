"""The kind `status` against stand-ins of status pages in each format."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from monitor.clock import SystemClock
from monitor.model import CheckId, Reason, State
from monitor.probes import load_kind
from monitor.probes.base import observe
from monitor.probes.status import StatusCheck
from monitor.probes.status.formats import FORMATS, VENDORS
from monitor.vendors import Accounts
from tests.fakes import ImpatientClock
from tests.systems.site import Answer, page, says_json
from tests.systems.status_pages import MINUTE, StatusPageSite

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from monitor.model import Sample
    from monitor.probes.base import Resources

CHECK = CheckId("shop", "vendor")
ALL = ["statuspage", "incidentio", "regions", "betterstack", "instatus", "firehydrant", "stripe", "slack", "auth0"]
COARSE = {"betterstack": {2: 1}, "firehydrant": {2: 1}, "stripe": {2: 1}, "slack": {}}
"""What some formats make of an impact that they have no word for."""
UNDATED = {"incidentio", "regions", "stripe"}
WITHOUT_MAINTENANCE = {"stripe", "slack"}


@pytest.fixture
async def site(request: pytest.FixtureRequest) -> AsyncIterator[StatusPageSite]:
    made = StatusPageSite("127.0.0.1", None, getattr(request, "param", "statuspage"))
    async with AsyncExitStack() as stack:
        await made.start(stack)
        yield made


@pytest.fixture
def patient(resources: Resources) -> Resources:
    """Resources with which a pause between two requests takes no time."""
    return replace(resources, accounts=Accounts(ImpatientClock(SystemClock())))


def made(site: StatusPageSite, **fields: Any) -> StatusCheck:  # noqa: ANN401 - any field
    form = "incidentio" if site.format == "regions" else site.format
    check = load_kind("status").model_validate({"kind": "status", "url": site.url, "format": form, **fields})
    assert isinstance(check, StatusCheck)
    return check


async def look(check: StatusCheck, resources: Resources, name: CheckId = CHECK) -> Sample:
    sample = await observe(name, check, resources, SystemClock())
    assert sample.reason is None or sample.reason in check.reasons
    assert sample.state is not State.DOWN
    return sample


def measured(sample: Sample, name: str, **label: str) -> float | None:
    found = [each.value for each in sample.measures if each.name == name and dict(each.labels) == label]
    assert len(found) <= 1
    return found[0] if found else None


def test_every_vendor_has_a_format_and_is_named_in_the_reference() -> None:
    for name, place in VENDORS.items():
        check = load_kind("status").model_validate({"kind": "status", "vendor": name})
        assert isinstance(check, StatusCheck)
        assert check.read_as is FORMATS[place.format]
        assert check.access.url == place.url
        assert f"{place.title}'s status page" == check.access.vendor.name
        assert f"`{name}`" in (StatusCheck.model_fields["vendor"].description or "")
        assert check.host
        assert [each.watch for each in check.implied()] == ["impact"]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "give vendor, or the url"),
        ({"vendor": "heroku"}, "no status page of 'heroku', give its url and format; known are anthropic, auth0"),
        ({"url": "http://status.example.com"}, "over https only"),
        ({"url": "https://status.example.com", "format": "rss"}, "Input should be 'statuspage'"),
        ({"vendor": "render", "components": ["API", " api"]}, "named twice"),
        ({"vendor": "render", "components": [""]}, "at least 1 character"),
    ],
)
def test_what_makes_no_sense_is_refused(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=f"(?s){said}"):
        load_kind("status").model_validate({"kind": "status", **fields})


@pytest.mark.parametrize("site", ALL, indirect=True)
async def test_a_vendor_in_order(site: StatusPageSite, patient: Resources) -> None:
    sample = await look(made(site), patient)
    assert sample.state is State.UP, sample.detail
    assert [measured(sample, name) for name in ("impact", "incidents", "maintenances")] == [0, 0, 0]
    assert measured(sample, "next_maintenance") is None
    assert not sample.remarks


@pytest.mark.parametrize("impact", [1, 2, 3])
@pytest.mark.parametrize("site", ALL, indirect=True)
async def test_an_incident(site: StatusPageSite, impact: int, patient: Resources) -> None:
    """Its impact in the one scale, its title, how long it lasts, and where to read on."""
    site.has("Elevated <errors>", impact, "API")
    sample = await look(made(site), patient)
    assert sample.state is State.UP, sample.detail
    assert measured(sample, "impact") == COARSE.get(site.format, {}).get(impact, impact)
    assert measured(sample, "incidents") == 1
    said = sample.remarks["impact"]
    assert "Elevated <errors> (" in said
    assert said.endswith(site.url)
    assert (", since 20" in said) == (site.format not in UNDATED)


@pytest.mark.parametrize("site", [each for each in ALL if each != "instatus"], indirect=True)
async def test_of_some_components_only_what_concerns_them_counts(site: StatusPageSite, patient: Resources) -> None:
    check = made(site, components=["dashboard"])
    site.has("Deploys hang", 3, "API")
    other = await look(check, patient)
    assert (measured(other, "impact"), measured(other, "incidents")) == (0, 0), other
    assert measured(other, "component_impact", component="dashboard") == 0
    site.has("Pages are slow", 1, "Dashboard")
    sample = await look(check, patient)
    assert measured(sample, "impact") == (3 if site.format == "stripe" else 1)
    assert measured(sample, "component_impact", component="dashboard") == measured(sample, "impact")
    assert site.format == "stripe" or "Deploys hang" not in sample.remarks["impact"]


@pytest.mark.parametrize("site", ["instatus"], indirect=True)
async def test_components_that_are_listed_elsewhere(site: StatusPageSite, patient: Resources) -> None:
    """Incidents of Instatus name no component, so the component's own state is what counts."""
    check = made(site, components=["Dashboard"])
    site.has("Deploys hang", 3, "API")
    assert measured(await look(check, patient), "impact") == 0
    site.has("Pages are slow", 2, "Dashboard")
    sample = await look(check, patient)
    assert measured(sample, "impact") == 2
    assert sample.remarks["impact"].startswith("Dashboard (major): http")
    assert set(site.asked) == {"/summary.json", "/v2/components.json"}
    assert measured(await look(made(site), patient), "impact") == 3


@pytest.mark.parametrize("site", ["statuspage", "betterstack", "firehydrant", "auth0", "instatus"], indirect=True)
async def test_a_component_that_the_page_does_not_have_is_unknown(site: StatusPageSite, patient: Resources) -> None:
    """Or a component that was renamed would be in order for ever."""
    sample = await look(made(site, components=["API", "Web Services"]), patient)
    assert (sample.state, sample.reason) == (State.UNKNOWN, Reason.MISSING)
    assert "no component 'Web Services'" in sample.detail


@pytest.mark.parametrize("site", [each for each in ALL if each not in WITHOUT_MAINTENANCE], indirect=True)
async def test_maintenance_that_was_announced_is_no_incident(site: StatusPageSite, patient: Resources) -> None:
    site.announces("Database upgrade", "API", since=5 * MINUTE)
    site.announces("Network work", "API", since=-60 * MINUTE)
    sample = await look(made(site), patient)
    assert sample.state is State.UP, sample.detail
    assert [measured(sample, name) for name in ("impact", "incidents", "maintenances")] == [0, 0, 1]
    ahead = (measured(sample, "next_maintenance") or 0) - site.now().timestamp()
    assert ahead == pytest.approx(3_600, abs=120)


@pytest.mark.parametrize("site", ["statuspage", "betterstack", "firehydrant", "slack", "auth0"], indirect=True)
async def test_what_is_over_no_longer_counts(site: StatusPageSite, patient: Resources) -> None:
    site.has("It was slow", 2, "API")
    site.troubles = [each._replace(over=True) for each in site.troubles]
    site.states = dict.fromkeys(site.states, 0)
    sample = await look(made(site), patient)
    assert (measured(sample, "impact"), measured(sample, "incidents")) == (0, 0), sample


async def test_a_page_that_says_no_more_than_that_something_is_wrong(site: StatusPageSite, patient: Resources) -> None:
    site.says = says_json(site._statuspage() | {"status": {"indicator": "major"}})
    sample = await look(made(site), patient)
    assert measured(sample, "impact") == 2
    assert sample.remarks["impact"] == f"it says major, and not why: {site.url}"
    site.says = None
    site.states["API"] = 2
    for components in ([], ["api"]):
        under = await look(made(site, components=components), patient)
        assert under.remarks["impact"] == f"API (major): {site.url}"


async def test_the_worst_is_told_first_and_not_everything(site: StatusPageSite, patient: Resources) -> None:
    for number, impact in enumerate([1, 1, 3, 0, 2, 1]):
        site.has(f"Incident {number}", impact, "API")
    sample = await look(made(site), patient)
    said = sample.remarks["impact"]
    assert said.startswith("Incident 2 (critical")
    assert said.index("Incident 2") < said.index("Incident 4") < said.index("Incident 0")
    assert "and 2 more" in said
    assert measured(sample, "incidents") == 6


BAD = [
    (Answer(401, ""), Reason.AUTH, "lets nobody look who does not sign in: it answers 401"),
    (Answer(403, "<html>"), Reason.AUTH, "it answers 403"),
    (page("gone", 404), Reason.MISSING, "has the page moved, or is it of another format?"),
    (Answer(429, "", {"Retry-After": "120"}), Reason.RATE_LIMITED, "we ask again in 2 min"),
    (Answer(429, "", {"Retry-After": "Wed, 21 Oct 2099 07:28:00 GMT"}), Reason.RATE_LIMITED, "we ask again in 1 d"),
    (Answer(429, ""), Reason.RATE_LIMITED, "we ask again in 30 s"),
    (Answer(500, "{}"), Reason.STATUS, "is out of order: it answers 500"),
    (page("<h1>Just a moment</h1>"), Reason.PROTOCOL, "got a web page"),
    (says_json([]), Reason.PROTOCOL, "expected an object"),
    (Answer(200, '{"status": {"indica'), Reason.PROTOCOL, "expected JSON"),
    (Answer(200, ""), Reason.PROTOCOL, "expected JSON"),
    (says_json({}), Reason.PROTOCOL, "expected "),
]


@pytest.mark.parametrize(("answer", "reason", "said"), BAD, ids=range(len(BAD)))
@pytest.mark.parametrize("site", ALL, indirect=True)
async def test_a_page_that_cannot_be_read_is_unknown(
    site: StatusPageSite, answer: Answer, reason: Reason, said: str, patient: Resources
) -> None:
    """It says nothing of the vendor."""
    site.says = answer
    sample = await look(made(site), patient)
    assert (sample.state, sample.reason) == (State.UNKNOWN, reason), sample.detail
    assert said in sample.detail
    assert measured(sample, "impact") is None


async def test_new_words_are_unknown_and_named(site: StatusPageSite, patient: Resources) -> None:
    good = site._statuspage()
    for changed, word in (
        ({"status": {"indicator": "apocalyptic"}}, "'apocalyptic'"),
        ({"components": [{"name": "API", "status": "limping"}]}, "'limping'"),
        ({"incidents": [{"name": "x", "status": "identified", "impact": "huge"}]}, "'huge'"),
        ({"status": {"indicator": 3}}, "expected a text"),
        ({"components": {"name": "API"}}, "expected a list"),
        ({"components": [None]}, "expected an object"),
    ):
        site.says = says_json(good | changed)
        sample = await look(made(site), patient)
        assert (sample.state, sample.reason) == (State.UNKNOWN, Reason.PROTOCOL)
        assert word in sample.detail


async def test_dates_in_other_forms_are_no_fault(site: StatusPageSite, patient: Resources) -> None:
    """They are shown, and nothing is judged by them."""
    site.has("Slow", 1, "API")
    for written, shown in (
        ("2026-11-21T10:00:00+02:00", "since 2026-11-21 08:00 UTC"),
        ("2026-11-21T10:00:00", "since 2026-11-21 10:00 UTC"),
        (1_795_255_200, "since 2026-11-21 10:00 UTC"),
        ("yesterday", "Slow (minor):"),
        (12, "Slow (minor):"),
        ([], "Slow (minor):"),
    ):
        found = site._statuspage()
        found["incidents"][0]["created_at"] = written
        site.says = says_json(found)
        assert shown in (await look(made(site), patient)).remarks["impact"]


@pytest.mark.parametrize("site", ["slack"], indirect=True)
async def test_a_page_without_any_region_is_no_page_of_auth0(site: StatusPageSite, patient: Resources) -> None:
    data = '{"props": {"pageProps": {"activeIncidents": []}}}'
    site.says = page(f'<script id="__NEXT_DATA__" type="application/json">{data}</script>')
    sample = await look(made(site, format="auth0"), patient)
    assert (sample.reason, sample.detail) == (Reason.PROTOCOL, "expected regions on Auth0's status page, got none")


async def test_a_redirect_is_followed_since_no_key_goes_along(site: StatusPageSite, patient: Resources) -> None:
    """Pages move; the bare host of one leads to www."""
    async with AsyncExitStack() as stack:
        old = StatusPageSite("127.0.0.1", None)
        await old.start(stack)
        old.says = Answer(301, "", {"Location": f"{site.url}/api/v2/summary.json"})
        site.has("Slow", 2)
        assert measured(await look(made(old), patient), "impact") == 2
        old.says = Answer(301, "", {"Location": f"{old.url}/api/v2/summary.json"})
        sample = await look(made(old), patient)
    assert (sample.state, sample.reason) == (State.UNKNOWN, Reason.STATUS)
    assert "at most 5 redirects" in sample.detail


async def test_two_systems_ask_once(site: StatusPageSite, patient: Resources) -> None:
    """A page is read for all who watch it, and by each at its own time again."""
    check, other = made(site), made(site, components=["API"])
    await look(check, patient)
    await look(other, patient, CheckId("other", "vendor"))
    assert len(site.asked) == 1
    site.has("Slow", 1, "API")
    assert measured(await look(check, patient), "impact") == 1
    assert measured(await look(other, patient, CheckId("other", "vendor")), "impact") == 1
    assert len(site.asked) == 2
    assert check.every == timedelta(minutes=5)
