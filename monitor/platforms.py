"""On which platform a host stands, as far as its name, or an answer of it, tells. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

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
EDGES: Mapping[str, str] = {
    # What the names end with that platforms have custom domains point to.
    "vercel-dns.com": "Vercel",  # vercel.com/docs/domains
    "netlify.com": "Netlify",
    "herokudns.com": "Heroku",  # devcenter.heroku.com/articles/custom-domains
    "github.io": "GitHub",
    "cloudfront.net": "AWS",
    "azurefd.net": "Azure",
    "fastly.net": "Fastly",
}
"""By the end of an alias."""
HEADERS: Mapping[str, str] = {
    # What their edges add to an answer. Render and Fly may stand behind Cloudflare, so that comes last.
    "x-render-origin-server": "Render",
    "rndr-id": "Render",
    "x-vercel-id": "Vercel",
    "x-nf-request-id": "Netlify",
    "fly-request-id": "Fly",
    "x-railway-request-id": "Railway",
    "x-github-request-id": "GitHub",
    "x-shopid": "Shopify",
    "x-amz-cf-id": "AWS",
    "x-azure-ref": "Azure",
    "cf-ray": "Cloudflare",
}
"""By a header that no other adds."""
VIA: Mapping[str, str] = {"vegur": "Heroku", "heroku": "Heroku", "google": "Google Cloud", "varnish": "Fastly"}
"""By a word in `via` or `server`."""
REGIONAL = ("amazonaws.com", "aws.neon.tech", "pooler.supabase.com")
"""Hosts that name their AWS region: docs.aws.amazon.com/general/latest/gr/rande.html, and the pages above."""

_REGION = re.compile(r"(?:^|[.-])([a-z]{2}-(?:gov-)?(?:(?:north|south)(?:east|west)?|east|west|central)-\d)(?=[.-])")


def platform_of(host: str) -> str:
    """Return the platform that a host's name tells; empty: none."""
    return next((PLATFORMS[end] for end in _ends(host) if end in PLATFORMS), "")


def platform_behind(alias: str) -> str:
    """Return the platform that an alias (CNAME) of a host leads to; empty: none."""
    return platform_of(alias) or next((EDGES[end] for end in _ends(alias) if end in EDGES), "")


def platform_in(headers: Iterable[tuple[str, str]]) -> str:
    """Return the platform that answered, as far as its headers tell, names in lower case; empty: none."""
    found = dict(headers)
    told = next((name for header, name in HEADERS.items() if header in found), "")
    said = f"{found.get('via', '')} {found.get('server', '')}".lower()
    return told or next((name for word, name in VIA.items() if word in said), "")


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
