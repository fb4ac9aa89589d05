"""Signatures of requests to S3 and whatever speaks like it: AWS Signature Version 4. Pure.

docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html. Its tests hold it against botocore's own signer,
which is not used here: docs/why.md says why.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from monitor.secrets import Secret

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

ALGORITHM = "AWS4-HMAC-SHA256"


class Credentials(NamedTuple):
    """Who asks, and for which region a signature holds."""

    access_key: Secret
    secret_key: Secret
    region: str


def encoded_path(*parts: str) -> str:
    """Return the path of an object as it is sent and signed: each byte but letters, digits, `-._~` and `/` encoded."""
    return "/" + "/".join(quote(part, safe="-._~/") for part in parts if part)


def encoded_query(query: Iterable[tuple[str, str]]) -> str:
    """Return a query as it is sent and signed: encoded, in order of the encoded names."""
    pairs = sorted((quote(name, safe="-._~"), quote(value, safe="-._~")) for name, value in query)
    return "&".join(f"{name}={value}" for name, value in pairs)


def signed_headers(
    method: str, host: str, target: str, body: bytes, credentials: Credentials, now: datetime
) -> tuple[tuple[str, Secret], ...]:
    """Return the headers that sign a request for `target`, an encoded path with its query, to `host` with its port.

    `now` is the moment in UTC that the receiver compares with its clock.
    """
    moment = now.strftime("%Y%m%dT%H%M%SZ")
    digest = hashlib.sha256(body).hexdigest()
    signed = {"host": host, "x-amz-content-sha256": digest, "x-amz-date": moment}
    path, _, query = target.partition("?")
    lines = [method, path, query, *(f"{name}:{value}" for name, value in signed.items()), "", ";".join(signed), digest]
    scope = f"{moment[:8]}/{credentials.region}/s3/aws4_request"
    request = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    signature = _signature(credentials, scope, f"{ALGORITHM}\n{moment}\n{scope}\n{request}")
    key = credentials.access_key.reveal()
    authorization = f"{ALGORITHM} Credential={key}/{scope}, SignedHeaders={';'.join(signed)}, Signature={signature}"
    return (
        ("X-Amz-Content-Sha256", Secret(digest)),
        ("X-Amz-Date", Secret(moment)),
        ("Authorization", Secret(authorization)),
    )


def _signature(credentials: Credentials, scope: str, text: str) -> str:
    key = f"AWS4{credentials.secret_key.reveal()}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, text.encode(), "sha256").hex()
