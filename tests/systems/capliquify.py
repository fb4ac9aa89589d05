"""A stand-in of CapLiquify: back end, MCP server and front end, each a host of its own."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.systems.site import Answer, StandIn, page, says_json

BACKEND, MCP, FRONTEND = (f"sentia-{part}-prod.onrender.com" for part in ("backend", "mcp", "frontend"))
HEALTH = ("GET", "/api/health")


def health(**changed: Any) -> Answer:  # noqa: ANN401 - any JSON value
    return says_json({"status": "healthy", "uptime": 123, "database": "connected"} | changed)


class CapLiquify(StandIn):
    name = "capliquify"

    def build(self) -> None:
        self.backend, self.mcp, self.frontend = self.site(BACKEND), self.site(MCP), self.site(FRONTEND)

    def heal(self) -> None:
        super().heal()
        self.backend.answers = {HEALTH: health()}
        self.mcp.answers = {("GET", "/health"): says_json({"status": "healthy", "database": {"connected": True}})}
        self.frontend.answers = {("GET", "/"): page()}

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
