"""A stand-in of Tatame: an Express server with and without TLS, and the origin of its front end."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from tests.systems.receiver import Receiver
from tests.systems.site import Answer, Origins, StandIn

if TYPE_CHECKING:
    from collections.abc import Mapping

SERVER, FRONTEND = "tatame.example.app", "https://app.tatame.example"
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-XSS-Protection": "1; mode=block",
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
}
OK = Answer(200, "OK")
ROOT = ("GET", "/")
WEBHOOK = ("POST", "/webhooks/stripe")
SECRET = "whsec_tatame0hunter2"


class OneOrigin(Origins):
    """CORS as Express's middleware gives it for one fixed origin: that one, whoever asks."""

    def __init__(self, origin: str) -> None:
        super().__init__(origin)
        self._origin = origin

    def preflight(self, origin: str) -> Answer:
        said = origin if self._origin == "echo" else self._origin
        return Answer(204, "", {"Access-Control-Allow-Origin": said, "Access-Control-Allow-Methods": "GET,HEAD,POST"})


class Tatame(StandIn):
    name = "tatame"

    def build(self) -> None:
        self.server, self.plain = self.site(SERVER), self.site(SERVER, tls=False)

    def heal(self) -> None:
        super().heal()
        self.server.headers = dict(HEADERS)
        self.server.origins = OneOrigin(FRONTEND)
        self.receiver = Receiver("stripe", SECRET, self.now)
        self.server.answers = {ROOT: OK, WEBHOOK: self.receiver}
        self.plain.answers = {ROOT: Answer(308, "", {"Location": f"{self.server.url}/"})}

    @property
    def environ(self) -> dict[str, str]:
        return {
            "TATAME_URL": self.server.url,
            "TATAME_HTTP_URL": self.plain.url,
            "TATAME_FRONTEND_URL": FRONTEND,
            "TATAME_STRIPE_WEBHOOK_SECRET": SECRET,
        }

    def stops(self) -> None:
        self.server.instead = Answer(503, "Application failed to respond")

    def crashes(self) -> None:
        self.server.hangs_up = True

    def says_something_else(self) -> None:
        self.server.answers[ROOT] = Answer(200, "Welcome to Railway")

    def slows_down(self, seconds: float) -> None:
        self.server.answers[ROOT] = replace(OK, delay=seconds)

    def loses_its_webhook_route(self) -> None:
        del self.server.answers[WEBHOOK]

    def accepts_unsigned_events(self) -> None:
        self.receiver.trusts = True

    def takes_old_events(self) -> None:
        self.receiver.replays = True

    def has_another_webhook_secret(self) -> None:
        self.receiver.secret = "whsec_of_the_test_mode"

    def has_a_clock_ten_minutes_ahead(self) -> None:
        self.receiver.clock = lambda: self.now() + timedelta(minutes=10)

    def fails_to_store_events(self) -> None:
        self.receiver.instead = Answer(500, 'relation "stripe_webhook_events" does not exist')

    def crashes_on_every_event(self) -> None:
        self.server.answers[WEBHOOK] = Answer(500, "Internal Server Error")

    def answers_webhooks_slowly(self, seconds: float) -> None:
        """Delay what it takes, and what has no signature."""

        def answer(headers: Mapping[str, str], body: bytes) -> Answer:
            found = self.receiver(headers, body)
            slow = found.status == OK.status or "Stripe-Signature" not in headers
            return replace(found, delay=seconds) if slow else found

        self.server.answers[WEBHOOK] = answer

    def loses_nosniff(self) -> None:
        del self.server.headers["X-Content-Type-Options"]

    def may_be_framed_by_itself(self) -> None:
        self.server.headers["X-Frame-Options"] = "SAMEORIGIN"

    def shortens_hsts(self) -> None:
        """One second less than a year."""
        self.server.headers["Strict-Transport-Security"] = "max-age=31535999; includeSubDomains"

    def leaves_subdomains_out(self) -> None:
        self.server.headers["Strict-Transport-Security"] = "max-age=63072000"

    def loses_xss_protection(self) -> None:
        del self.server.headers["X-XSS-Protection"]

    def serves_without_tls(self) -> None:
        self.plain.answers[ROOT] = OK

    def forgets_its_front_end(self) -> None:
        self.server.origins = OneOrigin("http://localhost:3000")

    def allows_every_origin(self) -> None:
        self.server.origins = OneOrigin("*")

    def echoes_every_origin(self) -> None:
        self.server.origins = OneOrigin("echo")
