"""Signatures, held against the senders' own libraries and against what they document; never against our own code."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from monitor.probes.webhook.fields import Signature
from monitor.probes.webhook.schemes import SCHEMES, Event, Scheme

URL = "https://shop.example.com/hooks"
NOW = datetime(2026, 11, 21, 12, 0, 0, 250_000, tzinfo=UTC)
NUMBER = UUID("0f8fad5b-d9cb-469f-a165-70867728950e")
STRIPE, STANDARD, SHOPIFY, GITHUB = (SCHEMES[name] for name in ("stripe", "standard-webhooks", "shopify", "github"))

jsons = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
bodies = st.dictionaries(st.text(), jsons, max_size=4)
moments = st.datetimes(datetime(2001, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis wants them so
whsec = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1).map("whsec_{}".format)
keys = st.binary(min_size=1, max_size=64).map(lambda key: f"whsec_{base64.b64encode(key).decode()}")


def made(scheme: Scheme, at: datetime = NOW, changed: dict[str, Any] | None = None) -> Event:
    return scheme.event(NUMBER, at, URL, "", changed or {})


def signature(event: Event, scheme: Scheme, *secrets: str) -> str:
    return scheme.sign(event, [scheme.read_key(secret) for secret in secrets])[1]


def seconds_ago(seconds: float) -> datetime:
    return datetime.fromtimestamp(time.time() - seconds, UTC)


@given(bodies, moments, st.lists(whsec, min_size=1, max_size=3))
def test_stripes_library_accepts_what_is_signed_by_its_scheme(
    body: dict[str, Any], at: datetime, secrets: list[str]
) -> None:
    """Whichever of several secrets it knows."""
    event = made(STRIPE, at, body)
    header = signature(event, STRIPE, *secrets)
    for secret in secrets:
        assert stripe.WebhookSignature.verify_header(event.body, header, secret)


@given(bodies, moments, whsec, whsec)
def test_stripes_library_refuses_another_secret(body: dict[str, Any], at: datetime, ours: str, theirs: str) -> None:
    event = made(STRIPE, at, body)
    header = signature(event, STRIPE, ours)
    if ours != theirs:
        with pytest.raises(stripe.SignatureVerificationError, match="No signatures found matching"):
            stripe.WebhookSignature.verify_header(event.body, header, theirs)


def test_stripes_library_reads_the_canary_as_an_event() -> None:
    """One of no known type, in test mode, whose id tells what it is."""
    event = made(STRIPE, seconds_ago(0))
    read = stripe.Webhook.construct_event(event.body, signature(event, STRIPE, "whsec_x"), "whsec_x")
    assert (read.type, read.livemode, read.object) == ("monitor.canary", False, "event")
    assert read.id == event.id == f"evt_monitor_canary_{NUMBER.hex}"


def test_stripes_library_refuses_an_old_event() -> None:
    old = made(STRIPE, seconds_ago(301))
    with pytest.raises(stripe.SignatureVerificationError, match="Timestamp outside the tolerance zone"):
        stripe.Webhook.construct_event(old.body, signature(old, STRIPE, "whsec_x"), "whsec_x")


@given(bodies, st.floats(-280, 280), st.lists(keys, min_size=1, max_size=3))
def test_the_library_of_standard_webhooks_accepts_what_is_signed_by_its_scheme(
    body: dict[str, Any], age: float, secrets: list[str]
) -> None:
    """Whichever of several secrets it knows."""
    event = made(STANDARD, seconds_ago(age), body)
    headers = dict([*STANDARD.accompanying(event), ("webhook-signature", signature(event, STANDARD, *secrets))])
    for secret in secrets:
        assert Webhook(secret).verify(event.body, headers) == json.loads(event.body)


def test_the_library_of_standard_webhooks_refuses_another_secret_and_an_old_event() -> None:
    ours, theirs = (f"whsec_{base64.b64encode(key).decode()}" for key in (b"ours", b"theirs"))
    for age, known, why in [(0, theirs, "No matching signature"), (301, ours, "too old"), (-302, ours, "too new")]:
        event = made(STANDARD, seconds_ago(age))
        headers = dict([*STANDARD.accompanying(event), ("webhook-signature", signature(event, STANDARD, ours))])
        with pytest.raises(WebhookVerificationError, match=why):
            Webhook(known).verify(event.body, headers)


def test_a_key_of_standard_webhooks_may_lack_its_padding() -> None:
    """As their library reads it."""
    assert STANDARD.read_key("whsec_b3Vycw") == STANDARD.read_key("whsec_b3Vycw==") == b"ours"


def test_github_signs_as_it_documents() -> None:
    """docs.github.com, Validating webhook deliveries, Testing the webhook payload validation."""
    event = Event("1", NOW, "ping", URL, b"Hello, World!")
    assert SCHEMES["github"].sign(event, [b"It's a Secret to Everybody"]) == (
        "X-Hub-Signature-256",
        "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
    )


def test_shopify_signs_as_others_that_verify_its_webhooks_expect() -> None:
    """Shopify documents the rule and no example; this one is from the tests of SQLPage's sqlpage.hmac."""
    body = b'{"id":1234567890,"email":"customer@example.com","total_price":"123.45"}'
    event = Event("1", NOW, "orders/paid", URL, body)
    assert SHOPIFY.sign(event, [b"test-webhook-secret"]) == (
        "X-Shopify-Hmac-Sha256",
        "QNyObTlKbMx2qDlPF/ZOZcBqg5OgPg+2oky3zldc0Gw=",
    )


