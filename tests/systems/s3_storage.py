"""A stand-in of an object storage that speaks S3. It checks every signature with botocore's own signer.

It pages, keeps versions if it is told to, and fails, loses and alters as storages do.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote
from xml.sax.saxutils import escape

from aiohttp import web
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.systems.site import Answer, Site

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.peers import Authority

ACCESS, SECRET, REGION, BUCKET = "004a1b2c3d4e5f60000000001", "K004hunter2/s3cr+et=", "us-west-004", "realstaging-prod"
NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
SKEW = timedelta(minutes=15)


@dataclass
class Kept:
    """One version of an object, or a marker that says it was deleted."""

    key: str
    body: bytes
    at: datetime
    version: str
    marker: bool = False
    size: int = -1

    def __post_init__(self) -> None:
        self.size = len(self.body) if self.size < 0 else self.size


class Storage(Site):
    """One bucket. `says`: what requests of a method are answered while it is set; `alters`: what GET gives instead.

    `versioned`: deletions without a version only hide. `lists_versions`: whether it can list them at all. `loses`: what
    is put is not there. `skew`: how far its clock is ahead.
    """

    def __init__(self, host: str, authority: Authority | None, now: Callable[[], datetime] | None = None) -> None:
        self.now = now or (lambda: datetime.now(UTC))
        self.bucket = BUCKET
        super().__init__(host, authority)

    def heal(self) -> None:
        super().heal()
        self.kept: list[Kept] = []
        self.says: dict[str, Answer] = {}
        self.alters: bytes | None = None
        self.versioned = self.lists_versions = True
        self.loses = False
        self.secret = SECRET
        self.region = REGION
        self.skew = timedelta()
        self.asked: list[str] = []
        self.refused: list[str] = []

    def holds(self, key: str, size: int = 10, ago: timedelta = timedelta(hours=1)) -> None:
        """Hold an object that was put so long ago."""
        self.kept.append(Kept(key, b"", self.now() - ago, f"v{len(self.kept)}", size=size))

    @property
    def time(self) -> datetime:
        """Return what the storage takes for the time."""
        return self.now() + self.skew

    async def answer(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.asked.append(f"{request.method} {request.raw_path}")
        found = self.says.get(request.method) or self._wrong(request, body) or self._do(request, body)
        headers = {"Date": self.time.strftime("%a, %d %b %Y %H:%M:%S GMT"), **self.headers, **found.headers}
        return web.Response(status=found.status, body=found.body.encode(), headers=headers)

    def _wrong(self, request: web.Request, body: bytes) -> Answer | None:
        """Return why a request is refused, as its signature and its time have it."""
        stamp = request.headers.get("X-Amz-Date", "")
        try:
            at = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        except ValueError:
            return self.refuses(403, "AccessDenied", "no date")
        if abs(at - self.time) > SKEW:
            return self.refuses(403, "RequestTimeTooSkewed", "The difference between the request time is too large.")
        if request.headers["X-Amz-Content-Sha256"] != hashlib.sha256(body).hexdigest():
            return self.refuses(400, "XAmzContentSHA256Mismatch", "The provided hash does not match.")
        if request.headers["Authorization"] != self._signed(request, body, stamp):
            return self.refuses(403, "SignatureDoesNotMatch", f"{ACCESS} signed with {self.secret}")
        return None

    def _signed(self, request: web.Request, body: bytes, stamp: str) -> str:
        """Return how botocore signs what came."""
        url = f"{self.url}{request.raw_path}"
        names = ("x-amz-content-sha256", "x-amz-date")
        headers = {"host": request.headers["Host"], **{name: request.headers[name] for name in names}}
        made = AWSRequest(method=request.method, url=url, headers=headers, data=body)
        made.context["timestamp"] = stamp
        signer = S3SigV4Auth(Credentials(ACCESS, self.secret), "s3", self.region)
        text = signer.string_to_sign(made, signer.canonical_request(made))
        signed = signer.signed_headers(signer.headers_to_sign(made))
        credential = f"{ACCESS}/{stamp[:8]}/{self.region}/s3/aws4_request"
        signature = signer.signature(text, made)
        return f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={signed}, Signature={signature}"

    def _do(self, request: web.Request, body: bytes) -> Answer:
        bucket, _, key = request.path.removeprefix("/").partition("/")
        if bucket != self.bucket:
            return self.refuses(404, "NoSuchBucket", "The specified bucket does not exist")
        match request.method, key:
            case "GET", "":
                return self._list(request)
            case "PUT", _:
                return self._put(key, body)
            case "GET", _:
                return self._get(key)
            case "DELETE", _:
                return self._delete(key, request.query.get("versionId", ""))
            case _:
                return self.refuses(405, "MethodNotAllowed", "…")

    def _put(self, key: str, body: bytes) -> Answer:
        version = f"v{len(self.asked)}"
        if not self.loses:
            self.kept = [each for each in self.kept if self.versioned or each.key != key]
            self.kept.append(Kept(key, body, self.time, version))
        return Answer(200, "", {"x-amz-version-id": version} if self.versioned else {})

    def _get(self, key: str) -> Answer:
        found = [each for each in self.kept if each.key == key]
        if not found or found[-1].marker:
            return self.refuses(404, "NoSuchKey", "The specified key does not exist.")
        return Answer(200, (found[-1].body if self.alters is None else self.alters).decode())

    def _delete(self, key: str, version: str) -> Answer:
        if self.versioned and not version:
            self.kept.append(Kept(key, b"", self.time, f"v{len(self.asked)}", marker=True))
        else:
            self.kept = [each for each in self.kept if each.key != key or (self.versioned and each.version != version)]
        return Answer(204, "")

    def _list(self, request: web.Request) -> Answer:
        query = request.query
        versions = "versions" in query
        if versions and not self.lists_versions:
            return self.refuses(501, "NotImplemented", "ListObjectVersions is not implemented")
        newest = {each.key: each for each in self.kept}
        there = [each for each in self.kept if versions or (newest[each.key] is each and not each.marker)]
        there = sorted((each for each in there if each.key.startswith(query["prefix"])), key=lambda each: each.key)
        begin = int(query.get("continuation-token") or query.get("version-id-marker") or 0)
        end = begin + min(int(query["max-keys"]), 1_000)
        more = end < len(there)
        parts = [_entry(each, latest=newest[each.key] is each, versions=versions) for each in there[begin:end]]
        token = f"<NextContinuationToken>{end}</NextContinuationToken>"
        if versions and more:
            key = quote(there[end].key)
            token = f"<NextKeyMarker>{key}</NextKeyMarker><NextVersionIdMarker>{end}</NextVersionIdMarker>"
        name = "ListVersionsResult" if versions else "ListBucketResult"
        text = (
            f'<?xml version="1.0" encoding="UTF-8"?>\n<{name} xmlns="{NAMESPACE}"><Name>{self.bucket}</Name>'
            f"<IsTruncated>{str(more).lower()}</IsTruncated>{token if more else ''}{''.join(parts)}</{name}>"
        )
        return Answer(200, text, {"Content-Type": "application/xml"})

    def refuses(self, status: int, code: str, message: str) -> Answer:
        """Return an error as S3 writes it, which repeats the key's id and what was signed."""
        self.refused.append(code)
        text = (
            f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{escape(message)}</Message>'
            f"<AWSAccessKeyId>{ACCESS}</AWSAccessKeyId><StringToSign>hunter2</StringToSign></Error>"
        )
        return Answer(status, text, {"Content-Type": "application/xml"})


def _entry(each: Kept, *, latest: bool, versions: bool) -> str:
    at = each.at.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    common = f"<Key>{quote(each.key)}</Key><LastModified>{at}</LastModified>"
    if not versions:
        return f"<Contents>{common}<ETag>x</ETag><Size>{each.size}</Size></Contents>"
    common += f"<VersionId>{each.version}</VersionId><IsLatest>{str(latest).lower()}</IsLatest>"
    if each.marker:
        return f"<DeleteMarker>{common}</DeleteMarker>"
    return f"<Version>{common}<Size>{each.size}</Size></Version>"
