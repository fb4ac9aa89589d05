"""What Neon's API says of a project: its branches, computes and operations. Shapes: neon.com/docs/reference/api."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from monitor.model import Failure, Reason, State
from monitor.units import show_duration
from monitor.vendors import Page, read_pages

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from monitor.vendors import Api, Found

PAGE = 100
MOST_PAGES = 10
READY = "ready"
WAITING: Mapping[str, Reason] = {
    "init": Reason.STARTING,
    "resetting": Reason.STARTING,
    "archived": Reason.STATUS,
}
"""The states in which a branch cannot be used, or only slowly."""
FAILED = frozenset({"failed", "error"})
PERIOD: Mapping[str, str] = {
    "compute_time": "compute_time_seconds",
    "active_time": "active_time_seconds",
    "written": "written_data_bytes",
    "transferred": "data_transfer_bytes",
}
"""Measures of what a project has used since its billing period began, and what the API calls them."""


class Branch(NamedTuple):
    """A branch. `size` is None where it is not known yet."""

    id: str
    name: str
    state: str
    default: bool
    size: float | None

    @classmethod
    def of(cls, found: Found) -> Branch:
        """Return the branch that an answer tells of."""
        size = found.get("logical_size")
        state = found["current_state"].text
        return cls(found["id"].text, found["name"].text, state, found["default"].flag, size.number if size else None)

    def judge(self) -> None:
        """Return if the branch is ready; raises `Failure`: down, or unknown for a state that we do not know."""
        if self.state == READY:
            return
        state = State.DOWN if self.state in WAITING else State.UNKNOWN
        reason = WAITING.get(self.state, Reason.PROTOCOL)
        raise Failure(reason, f"expected the branch {self.name} to be ready, got {self.state}", state)


class Compute(NamedTuple):
    """What runs a branch's queries."""

    id: str
    branch: str
    state: str
    writes: bool

    @classmethod
    def of(cls, found: Found) -> Compute:
        """Return the compute that an answer tells of."""
        state = "disabled" if found["disabled"].flag else found["current_state"].text
        return cls(found["id"].text, found["branch_id"].text, state, found["type"].text == "read_write")


class Failures(NamedTuple):
    """Operations that failed of late."""

    number: int
    text: str


def chosen(branches: Sequence[Branch], wanted: str) -> Branch:
    """Return the branch of that name or id, the default one if `wanted` is empty; raises `Failure` (missing, down)."""
    for branch in branches:
        if wanted in (branch.name, branch.id) or (not wanted and branch.default):
            return branch
    raise Failure(Reason.MISSING, f"the project has no branch {wanted}" if wanted else "the project has no branch")


async def read_project(api: Api, project: str, allowed: frozenset[int]) -> tuple[int, Found]:
    """Return the status of the answer, and what it says of a project."""
    reply = await api.get(f"/projects/{project}", allowed=allowed)
    return reply.status, reply.body


async def read_branches(api: Api, project: str) -> Sequence[Branch]:
    """Return all branches."""

    async def ask(cursor: str | None) -> Page[Branch]:
        query = [("limit", str(PAGE)), *([("cursor", cursor)] if cursor else [])]
        body = (await api.get(f"/projects/{project}/branches", query)).body
        items = [Branch.of(each) for each in body["branches"]]
        pagination = body.get("pagination")
        after = pagination.get("next") if pagination else None
        return Page(items, after.text if after and items else None)

    found = await read_pages(ask, MOST_PAGES, lambda: False)
    if not found.whole:
        text = f"expected at most {PAGE * MOST_PAGES:,} branches, got more"
        raise Failure(Reason.PROTOCOL, text, State.UNKNOWN)
    return found.items


async def read_computes(api: Api, project: str) -> Sequence[Compute]:
    """Return all computes: the API gives them in one piece."""
    body = (await api.get(f"/projects/{project}/endpoints")).body
    return [Compute.of(each) for each in body["endpoints"]]


async def read_failures(api: Api, project: str, look_back: timedelta) -> Failures:
    """Return which operations failed since so long ago, by Neon's own clock; the newest thousand are looked at."""
    failed: Counter[str] = Counter()
    newest: datetime | None = None
    now, oldest = api.now, api.now

    async def ask(cursor: str | None) -> Page[None]:
        nonlocal newest, now, oldest
        query = [("limit", str(PAGE)), *([("cursor", cursor)] if cursor else [])]
        reply = await api.get(f"/projects/{project}/operations", query)
        now = reply.at
        listed = list(reply.body["operations"])
        for each in listed:
            oldest = moment(each["updated_at"])
            if each["status"].text in FAILED and oldest > now - look_back:
                failed[each["action"].text] += 1
                newest = max(newest or oldest, oldest)
        pagination = reply.body.get("pagination")
        after = pagination.get("cursor") if pagination and len(listed) == PAGE else None
        return Page([None] * len(listed), after.text if after else None)

    await read_pages(ask, MOST_PAGES, lambda: oldest <= now - look_back)
    text = ", ".join(f"{count} × {action}" for action, count in failed.most_common(3))
    if newest:
        text += f", the newest {show_duration(max((now - newest).total_seconds(), 0.0))} ago"
    return Failures(failed.total(), text)


def moment(found: Found) -> datetime:
    """Return the moment that an answer writes; raises `Failure` (protocol, unknown) where it is none."""
    try:
        read = datetime.fromisoformat(found.text)
    except ValueError:
        raise Failure(Reason.PROTOCOL, "expected a moment, got another text", State.UNKNOWN) from None
    return read if read.tzinfo else read.replace(tzinfo=UTC)
