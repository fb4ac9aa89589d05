"""What people do over HTTP: who may, what is understood, what is answered."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.faults import ConfigError, unknown
from monitor.metrics import Metrics
from monitor.model import Act, Deed, Scope, labels
from monitor.plain import plain
from monitor.secrets import Secret
from monitor.store import StoreUnavailable
from monitor.web import Acts, Door, Reply, Tokens, Web
from monitor.web.body import MOST_OF_BODY
from monitor.web.guesses import Allowance
from monitor.web.wishes import Ack, Quiet, Run, read_wish
from tests.fakes import START, FakeClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

HOST = "127.0.0.1"
OPERATOR, SCRAPE = "operator-token-of-this-test", "scrape-token-of-this-test"
HOUR = timedelta(hours=1)
FIRES: dict[str, object] = {"system": "shop", "check": "site", "severity": "critical"}
NIGHT: dict[str, object] = {"id": "night", "system": "shop"}
PENDING: dict[str, object] = {"system": "shop", "check": "site", "severity": None}


class Counter:
    """Keeps what it gets."""

    def __init__(self) -> None:
        self.got: list[Act] = []
        self.done = True
        self.away = False
        self.live: list[dict[str, object]] = [FIRES]

    def look_for(self, scope: Scope) -> None:
        if scope.system not in {"", "shop"}:
            raise ConfigError([unknown(scope.system, ["shop"])])

    async def alerts(self, scope: Scope) -> list[dict[str, object]]:
        self._reach()
        return [one for one in self.live if scope.system in {"", one["system"]}]

    async def silences(self) -> list[dict[str, object]]:
        self._reach()
        made = [act for act in self.got if act.deed is Deed.SILENCE]
        return [NIGHT, *(dict[str, object](id=act.id) for act in made)]

    async def lift(self, silence: str, act: Act) -> Act | None:
        self._reach()
        return replace(act, incident=silence) if silence == "night" else None

    async def take(self, act: Act) -> Reply:
        self._reach()
        self.got.append(act)
        return Reply(self.done, "so it is")

    def _reach(self) -> None:
        if self.away:
            raise StoreUnavailable("postgres at 10.0.0.1: away")


class Site:
    """A server with these routes, and a client."""

    def __init__(self, tokens: Tokens) -> None:
        self.counter, self.clock, metrics = Counter(), FakeClock(), Metrics()
        door = Door(tokens, self.clock, metrics.daemon.refused, allowance=Allowance(each=3, together=100))
        acts = Acts(door, self.counter, self.clock)
        self.web = Web(door, metrics, healthy=list, ready=list, more=acts.table())

    async def ask(
        self, method: str, path: str, body: object = None, token: str = OPERATOR, **headers: str
    ) -> tuple[int, Any]:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        sent |= {"Authorization": f"Bearer {token}"} if token else {}
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        url = f"http://{HOST}:{self.web.port}/api/v1/{path}"
        async with (
            aiohttp.ClientSession(headers=sent) as session,
            session.request(method, url, data=data, timeout=aiohttp.ClientTimeout(5)) as answer,
        ):
            assert answer.content_type == "application/json", await answer.text()
            return answer.status, await answer.json()


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    made = Site(Tokens(Secret(OPERATOR), Secret(SCRAPE)))
    await made.web.start(HOST, 0)
    yield made
    await made.web.stop()


ACK = Act("", START, Deed.ACKNOWLEDGE, "api", Scope("shop"))


@pytest.mark.parametrize(
    ("path", "body", "act"),
    [
        ("acks", {"system": "shop"}, ACK),
        ("acks", {"system": "all"}, replace(ACK, scope=Scope())),
        (
            "acks",
            {
                "system": "shop",
                "check": "site",
                "alert": "slow",
                "labels": {"b": "2", "a": "1"},
                "for": "2h",
                "who": "anna\x1b[31m",
                "why": "on\nit",
                "incident": "f00",
            },
            Act(
                *("", START, Deed.ACKNOWLEDGE, "anna", Scope("shop", "site", "slow", labels({"a": "1", "b": "2"}))),
                *("f00", "on it", START + 2 * HOUR),
            ),
        ),
        (
            "silences",
            {"system": "shop", "until": "2026-01-05T14:00+01:00", "maintenance": True},
            Act("", START, Deed.SILENCE, "api", Scope("shop"), until=START + HOUR, maintenance=True),
        ),
        ("runs", {"system": "shop", "check": "site"}, Act("", START, Deed.RUN, "api", Scope("shop", "site"))),
    ],
)
@pytest.mark.parametrize("done", [True, False])
async def test_a_wish_becomes_an_act(site: Site, path: str, body: dict[str, object], act: Act, done: bool) -> None:
    """200 when it is done, 202 when it is noted; with its id, which is what was given or is new."""
    site.counter.done = done
    status, told = await site.ask("POST", path, body)
    assert (status, told["done"], told["said"]) == (200 if done else 202, done, "so it is")
    (got,) = site.counter.got
    assert got == replace(act, id=told["id"])
    assert len(told["id"]) == 16
    _, again = await site.ask("POST", path, {**body, "id": "press-1"})
    assert again["id"] == site.counter.got[1].id == "press-1"


async def test_what_an_act_has_changed_is_answered(site: Site) -> None:
    _, told = await site.ask("POST", "acks", {"system": "shop"})
    assert told["alerts"] == [FIRES]
    _, told = await site.ask("POST", "silences", {"system": "shop", "for": "1h"})
    assert told["silences"] == [{"id": told["id"]}]


async def test_what_is_live_and_silent_is_shown(site: Site) -> None:
    assert await site.ask("GET", "alerts") == (200, {"alerts": [FIRES]})
    assert await site.ask("GET", "alerts?system=shop&check=site") == (200, {"alerts": [FIRES]})
    assert await site.ask("GET", "silences") == (200, {"silences": [{"id": "night", "system": "shop"}]})


async def test_a_silence_is_lifted_by_its_id(site: Site) -> None:
    status, told = await site.ask("DELETE", "silences/night?who=anna")
    assert (status, told["done"]) == (200, True)
    (act,) = site.counter.got
    assert (act.deed, act.incident, act.who) == (Deed.LIFT, "night", "anna")
    assert await site.ask("DELETE", "silences/none") == (
        404,
        {"error": "there is no silence 'none' that has not ended"},
    )


@pytest.mark.parametrize("live", [[], [PENDING]])
async def test_where_nothing_fires_there_is_nothing_to_acknowledge(site: Site, live: list[dict[str, object]]) -> None:
    site.counter.live = live
    assert await site.ask("POST", "acks", {"system": "shop"}) == (404, {"error": "nothing fires at shop"})
    assert site.counter.got == []


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        ("acks", b"{", "the body is no wish: invalid JSON: EOF while parsing an object at line 1 column 1"),
        ("acks", b"[]", "the body is no wish: input should be an object"),
        ("acks", None, "system: field required"),
        ("acks", {"system": ""}, "system: string should have at least 1 character"),
        ("acks", {"system": 1}, "system: input should be a valid string"),
        ("acks", {"system": "shop", "labels": {"a": 1}}, "labels.a: input should be a valid string"),
        ("acks", {"system": "shop", "for": "soon"}, "'soon' is not a duration such as 300ms, 30s, 5m, 1h30m or 2d"),
        ("acks", {"system": "shop", "id": "a b"}, "id: string should match pattern '^[!-~]{0,64}$'"),
        ("silences", {"system": "shop"}, "for or until must say when the silence ends"),
        ("silences", {"for": "1h"}, "system: field required"),
        ("silences", {"system": "shop", "for": "1h", "maintenance": "yes"}, "maintenance: input should be a valid boo"),
        ("runs", {"system": "shop"}, "check: field required"),
        ("runs", {"system": "shop", "check": "a", "for": "1h"}, "'for' means nothing here: there are system, check,"),
        ("acks", b" " * (MOST_OF_BODY + 1), "the body is longer than 10,000 bytes"),
        ("acks", b"[" * 5_000, "the body is no wish: "),
    ],
)
async def test_what_is_not_understood_is_refused(site: Site, path: str, body: object, said: str) -> None:
    """In one sentence, without repeating a value."""
    status, told = await site.ask("POST", path, body)
    assert (status, told["error"][: len(said)]) == (400, said)
    assert site.counter.got == []


@pytest.mark.parametrize(("method", "path"), [("POST", "acks"), ("POST", "silences"), ("POST", "runs")])
async def test_an_unknown_system_is_named_with_those_there_are(site: Site, method: str, path: str) -> None:
    body = {"system": "shed", "check": "a"} | ({} if path == "runs" else {"for": "1h"})
    assert await site.ask(method, path, body) == (404, {"error": "there is no system 'shed'; allowed: shop"})
    assert (await site.ask("GET", "alerts?system=shed"))[0] == 404


EVERY = [
    ("GET", "alerts", None),
    ("POST", "acks", {"system": "shop"}),
    ("GET", "silences", None),
    ("POST", "silences", {"system": "shop", "for": "1h"}),
    ("DELETE", "silences/night", None),
    ("POST", "runs", {"system": "shop", "check": "site"}),
]


@pytest.mark.parametrize(("method", "path", "body"), EVERY)
async def test_a_store_that_is_away_is_said_so_without_its_address(
    site: Site, method: str, path: str, body: object
) -> None:
    site.counter.away = True
    assert await site.ask(method, path, body) == (503, {"error": "the store cannot be reached; try again"})


@pytest.mark.parametrize(("method", "path", "body"), EVERY)
async def test_a_page_of_another_site_does_nothing(site: Site, method: str, path: str, body: object) -> None:
    """A browser that keeps the password would send it along."""
    here = f"http://{HOST}:{site.web.port}"
    for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec_Fetch_Site": "cross-site"}):
        assert (await site.ask(method, path, body, **headers))[0] == 403
    assert site.counter.got == []
    for headers in ({"Origin": here}, {"Sec_Fetch_Site": "same-origin"}):
        assert (await site.ask(method, path, body, **headers))[0] == 200


@pytest.mark.parametrize(("method", "path", "body"), EVERY)
async def test_wrong_tokens_are_counted(site: Site, method: str, path: str, body: object) -> None:
    """After three, none of that client is looked at; the answers are of the same form as all others."""
    for token in ("wrong", SCRAPE, OPERATOR[:-1]):
        assert await site.ask(method, path, body, token=token) == (
            401,
            {"error": "a token is needed, as Bearer or as password"},
        )
    status, told = await site.ask(method, path, body)
    assert (status, told) == (429, {"error": "too many wrong tokens; none is looked at for 60 s"})
    assert site.counter.got == []


@given(
    body=st.binary(max_size=60)
    | st.dictionaries(
        st.sampled_from(["system", "check", "for", "until", "who", "why", "labels", "id", "x"]),
        st.text(max_size=20) | st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=2) | st.none(),
    )
    .map(json.dumps)
    .map(str.encode),
    kind=st.sampled_from([Ack, Quiet, Run]),
)
def test_any_body_is_an_act_or_a_reason(body: bytes, kind: type[Ack | Quiet | Run]) -> None:
    try:
        said, act = "", read_wish(body, kind).act(Deed.SILENCE, START)
    except ValueError as error:
        said, act = str(error), ACK
    assert "\n" not in said
    assert plain(act.who) == act.who  # what Unicode may name one day is neither hidden nor printable
    assert plain(act.why) == act.why
    assert len(act.who) <= 60
