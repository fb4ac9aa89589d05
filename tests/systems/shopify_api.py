"""A stand-in of Shopify's GraphQL Admin API for one shop: it pages, throttles in the body, and shuts its shop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.systems.site import Answer, Site, says_json

if TYPE_CHECKING:
    from aiohttp import web

TOKEN = "shpat_0123456789abcdef0123456789abcdef"
VERSION = "2026-10"
BUCKET = 2_000.0
RESTORED = 100.0
COST = 13
INVALID = "[API] Invalid API key or access token (unrecognized login or wrong password)"


class ShopifyApi(Site):
    """The subscriptions of one app. `used`: points in use; `says`: what every question is answered while it is set."""

    def heal(self) -> None:
        super().heal()
        self.token = TOKEN
        self.subscriptions: list[tuple[str, str]] = []
        self.used = 0.0
        self.repeats = False
        self.says: Answer | None = None
        self.asked: list[str] = []
        self._question: dict[str, Any] = {}

    def subscribes(self, topic: str, uri: str) -> None:
        self.subscriptions.append((topic, uri))

    def uninstalls(self) -> None:
        """Take the app's token away, as an uninstallation does."""
        self.token = ""

    async def answer(self, request: web.Request) -> web.Response:
        self._question = await request.json()
        return await super().answer(request)

    def _answer(self, request: web.Request) -> Answer:
        self.asked.append(f"{request.method} {request.path}")
        if self.says:
            return self.says
        if request.headers.get("X-Shopify-Access-Token") != self.token:
            return says_json({"errors": INVALID}, 401)
        if (request.method, request.path) != ("POST", f"/admin/api/{VERSION}/graphql.json"):
            return says_json({"errors": "Not Found"}, 404)
        question = self._question
        assert "mutation" not in question["query"]
        if self.used + COST > BUCKET:
            return throttled(self.used)
        return says_json({"data": {"webhookSubscriptions": self._page(question)}, "extensions": cost(self.used + COST)})

    def _page(self, question: dict[str, Any]) -> dict[str, Any]:
        begin = 0 if self.repeats else int(question["variables"]["after"] or 0)
        shown = self.subscriptions[begin : begin + 100]
        more = begin + 100 < len(self.subscriptions) or self.repeats
        nodes = [{"topic": topic, "uri": uri} for topic, uri in shown]
        return {"nodes": nodes, "pageInfo": {"hasNextPage": more, "endCursor": str(begin + len(shown)) or None}}


def cost(used: float) -> dict[str, Any]:
    """Return what an answer tells of the rate limit."""
    status = {"maximumAvailable": BUCKET, "currentlyAvailable": BUCKET - used, "restoreRate": RESTORED}
    return {"cost": {"requestedQueryCost": COST, "actualQueryCost": 3, "throttleStatus": status}}


def throttled(used: float = BUCKET, status: int = 200) -> Answer:
    """Return how Shopify refuses a question too many: in the body, whatever the status."""
    errors = [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}]
    return says_json({"errors": errors, "extensions": cost(used)}, status)


def graphql_error(code: str, message: str) -> Answer:
    """Return an error that GraphQL tells of under a status of 200."""
    return says_json({"errors": [{"message": message, "extensions": {"code": code}}]})
