"""The file that a survey becomes, and the first main file. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from monitor.survey import checks
from monitor.survey.address import named, unique
from monitor.survey.scalars import clean, mapping, remark, scalar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitor.survey.found import Place, Survey

MOST_TITLE = 60
STATUS_PAGES = {
    name: name.lower() for name in ("Render", "Vercel", "Netlify", "Fly", "Cloudflare", "Supabase", "GitHub", "Shopify")
}
"""Platforms whose status page the kind `status` knows."""
KINDS_OF_HEALTH = (("ready", "Readiness"), ("live", "Liveness"), ("status", "Status"), ("ping", "Ping"))
DOWN = "Did the newest deploy fail, how is it undone, and who is called?"
MAIN = """\
# Who is told of what, for all systems in systems/. Written by `monitor init`; docs/channels.md has every kind.
# Secrets stand in the environment and nowhere else. A channel whose variable is not set is left out, and listed so.
channels:
  terminal: {kind: console} # prints pages where the daemon runs: delete it once one of the others is set
  ops: {kind: slack, webhook_url: "${SLACK_WEBHOOK_URL}", if_set: SLACK_WEBHOOK_URL}
  oncall: # SMTP_URL is smtp://user:password@host:587
    {kind: email, to: ["${ONCALL_EMAIL}"], smtp: "${SMTP_URL}", if_set: SMTP_URL, rings: true}

# Every route that matches applies. Whoever was told of an incident also hears how it ends.
routes:
  - {severity: critical, notify: [terminal, ops, oncall], repeat: 30m}
  - {severity: [warning, info], notify: [terminal, ops], repeat: 4h}
"""


def main_text() -> str:
    """Return the main file of a folder that has none."""
    return MAIN


def system_text(survey: Survey, name: str) -> str:
    """Return the file of the system `name`."""
    title = survey.page.title if survey.page and survey.page.title else survey.asked.host or name
    lines = [
        *_head(survey, name),
        f"system: {scalar(name)}",
        f"title: {scalar(clean(title, MOST_TITLE) or name)}",
        "# runbook: https://wiki.example.com/runbook     linked from every alert",
        "",
        "defaults: {every: 30s, timeout: 10s}",
        "",
        "checks:",
        *_checks(survey, name),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _head(survey: Survey, name: str) -> list[str]:
    lines = remark(f"{name}: what `monitor init` found at {survey.asked} on {survey.on}. All of it is a suggestion.")
    lines += remark("docs/configuration.md describes every key.")
    lines += [
        "#",
        "# What is left to do:",
        f'#   - Write the remedies: each that begins with "{checks.TODO}" is none yet.',
        "#   - See that the figures are yours: they are what a few samples suggest, not what your users need.",
        "#   - Run `monitor validate`, `monitor check`, then `monitor run`.",
        "#",
    ]
    for fact in _found(survey):
        lines += remark(fact)
    return lines


def _found(survey: Survey) -> Iterator[str]:
    """Yield what is worth knowing and stands in no check, a sentence each."""
    way = survey.transport
    counts = zip(way.addresses, ("IPv4", "IPv6"), strict=True)
    known = ", ".join(f"{count} of {family}" for count, family in counts if count)
    alias = f", an alias of {way.cname}" if way.cname else ""
    yield f"{survey.asked.host} has addresses{alias}: {known or 'none that is known'}."
    if way.platform:
        hint = "; `monitor init --render` writes a file of all that Render runs" if way.platform == "Render" else ""
        yield f"It is answered by {way.platform}{hint}."
    if way.expires is not None:
        issuer = f", issued by {way.issuer}" if way.issuer else ""
        yield f"Its certificate is good for {way.expires} more days{issuer}; a warning 21 days ahead is implied."
    if survey.asked.scheme == "http" and survey.page and survey.page.url.scheme == "http":
        yield "It answers without TLS."
    if way.plain == "answered":
        yield "It also answers without TLS, at http://, and does not redirect: what is sent there is in the clear."
    if survey.leads_to:
        yield f"It redirects to {survey.leads_to}, another host: what is watched is the whole way there."
    yield from survey.notes


def _checks(survey: Survey, name: str) -> Iterator[str]:
    trust = [f"    tls: {mapping({'ca_file': scalar(survey.ca_file)})}"] if survey.ca_file else []
    taken: set[str] = set()
    needs: list[str] = []
    if survey.page:
        needs.append(unique("site", taken))
        yield from checks.web(survey.page, "site", "Front page", DOWN, trust)
    else:
        yield from remark(f"{survey.asked} itself has no page to watch.", 2)
    for place in survey.health:
        own, title = _health_name(place, taken)
        lines = [*trust, *([f"    needs: [{', '.join(needs)}]"] if needs else [])]
        yield from checks.web(place, own, title, "What does each thing that it names need to be well again?", lines)
    if survey.metrics:
        taken.add("metrics")
        yield from checks.metrics(survey.metrics, survey.families, needs, trust)
    if survey.transport.plain == "redirected":
        yield from _redirect(survey, unique("https-redirect", taken), needs)
    yield from _vendor(survey)
    yield from remark(f"More of {name}: its database, queues, jobs and webhooks, each a kind in docs/.", 2)


def _health_name(place: Place, taken: set[str]) -> tuple[str, str]:
    words = re.sub(r"^api-|^v\d-|-?z$", "", named(place.url.path).removeprefix("api-"))
    found = next(((name, title) for name, title in KINDS_OF_HEALTH if name in words), ("health", "Health"))
    return unique(found[0], taken), found[1]


def _redirect(survey: Survey, name: str, needs: list[str]) -> list[str]:
    url = next(place.url for place in (survey.page, *survey.health, survey.metrics) if place)
    host = re.escape(url.host or "").replace("\\-", "-")
    return [
        f"  {name}:",
        "    title: Redirect to HTTPS",
        f"    url: {scalar(str(url.with_scheme('http').with_port(None)))}",
        "    every: 5m",
        "    down: {warning: 3}",
        *([f"    needs: [{', '.join(needs)}]"] if needs else []),
        f"    expect: {mapping({'location': mapping({'matches': scalar(f'^https://{host}')})})}",
        checks.remedy("What stands in front of it, and where is it told to redirect to https?"),
        "",
    ]


def _vendor(survey: Survey) -> list[str]:
    vendor = STATUS_PAGES.get(survey.transport.platform)
    if vendor is None:
        return []
    return [
        *remark(f"What {survey.transport.platform} itself says, so that an alert can name its incident:", 2),
        f"  # platform: {{kind: status, vendor: {vendor}}}",
        "",
    ]
