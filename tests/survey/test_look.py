"""The look at real servers, well-behaved and not."""

from __future__ import annotations

import json
import socket
from contextlib import AsyncExitStack
from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

import pytest
from yarl import URL

from monitor.answer import Answer as Answered
from monitor.clock import SystemClock
from monitor.network import Resolver, TlsContexts
from monitor.survey.address import readings
from monitor.survey.asking import Asker, Seen
from monitor.survey.found import NothingToWatch
from monitor.survey.look import Wish, _names, _plain, look
from monitor.survey.written import system_text
from tests.fakes import ImpatientClock
from tests.peers import drips, free_port, hangs_up, says, silence, tcp_peer, wire_name
from tests.survey.files import loaded
from tests.survey.test_families import PYTHON
from tests.systems.site import HTML, Answer, Site, page, says_json

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from monitor.survey.found import Survey
    from tests.peers import Authority, NameServer, Talk

SHOP = "shop.example.com"
METRICS = Answer(200, PYTHON, {"Content-Type": "text/plain; version=0.0.4"})
QUICK = timedelta(milliseconds=300)


class Means(NamedTuple):
    resolver: Resolver
    tls: TlsContexts


@pytest.fixture
async def means(names: NameServer) -> AsyncIterator[Means]:
    resolver = Resolver([names.address])
    yield Means(resolver, TlsContexts())
    await resolver.close()


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with AsyncExitStack() as stack:
        made = Site("127.0.0.1", None)
        await made.start(stack)
        made.answers["GET", "/"] = page(f"<html><title>The  shop &amp; more</title>{HTML}")
        yield made


@pytest.fixture
async def shop(authority: Authority, names: NameServer) -> AsyncIterator[Site]:
    """Serve a name over TLS."""
    async with AsyncExitStack() as stack:
        made = Site(SHOP, authority)
        await made.start(stack)
        names.has(SHOP, "A", socket.inet_aton("127.0.0.1"))
        made.answers["GET", "/"] = page()
        yield made


async def see(url: str, means: Means, *, samples: int = 5, ca_file: str = "") -> Survey:
    told: list[str] = []
    clock = ImpatientClock(SystemClock())
    found = await look(Wish(readings(url), samples, ca_file), means, clock, told.append)
    assert loaded(system_text(found, "shop")).plans
    assert told[-1] == f"sample {samples} of {samples}"
    return found


async def nothing(url: str, means: Means, *, ca_file: str = "") -> str:
    with pytest.raises(NothingToWatch) as raised:
        await look(Wish(readings(url), 5, ca_file), means, ImpatientClock(SystemClock()), lambda _: None)
    return str(raised.value)


# What is found


async def test_the_page_its_health_and_its_metrics(site: Site, means: Means) -> None:
    site.answers["GET", "/healthz"] = says_json({"status": "ok", "database": "connected", "uptime": 3})
    site.answers["GET", "/api/health"] = says_json({"status": "ok", "database": "connected", "uptime": 4})
    site.answers["GET", "/ready"] = Answer(200, "ready\n", {"Content-Type": "text/plain"})
    site.answers["GET", "/metrics"] = METRICS
    found = await see(site.url, means)
    assert found.page
    assert (found.page.status, found.page.media_type, found.page.title) == (200, "text/html", "The shop & more")
    assert [(one.url.path, one.aliases, one.text) for one in found.health] == [
        ("/healthz", ("/api/health",), ""),
        ("/ready", (), "ready"),
    ]
    assert found.metrics
    assert {family.name for family in found.families} == {"error_rate", "p95", "memory", "cpu"}
    assert [len(one.samples.times) for one in (found.page, *found.health, found.metrics)] == [5, 5, 5, 5]
    assert found.transport.addresses == (1, 0)
    plans = {plan.id.check: plan.check for plan in loaded(system_text(found, "shop")).plans.values()}
    assert list(plans) == ["site", "health", "ready", "metrics"]


async def test_a_single_page_application_has_no_health(site: Site, means: Means) -> None:
    """It answers 200 to everything, a page with a nonce; a JSON address behind it is one all the same."""
    nonces = count()
    real = says_json({"status": "ok"})
    site._answer = lambda request: (  # type: ignore[method-assign]
        real if request.path == "/api/health" else page(f"{HTML}<!-- {next(nonces)} -->")
    )
    found = await see(site.url, means)
    assert [one.url.path for one in found.health] == ["/api/health"]
    assert found.metrics is None
    assert any("a 200 says little" in note for note in found.notes)


