"""A stand-in of Seed & Source: two hosts that reach one container, and the landing site."""

from __future__ import annotations

from tests.peers import wire_name
from tests.systems.neon_api import COMPUTE, PROJECT, NeonApi
from tests.systems.receiver import Receiver
from tests.systems.site import Answer, Origins, Site, StandIn, page, says_json

AUTH, ADMIN, LANDING = "auth.seedsource.dev", "internal-admin.onrender.com", "seedsource.dev"
NEON = "console.neon.tech"
ADMIN_ROUTE = "/api/admin/users"
WEBHOOK = ("POST", "/webhooks/stripe")
GATEWAY = page("<html><h1>502 Bad Gateway</h1></html>", 502)
CRASH = Answer(500, "Internal Server Error")
HEALTHY = says_json({"status": "healthy", "database": "connected"})


class SeedSource(StandIn):
    name = "seedsource"

    def build(self) -> None:
        self.auth, self.admin, self.landing = self.site(AUTH), self.site(ADMIN), self.site(LANDING)
        self.neon = NeonApi(NEON, self.authority, self.now, "napi_seedsource")
        self.sites.append(self.neon)

    def heal(self) -> None:
        super().heal()
        self.names.has(AUTH, "CNAME", wire_name(ADMIN))
        for site in self.container:
            site.origins = Origins(self.auth.url, self.admin.url)
            site.answers = {
                ("GET", "/"): page(),
                ("GET", "/health"): HEALTHY,
                WEBHOOK: Receiver("stripe", "whsec_seedsource", self.now),
                ("GET", ADMIN_ROUTE): says_json({"detail": "Not authenticated"}, 401),
            }
        self.compute_is("active")
        self.landing.answers = {("GET", "/payment/success"): page(), ("GET", "/payment/cancel"): page()}

    @property
    def environ(self) -> dict[str, str]:
        return {
            "SEEDSOURCE_AUTH_URL": self.auth.url,
            "SEEDSOURCE_ADMIN_URL": self.admin.url,
            "SEEDSOURCE_ADMIN_ROUTE_PATH": ADMIN_ROUTE,
            "SEEDSOURCE_PAYMENT_SUCCESS_URL": f"{self.landing.url}/payment/success",
            "SEEDSOURCE_PAYMENT_CANCEL_URL": f"{self.landing.url}/payment/cancel",
            "SEEDSOURCE_NEON_URL": f"{self.neon.url}/api/v2",
            "SEEDSOURCE_NEON_PROJECT": PROJECT,
            "SEEDSOURCE_NEON_ENDPOINT_NAME": COMPUTE,
            "SEEDSOURCE_NEON_API_KEY": "napi_seedsource",
        }

    @property
    def container(self) -> tuple[Site, Site]:
        """Return the hosts that reach the one container."""
        return self.auth, self.admin

    def compute_is(self, state: str) -> None:
        """Neon says so of its compute."""
        self.neon.computes[0]["current_state"] = state

    def branch_is(self, state: str) -> None:
        """Neon says so of its branch."""
        self.neon.branches[0]["current_state"] = state

    def loses_its_branch(self) -> None:
        self.neon.branches.clear()

    def branch_is_archived(self) -> None:
        self.branch_is("archived")

    def branch_is_reset(self) -> None:
        self.branch_is("resetting")

    def compute_is_disabled(self) -> None:
        self.neon.computes[0]["disabled"] = True

    def stops(self) -> None:
        """Render reaches no container."""
        for site in self.container:
            site.instead = GATEWAY

    def hangs_up(self) -> None:
        self.auth.hangs_up = True

    def license_server_is_sick(self) -> None:
        for site in self.container:
            site.answers["GET", "/health"] = says_json({"status": "unhealthy"})

    def nginx_serves_nothing(self) -> None:
        self.auth.answers["GET", "/"] = GATEWAY

    def error_page_with_200(self) -> None:
        self.auth.answers["GET", "/"] = page("<html>Service Unavailable</html>")

    def forgets_the_webhook_route(self) -> None:
        del self.auth.answers[WEBHOOK]

    def takes_no_post(self) -> None:
        self.auth.answers[WEBHOOK] = says_json({"detail": "Method Not Allowed"}, 405)

    def webhook_gateway(self) -> None:
        self.auth.answers[WEBHOOK] = GATEWAY

    def webhook_crashes(self) -> None:
        self.auth.answers[WEBHOOK] = CRASH

    def webhook_moves(self) -> None:
        self.auth.answers[WEBHOOK] = Answer(308, "", {"Location": f"{self.admin.url}/webhooks/stripe"})

    def accepts_unsigned_events(self) -> None:
        self.auth.answers[WEBHOOK] = Receiver("stripe", "", trusts=True)

    def builds_no_front_end(self) -> None:
        self.admin.answers["GET", "/"] = says_json({"detail": "Not Found"})

    def admin_host_goes_elsewhere(self) -> None:
        self.admin.answers["GET", "/health"] = Answer(404, "no such service")

    def loses_its_cname(self) -> None:
        self.names.has(AUTH, "CNAME", wire_name("parking.example.net"))

    def middleware_crashes(self) -> None:
        """10.1: every answer of the license server is a 500."""
        self.auth.origins = self.admin.origins = None
        for site in self.container:
            for key in (("GET", "/health"), ("OPTIONS", "/health"), WEBHOOK):
                site.answers[key] = CRASH

    def allows_no_admin(self) -> None:
        self.auth.origins = Origins(self.auth.url)

    def allows_no_auth(self) -> None:
        self.auth.origins = Origins(self.admin.url)

    def loses_jwt_secret(self) -> None:
        """10.4: every route that wants a token is a 500."""
        self.admin.answers["GET", ADMIN_ROUTE] = CRASH

    def opens_the_admin_route(self) -> None:
        self.admin.answers["GET", ADMIN_ROUTE] = says_json([])

    def loses_the_success_page(self) -> None:
        del self.landing.answers["GET", "/payment/success"]

    def loses_the_cancel_page(self) -> None:
        del self.landing.answers["GET", "/payment/cancel"]
