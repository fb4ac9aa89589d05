"""On which platform a host stands, as far as its name tells. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PLATFORMS: Mapping[str, str] = {
    # What their products' addresses end with: the private domains of publicsuffix.org.
    "onrender.com": "Render",
    "vercel.app": "Vercel",
    "up.railway.app": "Railway",
    "fly.dev": "Fly",
    "netlify.app": "Netlify",
    "herokuapp.com": "Heroku",
    "pages.dev": "Cloudflare",
    "workers.dev": "Cloudflare",
    "run.app": "Google Cloud",
    "azurewebsites.net": "Azure",
    "ondigitalocean.app": "DigitalOcean",
    "supabase.co": "Supabase",
    "amazonaws.com": "AWS",
    "myshopify.com": "Shopify",
    "backblazeb2.com": "Backblaze",
    # What the connection strings of their databases end with, as their documentation writes them.
    "render.com": "Render",  # render.com/docs/postgresql-creating-connecting
    "rlwy.net": "Railway",  # docs.railway.com/reference/tcp-proxy
    "neon.tech": "Neon",  # neon.com/docs/connect/connect-from-any-app
    "supabase.com": "Supabase",  # supabase.com/docs/guides/database/connecting-to-postgres
    "upstash.io": "Upstash",  # upstash.com/docs/redis
    "r2.cloudflarestorage.com": "Cloudflare",  # developers.cloudflare.com/r2/api/s3
}
"""By the end of a host's name."""
REGIONAL = ("amazonaws.com", "aws.neon.tech", "pooler.supabase.com")
"""Hosts that name their AWS region: docs.aws.amazon.com/general/latest/gr/rande.html, and the pages above."""

_REGION = re.compile(r"(?:^|[.-])([a-z]{2}-(?:gov-)?(?:(?:north|south)(?:east|west)?|east|west|central)-\d)(?=[.-])")


def platform_of(host: str) -> str:
    """Return the platform that a host's name tells; empty: none."""
    return next((PLATFORMS[end] for end in _ends(host) if end in PLATFORMS), "")


def region_of(host: str) -> str:
    """Return the region that a host's name tells: `AWS eu-central-1`; empty: none."""
    if not any(end in REGIONAL for end in _ends(host)):
        return ""
    found = _REGION.search(host.lower())
    return f"AWS {found[1]}" if found else ""


def _ends(host: str) -> Iterator[str]:
    """Yield what a name ends with, the longest first."""
    parts = host.lower().rstrip(".").split(".")
    yield from (".".join(parts[start:]) for start in range(1, len(parts)))
