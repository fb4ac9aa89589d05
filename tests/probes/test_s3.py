"""The kind `s3` against a stand-in that checks every signature with botocore's own signer."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as TheirCredentials
from hypothesis import given
from hypothesis import strategies as st

from monitor.answer import Answer as Answered
from monitor.clock import SystemClock
from monitor.model import CheckId, Failure, Reason, State
from monitor.probes import load_kind
from monitor.probes.base import observe
from monitor.probes.s3 import S3Check
from monitor.probes.s3.listing import further, read_listing
from monitor.probes.s3.signing import Credentials, encoded_path, encoded_query, signed_headers
from monitor.secrets import Secret
from tests.systems.s3_storage import ACCESS, BUCKET, REGION, SECRET, Storage
from tests.systems.site import Answer, page

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from monitor.model import Sample
    from monitor.probes.base import Resources

CHECK = CheckId("shop", "storage")
HOUR = timedelta(hours=1)
CANARY = "monitor-canary/"
ENTRY = (
    "<ListBucketResult><Contents><Key>a</Key><LastModified>2026-01-01T00:00:00</LastModified>"
    "<Size>many</Size></Contents></ListBucketResult>"
)
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=30)


@pytest.fixture
async def storage() -> AsyncIterator[Storage]:
    made = Storage("127.0.0.1", None)
    async with AsyncExitStack() as stack:
        await made.start(stack)
        yield made


def made(storage: Storage | None, **fields: Any) -> S3Check:  # noqa: ANN401 - any field
    known: dict[str, Any] = {
        "kind": "s3",
        "bucket": BUCKET,
        "access_key": ACCESS,
        "secret_key": SECRET,
        "region": REGION,
    }
    known |= {"url": storage.url if storage else "https://s3.example.com", "writes": True}
    check = load_kind("s3").model_validate(known | fields)
    assert isinstance(check, S3Check)
    return check


async def look(check: S3Check, resources: Resources) -> Sample:
    sample = await observe(CHECK, check, resources, SystemClock())
    assert SECRET not in repr(sample)
    assert "hunter2" not in repr(sample)
    assert ACCESS not in sample.detail or sample.reason is Reason.AUTH
    assert sample.reason is None or sample.reason in check.reasons
    return sample


def measured(sample: Sample, name: str, **label: str) -> float | None:
    found = [each.value for each in sample.measures if each.name == name and dict(each.labels) == label]
    assert len(found) <= 1
    return found[0] if found else None


def steps(sample: Sample) -> set[str]:
    return {dict(each.labels)["step"] for each in sample.measures if each.name == "step"}


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"bucket": "Bad_Name"}, "match pattern"),
        ({"bucket": "../other"}, "match pattern"),
        ({"url": "http://s3.example.com"}, "over https only"),
        ({"secret_key": "a b"}, "visible characters alone"),
        ({"prefix": ""}, "match pattern"),
        ({"prefix": "a b/"}, "match pattern"),
        ({"price": 0.005}, "price is for what is stored"),
        ({"canary": False}, "nothing is looked at"),
        ({"region": "us west"}, "match pattern"),
    ],
)
def test_what_makes_no_sense_is_refused(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=f"(?s){said}"):
        made(None, **fields)


@pytest.mark.parametrize(
    ("host", "region"),
    [
        ("s3.us-west-004.backblazeb2.com", "us-west-004"),
        ("s3.eu-central-1.amazonaws.com", "eu-central-1"),
        ("s3-ap-northeast-1.amazonaws.com", "ap-northeast-1"),
        ("s3.amazonaws.com", "us-east-1"),
        ("minio.example.com", "us-east-1"),
    ],
)
def test_the_region_follows_from_the_host(host: str, region: str) -> None:
    assert made(None, url=f"https://{host}", region="").credentials.region == region
    assert made(None, url=f"https://{host}", region="auto").credentials.region == "auto"


def test_only_what_puts_an_object_changes_something() -> None:
    assert made(None).changes == f"a canary object in the bucket {BUCKET}"
    assert made(None).alone
    for fields in ({"newest": "backups/"}, {"stored": True}, {"newest": ""}):
        assert (made(None, **fields).changes, made(None, **fields).alone) == ("", "")
    assert made(None, stored=True, canary=True).changes


@given(
    method=st.sampled_from(["GET", "PUT", "DELETE"]),
    key=TEXT,
    query=st.dictionaries(TEXT, TEXT, max_size=4),
    body=st.binary(max_size=50),
    at=st.datetimes(datetime(2000, 1, 1), datetime(2090, 1, 1)),  # noqa: DTZ001 - in UTC, see below
)
def test_signatures_are_those_of_botocore(
    method: str, key: str, query: dict[str, str], body: bytes, at: datetime
) -> None:
    """Whatever the key, the query and the moment."""
    host, now = "s3.example.com:9000", at.replace(tzinfo=UTC, microsecond=0)
    target = encoded_path(BUCKET, key) + (f"?{encoded_query(query.items())}" if query else "")
    ours = dict(signed_headers(method, host, target, body, Credentials(Secret(ACCESS), Secret(SECRET), REGION), now))
    headers = {"host": host} | {name: ours[name].reveal() for name in ("X-Amz-Content-Sha256", "X-Amz-Date")}
    request = AWSRequest(method=method, url=f"https://{host}{target}", headers=headers, data=body)
    request.context["timestamp"] = ours["X-Amz-Date"].reveal()
    signer = S3SigV4Auth(TheirCredentials(ACCESS, SECRET), "s3", REGION)
    signature = signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
    assert ours["Authorization"].reveal().endswith(f"Signature={signature}")
    assert SECRET not in repr(ours)


@pytest.mark.parametrize("versioned", [True, False])
@pytest.mark.parametrize("lists_versions", [True, False])
async def test_a_storage_in_order(
    storage: Storage, *, versioned: bool, lists_versions: bool, resources: Resources
) -> None:
    """The canary is put, got and deleted for good, also where a deletion would only hide it."""
    storage.versioned, storage.lists_versions = versioned, lists_versions
    storage.holds("uploads/1.jpg")
    check = made(storage)
    sample = await look(check, resources)
    assert sample.state is State.UP, sample.detail
    assert steps(sample) == {"clear", "put", "get", "delete"}
    assert measured(sample, "left_over") == 0
    assert measured(sample, "requests") == (4 if lists_versions else 5)
    assert [each.key for each in storage.kept] == ["uploads/1.jpg"]
    assert not [code for code in storage.refused if code != "NotImplemented"]
    again = await look(check, resources)
    assert measured(again, "requests") == 4


@pytest.mark.parametrize("versioned", [True, False])
async def test_what_earlier_runs_left_is_cleared_away(
    storage: Storage, *, versioned: bool, resources: Resources
) -> None:
    """By prefix and age, on whatever page, fifty in a run; markers of deletions too. Nothing else is touched."""
    storage.versioned = versioned
    for number in range(510):
        storage.holds(f"{CANARY}0-of-a-run-beside-us-{number}", ago=timedelta(seconds=20))
    for number in range(70):
        storage.holds(f"{CANARY}{number + 1:04}", ago=HOUR)
    storage.holds(f"{CANARY}z-old", ago=HOUR)
    storage.holds("monitor-canary-of-somebody-else")
    storage.holds("uploads/1.jpg")
    if versioned:
        next(each for each in storage.kept if each.key == f"{CANARY}0001").marker = True
    gone = []
    for _ in range(3):
        sample = await look(made(storage), resources)
        assert sample.state is State.UP, sample.detail
        gone.append(measured(sample, "left_over"))
    assert gone == [50 - versioned, 21, 0]
    kept = {each.key for each in storage.kept if "beside-us" not in each.key}
    assert kept == {"monitor-canary-of-somebody-else", "uploads/1.jpg"}
    assert len(storage.kept) == 512


async def test_what_a_killed_run_leaves_is_found_by_the_next(storage: Storage, resources: Resources) -> None:
    """It could not delete any more, whether it was cancelled, cut off by its deadline or killed."""
    storage.holds("uploads/1.jpg")
    hang, hung = asyncio.Event(), asyncio.Event()

    async def slow(request: Any) -> Any:  # noqa: ANN401 - aiohttp's
        if request.method == "GET" and CANARY in request.path:
            hung.set()
            await hang.wait()
        return await Storage.answer(storage, request)

    async with AsyncExitStack() as stack:
        storage.answer = slow  # type: ignore[method-assign]
        await storage.start(stack)
        running = asyncio.create_task(look(made(storage, timeout="20s"), resources))
        await asyncio.wait_for(hung.wait(), 20)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        sample = await look(made(storage, timeout="500ms"), resources)
        assert (sample.state, sample.reason) == (State.DOWN, Reason.TIMEOUT)
        assert sample.detail == "no answer to get the canary within 500 ms"
        hang.set()
        assert len(storage.kept) == 3
        for each in storage.kept:
            each.at -= HOUR
        sample = await look(made(storage), resources)
    assert (sample.state, measured(sample, "left_over")) == (State.UP, 2)
    assert [each.key for each in storage.kept] == ["uploads/1.jpg"]


@pytest.mark.parametrize(
    ("alters", "said"),
    [(b"", "expected the 1,024 bytes that were put, got 0"), (b"x" * 1_024, "got others"), (b"y" * 9, "got 9")],
)
async def test_another_object_is_down_and_the_canary_goes_all_the_same(
    storage: Storage, alters: bytes, said: str, resources: Resources
) -> None:
    storage.alters = alters
    sample = await look(made(storage), resources)
    assert (sample.state, sample.reason) == (State.DOWN, Reason.BODY)
    assert said in sample.detail
    assert storage.kept == []
    assert steps(sample) == {"clear", "put"}


async def test_an_object_that_is_lost_is_down(storage: Storage, resources: Resources) -> None:
    storage.loses = True
    sample = await look(made(storage), resources)
    assert (sample.state, sample.reason) == (State.DOWN, Reason.MISSING)
    assert "what was put a moment ago is not there" in sample.detail


@pytest.mark.parametrize("method", ["PUT", "GET", "DELETE"])
async def test_a_step_that_fails_is_down_and_named(storage: Storage, method: str, resources: Resources) -> None:
    storage.says[method] = storage.refuses(500, "InternalError", "We encountered an internal error.")
    sample = await look(made(storage), resources)
    assert (sample.state, sample.reason) == (State.DOWN, Reason.STATUS)
    doing = {"PUT": "put the canary", "GET": "list the objects", "DELETE": "delete the canary"}[method]
    assert sample.detail == f"{doing}: the storage answers 500: We encountered an internal error."


async def test_the_first_fault_is_told_where_nothing_works_any_more(storage: Storage, resources: Resources) -> None:
    storage.alters = b""
    storage.says["DELETE"] = Answer(503, "")
    assert (await look(made(storage), resources)).reason is Reason.BODY


@pytest.mark.parametrize(
    ("status", "code", "message", "state", "reason", "said"),
    [
        (403, "AccessDenied", "Access Denied", State.UNKNOWN, Reason.AUTH, "the key is not allowed to: Access Denied"),
        (403, "InvalidAccessKeyId", "none such", State.UNKNOWN, Reason.AUTH, "does not take the key"),
        (400, "ExpiredToken", "expired", State.UNKNOWN, Reason.AUTH, "does not take the key: expired"),
        (401, "UnauthorizedAccess", "no", State.UNKNOWN, Reason.AUTH, "does not take the key"),
        (403, "AccessDenied", "Storage cap exceeded.", State.DOWN, Reason.SATURATED, "takes no more: Storage cap"),
        (507, "XMinioStorageFull", "full", State.DOWN, Reason.SATURATED, "takes no more"),
        (507, "", "full", State.DOWN, Reason.SATURATED, "takes no more"),
        (404, "NoSuchBucket", "…", State.UNKNOWN, Reason.MISSING, "there is no such bucket here"),
        (503, "SlowDown", "Please reduce", State.UNKNOWN, Reason.RATE_LIMITED, "wants fewer requests: Please reduce"),
        (429, "", "", State.UNKNOWN, Reason.RATE_LIMITED, "wants fewer requests"),
        (503, "ServiceUnavailable", "busy", State.DOWN, Reason.STATUS, "the storage answers 503: busy"),
        (400, "InvalidRequest", "what?", State.UNKNOWN, Reason.PROTOCOL, "the storage answers 400: what?"),
        (301, "PermanentRedirect", "use", State.UNKNOWN, Reason.PROTOCOL, "redirects us: is the bucket in another"),
    ],
)
async def test_what_a_refusal_means(
    storage: Storage,
    status: int,
    code: str,
    message: str,
    state: State,
    reason: Reason,
    said: str,
    resources: Resources,
) -> None:
    """What the storage fails at is down; what it does not let us do is unknown. Nothing that was signed is shown."""
    storage.says["PUT"] = storage.refuses(status, code, message)
    sample = await look(made(storage), resources)
    assert (sample.state, sample.reason) == (state, reason), sample.detail
    assert said in sample.detail


@pytest.mark.parametrize("location", ["https://s3.eu-central-1.example.com/b", "https://[x"])
async def test_a_redirect_is_told_and_not_followed(storage: Storage, location: str, resources: Resources) -> None:
    storage.says["GET"] = Answer(307, "", {"Location": location})
    sample = await look(made(storage), resources)
    assert (sample.state, sample.reason) == (State.UNKNOWN, Reason.PROTOCOL)
    assert ("redirects us to https://s3.eu-central-1.example.com/b" in sample.detail) == ("[" not in location)


async def test_another_key_or_clock_is_unknown(storage: Storage, resources: Resources) -> None:
    storage.secret = "another"
    sample = await look(made(storage), resources)
    assert (sample.state, sample.reason) == (State.UNKNOWN, Reason.AUTH)
    assert "does not take the key" in sample.detail
    storage.heal()
    storage.skew = HOUR
    sample = await look(made(storage), resources)
    assert (sample.state, sample.reason) == (State.UNKNOWN, Reason.AUTH)
    assert "clock and ours differ" in sample.detail


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("", "something that is no XML"),
        ("<ListBucketResult><Contents>", "something that is no XML"),
        ('{"objects": []}', "something that is no XML"),
        ("<!DOCTYPE html><html></html>", "a web page, or another document type"),
        ('<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><ListBucketResult/>', "another document type"),
        ("<Error><Code>x</Code></Error>", "another element"),
        ("<ListBucketResult><Contents><Size>1</Size></Contents></ListBucketResult>", "an entry without Key"),
        (
            "<ListBucketResult><Contents><Key>a</Key><LastModified>now</LastModified></Contents></ListBucketResult>",
            "a moment that is none",
        ),
        (ENTRY, "a size that is no number"),
        ("<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>", "no sign of where the next begins"),
        ("<ListBucketResult>" + " " * 1_100_000 + "</ListBucketResult>", "longer than what is read of it"),
    ],
    ids=range(11),
)
async def test_a_list_that_is_none_is_unknown(storage: Storage, body: str, said: str, resources: Resources) -> None:
    storage.says["GET"] = Answer(200, body)
    sample = await look(made(storage), resources)
    assert (sample.state, sample.reason) == (State.UNKNOWN, Reason.PROTOCOL)
    assert said in sample.detail


async def test_a_web_page_for_a_list_is_unknown(storage: Storage, resources: Resources) -> None:
    storage.says["GET"] = page()
    assert (await look(made(storage), resources)).reason is Reason.PROTOCOL


@given(st.binary(max_size=300))
def test_any_bytes_are_a_list_or_a_failure(body: bytes) -> None:
    answer = Answered(None, 200, (), b"<ListBucketResult>" + body, truncated=False, took=timedelta())  # type: ignore[arg-type]
    with suppress(Failure):
        assert read_listing(answer).items is not None


@pytest.mark.parametrize(
    ("cursor", "query"),
    [
        ("continuation-token=a=%2B+b", [("continuation-token", "a=%2B+b")]),
        ("key-marker=a%20b\nversion-id-marker=4_%7E", [("key-marker", "a b"), ("version-id-marker", "4_%7E")]),
    ],
)
def test_how_a_list_goes_on(cursor: str, query: list[tuple[str, str]]) -> None:
    """Names come encoded, since we ask for that; tokens are the storage's own."""
    assert further(cursor) == query