SLACK = (
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&"
    b"channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&"
    b"response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&"
    b"trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
)
JEFE = b"what do ya want for nothing?"
SHA512 = (
    "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
    "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"
)


def test_a_scheme_of_ones_own_can_be_slacks() -> None:
    """docs.slack.dev, Verifying requests from Slack: the time is signed, and sent in a header."""
    scheme = Signature(
        header="X-Slack-Signature",
        value="v0={signature}",
        signs="v0:{timestamp}:{body}",
        headers={"X-Slack-Request-Timestamp": "{timestamp}"},
    ).scheme
    event = Event("1", datetime.fromtimestamp(1_531_420_618, UTC), "command", URL, SLACK)
    assert scheme.dated
    assert scheme.accompanying(event) == (("X-Slack-Request-Timestamp", "1531420618"),)
    assert scheme.sign(event, [b"8f742231b10e8888abcd99yyyzzz85a5"]) == (
        "X-Slack-Signature",
        "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
    )


def test_a_scheme_of_ones_own_can_be_svixs() -> None:
    """docs.svix.com, Verifying webhooks manually: Standard Webhooks under other names."""
    scheme = Signature(
        header="svix-signature",
        value="v1,{signature}",
        signs="{id}.{timestamp}.{body}",
        encoding="base64",
        key="base64",
        prefix="whsec_",
        headers={"svix-id": "{id}", "svix-timestamp": "{timestamp}"},
    ).scheme
    secret = f"whsec_{base64.b64encode(b'correct horse').decode()}"
    event = made(scheme, seconds_ago(0))
    headers = dict([*scheme.accompanying(event), ("svix-signature", signature(event, scheme, secret))])
    renamed = {name.replace("svix", "webhook"): value for name, value in headers.items()}
    assert Webhook(secret).verify(event.body, renamed) == json.loads(event.body)


