"""What a browser keeps for us cannot be written by anybody else, or changed, or used for something else."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from monitor.secrets import Secret
from monitor.web.page.seal import Seal, key_of
from monitor.web.page.session import brings, form_word
from tests.fakes import START

SEAL = Seal(key_of(None))
LATER = START + timedelta(minutes=1)
NOT_SURROGATES = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


@given(st.lists(NOT_SURROGATES, max_size=4))
def test_what_was_sealed_opens(fields: list[str]) -> None:
    sealed = SEAL.seal("said", LATER, *fields)
    assert SEAL.open("said", sealed, START) == fields
    assert SEAL.open("said", sealed, LATER) is None
    assert SEAL.open("session", sealed, START) is None
    assert Seal(key_of(None)).open("said", sealed, START) is None


@given(st.data())
def test_what_was_changed_does_not(data: st.DataObject) -> None:
    """A letter more, less, or another one, anywhere."""
    sealed = SEAL.seal("session", LATER, "anna", "word")
    at = data.draw(st.integers(0, len(sealed)))
    cut = data.draw(st.integers(0, 3))
    put = data.draw(st.text(max_size=3))
    changed = sealed[:at] + put + sealed[at + cut :]
    assert (SEAL.open("session", changed, START) is not None) == (changed == sealed)


@given(st.text())
def test_anything_else_does_not(text: str) -> None:
    assert SEAL.open("session", text, START) is None
    assert not brings(SEAL, None, text)


def test_the_key_follows_from_the_token() -> None:
    """So it holds over a restart and on every instance; without a token it is another one each time."""
    assert key_of(Secret("one")) == key_of(Secret("one")) != key_of(Secret("two"))
    assert key_of(None) != key_of(None)


def test_the_word_of_a_form_is_never_the_same_and_always_right() -> None:
    """Else it could be made out from how well a page compresses."""
    words = {form_word(SEAL, None) for _ in range(20)}
    assert len(words) == 20
    assert all(brings(SEAL, None, word) for word in words)
    assert not any(brings(Seal(key_of(None)), None, word) for word in words)