async def test_what_answers_everything_in_json_has_no_health(site: Site, means: Means) -> None:
    site._answer = lambda request: says_json({"path": request.path, "status": "ok"})  # type: ignore[method-assign]
    assert (await see(site.url, means)).health == ()


async def test_what_says_the_same_is_one_address(site: Site, means: Means) -> None:
    """Texts and pages as well as JSON."""
    for path in ("/health", "/healthz"):
        site.answers["GET", path] = page(f"<html>{path} is well</html>")
    for path in ("/ready", "/livez"):
        site.answers["GET", path] = Answer(200, "OK", {"Content-Type": "text/plain"})
    found = [(one.url.path, one.aliases) for one in (await see(site.url, means, samples=1)).health]
    assert found == [("/health", ("/healthz",)), ("/ready", ("/livez",))]


async def test_a_page_at_a_health_address_counts_where_others_are_404(site: Site, means: Means) -> None:
    site.answers["GET", "/up"] = page('<html><body style="background-color: green"></body></html>')
    site.answers["GET", "/status"] = page("<html>what we did last year</html>")
    assert [one.url.path for one in (await see(site.url, means)).health] == ["/up"]


@pytest.mark.parametrize("location", ["/login", "http://127.0.0.1:1/health"])
async def test_a_health_that_leads_elsewhere_is_none(location: str, site: Site, means: Means) -> None:
    site.answers["GET", "/health"] = Answer(302, "", {"Location": location})
    site.answers["GET", "/login"] = says_json({"status": "ok"})
    assert (await see(site.url, means, samples=1)).health == ()


async def test_what_is_closed_is_watched_for_that(site: Site, means: Means) -> None:
    site.instead = Answer(401, "who are you?")
    text = system_text(found := await see(site.url, means), "shop")
    assert found.page
    assert found.page.status == 401
    assert '# auth: {bearer: "${SITE_TOKEN}"}' in text
    assert "expect: {status: 401}" in text


async def test_a_closed_health_address_is_told_of(site: Site, means: Means) -> None:
    site.answers["GET", "/health"] = Answer(403, "no")
    site.answers["GET", "/ready"] = Answer(503, "not yet")
    site.answers["GET", "/live"] = Answer(429, "slowly")
    notes = " ".join((await see(site.url, means)).notes)
    assert "Something stands at /health that wants to know who asks." in notes
    assert "/ready answered 503: if that is its health, it is not well now." in notes
    assert "It answered 429" in notes


async def test_an_api_without_a_page_has_its_health(site: Site, means: Means) -> None:
    del site.answers["GET", "/"]
    site.answers["GET", "/health"] = Answer(204)
    text = system_text(found := await see(site.url, means), "shop")
    assert found.page is None
    assert "itself has no page to watch" in text
    assert "expect: {status: 204}" in text


async def test_what_changes_between_samples_is_told_and_not_expected(site: Site, means: Means) -> None:
    """Of the status, the type, a word, and the JSON itself."""
    turns = count()
    said = {"status": "ok", "database": "up", "version": "1"}
    site.answers["GET", "/health"] = lambda *_: says_json(
        said | {"database": "up" if next(turns) < 3 else "failing"} | ({"version": "2"} if next(turns) > 9 else {})
    )
    wavering = count()
    site.answers["GET", "/"] = lambda *_: Answer(502) if next(wavering) in {2, 3} else page()
    found = await see(site.url, means, samples=6)
    (health,) = found.health
    assert health.facts
    assert health.facts.well == {"status": "ok"}
    assert health.facts.ill == {"database": "failing"}
    assert found.page
    assert found.page.samples.others == {"502": 2}
    assert len(found.page.samples.times) == 4
    assert "Not every sample was like that: 2 × 502." in system_text(found, "shop")


async def test_a_type_that_changes_is_not_expected(site: Site, means: Means) -> None:
    turns, others = count(), count()
    site.answers["GET", "/"] = lambda *_: page() if next(turns) % 2 == 0 else says_json([])
    site.answers["GET", "/health"] = lambda *_: says_json([] if next(others) % 3 else {"status": "ok"})
    found = await see(site.url, means)
    assert found.page
    assert found.page.media_type == ""
    assert "which `monitor validate` doubts" in system_text(found, "shop")
    assert all(one.facts is None for one in found.health)


