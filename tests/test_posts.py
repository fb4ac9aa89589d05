from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from monitor.model import EventKind, Post
from monitor.posts import KEPT, Posts
from tests.examples import notification
from tests.fakes import START


def test_what_was_posted_is_known_to_what_follows_about_the_same_incident() -> None:
    posts = Posts()
    assert posts.delivered("ops", [notification("a")], {"a": "C:1"}, START) == (Post("ops", "a", "C:1", START),)
    assert posts.about([notification("a"), notification("b")]) == {"a": "C:1"}
    assert posts.about([notification("a", channel="mail")]) == {}
    assert posts.going_on("ops") == {"a": "C:1"}
    assert posts.going_on("mail") == {}


def test_what_stands_elsewhere_now_is_written_and_what_stays_is_not() -> None:
    posts = Posts()
    posts.delivered("ops", [notification("a")], {"a": "C:1"}, START)
    assert posts.delivered("ops", [notification("a")], {}, START) == ()
    assert posts.delivered("ops", [notification("a")], {"a": "C:2"}, START) == (Post("ops", "a", "C:2", START),)
    assert posts.about([notification("a")]) == {"a": "C:2"}


def test_what_is_over_can_be_changed_for_a_day_and_is_forgotten_then() -> None:
    posts = Posts()
    end = notification("a", EventKind.RESOLVED)
    posts.delivered("ops", [end], {"a": "C:1"}, START)
    assert posts.going_on("ops") == {}
    assert posts.about([end]) == {"a": "C:1"}
    posts.delivered("ops", [], {}, START + KEPT + timedelta(seconds=1))
    assert posts.about([end]) == {}


def test_a_restart_knows_where_messages_stand_and_what_is_known_since_is_newer() -> None:
    posts = Posts()
    posts.delivered("ops", [notification("a")], {"a": "C:9"}, START)
    earlier = [Post("ops", one, f"C:{one}", START - timedelta(hours=1)) for one in "abc"]
    old = Post("ops", "d", "C:d", START - timedelta(days=2))
    posts.restore([*earlier, old], {"a", "b"}, START)
    assert posts.going_on("ops") == {"a": "C:9", "b": "C:b"}
    assert posts.about([notification("c")]) == {"c": "C:c"}
    assert posts.about([notification("d")]) == {}


def test_a_post_of_the_future_is_forgotten_all_the_same() -> None:
    """The clock may have been set back."""
    posts = Posts()
    posts.restore([Post("ops", "a", "C:1", START + timedelta(days=900))], set(), START)
    posts.delivered("ops", [], {}, START + KEPT + timedelta(seconds=1))
    assert posts.about([notification("a")]) == {}


NAMES = st.sampled_from("abcd")
KINDS = st.sampled_from([EventKind.OPENED, EventKind.REPEATED, EventKind.RESOLVED, EventKind.REMOVED])


@given(st.lists(st.tuples(NAMES, KINDS, st.integers(0, 40)), max_size=30))
def test_only_what_nobody_heard_the_end_of_goes_on(told: list[tuple[str, EventKind, int]]) -> None:
    posts, now, ended, known = Posts(), START, dict[str, Any](), set[str]()
    for name, kind, hours in told:
        now += timedelta(hours=hours)
        forgotten = {one for one, at in ended.items() if now - at > KEPT}
        ended = {one: at for one, at in ended.items() if one not in forgotten}
        note = notification(name, kind)
        posts.delivered("ops", [note], {name: f"C:{name}"}, now)
        known = (known - forgotten) | {name}
        if kind in {EventKind.RESOLVED, EventKind.REMOVED}:
            ended[name] = now
        assert set(posts.going_on("ops")) == known - set(ended)
        assert set(posts.about([notification(one) for one in "abcd"])) == known