@pytest.mark.parametrize(
    ("fields", "secret", "body", "digest"),
    [
        ({"algorithm": "sha1"}, "Jefe", JEFE, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
        (
            {"algorithm": "sha512"},
            "Jefe",
            JEFE,
            SHA512,
        ),
        (
            {"key": "hex"},
            "0b" * 20,
            b"Hi There",
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
        ),
        (
            {"key": "base64", "encoding": "base64"},
            "CwsLCwsLCwsLCwsLCwsLCwsLCws=",
            b"Hi There",
            "sDRMYdjbOFNcqK/OrwvxK4gdwgDJgz2nJuk3bC4yz/c=",
        ),
    ],
    ids=["sha1", "sha512", "hex", "base64"],
)
def test_a_scheme_of_ones_own_signs_as_the_rfcs_have_it(
    fields: dict[str, Any], secret: str, body: bytes, digest: str
) -> None:
    """RFC 2202 (test 2) and RFC 4231 (tests 1 and 2); the key as text, hex and base64."""
    scheme = Signature(header="X-Signature", **fields).scheme
    assert signature(Event("1", NOW, "x", URL, body), scheme, secret) == digest


def test_what_stands_in_a_template_is_put_in_once() -> None:
    """A body that holds `{id}` stays as it is."""
    scheme = Signature(
        header="X-Signature", signs="{id}|{type}|{url}|{milliseconds}|{time}|{body}", value="i={id},s={signature}"
    ).scheme
    event = Event("{body}", NOW, "a.b", URL, b"{id}")
    signed = f"{{body}}|a.b|{URL}|1795262400250|2026-11-21T12:00:00.250Z|{{id}}"
    digest = hmac.new(b"k", signed.encode(), hashlib.sha256).hexdigest()
    assert scheme.sign(event, [b"k"])[1] == f"i={{body}},s={digest}"


def test_only_the_first_of_several_secrets_signs_where_there_is_room_for_one() -> None:
    event = made(GITHUB)
    assert GITHUB.sign(event, [b"new", b"old"]) == GITHUB.sign(event, [b"new"])


@pytest.mark.parametrize(("name", "dated"), [("stripe", True), ("standard-webhooks", True), ("shopify", False)])
def test_whether_the_time_is_signed(name: str, *, dated: bool) -> None:
    assert SCHEMES[name].dated is dated


@pytest.mark.parametrize("name", SCHEMES)
@given(body=bodies, at=moments)
def test_an_event_is_json_with_what_the_file_puts_in(name: str, body: dict[str, Any], at: datetime) -> None:
    """The rest tells that it is a canary, and its id is its own."""
    event = made(SCHEMES[name], at, body)
    held = json.loads(event.body)
    assert {key: held[key] for key in body} == body
    assert str(NUMBER) in event.id or NUMBER.hex in event.id
    if not body:
        assert "canary" in event.body.decode()
        assert event.id in event.body.decode()


@pytest.mark.parametrize("name", SCHEMES)
def test_headers_can_be_sent(name: str) -> None:
    event = made(SCHEMES[name])
    for _, value in SCHEMES[name].accompanying(event):
        assert value.isascii()
        assert value.isprintable()


@pytest.mark.parametrize(
    ("scheme", "secret", "why"),
    [
        (STRIPE, "sk_live_hunter2", "whsec_ and what follows"),
        (STRIPE, "whsec_", "whsec_ and what follows"),
        (STRIPE, "whsec_hunter2\n", "white space"),
        (STRIPE, " whsec_hunter2", "white space"),
        (STANDARD, "aHVudGVyMg==", "whsec_ and what follows"),
        (STANDARD, "whsec_hunter2!", "key as base64"),
        (STANDARD, "whsec_hunte", "key as base64"),
        (STANDARD, "whsec_hünter", "key as base64"),
        (SHOPIFY, "hunter2 ", "white space"),
        (Signature(header="X", key="hex").scheme, "hunter2", "key as hex"),
        (Signature(header="X", key="base64").scheme, "hunter2!", "key as base64"),
        (STANDARD, "whsec_=", "key as base64"),
    ],
)
def test_a_secret_in_the_wrong_form_is_refused_and_not_repeated(scheme: Scheme, secret: str, why: str) -> None:
    with pytest.raises(ValueError, match=why) as caught:
        scheme.read_key(secret)
    assert secret.strip().removeprefix("whsec_") not in str(caught.value) or secret == "whsec_"
    assert caught.value.__cause__ is None


def read(scheme: Scheme, secret: str) -> tuple[bytes, str]:
    """Return the key, or why there is none."""
    try:
        return scheme.read_key(secret), ""
    except ValueError as error:
        return b"", str(error)


@given(st.text(max_size=30) | st.just("="))
def test_any_text_is_a_key_or_refused(text: str) -> None:
    """Whatever was pasted: no other error, and the text comes back in none."""
    for scheme in SCHEMES.values():
        for secret in (text or "x", f"whsec_{text}", f"whsec_Zq9{text}"):
            key, said = read(scheme, secret)
            assert bool(key) is not bool(said)
            assert "Zq9" not in said


def test_times_are_utc() -> None:
    elsewhere = NOW.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert Event("1", elsewhere, "", "").time == "2026-11-21T12:00:00.250Z"