@pytest.mark.parametrize("lists_versions", [True, False])
async def test_the_newest_object(storage: Storage, *, lists_versions: bool, resources: Resources) -> None:
    storage.lists_versions = lists_versions
    storage.holds("backups/2026-11-08.dump", 900, ago=13 * 24 * HOUR)
    storage.holds("backups/2026-11-15.dump", 1_000, ago=6 * 24 * HOUR)
    storage.holds("uploads/eve@example.com.jpg", 10, ago=HOUR)
    sample = await look(made(storage, newest="backups/", writes=False), resources)
    assert sample.state is State.UP, sample.detail
    assert measured(sample, "newest_age") == pytest.approx(6 * 24 * 3_600, abs=60)
    assert measured(sample, "newest_size") == 1_000
    assert sample.remarks["newest_age"].startswith("the newest object is of 20")
    assert "eve" not in repr(sample)
    assert all(asked.startswith("GET") for asked in storage.asked)
    assert measured(await look(made(storage, newest=""), resources), "newest_size") == 10


async def test_no_object_at_all_is_down(storage: Storage, resources: Resources) -> None:
    storage.holds("backups/deleted.dump")
    storage.kept[0].marker = True
    sample = await look(made(storage, newest="backups/"), resources)
    assert (sample.state, sample.reason) == (State.DOWN, Reason.MISSING)
    assert "no object whose name begins with 'backups/'" in sample.detail


async def test_all_that_is_stored(storage: Storage, resources: Resources) -> None:
    """Old versions are paid for too."""
    for number in range(1_200):
        storage.holds(f"uploads/{number}.jpg", 2_000_000)
    storage.holds("uploads/1.jpg", 500_000_000)
    storage.kept[0].marker, storage.kept[0].size = True, 0
    sample = await look(made(storage, stored=True, price=0.005), resources)
    assert sample.state is State.UP, sample.detail
    assert measured(sample, "objects") == 1_200
    assert measured(sample, "stored") == 1_199 * 2e6 + 5e8
    assert measured(sample, "cost") == pytest.approx(2.898 * 0.005)
    assert measured(sample, "requests") == 3
    sample = await look(made(storage, stored=True, most=1_000), resources)
    assert (sample.state, sample.reason) == (State.UNKNOWN, Reason.UNKNOWN)
    assert "more than 1,000 objects" in sample.detail
    assert measured(sample, "stored") is None
