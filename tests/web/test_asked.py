"""What a query may ask for, and that whatever it says is understood or refused in a sentence."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.plain import plain
from monitor.web.api.queries import SamplesAsked
from monitor.web.asked import EARLIEST, LATEST, SPAN, moment_of, read_query
from tests.fakes import START


@given(
    st.lists(
        st.tuples(st.sampled_from(["since", "until", "limit", "x", ""]) | st.text(), st.text() | st.from_regex(SPAN)),
        max_size=4,
    )
)
def test_any_query_is_understood_or_refused_in_a_sentence(given: list[tuple[str, str]]) -> None:
    said, limit = "", 1
    try:
        limit = read_query(given, SamplesAsked).limit
    except ValueError as error:
        said = str(error)
    assert plain(said) == said
    assert said or len(dict(given)) == len(given)
    assert 1 <= limit <= 1_000


@given(st.datetimes(timezones=st.just(UTC)))
def test_every_moment_that_iso_8601_writes_is_understood(moment: datetime) -> None:
    for text in (moment.isoformat(), moment.isoformat().replace("+", " "), moment.isoformat().replace("+00:00", "Z")):
        asked = read_query([("until", text), ("since", text)], SamplesAsked)
        assert asked.until == asked.since == min(max(moment, EARLIEST), LATEST)


@given(st.from_regex(SPAN, fullmatch=True))
def test_every_span_that_the_document_allows_is_understood(text: str) -> None:
    since = read_query([("since", text)], SamplesAsked).since
    assert isinstance(since, timedelta)
    assert timedelta() <= since <= timedelta(days=3_650)
    assert moment_of(since, START) == START - since


@pytest.mark.parametrize(
    "text", ["", " ", "5", "5 m", "-5m", "1.5h", "5M", "5m ", "5\u00b5", "99999s", "2026", "2026-11-22T"]
)
def test_what_only_looks_like_a_span_or_a_moment_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^since: input should be a moment such as"):
        read_query([("since", text)], SamplesAsked)
