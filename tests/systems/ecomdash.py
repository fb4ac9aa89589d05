"""A stand-in of EcomDash: the FastAPI API and the static front end."""

from __future__ import annotations

from typing import Any

from tests.systems.receiver import Receiver
from tests.systems.site import Answer, Origins, StandIn, page, says_json

API, FRONTEND, SHOPIFY = "ecomdash-api.onrender.com", "ecomdash-frontend.onrender.com", "https://admin.shopify.com"
HEALTH, READY = ("GET", "/health"), ("GET", "/health/ready")
METRICS, UNUSED = (
    ("GET", "/metrics"),
    Answer(
        200,
        """\
# TYPE http_requests_total counter
# TYPE http_request_duration_seconds histogram
# TYPE shopify_api_calls_total counter
# TYPE active_shops gauge
active_shops 0
""",
    ),
)
TOPICS = ("app_uninstalled", "shop_redact", "customer_data_request", "customer_redact")


def health(**changed: Any) -> Answer:  # noqa: ANN401 - any JSON value
    return says_json({"status": "healthy", "version": "2.0.0", "environment": "production"} | changed)


class EcomDash(StandIn):
    name = "ecomdash"

    def build(self) -> None:
        self.api, self.frontend = self.site(API), self.site(FRONTEND)

    def heal(self) -> None:
        super().heal()
        self.receiver = Receiver("shopify", "shpss_ecomdash", self.now)
        hooks = {("POST", f"/webhooks/{topic}"): self.receiver for topic in TOPICS}
        self.api.answers = {HEALTH: health(), READY: says_json({"status": "ready"}), METRICS: UNUSED, **hooks}
        self.api.origins = Origins(SHOPIFY, self.frontend.url)
        self.frontend.answers = {("GET", "/"): page()}

    @property
    def environ(self) -> dict[str, str]:
        return {"ECOMDASH_API_URL": self.api.url, "ECOMDASH_FRONTEND_URL": self.frontend.url}

    def stops(self) -> None:
        self.api.instead = page("<html>Service Unavailable</html>", 503)

    def runs_as_staging(self) -> None:
        self.api.answers[HEALTH] = health(environment="staging")

    def runs(self, version: str) -> None:
        self.api.answers[HEALTH] = health(version=version)

    def tells_no_version(self) -> None:
        self.api.answers[HEALTH] = health(version=None)

    def loses_its_database(self) -> None:
        detail = 'password authentication failed for user "ecomdash"'
        self.api.answers[READY] = says_json({"detail": detail}, 503)

    def trusts_every_webhook(self) -> None:
        self.receiver.trusts = True

    def crashes_on_webhooks(self) -> None:
        """`hmac.compare_digest` meets None."""
        for topic in TOPICS:
            self.api.answers["POST", f"/webhooks/{topic}"] = Answer(500, "Internal Server Error")

    def forgets_its_webhooks(self) -> None:
        for topic in TOPICS:
            del self.api.answers["POST", f"/webhooks/{topic}"]

    def refuses_webhooks_in_another_way(self) -> None:
        for topic in TOPICS:
            self.api.answers["POST", f"/webhooks/{topic}"] = says_json({"detail": "Not authenticated"}, 403)

    def front_end_is_gone(self) -> None:
        self.frontend.answers = {}

    def front_end_is_no_page(self) -> None:
        self.frontend.answers["GET", "/"] = says_json({"detail": "Not Found"})

    def allows_every_origin(self) -> None:
        self.api.origins = Origins("*")

    def forgets_shopify(self) -> None:
        self.api.origins = Origins(self.frontend.url)

    def forgets_its_front_end(self) -> None:
        self.api.origins = Origins(SHOPIFY)

    def allows_a_stranger(self) -> None:
        self.api.origins = Origins(SHOPIFY, self.frontend.url, "https://foreign.example")
