"""One question and its answer, against a server on the loopback; the kinds' own tests hold what answers mean."""

from __future__ import annotations

import asyncio
import re
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from monitor.clock import SystemClock
from monitor.databases import Databases
from monitor.model import Failure, Reason, State
from monitor.network import Resolver, TlsContexts
from monitor.probes.base import Resources
from monitor.secrets import Redactor, Secret
from monitor.vendors import Access, Accounts, Api, Limit, Vendor
from tests.fakes import ImpatientClock
from tests.systems.site import Answer, Site, page, says_json

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

KEY = Secret("hunter2-the-key")
VENDOR = Vendor("Example", Limit(600, timedelta(minutes=1)), keys=re.compile("hunter2[^ ]*"))
THINGS = ("GET", "/things")


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    made = Site("127.0.0.1", None)
    made.bearer = KEY.reveal()
    made.answers[THINGS] = says_json({"things": []})
    async with AsyncExitStack() as stack:
        await made.start(stack)
        yield made


@pytest.fixture
async def means() -> AsyncIterator[Resources]:
    resolver = Resolver()
    accounts = Accounts(ImpatientClock(SystemClock()))
    yield Resources(resolver, TlsContexts(), Databases(resolver), Redactor([KEY]), accounts=accounts)
    await resolver.close()


def api(site: Site, means: Resources, seconds: float = 20, embedded: re.Pattern[str] | None = None) -> Api:
    headers = (("Authorization", Secret(f"Bearer {KEY.reveal()}")),)
    return Api(Access(VENDOR, site.url, KEY, headers, embedded), means, timedelta(seconds=seconds), {})


async def failure_of(asked: Api) -> Failure:
    with pytest.raises(Failure) as caught:
        await asked.get("/things")
    assert caught.value.state is State.UNKNOWN
    return caught.value


async def test_a_question_and_its_answer(site: Site, means: Resources) -> None:
    asked = api(site, means)
    reply = await asked.get("/things", [("limit", "100"), ("type[]", "a b&c")])
    assert (reply.status, list(reply.body["things"]), reply.said) == (200, [], "")
    assert asked.requests == 1
    assert {"dns", "connect", "processing", "transfer"} <= asked.phases.keys()


async def test_json_is_sent(site: Site, means: Resources) -> None:
    site.answers["POST", "/query"] = says_json({"data": 1})
    reply = await api(site, means).post("/query", {"query": "{ things }"})
    assert reply.body["data"].number == 1


@pytest.mark.parametrize("prefix", ["", "X-"])
async def test_a_limit_that_an_answer_says_is_used_up_is_kept(prefix: str, site: Site, means: Resources) -> None:
    """By the next run too, and although the answer itself was good."""
    clock = means.accounts.clock
    assert isinstance(clock, ImpatientClock)
    good = site.answers[THINGS]
    assert isinstance(good, Answer)
    headers = {f"{prefix}RateLimit-Remaining": "0", f"{prefix}RateLimit-Reset": "45"}
    site.answers[THINGS] = Answer(200, good.body, {**good.headers, **headers})
    await api(site, means).get("/things")
    later = api(site, means)
    assert (await failure_of(later)).reason is Reason.RATE_LIMITED
    assert later.requests == 0
    clock.waited += timedelta(seconds=45)
    assert (await api(site, means).get("/things")).status == 200


async def test_a_redirect_is_not_followed_with_a_key(site: Site, means: Resources) -> None:
    site.answers[THINGS] = Answer(307, "", {"Location": "/elsewhere"})
    site.answers["GET", "/elsewhere"] = says_json({})
    failure = await failure_of(api(site, means))
    assert failure.reason is Reason.PROTOCOL
    assert f"redirects us to {site.url}/elsewhere" in failure.detail


async def test_two_runs_at_once_share_what_one_key_may_use(site: Site, means: Resources) -> None:
    """A tenth of 600 a minute is 60: the 61st waits for the first to be a minute old."""
    clock = means.accounts.clock
    assert isinstance(clock, ImpatientClock)
    one, other = api(site, means, 600), api(site, means, 600)
    for _ in range(30):
        await asyncio.gather(one.get("/things"), other.get("/things"))
    assert clock.waited == timedelta()
    await one.get("/things")
    assert clock.waited > timedelta(seconds=30)


async def test_what_nobody_keeps_any_more_nobody_remembers(site: Site, means: Resources) -> None:
    """Questions that differ from day to day, as those for pages do, fill no memory."""
    access = api(site, means).access
    memory: dict[str, Any] = {}
    young = timedelta(minutes=5)
    for number in range(3):
        await Api(access, means, timedelta(seconds=20), memory).get("/things", [("page", str(number))], young=young)
        await means.accounts.clock.sleep_until(means.accounts.clock.now() + timedelta(hours=13))
    assert len(means.accounts.of(access).kept) == 2
    assert len(next(iter(memory.values()))) == 2


async def test_no_secret_is_in_what_a_refusal_says(site: Site, means: Resources) -> None:
    site.instead = says_json({"message": f"{KEY.reveal()} and hunter2-** may not"}, 403)
    failure = await failure_of(api(site, means))
    assert failure.reason is Reason.AUTH
    assert "••• and ••• may not" in failure.detail


async def test_a_redirect_is_followed_where_there_is_no_key(site: Site, means: Resources) -> None:
    """Pages move, and nothing of ours goes along."""
    site.bearer = ""
    site.answers[THINGS] = Answer(301, "", {"Location": f"{site.url}/moved"})
    site.answers["GET", "/moved"] = says_json({"things": [1]})
    public = Api(Access(VENDOR, site.url, Secret(""), ()), means, timedelta(seconds=20), {})
    assert len(list((await public.get("/things")).body["things"])) == 1


async def test_json_in_a_web_page(site: Site, means: Resources) -> None:
    """Where it is known how to find it; a page without it is somebody else's."""
    pattern = re.compile(r"<script>(.*?)</script>")
    site.answers[THINGS] = page('<!doctype html><script>{"things": [1, 2]}</script>')
    reply = await api(site, means, embedded=pattern).get("/things")
    assert len(list(reply.body["things"])) == 2
    for text in ("<h1>Just a moment</h1>", "<script>{</script>"):
        site.answers[THINGS] = page(text)
        with pytest.raises(Failure) as caught:
            await api(site, means, embedded=pattern).get("/things")
        assert (caught.value.reason, caught.value.state) == (Reason.PROTOCOL, State.UNKNOWN)


async def test_the_link_header_comes_along(site: Site, means: Resources) -> None:
    """Some put their cursors there."""
    assert (await api(site, means).get("/things")).link == ""
    site.headers["Link"] = '<https://x>; rel="next"'
    assert (await api(site, means).get("/things")).link == '<https://x>; rel="next"'