async def test_a_huge_page_is_cut_and_a_huge_health_is_none(site: Site, means: Means) -> None:
    site.answers["GET", "/"] = page("x" * (2**20 + 1))
    site.answers["GET", "/health"] = says_json({"status": "ok", "more": "x" * 70_000})
    found = await see(site.url, means, samples=1)
    assert found.page
    assert found.page.truncated
    assert found.health == ()
    assert "The answer has more than 1.05 MB." in system_text(found, "shop")


async def test_metrics_are_neither_a_page_nor_a_catch_all(site: Site, means: Means) -> None:
    site.answers["GET", "/metrics"] = page(f"<html>{PYTHON}")
    assert (await see(site.url, means, samples=1)).metrics is None
    site.answers["GET", "/metrics"] = Answer(200, "OK", {"Content-Type": "text/plain"})
    assert (await see(site.url, means, samples=1)).metrics is None


# How it is reached


async def test_tls_and_an_authority_of_ones_own(
    shop: Site, means: Means, names: NameServer, authority: Authority
) -> None:
    names.has(SHOP, "CNAME", wire_name("shop.vercel-dns.com"))
    found = await see(shop.url, means, ca_file=str(authority.path))
    assert found.transport.expires in {79, 80}
    assert (found.transport.cname, found.transport.platform) == ("shop.vercel-dns.com", "Vercel")
    (plan,) = loaded(system_text(found, "shop")).plans.values()
    assert {threshold.name for threshold in plan.thresholds} == {"certificate", "slow"}
    assert plan.check.tls.ca_file == str(authority.path)  # type: ignore[attr-defined]


async def test_a_certificate_that_is_not_trusted_or_is_over(shop: Site, means: Means, authority: Authority) -> None:
    assert "give --ca-file" in await nothing(shop.url, means)
    shop.shows_certificate(ends=timedelta(days=-1))
    assert "Renew the certificate first." in await nothing(shop.url, means, ca_file=str(authority.path))


@pytest.mark.parametrize(
    ("headers", "platform"),
    [
        ({"x-render-origin-server": "uvicorn", "cf-ray": "1"}, "Render"),
        ({"x-vercel-id": "1"}, "Vercel"),
        ({"x-nf-request-id": "1"}, "Netlify"),
        ({"fly-request-id": "1", "Via": "1.1 fly.io"}, "Fly"),
        ({"Via": "1.1 vegur"}, "Heroku"),
        ({"Server": "cloudflare", "CF-Ray": "1"}, "Cloudflare"),
        ({"Server": "nginx"}, ""),
    ],
)
async def test_the_platform_is_told_by_headers(
    headers: Mapping[str, str], platform: str, site: Site, means: Means
) -> None:
    site.headers.update(headers)
    found = await see(site.url, means, samples=1)
    assert found.transport.platform == platform
    text = system_text(found, "shop")
    assert (f"answered by {platform}" in text) is bool(platform)
    assert ("monitor init --render" in text) is (platform == "Render")
    assert ("kind: status" in text) is (platform not in {"", "Heroku"})


async def test_a_redirect_within_the_host_is_followed_for_good(site: Site, means: Means) -> None:
    site.answers["GET", "/"] = Answer(301, "", {"Location": "/en/"})
    site.answers["GET", "/en/"] = page()
    found = await see(site.url, means)
    assert found.page
    assert found.page.url.path == "/en/"


async def test_a_redirect_that_adds_a_query_or_leaves_the_host_is_not_written(
    site: Site, means: Means, names: NameServer
) -> None:
    names.has("login.example.com", "A", socket.inet_aton("127.0.0.1"))
    site.answers["GET", "/login"] = page()
    site.answers["GET", "/"] = Answer(302, "", {"Location": "/login?state=hunter2"})
    text = system_text(await see(site.url, means), "shop")
    away = f"http://login.example.com:{site.port}"
    site.answers["GET", "/"] = Answer(302, "", {"Location": f"{away}/login?state=hunter2"})
    other = system_text(await see(site.url, means), "shop")
    assert f"url: {site.url}/\n" in text
    assert f"url: {site.url}/\n" in other
    assert f"It redirects to {away}, another host" in other
    assert "hunter2" not in text + other


async def test_nothing_leads_from_a_public_to_a_private_address(site: Site, means: Means) -> None:
    asker = Asker(means)
    asker.came_from = "93.184.216.34"
    seen = await asker.ask(URL(site.url))
    assert seen.answer is None
    assert seen.failure
    assert "from a public to a private address" in seen.failure.detail


