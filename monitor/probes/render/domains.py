"""Whether Render has verified the custom domains of a service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.probes.render.asking import new_word

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from monitor.probes.base import Run
    from monitor.probes.render.asking import Render
    from monitor.probes.render.services import Service
    from monitor.vendors import Found

VERIFIED = {"verified": True, "unverified": False}


async def look_at_domains(run: Run, render: Render, services: Iterable[Service], wanted: Sequence[str]) -> None:
    """Note whether each of the domains `wanted` is verified for one of `services`; raises `Failure` (unknown)."""
    verified: dict[str, bool] = {}
    for service in services:
        run.asking = f"the question for the domains of {service.name}"
        found = await render.listed(f"/v1/services/{service.id}/custom-domains", "customDomain", _domain)
        for name, is_verified in found:
            verified[name] = verified.get(name, False) or is_verified
    for name in wanted:
        run.note("domain_verified", verified.get(name.lower(), False), domain=name)
    texts = [_wrong(name, verified) for name in wanted if not verified.get(name.lower())]
    if texts:
        run.remark("domain_verified", "; ".join(texts))


def _wrong(name: str, verified: dict[str, bool]) -> str:
    return f"{name} is not verified" if name.lower() in verified else f"{name} belongs to no service of these"


def _domain(found: Found) -> tuple[str, bool]:
    status = found["verificationStatus"].text
    if status not in VERIFIED:
        raise new_word("a custom domain", status)
    return found["name"].text.lower(), VERIFIED[status]
