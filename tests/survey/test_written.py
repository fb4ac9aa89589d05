"""What a survey becomes, where no server is needed to tell."""

from __future__ import annotations

from typing import Any

import pytest
from yarl import URL

from monitor.survey.found import Transport
from monitor.survey.written import STATUS_PAGES, system_text
from tests.survey.files import checks, loaded, place, survey

PLAIN = URL("http://shop.example.com/")


def test_a_redirect_to_tls_is_watched() -> None:
    found: Any = checks(survey(transport=Transport(plain="redirected")))
    assert list(found) == ["site", "https-redirect"]
    assert found["https-redirect"].url == "http://shop.example.com/"
    assert found["https-redirect"].expect.location.pattern.search("https://shop.example.com/")
    assert not found["https-redirect"].expect.location.pattern.search("https://shop-example.com/")
    alone: Any = checks(survey(page=None, health=(place("/health"),), transport=Transport(plain="redirected")))
    assert alone["https-redirect"].needs == []


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (
            {"transport": Transport((2, 1), cname="shop.onrender.com", platform="Render")},
            "an alias of shop.onrender.com:",
        ),
        ({"transport": Transport(plain="answered")}, "It also answers without TLS"),
        ({"transport": Transport(expires=12)}, "Its certificate is good for 12 more days;"),
        ({"transport": Transport()}, "shop.example.com has addresses: none that is known."),
        (
            {"asked": PLAIN, "page": place(url=PLAIN)},
            "It answers without TLS.",
        ),
    ],
)
def test_what_stands_in_no_check_is_said(fields: dict[str, Any], said: str) -> None:
    text = system_text(survey(**fields), "shop")
    assert said in " ".join(line.removeprefix("# ") for line in text.splitlines())
    assert loaded(text).plans


@pytest.mark.parametrize("platform", sorted(STATUS_PAGES))
def test_the_status_page_that_is_offered_is_known(platform: str) -> None:
    """Taken out of its comment it is a check."""
    text = system_text(survey(transport=Transport(platform=platform)), "shop").replace("  # platform:", "  platform:")
    assert loaded(text).plans.keys() >= {("shop", "platform")}


def test_what_its_comments_offer_is_valid_too() -> None:
    """The token of a closed address."""
    text = system_text(survey(page=place(status=401, media_type="")), "shop")
    bearer = text.replace("    # auth:", "    auth:").replace("expect: {status: 401}", "expect: {body: hello}")
    assert loaded(bearer, {"SITE_TOKEN": "hunter2"}).plans
    header = text.replace("    # headers:", "    headers:")
    assert loaded(header, {"SITE_TOKEN": "hunter2"}).plans
