"""The formats of status pages, and how each is read. Pure.

Atlassian, Better Stack, Instatus and Slack document theirs; the others are read as public code reads them.
Whatever does not look so is a protocol failure, and never a vendor in order.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from monitor.probes.status.hosted import (
    read_better_stack,
    read_firehydrant,
    read_incidentio,
    read_instatus,
    read_instatus_components,
    read_statuspage,
)
from monitor.probes.status.own import read_auth0, read_slack, read_stripe

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from monitor.probes.status.page import Component, StatusPage
    from monitor.vendors import Found

NEXT_DATA = re.compile(r'<script id="__NEXT_DATA__"[^>]*>(.*?)</script>', re.DOTALL)


class Format(NamedTuple):
    """One format: where the JSON is, and what it says at a moment.

    `embedded` finds it in a web page. `components`: where they are, if that is elsewhere.
    """

    path: str
    read: Callable[[Found, datetime], StatusPage]
    embedded: re.Pattern[str] | None = None
    components: tuple[str, Callable[[Found], Sequence[Component]]] | None = None


class Place(NamedTuple):
    """Where a vendor has its page, in which format, and what the vendor is called."""

    title: str
    url: str
    format: str = "statuspage"


FORMATS: Mapping[str, Format] = {
    "statuspage": Format("/api/v2/summary.json", read_statuspage),
    "incidentio": Format("/api/v1/summary", read_incidentio),
    "betterstack": Format("/index.json", read_better_stack),
    "instatus": Format("/summary.json", read_instatus, components=("/v2/components.json", read_instatus_components)),
    "firehydrant": Format("/data/payload.json", read_firehydrant),
    "stripe": Format("/current/full", read_stripe),
    "slack": Format("/api/v2.0.0/current", read_slack),
    "auth0": Format("/", read_auth0, embedded=NEXT_DATA),
}
VENDORS: Mapping[str, Place] = {
    "anthropic": Place("Anthropic", "https://status.claude.com"),
    "auth0": Place("Auth0", "https://status.auth0.com", "auth0"),
    "backblaze": Place("Backblaze", "https://status.backblaze.com", "firehydrant"),
    "clerk": Place("Clerk", "https://status.clerk.com"),
    "cloudflare": Place("Cloudflare", "https://www.cloudflarestatus.com"),
    "fly": Place("Fly", "https://status.flyio.net"),
    "github": Place("GitHub", "https://www.githubstatus.com"),
    "neon": Place("Neon", "https://neonstatus.com", "incidentio"),
    "netlify": Place("Netlify", "https://www.netlifystatus.com"),
    "openai": Place("OpenAI", "https://status.openai.com"),
    "render": Place("Render", "https://status.render.com"),
    "replicate": Place("Replicate", "https://www.replicatestatus.com"),
    "resend": Place("Resend", "https://resend-status.com"),
    "sendgrid": Place("SendGrid", "https://status.sendgrid.com"),
    "sentry": Place("Sentry", "https://status.sentry.io"),
    "shopify": Place("Shopify", "https://www.shopifystatus.com"),
    "slack": Place("Slack", "https://slack-status.com", "slack"),
    "stripe": Place("Stripe", "https://status.stripe.com", "stripe"),
    "supabase": Place("Supabase", "https://status.supabase.com"),
    "twilio": Place("Twilio", "https://status.twilio.com"),
    "vercel": Place("Vercel", "https://www.vercel-status.com"),
}
"""Whose pages we know, from a probe of 2026-08-24, Neon's documents and public code."""
