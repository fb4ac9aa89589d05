from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.secrets import Secret
from monitor.web.tokens import Tokens

OPERATOR, SCRAPE = Secret("operator-token"), Secret("scrape-tökén")


def basic(text: str) -> str:
    """Return the header of Basic authentication."""
    return "Basic " + base64.b64encode(text.encode()).decode()


def test_without_tokens_all_is_open() -> None:
    """Nothing is asked for where nothing is set."""
    assert Tokens().may_scrape("")


@pytest.mark.parametrize(
    "authorization",
    [
        "Bearer operator-token",
        "bearer  operator-token ",
        "Bearer scrape-tökén",
        basic("anybody:scrape-tökén"),
        basic(":operator-token"),
    ],
)
def test_either_token_opens_the_metrics(authorization: str) -> None:
    """As Bearer or as the password of Basic, whoever the user."""
    assert Tokens(OPERATOR, SCRAPE).may_scrape(authorization)


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer operator-toke",
        "Bearer operator-token2",
        "operator-token",
        "Digest operator-token",
        "Basic operator-token",
        "Basic ????",
        "Basic \udcff",
        basic("operator-token"),
        basic("operator-token:"),
        basic("a:b:operator-token"),
    ],
)
def test_nothing_else_does(authorization: str) -> None:
    """Neither a part, nor the wrong scheme, nor nonsense."""
    assert not Tokens(OPERATOR, SCRAPE).may_scrape(authorization)


def test_one_token_is_enough_to_close() -> None:
    """With only the operator's token set, an empty one does not open the metrics; and the other way round."""
    assert not Tokens(operator=OPERATOR).may_scrape("Bearer ")
    assert not Tokens(scrape=SCRAPE).may_scrape("Bearer operator-token")
    assert Tokens(scrape=SCRAPE).may_scrape("Bearer scrape-tökén")


@given(st.text())
def test_no_header_is_an_error(authorization: str) -> None:
    """Whatever a client writes is refused, never an exception."""
    assert not Tokens(OPERATOR).may_scrape(authorization)
    assert not Tokens(OPERATOR).may_scrape(f"Basic {authorization}")