class Answering(Asker):
    """Says what it is told, whatever it is asked."""

    def __init__(self, answer: bytes | None, location: str = "") -> None:
        self.asked: list[str] = []
        headers = (("location", location),) if location else ()
        self._said = None if answer is None else (301 if location else 200, headers, answer)

    async def ask(self, url: URL, **_: object) -> Seen:
        self.asked.append(str(url))
        answer = Answered(url, *self._said, False, timedelta()) if self._said else None  # noqa: FBT003 - whole
        return Seen(url, answer, None, "", None)


@pytest.mark.parametrize(
    ("answer", "location", "said"),
    [
        (None, "", "refused"),
        (b"hello", "", "answered"),
        (b"", "https://shop.example.com/", "redirected"),
        (b"", "https://login.example.com/", "answered"),
        (b"", "/en/", "answered"),
        (b"", "http://[", "answered"),
    ],
)
async def test_who_comes_without_tls(answer: bytes | None, location: str, said: str) -> None:
    asker = Answering(answer, location)
    assert await _plain(asker, URL("https://shop.example.com/a")) == said
    assert asker.asked == ["http://shop.example.com/a"]
    assert await _plain(asker, URL("https://shop.example.com:8443/")) == ""
    assert await _plain(asker, URL("http://shop.example.com/")) == ""


async def test_a_name_has_addresses_of_both_kinds_and_perhaps_an_alias(means: Means, names: NameServer) -> None:
    names.has(SHOP, "A", socket.inet_aton("127.0.0.1"), socket.inet_aton("127.0.0.2"))
    names.has(SHOP, "AAAA", socket.inet_pton(socket.AF_INET6, "::1"))
    assert await _names(means, SHOP) == ("", (2, 1))
    assert await _names(means, "gone.example.com") == ("", (0, 0))
    assert await _names(means, "::1") == ("", (0, 1))


# What nothing can be made of


async def test_a_name_that_is_not_there_and_a_name_server_that_is_silent(means: Means, names: NameServer) -> None:
    names.codes["gone.example.com"] = 3
    said = await nothing("http://gone.example.com/", means)
    assert "dns: " in said
    assert "See whether the name is written right" in said


async def test_nobody_listens(means: Means) -> None:
    assert "Nothing listens there" in await nothing(f"http://127.0.0.1:{free_port()}/", means)


@pytest.mark.parametrize(
    ("talk", "said"),
    [
        (hangs_up, "reset: "),
        (says(b"SSH-2.0-OpenSSH_9.2\r\n", close=True), "does not speak HTTP"),
        (says(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", close=True), "before the end of the body"),
    ],
)
async def test_what_is_no_web_server(talk: Talk, said: str, means: Means) -> None:
    async with tcp_peer(talk) as peer:
        assert said in await nothing(f"http://127.0.0.1:{peer.port}/", means)


@pytest.mark.parametrize("talk", [silence, drips(b"HTTP/1.1 200 OK\r\nA: b\r\n")])
async def test_what_never_comes_to_an_end(talk: Talk, means: Means) -> None:
    async with tcp_peer(talk) as peer:
        seen = await Asker(means).ask(URL(f"http://127.0.0.1:{peer.port}/"), within=QUICK)
        assert seen.failure
        assert str(seen.failure.reason) == "timeout"


async def test_it_redirects_for_ever(site: Site, means: Means) -> None:
    site.instead = Answer(302, "", {"Location": "/again"})
    assert "at most 10 redirects" in await nothing(site.url, means)


@pytest.mark.parametrize(("status", "said"), [(503, "it is not well now"), (404, "give one that answers")])
async def test_nothing_but_errors(status: int, said: str, site: Site, means: Means) -> None:
    site.instead = Answer(status, json.dumps({"error": "no"}))
    assert said in await nothing(site.url, means)


async def test_it_takes_no_more_time_than_there_is(site: Site, means: Means) -> None:
    """Once the time for samples is over, what was measured by then is what there is."""

    class Hurried(ImpatientClock):
        def now(self) -> object:  # type: ignore[override]
            self.offset = getattr(self, "offset", timedelta()) + timedelta(seconds=4)
            return super().now() + self.offset

    found = await look(Wish(URL(site.url), 20), means, Hurried(SystemClock()), lambda _: None)  # type: ignore[arg-type]
    assert found.page
    assert 0 < len(found.page.samples.times) < 10
    assert any("so slowly that not all" in note for note in found.notes)
