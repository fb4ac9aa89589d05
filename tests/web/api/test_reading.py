"""What the API shows: each address, in the form that the document gives it, to whoever may see it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.model import Heard, Measure, Sample, State
from monitor.secrets import Secret
from monitor.view import Condition
from monitor.web import Job, Tokens
from monitor.web.api.answers import sample_of
from monitor.web.api.models import measured
from monitor.web.api.operations import OPERATIONS, Access
from monitor.web.api.writing import TURN, listed, written
from monitor.web.guesses import Allowance
from tests.web.api.shop import (
    BACKUP,
    DATABASE,
    HOST,
    JOB,
    NOW,
    OPERATOR,
    SECOND,
    SHOP,
    SITE,
    Site,
    opened,
    view,
)

if TYPE_CHECKING:
    from monitor.web.api.operations import Operation

READING = [one for one in OPERATIONS if one.access is Access.READ]
FROM_MEMORY = {"systems", "system", "checks"}
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def address(one: Operation) -> str:
    """Return where an operation is, of the site of the shop, with the parameters that it needs."""
    path = one.path.format(system="shop", check="site", job="backup", word="start", id="move-7")
    return f"{path}?measure=duration" if one.name == "plot" else path


def named(one: Operation) -> str:
    return one.name


@pytest.mark.parametrize("one", READING, ids=named)
async def test_what_is_shown_is_what_is_declared(site: Site, one: Operation) -> None:
    """Nothing is missing and nothing more is there; `HEAD` answers the same without a body."""
    site.shown.samples_of[SITE] = [Sample(SITE, NOW, SECOND, State.UP)]
    answer = await site.ask(address(one))
    assert answer.status == 200
    model = one.answers[200]
    assert model
    assert model.model_validate(answer.json).model_dump(mode="json") == answer.json
    assert answer.headers["Cache-Control"] == "no-store"
    head = await site.ask(address(one), "HEAD")
    assert (head.status, head.body) == (200, b"")


async def test_a_check_is_shown_with_everything(site: Site) -> None:
    found = await site.get("systems/shop/checks/database")
    assert (found["condition"], found["state"], found["reason"]) == ("critical", "up", None)
    (figure,) = found["figures"]
    assert (figure["value"], figure["shown"], figure["firing"]) == (0.96, "96 %", "critical")
    assert figure["figures"] == {"warning": "> 80%", "critical": "> 95%"}
    assert figure["labels"] == {"state": "idle"}
    assert [one["state"] for one in found["alerts"]] == ["firing", "pending"]
    assert len(found["strip"]) == 24
    assert found["strip"][-1] == {"at": NOW.isoformat(), "up": 10, "down": 0, "unknown": 0, "worst": "warning"}
    assert found["uptime"]["last_24h"]["shown"] == "99.980 %"
    assert found["uptime"]["last_30d"] == {"ratio": None, "shown": "unknown", "up_seconds": 0.0, "down_seconds": 0.0}
    assert found["configuration"] == {
        "kind": "http",
        "every": "15s",
        "thresholds": [{"watch": "duration"}],
        "up": 2,
    }
    assert (found["needs"], found["remedy_for"]) == (["shop/database"], {"dns": ["Ask the registrar."]})


async def test_systems_are_counted_by_the_condition_of_their_checks(site: Site) -> None:
    found = await site.get("systems")
    shop, vault = found["systems"]
    assert shop["checks"] == {"failing": 1, "critical": 1, "up": 1}
    assert (shop["public"], vault["public"]) == (True, False)
    assert (found["leads"], found["leader"], found["problems"]) == (True, None, ["the dead man's switch"])


async def test_an_instance_that_waits_says_who_leads(site: Site) -> None:
    site.shown.leads = False
    found = await site.get("systems")
    assert (found["leads"], found["leader"]) == (False, "monitor-2")


async def test_jobs_are_shown_with_their_last_reports(site: Site) -> None:
    site.roll.jobs += [Job(check, Heard(), over_http=False) for check in (DATABASE, SITE._replace(check="gone"))]
    backup, other = (await site.get("heartbeats"))["heartbeats"]
    assert backup == {
        "system": "shop",
        "check": "backup",
        "title": "Backup",
        "condition": "up",
        "state": "up",
        "reason": None,
        "by": "http",
        "last_success_at": (NOW - DAY).isoformat(),
        "last_end": {"at": (NOW - HOUR).isoformat(), "good": False, "exit_status": 1, "took_seconds": 2.0},
        "running_since": NOW.isoformat(),
    }
    assert (other["by"], other["last_success_at"], other["last_end"]) == ("database", None, None)


async def test_what_is_not_finite_is_null(site: Site) -> None:
    """JSON has neither infinity nor NaN."""
    values = [float("inf"), float("-inf"), float("nan"), 1.5]
    measures = tuple(Measure("age", value, (("of", str(value)),)) for value in values)
    site.shown.samples_of[SITE] = [Sample(SITE, NOW, SECOND, State.UP, measures=measures)]
    (found,) = (await site.get("systems/shop/checks/site/samples"))["samples"]
    assert [one["value"] for one in found["measures"]] == [None, None, None, 1.5]
    plot = await site.get("systems/shop/checks/site/plot", measure="duration")
    assert plot["series"][0]["points"][0]["greatest"] is None


async def test_hostile_texts_stay_texts(site: Site) -> None:
    """A title with markup, escapes and half of a pair of surrogates is carried as it is, but for that half."""
    found = (await site.get("systems/vault/checks"))["checks"][0]
    assert found["title"].startswith("</svg><script>alert('1')</script>\u202e\x1b[31m\"&? <!--")
    assert found["detail"] == found["title"]


@given(
    detail=st.text(st.characters(codec=None)),
    label=st.text(st.characters(codec=None)),
    value=st.floats(),
    took=st.timedeltas(min_value=timedelta()),
)
def test_any_sample_can_be_written(detail: str, label: str, value: float, took: timedelta) -> None:
    one = Sample(SITE, NOW, took, State.UP, detail=detail, measures=(Measure("age", value, ((label, detail),)),))
    assert measured.Sample.model_validate_json(written(sample_of(one))).state is State.UP


async def test_samples_are_read_page_by_page(site: Site) -> None:
    """The newest first; `next_until` leads on, until there are no more; each is seen once."""
    site.shown.samples_of[SITE] = [Sample(SITE, NOW - n * SECOND, SECOND / 8, State.UP) for n in range(24, -1, -1)]
    seen: list[str] = []
    asked: dict[str, str] = {"limit": "10", "since": "1h"}
    while True:
        page = await site.get("systems/shop/checks/site/samples", **asked)
        seen += [one["at"] for one in page["samples"]]
        if page["next_until"] is None:
            break
        asked["until"] = page["next_until"]
    assert seen == [(NOW - n * SECOND).isoformat() for n in range(25)]


@pytest.mark.parametrize(
    ("since", "meant"),
    [
        ("2h", NOW - 2 * HOUR),
        ("1h30m", NOW - 1.5 * HOUR),
        ("2026-01-05T08:00:00Z", NOW - 4 * HOUR),
        ("2026-01-05T09:00:00%2B01:00", NOW - 4 * HOUR),
        ("2026-01-05T09:00:00+01:00", NOW - 4 * HOUR),
        ("2026-01-05T08:00", NOW - 4 * HOUR),
        ("2026-01-05t08:00:00.000z", NOW - 4 * HOUR),
        ("2026-01-05", NOW - 12 * HOUR),
        ("0001-01-01T00:00:00%2B23:00", NOW.replace(1970, 1, 1, 0)),
        ("9999-12-31T23:59:59-23:00", NOW.replace(2200, 1, 1, 0)),
    ],
)
async def test_since_is_a_moment_or_a_duration(site: Site, since: str, meant: object) -> None:
    """A plus that a client forgot to encode comes as a blank; a year that no store knows is the nearest one."""
    for path in ("systems/shop/checks/site/samples", "incidents", "deploys"):
        assert (await site.ask(f"/api/v1/{path}?since={since}")).status == 200
    (_, samples, until, limit), incidents, deploys = site.shown.asked
    assert [samples, incidents[0], deploys[0]] == [meant] * 3
    assert (until, limit) == (None, 100)


SAMPLES = "systems/shop/checks/site/samples"


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("systems?page=2", "'page' means nothing here: there is nothing to ask for"),
        (f"{SAMPLES}?form=csv", "'form' means nothing here: there are since, until, limit"),
        (f"{SAMPLES}?since=soon", "since: input should be a moment such as 2026-11-22T18:00:00Z, or a duration until"),
        (f"{SAMPLES}?since=2026-13-01T00:00:00Z", "since: input should be a moment"),
        (f"{SAMPLES}?until=2h", "until: input should be a moment such as 2026-11-22T18:00:00Z"),
        (f"{SAMPLES}?until=2026-02-30", "until: input should be a moment such as 2026-11-22T18:00:00Z"),
        (f"{SAMPLES}?limit=0", "limit: input should be greater than or equal to 1"),
        (f"{SAMPLES}?limit=1001", "limit: input should be less than or equal to 1000"),
        (f"{SAMPLES}?limit=1_0", "limit: input should be a whole number"),
        (f"{SAMPLES}?limit=%2B5", "limit: input should be a whole number"),
        (f"{SAMPLES}?limit=5&limit=6", "'limit' is given twice"),
        ("systems/shop/checks/site/plot", "measure: field required"),
        ("systems/shop/checks/site/plot?measure=duration&span=1", "span: input should be a duration such as 30m, 2h"),
        ("systems/shop/checks/site/plot?measure=", "measure: string should have at least 1 character"),
        (f"incidents?system={'x' * 201}", "system: string should have at most 200 characters"),
        ("silences?who=anna", "'who' means nothing here: there is nothing to ask for"),
        ("alerts?of=shop", "'of' means nothing here: there are system, check"),
        ("openapi.json?x=1", "'x' means nothing here: there is nothing to ask for"),
        ("systems?%1B%5B31m=1", "'' means nothing here: there is nothing to ask for"),
    ],
)
async def test_a_parameter_that_makes_no_sense_is_named_with_what_is_allowed(site: Site, path: str, said: str) -> None:
    answer = await site.ask(f"/api/v1/{path}")
    assert (answer.status, answer.json["error"][: len(said)]) == (400, said)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("systems/shed", "there is no system 'shed'; allowed: shop, vault"),
        ("systems/shed/checks", "there is no system 'shed'; allowed: shop, vault"),
        ("systems/shed/checks/site", "there is no system 'shed'; allowed: shop, vault"),
        ("systems/shop/checks/sight", "there is no check 'shop/sight'; "),
        ("systems/shop/checks/sight/samples", "there is no check 'shop/sight'; "),
        ("systems/shop/checks/sight/plot?measure=duration", "there is no check 'shop/sight'; "),
        (
            "systems/shop/checks/site/plot?measure=age",
            "shop/site has no such measure; its own address says which",
        ),
        ("incidents?system=shed", "there is no system 'shed'; allowed: shop, vault"),
        ("incidents?system=shop&check=sight", "there is no check 'shop/sight'; "),
        ("deploys?system=shed", "there is no system 'shed'; allowed: shop, vault"),
        ("nothing", "there is nothing here; GET /api/v1/openapi.json says what there is"),
        ("systems/", "there is nothing here; "),
        ("../../api/v2/systems", "there is nothing here; "),
    ],
)
async def test_what_is_not_there_is_said_so(site: Site, path: str, said: str) -> None:
    """With the names that there are."""
    answer = await site.ask(f"/api/v1/{path}")
    assert (answer.status, answer.json["error"][: len(said)]) == (404, said)


async def test_other_methods_are_told_what_is_allowed(site: Site) -> None:
    for path, allowed in (("systems", "GET, HEAD"), ("silences", "GET, HEAD, POST"), ("runs", "POST")):
        answer = await site.ask(f"/api/v1/{path}", "PATCH")
        assert (answer.status, answer.headers["Allow"]) == (405, allowed)
        assert answer.json == {"error": f"PATCH means nothing here: there are {allowed}"}


@pytest.mark.parametrize("one", READING, ids=named)
async def test_without_the_store_it_is_told_to_come_again(site: Site, one: Operation) -> None:
    """What is known from memory is shown all the same."""
    site.shown.away = True
    answer = await site.ask(address(one))
    if one.name in FROM_MEMORY:
        assert answer.status == 200
        return
    assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
    assert answer.json == {"error": "the store cannot be reached; try again"}


async def test_a_bug_is_told_without_its_text(site: Site) -> None:
    """And not as a fault of whoever asked."""
    site.shown.systems = (replace(SHOP, title=3),)  # type: ignore[arg-type]
    answer = await site.ask("/api/v1/systems/shop")
    assert (answer.status, answer.json) == (500, {"error": "something failed here; see the log"})


@pytest.mark.parametrize("one", READING, ids=named)
async def test_only_the_operator_reads(site: Site, one: Operation) -> None:
    """Neither nobody, nor a wrong token, nor that of a job; and no cookie opens anything."""
    for token in ("", "wrong", JOB):
        answer = await site.ask(address(one), token=token, Cookie=f"session={OPERATOR}; token={OPERATOR}")
        assert (answer.status, answer.json) == (401, {"error": "a token is needed, as Bearer or as password"})
        assert "WWW-Authenticate" in answer.headers
    answer = await site.ask(address(one), Origin="https://evil.example")
    assert answer.status == 403


@pytest.mark.parametrize("one", READING, ids=named)
async def test_where_no_token_is_set_this_machine_reads_by_its_own_name(one: Operation) -> None:
    """A page of another name that was led here must not."""
    async with opened(Site(Tokens())) as site:
        port = site.web.port
        for host in (HOST, f"{HOST}:{port}", f"localhost:{port}", "[::1]:80", "monitor.localhost"):
            assert (await site.ask(address(one), token="", Host=host)).status == 200
        for host in ("evil.example", f"evil.example:{port}", "127.0.0.1.evil.example", "10.0.0.1", ""):
            answer = await site.ask(address(one), token="", Host=host)
            assert answer.status == 403
            assert "by this name" in answer.json["error"]


async def test_where_only_scrapes_have_a_token_nobody_reads() -> None:
    async with opened(Site(Tokens(scrape=Secret("scrape-token-of-this-test")))) as site:
        for token in ("", "scrape-token-of-this-test"):
            assert (await site.ask("/api/v1/systems", token=token)).status == 403


async def test_wrong_tokens_are_counted() -> None:
    async with opened(Site(allowance=Allowance(each=3, together=100))) as site:
        for _ in range(3):
            assert (await site.ask("/api/v1/systems", token="wrong")).status == 401
        answer = await site.ask("/api/v1/systems")
        assert (answer.status, answer.headers["Retry-After"]) == (429, "60")


async def test_the_document_is_open(site: Site) -> None:
    answer = await site.ask("/api/v1/openapi.json", token="")
    assert (answer.status, answer.json["openapi"]) == (200, "3.1.0")


async def test_a_thousand_checks_hold_nobody_up(site: Site) -> None:
    """Between two turns everything else goes on."""
    views = tuple(view(SITE._replace(check=f"site{n}"), figures=SHOP.checks[1].figures) for n in range(1_000))
    site.shown.systems = (replace(SHOP, checks=views),)
    rounds = 0

    async def count() -> None:
        nonlocal rounds
        while True:
            await asyncio.sleep(0)
            rounds += 1

    counting = asyncio.create_task(count())
    found = (await site.get("systems/shop/checks"))["checks"]
    counting.cancel()
    assert [one["check"] for one in found] == [one.name for one in views]
    assert rounds > 1_000 / TURN


async def test_an_answer_whose_list_is_not_last_is_a_bug() -> None:
    around = measured.Measure(name="age", value=1.0, labels={})
    with pytest.raises(TypeError, match="the last field of Measure"):
        await listed(around, [], lambda one: one)


@pytest.mark.parametrize("condition", Condition)
async def test_each_condition_can_be_shown(site: Site, condition: Condition) -> None:
    site.shown.systems = (replace(SHOP, condition=condition, checks=(view(BACKUP, condition),)),)
    found: dict[str, Any] = (await site.get("systems"))["systems"][0]
    assert (found["condition"], found["checks"]) == (condition, {condition: 1})
