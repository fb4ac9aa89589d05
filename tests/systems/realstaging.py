"""A stand-in of Real Staging AI: API with and without TLS, front end, Auth0 tenant, Replicate's API."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.systems.site import Answer, Origins, StandIn, page, says_json

if TYPE_CHECKING:
    from collections.abc import Mapping

API, FRONTEND = "api.real-staging.ai", "real-staging.ai"
AUTH0, REPLICATE = "real-staging.us.auth0.com", "api.replicate.com"
BUCKET = "realstaging-prod.s3.us-west-004.backblazeb2.com"
TOKEN = "r8_0123456789abcdefghij"
ACCESS, CLIENT_SECRET = "eyJ-access-0123", "client-secret-0123"
HEADERS = {
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
DISCOVERY, KEYS = ("GET", "/.well-known/openid-configuration"), ("GET", "/.well-known/jwks.json")
ACCOUNT, MODEL = ("GET", "/v1/account"), ("GET", "/v1/models/qwen/qwen-image-edit")


def _token(_headers: Mapping[str, str], body: bytes) -> Answer:
    asked = json.loads(body)
    if (asked["grant_type"], asked["client_secret"]) != ("client_credentials", CLIENT_SECRET):
        return says_json({"error": "access_denied"}, 403)
    return says_json({"access_token": ACCESS, "token_type": "Bearer", "expires_in": 86_400})


class RealStaging(StandIn):
    name = "realstaging"

    def build(self) -> None:
        self.api, self.plain = self.site(API), self.site(API, tls=False)
        self.frontend, self.auth0, self.replicate = self.site(FRONTEND), self.site(AUTH0), self.site(REPLICATE)
        self.bucket = self.site(BUCKET)

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

    def has_users(self) -> None:
        """Answer the calls of a user's flow: `images` are those that were made and not removed, by their id."""
        self.images: dict[str, int] = {}
        self.pictures: list[bytes] = []
        self.stuck = False
        self.api.answers |= {("POST", "/api/v1/uploads/presign"): self._presign, ("POST", "/api/v1/images"): self._make}
        self.auth0.answers["POST", "/oauth/token"] = _token

    def _presign(self, headers: Mapping[str, str], body: bytes) -> Answer:
        if headers.get("Authorization") != f"Bearer {ACCESS}":
            return says_json({"error": "unauthorized"}, 401)
        key = f"uploads/{json.loads(body)['filename']}"
        self.bucket.answers["PUT", f"/{key}"] = self._put
        return says_json({"upload_url": f"{self.bucket.url}/{key}?X-Amz-Signature=0a%2F1", "file_key": key})

    def _put(self, headers: Mapping[str, str], body: bytes) -> Answer:
        assert headers["Content-Type"] == "image/png"
        self.pictures.append(body)
        return Answer()

    def _make(self, headers: Mapping[str, str], body: bytes) -> Answer:
        if headers.get("Authorization") != f"Bearer {ACCESS}" or not json.loads(body)["original_key"]:
            return says_json({"error": "unauthorized"}, 401)
        number = f"img-{len(self.images) + 1}"
        self.images[number] = 3
        self.api.answers["GET", f"/api/v1/images/{number}"] = lambda _, __: self._image(number)
        self.api.answers["DELETE", f"/api/v1/images/{number}"] = lambda _, __: self._remove(number)
        return says_json({"id": number, "status": "queued"}, 201)

    def _image(self, number: str) -> Answer:
        self.images[number] -= not self.stuck
        return says_json({"id": number, "status": "ready" if self.images[number] <= 0 else "processing"})

    def _remove(self, number: str) -> Answer:
        del self.images[number]
        return Answer(204)

    def refuses_the_test_account(self) -> None:
        self.auth0.answers["POST", "/oauth/token"] = says_json({"error": "access_denied"}, 403)

    def cannot_presign(self) -> None:
        self.api.answers["POST", "/api/v1/uploads/presign"] = says_json({"error": "no credentials"}, 500)

    def bucket_refuses(self) -> None:
        self.bucket.instead = Answer(403, "<Error><Code>SignatureDoesNotMatch</Code></Error>")

    def takes_no_jobs(self) -> None:
        self.api.answers["POST", "/api/v1/images"] = says_json({"error": "redis: connection refused"}, 503)

    def worker_stands_still(self) -> None:
        self.stuck = True

    @property
    def environ(self) -> dict[str, str]:
        return {
            "REALSTAGING_API_URL": self.api.url,
            "REALSTAGING_API_HTTP_URL": self.plain.url,
            "REALSTAGING_FRONTEND_URL": self.frontend.url,
            "REALSTAGING_AUTH0_URL": self.auth0.url,
            "REALSTAGING_REPLICATE_URL": self.replicate.url,
            "REALSTAGING_REPLICATE_TOKEN": TOKEN,
            "REALSTAGING_FLOW_BUCKET_URL": self.bucket.url,
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
