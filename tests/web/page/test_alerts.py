"""What fires, what fired, what is silenced; and what people do about it by forms."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.model import Act, Deed, Scope
from monitor.web.page.forms import given as said_by
from monitor.web.page.forms import sentence
from tests.story import CHANGE, DATABASE, MORNING, SITE
from tests.web.page.scene import HOUR, Forms, Scene, visit

FIRING = CHANGE.alerts[0]
WHO = "ana"


async def test_what_is_live_stands_first_the_worst_on_top() -> None:
    """With its value, who was told, and until when it is silenced; below it what happened, with its journal."""
    async with visit(Scene()) as visitor:
        status, page = await visitor.see("/alerts")
    assert status == 200
    assert page.index("Shop: Database: connections") < page.index("Shop: Site: down") < page.index("What happened")
    for told in ("<b>96 %</b>", "oncall owed since", "Silenced until", "resolved after 13 min 30 s", "answered 503"):
        assert told in page
    assert f'href="/alerts/{FIRING.incident}"' in page


@pytest.mark.parametrize(
    ("query", "there", "gone"),
    [
        ("?text=DATABASE", "Shop: Database: connections", "Shop: Site: down"),
        ("?system=shop&days=1", "Shop: Site: down", "of nothing"),
        ("?system=other", "No incident in this time", "Shop: Site: down"),
        ("?text=nothing-like-it&days=9", "that this filter lets through", "Shop: Site: down"),
    ],
)
async def test_alerts_are_filtered_by_system_and_text(query: str, there: str, gone: str) -> None:
    async with visit(Scene()) as visitor:
        _, page = await visitor.see(f"/alerts{query}")
    assert there in page
    assert gone not in page


async def test_an_incident_has_a_page_with_its_whole_journal() -> None:
    """What goes on has its buttons; what is over can still be noted about."""
    async with visit(Scene()) as visitor:
        over = (await Scene().incidents(MORNING - timedelta(days=1)))[-1]
        status, past = await visitor.see(f"/alerts/{over.id}")
        _, present = await visitor.see(f"/alerts/{FIRING.incident}")
    assert status == 200
    for told in ("to oncall: opened critical; refused", "noted: restarted the worker (ana)", "resolved after"):
        assert told in past
    assert Forms(past).of("/notes", incident=over.id, check="site")
    assert 'action="/acks"' not in past
    assert Forms(present).of("/acks", incident=FIRING.incident, alert="connections")


async def test_without_the_store_what_fires_is_shown_all_the_same() -> None:
    async with visit(Scene(away=True)) as visitor:
        status, page = await visitor.see("/alerts")
        silences, _ = await visitor.see("/silences")
    assert (status, silences) == (503, 503)
    assert "Shop: Database: connections" in page
    assert "what happened before is not known here" in page


async def test_silences_are_listed_with_those_to_come() -> None:
    async with visit(Scene()) as visitor:
        _, page = await visitor.see("/silences?system=shop")
    for told in ("everything", "maintenance</span>", "not yet", "a move", 'value="shop/database"'):
        assert told in page
    assert Forms(page).of("/silences")["place"] == "shop"


PRESSES = [
    (
        *("/alerts", "/acks", {"alert": "connections"}, {"why": "mine", "who": WHO}),
        Act("", MORNING, Deed.ACKNOWLEDGE, WHO, Scope(*DATABASE, "connections"), FIRING.incident, "mine"),
    ),
    (
        *("/alerts", "/acks", {"alert": "connections"}, {"for": "2h"}),
        Act(
            "",
            MORNING,
            Deed.ACKNOWLEDGE,
            "page",
            Scope(*DATABASE, "connections"),
            FIRING.incident,
            until=MORNING + 2 * HOUR,
        ),
    ),
    (
        *("/systems/shop/database", "/silences", {"alert": "connections"}, {"why": "a move"}),
        Act("", MORNING, Deed.SILENCE, "page", Scope(*DATABASE, "connections"), why="a move", until=MORNING + HOUR),
    ),
    (
        *("/silences", "/silences", {}, {"place": "shop/site", "until": "2026-01-05T14:00", "maintenance": "yes"}),
        Act("", MORNING, Deed.SILENCE, "page", Scope(*SITE), until=MORNING + 2 * HOUR, maintenance=True),
    ),
    (
        *("/silences", "/silences", {}, {"place": "all", "why": "everything"}),
        Act("", MORNING, Deed.SILENCE, "page", Scope(), why="everything", until=MORNING + HOUR),
    ),
    ("/systems/shop/database", "/runs", {}, {}, Act("", MORNING, Deed.RUN, "page", Scope(*DATABASE))),
    (
        *("/alerts", "/notes", {"alert": "connections"}, {"why": "restarted"}),
        Act("", MORNING, Deed.NOTE, "page", Scope(*DATABASE, "connections"), why="restarted"),
    ),
    ("/silences", "/silences/lift", {}, {}, Act("", MORNING, Deed.LIFT, "page", Scope(), incident="now")),
]


@pytest.mark.parametrize(("path", "action", "like", "fields", "act"), PRESSES)
async def test_a_form_becomes_an_act(
    path: str, action: str, like: dict[str, str], fields: dict[str, str], act: Act
) -> None:
    """It leads back to its page, on which a sentence says what came of it; pressed twice it is one act."""
    scene = Scene()
    async with visit(scene) as visitor:
        _, page = await visitor.see(path)
        sent = {**Forms(page).of(action, **like), **fields}
        status, back = await visitor.send(action, sent)
        await visitor.send(action, sent)
    (got,) = scene.got
    assert got.id == sent["id"]
    assert got == act.__class__(got.id, *(getattr(act, name) for name in act.__slots__[1:]))
    assert status == 200
    assert f'role="status">{act.scope} is seen to.' in back.replace("Everything", "everything").replace("Shop", "shop")


async def test_an_instance_that_waits_says_that_it_is_noted() -> None:
    async with visit(Scene(done=False)) as visitor:
        _, page = await visitor.press("/systems/shop/database", "/runs")
    assert "Noted; the other instance does it." in page


async def test_who_acts_is_remembered() -> None:
    async with visit(Scene()) as visitor:
        await visitor.press("/systems/shop/database", "/runs", who="Anaïs <b>")
        _, page = await visitor.see("/silences")
    assert Forms(page).of("/silences")["who"] == "Anaïs <b>"
    assert 'value="Anaïs &lt;b&gt;"' in page


@pytest.mark.parametrize(
    ("action", "fields", "said"),
    [
        ("/silences", {"place": "shop", "until": "2020-01-01T00:00"}, "ends before it begins"),
        ("/silences", {"place": "shop", "for": "for ever"}, "is not a duration"),
        ("/silences", {"place": "shop", "for": ""}, "for or until must say when the silence ends"),
        ("/silences", {"place": "", "for": "1h"}, "system"),
        ("/silences", {"place": "shop", "odd": "1"}, "means nothing here"),
        ("/silences/lift", {"silence": "gone"}, "That silence has ended already."),
    ],
)
async def test_what_makes_no_sense_is_said_where_the_form_stands(
    action: str, fields: dict[str, str], said: str
) -> None:
    scene = Scene()
    async with visit(scene) as visitor:
        status, page = await visitor.press("/silences", action, None, **fields)
    assert status == 200
    assert said in page
    assert "<h1>Silences</h1>" in page
    assert not scene.got


async def test_a_note_says_something() -> None:
    async with visit(Scene()) as visitor:
        _, page = await visitor.press("/alerts", "/notes", why=" ")
    assert "That was not done." in page


async def test_a_store_that_is_away_and_a_system_that_is_not_there_are_said() -> None:
    """503 and 404, each a page."""
    scene = Scene()
    async with visit(scene) as visitor:
        lost, page = await visitor.press("/silences", "/silences", place="nowhere")
        assert lost == 404
        assert "nowhere" in page
        _, form = await visitor.see("/silences")
        scene.away = True
        status, page = await visitor.send("/silences/lift", Forms(form).of("/silences/lift"))
    assert status == 503
    assert "The store cannot be reached" in page


async def test_a_form_of_another_page_is_not_taken() -> None:
    """Neither one without our word in it, nor one that another site has sent."""
    scene = Scene()
    async with visit(scene) as visitor:
        _, page = await visitor.see("/systems/shop/database")
        fields = Forms(page).of("/runs")
        wordless = {name: value for name, value in fields.items() if name != "form"}
        assert (await visitor.send("/runs", wordless))[0] == 403
        foreign = {"Origin": "https://example.com"}
        async with visitor.session.post(f"{visitor.url}/runs", data=fields, headers=foreign) as answer:
            assert answer.status == 403
    assert not scene.got


async def test_nobody_is_led_to_another_site() -> None:
    async with visit(Scene()) as visitor:
        _, page = await visitor.see("/systems/shop/database")
        fields = {**Forms(page).of("/runs"), "back": "https://example.com/"}
        sent = {"Origin": visitor.url}
        async with visitor.session.post(
            f"{visitor.url}/runs", data=fields, headers=sent, allow_redirects=False
        ) as answer:
            assert (answer.status, answer.headers["Location"]) == (303, "/")


@given(st.dictionaries(st.text(max_size=12), st.text(max_size=12), max_size=8))
def test_whatever_is_sent_is_read(fields: dict[str, str]) -> None:
    """Only texts with something in them are wishes; who acts is always known."""
    found = said_by(fields, "page")
    assert found["who"]
    assert "back" not in found
    assert not [name for name in found if name.startswith("label.")]


def test_labels_come_as_fields_of_their_own() -> None:
    said = said_by({"system": "shop", "label.pool": "web", "label.empty": "", "back": "/x"}, "page")
    assert said == {"who": "page", "system": "shop", "labels": {"pool": "web", "empty": ""}}


def test_a_sentence_begins_large_and_ends() -> None:
    assert [sentence(text) for text in ("noted", "Done.", "really?")] == ["Noted.", "Done.", "really?".capitalize()]


async def test_who_gives_no_name_acts_as_the_page_and_is_not_remembered() -> None:
    scene = Scene()
    async with visit(scene) as visitor:
        await visitor.press("/systems/shop/database", "/runs", who=" ")
        assert "monitor-who" not in {cookie.key for cookie in visitor.session.cookie_jar}
    assert scene.got[0].who == "page"
