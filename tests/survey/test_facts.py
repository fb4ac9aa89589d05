"""What of a health address's JSON may be written, and what never is."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.answer import Answer
from monitor.expect import Document, judge
from monitor.probes.http import HttpCheck
from monitor.survey.facts import BAD, GOOD, Number, common, facts_of, measure_name
from monitor.survey.health import place as place_of
from monitor.survey.written import system_text
from tests.survey.files import SITE, checks, loaded, place, survey

WORDS = st.sampled_from(["ok", "UP", "healthy", "down", "Degraded", "no", "null", "~", "1.0", "connected"])
KEYS = st.one_of(
    st.sampled_from(["status", "database", "redis", "db-main", "uptime", "version", "isReady", "on", "email", "token"]),
    st.text(max_size=12),
)
VALUES = st.recursive(
    st.one_of(WORDS, st.booleans(), st.none(), st.integers(), st.floats(allow_nan=False), st.text(max_size=30)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
DOCUMENTS = st.dictionaries(KEYS, VALUES, max_size=6)


def answer(document: Any) -> Answer:  # noqa: ANN401 - any JSON value
    headers = (("content-type", "application/json"),)
    return Answer(SITE.with_path("/health"), 200, headers, json.dumps(document).encode(), False, timedelta())  # noqa: FBT003 - whole


def test_words_and_numbers_of_health_are_found() -> None:
    said = {
        "status": "ok",
        "ready": True,
        "components": {"db": {"status": "UP", "details": {"database": "PostgreSQL"}}, "redis": False},
        "queue-length": 4,
        "uptime": 12.5,
        "load": 0.3,
        "commit": "f00",
        "cache": "degraded",
        "note": "hello Alice",
    }
    found = facts_of(said)
    assert found.well == {"status": "ok", "ready": True, "components.db.status": "UP"}
    assert found.ill == {"cache": "degraded"}
    assert found.numbers == (Number('"queue-length"', "number"), Number("uptime", "seconds"), Number("load", ""))
    assert found.versions == ("commit",)
    assert found.others == {
        "components.db.details": "an object",
        "components.redis": "true or false",
        "note": "text",
    }


@pytest.mark.parametrize("document", [[], [{"status": "ok"}], "ok", 1, None])
def test_what_is_no_object_says_nothing(document: Any) -> None:  # noqa: ANN401 - any JSON value
    assert facts_of(document) == ({}, {}, (), (), {})


def test_names_that_tell_of_people_secrets_or_ids_are_not_repeated() -> None:
    names = [
        "email",
        "userName",
        "api_key",
        "sessionCount",
        "customers",
        "ip",
        "lastHost",
        "k9f00dbadcafe1",
        "a b",
        "ü",
    ]
    names += ["order_20261122", "x" * 41, "tenant", "phoneNumber", "user_id", "password"]
    assert facts_of(dict.fromkeys(names, "ok")) == facts_of(dict.fromkeys(names, 1)) == facts_of({})


def test_what_differs_between_two_looks_is_not_expected() -> None:
    one = facts_of({"status": "ok", "database": "ok", "uptime": 1, "version": "1", "load": 2})
    other = facts_of({"status": "ok", "database": "failing", "uptime": 2})
    both = common(one, other)
    assert both.well == {"status": "ok"}
    assert both.ill == {"database": "failing"}
    assert both.numbers == (Number("uptime", "seconds"),)
    assert both.versions == ()
    assert both.others == {"database": "text"}


@settings(max_examples=40)
@given(DOCUMENTS)
def test_whatever_a_health_address_says_the_file_means_it(document: dict[str, Any]) -> None:
    """It loads, what it expects holds of that very answer, and its numbers are there."""
    said = answer(document)
    found = survey(health=(place_of(said.url, said),))
    check = checks(found)["health"]
    assert isinstance(check, HttpCheck)
    judge(check.expect, Document(said))
    for number in check.values.values():
        assert number.measure(Document(said).find(number.path)) is not None


@given(st.dictionaries(st.sampled_from(["status", "message", "load", "info"]), st.text(min_size=9, max_size=30)))
def test_no_value_is_repeated_that_is_no_word_of_health(document: dict[str, str]) -> None:
    said = answer({key: f"Alice {value}" for key, value in document.items()})
    assert "Alice" not in system_text(survey(health=(place_of(said.url, said),)), "shop")


@given(st.lists(st.text(max_size=60), max_size=6))
def test_names_of_measures_are_names_and_differ(paths: list[str]) -> None:
    taken = {"duration", "status"}
    names = [measure_name(path, taken) for path in paths]
    assert len({*names, "duration", "status"}) == len(names) + 2
    assert all(name[0].isalpha() and len(name) <= 50 and name == name.lower() for name in names)


def test_words_are_good_or_bad() -> None:
    assert not GOOD & BAD


def test_a_value_that_is_ill_is_told_and_not_expected() -> None:
    said = answer({"status": "ok", "redis": "down", "backlog": 3})
    text = system_text(survey(health=(place_of(said.url, said),)), "shop")
    assert "# redis said down now: put right what that means, then expect it here." in text
    assert "values: {backlog: {path: backlog, unit: number}}" in text
    assert loaded(text).plans


def test_a_page_and_a_health_address_have_names_of_their_own() -> None:
    paths = ["/healthz", "/api/health", "/ready", "/livez", "/status"]
    found = survey(health=tuple(place(path, media_type="application/json") for path in paths))
    assert list(checks(found)) == ["site", "health", "health-2", "ready", "live", "status"]
