"""What several alerts share, where that may explain them."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.kinship import HAPPENED, HOST, INCIDENT, PLATFORM, REASON, REGION, VENDOR, WORDS, in_common
from monitor.message import message_of
from monitor.model import EventKind, Reason
from monitor.platforms import platform_of, region_of
from tests.channels.examples import delivery, notification, page, storm

RENDER, LATE = (PLATFORM, "Render"), (REASON, "timeout")


def test_what_most_share_is_said_with_how_many() -> None:
    shares = [(RENDER, LATE)] * 37 + [((PLATFORM, "Vercel"), LATE)] * 3
    assert in_common(shares) == "37 of 40 are on Render; 40 of 40 timed out."


@pytest.mark.parametrize(
    ("share", "said"),
    [
        ((HOST, "api.example.com"), "2 of 2 are at api.example.com."),
        (RENDER, "2 of 2 are on Render."),
        ((REGION, "AWS eu-central-1"), "2 of 2 are in AWS eu-central-1."),
        ((VENDOR, "Stripe"), "2 of 2 are what Stripe tells."),
        ((INCIDENT, "Render"), "2 of 2 began while Render tells of an incident."),
        ((REASON, "dns"), "2 of 2 do not resolve."),
    ],
)
def test_each_kinship_has_its_words(share: tuple[str, str], said: str) -> None:
    assert in_common([(share,), (share,)]) == said


@pytest.mark.parametrize(
    "shares",
    [
        [],
        [(RENDER,)],
        [(RENDER,), ()],
        [(RENDER,), (RENDER,), (), ()],
        [((REASON, "unknown"),)] * 3,
        [((REASON, "of a later release"),)] * 3,
        [(("colour", "red"),)] * 3,
    ],
    ids=["none", "one", "half of two", "half of four", "a reason that explains nothing", "another reason", "another"],
)
def test_what_explains_nothing_is_not_said(shares: list[tuple[tuple[str, str], ...]]) -> None:
    assert in_common(shares) == ""


def test_every_reason_that_explains_has_words() -> None:
    assert set(HAPPENED) == set(Reason) - {Reason.UNKNOWN}


@given(st.lists(st.lists(st.tuples(st.sampled_from([*WORDS]), st.sampled_from(["a", "timeout", "dns"]))), max_size=12))
def test_the_counts_are_true(shares: list[list[tuple[str, str]]]) -> None:
    """Whatever is said of so many is true of so many, and of more than half."""
    said = in_common(shares).removesuffix(".")
    counts = Counter((kind, value) for one in shares for kind, value in set(one))
    told = [(int(part.split(" ")[0]), part.split(" ", 3)[3]) for part in said.split("; ") if part]
    words = {
        WORDS[kind].format(HAPPENED.get(value, value) if kind == REASON else value): count
        for (kind, value), count in counts.items()
    }
    for count, text in told:
        assert words[text] == count > len(shares) / 2
        assert count > 1


def test_the_lead_of_a_collected_message_names_it() -> None:
    """Only what goes on counts; one alert alone shares nothing."""
    about = page(shares=(RENDER, LATE))
    two = [notification(number, about=about) for number in range(2)]
    ended = notification(9, EventKind.RESOLVED, about=page())
    message = message_of(delivery(*two, ended))
    assert message.shares == "2 of 2 are on Render; 2 of 2 timed out."
    assert message.lead.startswith(f"{message.headline}. {message.shares} First: CRITICAL: ")
    assert message_of(delivery(two[0])).shares == ""
    assert message_of(delivery(*(replace(one, kind=EventKind.RESOLVED) for one in two))).shares == ""


def test_500_at_once_are_told_fast() -> None:
    """In milliseconds: a message that stalls the loop delays every probe."""
    notes = [
        replace(one, page=replace(one.page, shares=((HOST, f"page{number}.onrender.com"), RENDER, LATE)))
        for number, one in enumerate(storm(500).notifications)
    ]
    started = time.process_time()
    message = message_of(delivery(*notes))
    assert time.process_time() - started < 0.25
    assert message.shares == "500 of 500 are on Render; 500 of 500 timed out."


def test_hostile_values_are_cleaned() -> None:
    shares = [((HOST, "a\r\nBcc: x\u202e" + "y" * 500),)] * 2
    said = in_common(shares)
    assert said.startswith("2 of 2 are at a Bcc: xyyy")
    assert len(said) < 120
    assert "\n" not in said


@pytest.mark.parametrize(
    ("host", "platform"),
    [
        ("shop.onrender.com", "Render"),
        ("dpg-abc-a.frankfurt-postgres.render.com.", "Render"),
        ("SHOP.VERCEL.APP", "Vercel"),
        ("api-production.up.railway.app", "Railway"),
        ("monorail.proxy.rlwy.net", "Railway"),
        ("shop.fly.dev", "Fly"),
        ("ep-cool-pooler.us-east-2.aws.neon.tech", "Neon"),
        ("db.abc.supabase.co", "Supabase"),
        ("aws-0-eu-central-1.pooler.supabase.com", "Supabase"),
        ("eu1-abc.upstash.io", "Upstash"),
        ("s3.eu-west-1.amazonaws.com", "AWS"),
        ("onrender.com", ""),
        ("shop.onrender.com.evil.example", ""),
        ("notonrender.com", ""),
        ("10.0.0.1", ""),
        ("/run/redis.sock", ""),
        ("", ""),
    ],
)
def test_a_host_tells_its_platform_by_its_end(host: str, platform: str) -> None:
    assert platform_of(host) == platform


@pytest.mark.parametrize(
    ("host", "region"),
    [
        ("ep-cool-pooler.us-east-2.aws.neon.tech", "AWS us-east-2"),
        ("aws-0-eu-central-1.pooler.supabase.com", "AWS eu-central-1"),
        ("db.x1.AP-SOUTHEAST-2.rds.amazonaws.com", "AWS ap-southeast-2"),
        ("s3.us-gov-west-1.amazonaws.com", "AWS us-gov-west-1"),
        ("s3.amazonaws.com", ""),
        ("eu-central-1.example.com", ""),
        ("db.abc.supabase.co", ""),
    ],
)
def test_a_host_tells_its_region_where_it_names_one(host: str, region: str) -> None:
    assert region_of(host) == region
