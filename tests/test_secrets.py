"""Values that never print."""

from __future__ import annotations

import base64
import json
import traceback
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from monitor.secrets import MASK, Redactor, Secret

SECRET = 'p@ss w"rd/+\\ü'


class Model(BaseModel):
    """Holds a secret, as the configuration's models do."""

    token: Secret


@pytest.mark.parametrize(
    "shown",
    [
        repr(Secret(SECRET)),
        str(Secret(SECRET)),
        f"{Secret(SECRET)}",
        repr(Model(token=Secret(SECRET))),
        Model(token=Secret(SECRET)).model_dump_json(),
        str(Model(token=Secret(SECRET)).model_dump()),
        "%s" % Secret(SECRET),  # noqa: UP031 - a form that must be safe as well
    ],
)
def test_a_secret_hides_itself_however_it_is_printed(shown: str) -> None:
    """In a repr, a format, a dump."""
    assert SECRET not in shown
    assert json.dumps(SECRET)[1:-1] not in shown
    assert MASK in shown or json.dumps(MASK)[1:-1] in shown


def test_reveal_is_the_one_way_to_it() -> None:
    """And equality still works."""
    assert Model.model_validate({"token": SECRET}).token.reveal() == SECRET
    assert Secret("a") == Secret("a") != Secret("b")
    assert hash(Secret("a")) == hash(Secret("a"))
    assert Secret("a")
    assert not Secret("")
    assert Model.model_json_schema()["properties"]["token"]["type"] == "string"


def test_an_empty_secret_is_an_error() -> None:
    """An unset variable is no password."""
    with pytest.raises(ValidationError):
        Model.model_validate({"token": ""})


def test_an_exception_does_not_show_it() -> None:
    """Not even with its local variables."""

    def fail(secret: Secret) -> None:
        raise ValueError(secret)

    with pytest.raises(ValueError, match=MASK) as caught:
        fail(Secret(SECRET))
    lines = traceback.TracebackException.from_exception(caught.value, capture_locals=True).format()
    assert SECRET not in "".join(lines)


@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        quote(SECRET, safe=""),
        quote(SECRET),
        quote_plus(SECRET),
        base64.b64encode(SECRET.encode()).decode(),
        json.dumps(SECRET, ensure_ascii=False)[1:-1],
    ],
)
def test_a_redactor_knows_the_forms_that_a_secret_takes(form: str) -> None:
    """As it is, in a URL, in Basic authentication alone, in JSON."""
    redacted = Redactor([Secret(SECRET)])(f"login with {form} failed")
    assert form.rstrip("=") not in redacted
    assert redacted.startswith("login with ")


def test_a_very_short_secret_is_left_alone() -> None:
    """Removing every `a` from a text would say nothing any more."""
    assert Redactor([Secret("a")])("a cat") == "a cat"


@given(
    secrets=st.lists(st.text(min_size=4, max_size=20), max_size=4),
    before=st.text(max_size=20),
    after=st.text(max_size=20),
)
def test_no_secret_survives(secrets: list[str], before: str, after: str) -> None:
    """Also where one contains another."""
    redact = Redactor([Secret(text) for text in secrets])
    for text in secrets:
        redacted = redact(before + text + after)
        assert text not in redacted or text in MASK or text in redact(before + after)
