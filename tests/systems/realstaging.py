"""A stand-in of Real Staging AI: API with and without TLS, front end, Auth0 tenant, Replicate's API."""

from __future__ import annotations

from tests.systems.site import Answer, Origins, StandIn, page, says_json

API, FRONTEND = "api.real-staging.ai", "real-staging.ai"
AUTH0, REPLICATE = "real-staging.us.auth0.com", "api.replicate.com"
TOKEN = "r8_0123456789abcdefghij"
HEADERS = {
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
DISCOVERY, KEYS = ("GET", "/.well-known/openid-configuration"), ("GET", "/.well-known/jwks.json")
ACCOUNT, MODEL = ("GET", "/v1/account"), ("GET", "/v1/models/qwen/qwen-image-edit")


class RealStaging(StandIn):
    name = "realstaging"

    def build(self) -> None:
        self.api, self.plain = self.site(API), self.site(API, tls=False)
        self.frontend, self.auth0, self.replicate = self.site(FRONTEND), self.site(AUTH0), self.site(REPLICATE)

    def heal(self) -> None:
        super().heal()
        self.api.headers = dict(HEADERS)
        self.api.origins = Origins(self.frontend.url)
        self.api.answers = {("GET", "/health"): says_json({"status": "ok"})}
        self.plain.answers = {("GET", "/health"): Answer(301, "", {"Location": f"{self.api.url}/health"})}
        self.frontend.answers = {("GET", "/"): page()}
        issuer = self.auth0.url
        self.auth0.answers = {
            DISCOVERY: says_json({"issuer": f"{issuer}/", "jwks_uri": f"{issuer}/.well-known/jwks.json"}),
            KEYS: says_json({"keys": [{"kty": "RSA", "kid": "one", "use": "sig"}]}),
        }
        self.replicate.answers = {
            ACCOUNT: says_json({"type": "organization", "username": "real-staging", "name": "Real Staging"}),
            MODEL: says_json({"owner": "qwen", "name": "qwen-image-edit", "visibility": "public"}),
        }
        self.replicate.bearer = TOKEN

    @property
    def environ(self) -> dict[str, str]:
        return {
            "REALSTAGING_API_URL": self.api.url,
            "REALSTAGING_API_HTTP_URL": self.plain.url,
            "REALSTAGING_FRONTEND_URL": self.frontend.url,
            "REALSTAGING_AUTH0_URL": self.auth0.url,
            "REALSTAGING_REPLICATE_URL": self.replicate.url,
            "REALSTAGING_REPLICATE_TOKEN": TOKEN,
        }

    def stops(self) -> None:
        self.api.instead = page("<html>Bad Gateway</html>", 502)

    def is_parked(self) -> None:
        """Lead to somebody else's page, which answers 200 to everything."""
        self.api.instead = page("<html>This domain is for sale</html>")

    def tenant_is_gone(self) -> None:
        self.auth0.answers = {}

    def tenant_is_another(self) -> None:
        self.auth0.answers[DISCOVERY] = says_json({"issuer": "https://other.us.auth0.com/", "jwks_uri": "https://x/"})

    def has_no_keys(self) -> None:
        self.auth0.answers[KEYS] = says_json({"keys": []})

    def answers_no_key_set(self) -> None:
        self.auth0.answers[KEYS] = says_json({})

    def rotates_its_token(self) -> None:
        self.replicate.bearer = "r8_another"

    def loses_the_model(self) -> None:
        del self.replicate.answers[MODEL]

    def serves_without_tls(self) -> None:
        self.plain.answers = dict(self.api.answers)

    def redirects_in_the_clear(self) -> None:
        self.plain.answers["GET", "/health"] = Answer(301, "", {"Location": "http://www.real-staging.ai/health"})

    def loses_hsts(self) -> None:
        del self.api.headers["Strict-Transport-Security"]

    def switches_hsts_off(self) -> None:
        self.api.headers["Strict-Transport-Security"] = "max-age=0"

    def loses_nosniff(self) -> None:
        del self.api.headers["X-Content-Type-Options"]

    def may_be_framed(self) -> None:
        self.api.headers["X-Frame-Options"] = "ALLOWALL"

    def forgets_its_front_end(self) -> None:
        self.api.origins = Origins("https://old.real-staging.ai")

    def allows_every_origin(self) -> None:
        self.api.origins = Origins("*")
