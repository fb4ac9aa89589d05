"""Whether an object store takes an object, gives it back as it was, and lets go of it; and what a bucket holds."""

from __future__ import annotations

import re
import secrets
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import cached_property
from time import perf_counter
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field, StrictBool, model_validator
from yarl import URL

from monitor.fields import PositiveDuration
from monitor.model import Failure, Reason
from monitor.permission import Permission
from monitor.probes.base import Check, MeasureSpec
from monitor.probes.s3.bucket import Bucket
from monitor.probes.s3.signing import Credentials
from monitor.units import Unit
from monitor.vendors import Base, Key

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from monitor.probes.base import Run
    from monitor.probes.s3.listing import Entry

CANARY_BYTES = 1_024
MOST_CLEARED = 50
"""In one run; more are left to the next."""
GIGABYTE = 1e9
DEFAULT_REGION = "us-east-1"
_REGION = re.compile(r"^s3[.-]((?:[a-z]+-)+[0-9]+)\.")
"""How the hosts of Amazon, Backblaze and others name their region."""


class S3Check(Check):
    """Puts a small object into a bucket, gets it, compares, and deletes it; or looks at what a bucket holds.

    It speaks to whatever speaks like S3, and addresses the bucket by path. The storage itself is what is watched: one
    that fails, loses the object or gives back another is down. What it refuses our key is unknown.
    """

    kind: str = "s3"
    url: Base
    """The endpoint, without the bucket: `https://s3.us-west-004.backblazeb2.com`."""
    bucket: Annotated[str, Field(pattern="^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")]
    """The bucket's name."""
    access_key: Key
    """The id of the key."""
    secret_key: Key
    """The key's secret."""
    region: Annotated[str, Field(pattern="^[a-z0-9-]{0,60}$")] = ""
    """The region that signatures are made for; default: that in the endpoint's host, else `us-east-1`."""
    canary: StrictBool | None = None
    """Whether an object is put, got and deleted, which needs `writes: true`; default: unless `newest` or `stored` is
    given."""
    prefix: Annotated[str, Field(pattern="^[A-Za-z0-9._/-]{1,100}$")] = "monitor-canary/"
    """What the names of canaries begin with. What lies there is the check's own, and old objects of it are deleted."""
    newest: Annotated[str, Field(pattern="^[^\\x00-\\x1f]{0,200}$")] | None = None
    """Look for the newest object whose name begins so, such as `backups/`; empty: of the whole bucket."""
    stored: StrictBool = False
    """Whether all that the bucket holds is added up, old versions too."""
    price: Annotated[float, Field(gt=0)] | None = None
    """What storing 1 GB costs a month: `stored` then yields `cost` too, in the same currency."""
    most: Annotated[int, Field(ge=1, le=1_000_000)] = 20_000
    """How many objects are listed at most, for `newest` and `stored`; of more nothing is told."""
    every: PositiveDuration = Field(default=timedelta(minutes=5))
    """How often it runs."""
    timeout: PositiveDuration = Field(default=timedelta(seconds=30))
    """The hard deadline of one run."""

    measures: ClassVar = (
        MeasureSpec("duration", Unit.SECONDS, "the whole run, if it succeeded"),
        MeasureSpec("step", Unit.SECONDS, "each step that succeeded: clear, put, get, delete, list", ("step",)),
        MeasureSpec(
            "phase",
            Unit.SECONDS,
            "each part of a run, over all its requests: dns, connect, tls, processing, transfer",
            ("phase",),
        ),
        MeasureSpec("requests", Unit.NUMBER, "how many requests the run made"),
        MeasureSpec("left_over", Unit.NUMBER, "canaries of earlier runs that were found and deleted, 50 at most"),
        MeasureSpec("newest_age", Unit.SECONDS, "the age of the newest object under `newest`"),
        MeasureSpec("newest_size", Unit.BYTES, "its size"),
        MeasureSpec("objects", Unit.NUMBER, "objects in the bucket, versions counted each"),
        MeasureSpec("stored", Unit.BYTES, "what they hold together"),
        MeasureSpec("cost", Unit.NUMBER, "what storing that costs a month, at `price` for a GB"),
    )
    reasons: ClassVar = frozenset(Reason) - {Reason.HEADER, Reason.STARTING}

    @model_validator(mode="after")
    def _agree(self) -> S3Check:
        if self.price and not self.stored:
            raise ValueError("price is for what is stored: give stored: true")
        if self.canary is False and self.newest is None and not self.stored:
            raise ValueError("nothing is looked at: give newest or stored, or have the canary")
        return self

    @property
    def host(self) -> str:
        """Return the endpoint's host."""
        return URL(self.url).raw_host or ""

    @property
    def puts(self) -> bool:
        """Return whether a canary is put."""
        return self.newest is None and not self.stored if self.canary is None else self.canary

    @property
    def changes(self) -> str:
        """Return that a canary is put and deleted."""
        return f"a canary object in the bucket {self.bucket}" if self.puts else ""

    @property
    def alone(self) -> str:
        """Return the place of the canaries: two runs at once would clear away each other's."""
        return f"s3 {self.url} {self.bucket} {self.prefix}" if self.puts else ""

    @cached_property
    def credentials(self) -> Credentials:
        """Return what requests are signed with."""
        found = _REGION.match(self.host)
        return Credentials(self.access_key, self.secret_key, self.region or (found[1] if found else DEFAULT_REGION))

    def permissions(self) -> tuple[Permission, ...]:
        """Return what the key must be allowed, as Amazon and as Backblaze call it."""
        at = f"the bucket {self.bucket} at {self.host}"
        if not self.puts:
            return (Permission(at, "s3:ListBucket, s3:ListBucketVersions", "at Backblaze: listFiles"),)
        rights = "s3:ListBucket, s3:ListBucketVersions, s3:GetObject, s3:PutObject, s3:DeleteObject"
        note = "at Backblaze: listFiles, readFiles, writeFiles, deleteFiles"
        return (Permission(f"{at}, below {self.prefix}", f"{rights}, s3:DeleteObjectVersion", note),)

    async def probe(self, run: Run) -> None:
        """Take the steps in their order; what was measured is noted however that ends."""
        started = perf_counter()
        bucket = Bucket(self.url, self.bucket, self.credentials, run)
        try:
            if self.newest is not None:
                await self._look_at_newest(run, bucket, self.newest)
            if self.stored:
                await self._add_up(run, bucket)
            if self.puts:
                await self._send_canary(run, bucket)
        finally:
            for phase, seconds in bucket.phases.items():
                run.note("phase", seconds, phase=phase)
            run.note("requests", bucket.requests)
        run.note("duration", perf_counter() - started)

    async def _send_canary(self, run: Run, bucket: Bucket) -> None:
        with _timed(run, "clear"):
            await self._clear(run, bucket)
        key, body = f"{self.prefix}{secrets.token_hex(16)}", secrets.token_hex(CANARY_BYTES // 2).encode()
        with _timed(run, "put"):
            version = await bucket.put(key, body)
        try:
            with _timed(run, "get"):
                _compare(await bucket.get(key), body)
        except Failure:
            with suppress(Failure):  # the first fault is told, and the next run clears away what stays
                await bucket.delete(key, version)
            raise
        with _timed(run, "delete"):
            await bucket.delete(key, version)

    async def _clear(self, run: Run, bucket: Bucket) -> None:
        """Delete what earlier runs left: whoever was killed between put and delete could not."""
        old = await bucket.leftovers(self.prefix, 2 * self.timeout, MOST_CLEARED)
        for each in old:
            await bucket.delete(each.key, each.version)
        run.note("left_over", sum(not each.marker for each in old))

    async def _look_at_newest(self, run: Run, bucket: Bucket, prefix: str) -> None:
        with _timed(run, "list"):
            found = await bucket.entries(prefix, self.most)
        there = [each for each in found if each.latest and not each.marker]
        if not there:
            raise Failure(Reason.MISSING, f"there is no object whose name begins with {prefix!r}")
        newest = max(there, key=lambda each: each.at)
        run.note("newest_age", max((bucket.at - newest.at).total_seconds(), 0.0))
        run.note("newest_size", newest.size)
        for measure in ("newest_age", "newest_size"):
            run.remark(measure, f"the newest object is of {newest.at:%Y-%m-%d %H:%M} UTC")

    async def _add_up(self, run: Run, bucket: Bucket) -> None:
        with _timed(run, "list"):
            found: Sequence[Entry] = await bucket.entries("", self.most)
        total = sum(each.size for each in found)
        run.note("objects", sum(not each.marker for each in found))
        run.note("stored", total)
        if self.price:
            run.note("cost", total / GIGABYTE * self.price)


@contextmanager
def _timed(run: Run, step: str) -> Iterator[None]:
    """Note how long a step took, if it succeeds."""
    started = perf_counter()
    yield
    run.note("step", perf_counter() - started, step=step)


def _compare(got: bytes, put: bytes) -> None:
    if got != put:
        differ = f"{len(got):,}" if len(got) != len(put) else "others"
        raise Failure(Reason.BODY, f"get the canary: expected the {len(put):,} bytes that were put, got {differ}")
