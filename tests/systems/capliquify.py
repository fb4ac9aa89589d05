"""A stand-in of CapLiquify: back end, MCP server and front end, each a host of its own."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tests.systems.site import Answer, StandIn, page, says_json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

BACKEND, MCP, FRONTEND = (f"sentia-{part}-prod.onrender.com" for part in ("backend", "mcp", "frontend"))
HEALTH = ("GET", "/api/health")
ADMIN, TENANT, STARTER = "tok_admin_0123", "tok_tenant_0123", "tok_starter_0123"


def health(**changed: Any) -> Answer:  # noqa: ANN401 - any JSON value
    return says_json({"status": "healthy", "uptime": 123, "database": "connected"} | changed)


TIERS = {
    (f"Bearer {TENANT}", "org_smoke_test"): "professional",
    (f"Bearer {STARTER}", "org_starter"): "starter",
}


def _forecasts(tier: str) -> Answer:
    if tier == "professional":
        return says_json({"forecasts": []})
    return says_json({"error": "Feature not available", "upgradeUrl": "https://capliquify.com/pricing"}, 403)


class CapLiquify(StandIn):
    name = "capliquify"

    def build(self) -> None:
        self.backend, self.mcp, self.frontend = self.site(BACKEND), self.site(MCP), self.site(FRONTEND)

    def heal(self) -> None:
        super().heal()
        self.backend.answers = {HEALTH: health()}
        self.mcp.answers = {("GET", "/health"): says_json({"status": "healthy", "database": {"connected": True}})}
        self.frontend.answers = {("GET", "/"): page()}

    def has_tenants(self) -> None:
        """Answer the calls of the smoke tests: `tenants` are those that were made and not removed, by their id."""
        self.tenants: dict[str, str] = {}
        self.takes: Callable[[], None] = lambda: None
        self.backend.answers |= {
            ("POST", "/api/admin/tenants"): self._make,
            ("GET", "/api/products"): self._for_tenants(lambda _: says_json({"products": []})),
            ("GET", "/api/forecasts/ai"): self._for_tenants(_forecasts),
        }

    def _make(self, headers: Mapping[str, str], body: bytes) -> Answer:
        if headers.get("Authorization") != f"Bearer {ADMIN}":
            return says_json({"error": "Unauthorized"}, 401)
        self.takes()
        number, asked = str(len(self.tenants) + 1), json.loads(body)
        self.tenants[number] = asked["slug"]
        self.backend.answers["DELETE", f"/api/admin/tenants/{number}"] = self._remover(number)
        return says_json({"data": {"id": number, "slug": asked["slug"]}}, 201)

    def _remover(self, number: str) -> Callable[[Mapping[str, str], bytes], Answer]:
        def remove(headers: Mapping[str, str], _body: bytes) -> Answer:
            if headers.get("Authorization") != f"Bearer {ADMIN}":
                return says_json({"error": "Unauthorized"}, 401)
            return Answer(204 if self.tenants.pop(number, None) else 404)

        return remove

    def _for_tenants(self, answer: Callable[[str], Answer]) -> Callable[[Mapping[str, str], bytes], Answer]:
        def known(headers: Mapping[str, str], _body: bytes) -> Answer:
            who = (headers.get("Authorization"), headers.get("X-Organization-ID"))
            return answer(TIERS[who]) if who in TIERS else says_json({"error": "Unauthorized"}, 401)

        return known

    def cannot_make_tenants(self) -> None:
        error = {"error": "function public.create_tenant_schema does not exist"}
        self.backend.answers["POST", "/api/admin/tenants"] = says_json(error, 500)

    def finds_no_tenant(self) -> None:
        self.backend.answers["GET", "/api/products"] = says_json({"error": "Tenant not found"}, 404)

    def takes_forecasts_from_professionals(self) -> None:
        self.backend.answers["GET", "/api/forecasts/ai"] = _forecasts("starter")

    def gives_forecasts_to_starters(self) -> None:
        self.backend.answers["GET", "/api/forecasts/ai"] = _forecasts("professional")

    def offers_no_upgrade(self) -> None:
        def answer(tier: str) -> Answer:
            return _forecasts(tier) if tier == "professional" else says_json({"error": "Forbidden"}, 403)

        self.backend.answers["GET", "/api/forecasts/ai"] = self._for_tenants(answer)

    def cannot_remove_tenants(self) -> None:
        self.backend.answers["POST", "/api/admin/tenants"] = says_json({"id": "9"}, 201)
        self.backend.answers["DELETE", "/api/admin/tenants/9"] = says_json({"error": "locked"}, 500)

    @property
    def environ(self) -> dict[str, str]:
        return {
            "CAPLIQUIFY_BACKEND_URL": self.backend.url,
            "CAPLIQUIFY_MCP_URL": self.mcp.url,
            "CAPLIQUIFY_FRONTEND_URL": self.frontend.url,
        }

    def loses_its_database(self) -> None:
        self.backend.answers[HEALTH] = health(database="disconnected")

    def is_degraded(self) -> None:
        self.backend.answers[HEALTH] = health(status="degraded")

    def tells_no_uptime(self) -> None:
        self.backend.answers[HEALTH] = health(uptime="a while")

    def uses_up_its_rate_limit(self) -> None:
        self.backend.instead = says_json({"error": "Too many requests"}, 429)

    def mcp_loses_its_database(self) -> None:
        self.mcp.answers["GET", "/health"] = says_json({"status": "healthy", "database": {"connected": False}})

    def mcp_stops(self) -> None:
        self.mcp.instead = page("<html>Bad Gateway</html>", 502)

    def front_end_is_empty(self) -> None:
        self.frontend.answers["GET", "/"] = page("<html><body>Site not found</body></html>")

    def front_end_is_gone(self) -> None:
        self.frontend.answers = {}

    def slows_down(self, seconds: float) -> None:
        self.backend.answers[HEALTH] = replace(health(), delay=seconds)
