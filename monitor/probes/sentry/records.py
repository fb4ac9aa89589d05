"""What Sentry's API says: issues, events by time, and what became of events on their way in.

Shapes and parameters: docs.sentry.io/api, and Sentry's published description of it.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

from monitor.model import Failure, Reason, State
from monitor.vendors import Page, read_pages

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from monitor.vendors import Api, Found, Pages

PAGE = 50
MOST_PAGES = 10
EVENTS, ORGANISATION = "event:read", "org:read"
"""The scopes that a token needs: for issues, and for what is counted."""
NEW = "new"
"""What Sentry says of an issue for a week."""
LOST = ("rate_limited", "abuse", "cardinality_limited", "invalid")
"""The outcomes of events that Sentry got and did not take, and that nobody had filtered out."""

_LINK = re.compile(r'<[^>]*>((?:\s*;\s*\w+="[^"]*")*)')
_PARAMETER = re.compile(r'(\w+)="([^"]*)"')
_SHORT_ID = re.compile(r"[\w.-]{1,80}")


class Issue(NamedTuple):
    """An issue that had events of late. `what` is new, regressed, escalating, or something that is none of these."""

    id: str
    title: str
    link: str
    what: str

    @classmethod
    def of(cls, found: Found, begin: datetime) -> Issue:
        """Return the issue that an answer tells of; new is what was first seen after `begin`."""
        short, substatus, first = found["shortId"].text, found.get("substatus"), _moment(found["firstSeen"])
        said = substatus.text if substatus else ""
        what = NEW if first > begin else said if said != NEW else ""
        link, title = found["permalink"].text, found["title"].text
        return cls(short if _SHORT_ID.fullmatch(short) else "an issue", title, link, what)


class Counted(NamedTuple):
    """What became of events: how many were lost, by outcome."""

    lost: Mapping[str, float]

    @property
    def text(self) -> str:
        """Return in words what was lost."""
        return ", ".join(
            f"{number:,.0f} {outcome.replace('_', ' ')}" for outcome, number in self.lost.items() if number
        )


async def read_issues(api: Api, org: str, narrowed: Sequence[tuple[str, str]], look_back: timedelta) -> Pages[Issue]:
    """Return the unresolved issues that had events since so long ago, those seen last first; five hundred at most."""
    query = [
        ("query", "is:unresolved"),
        ("sort", "date"),
        ("statsPeriod", f"{look_back // timedelta(seconds=1)}s"),
        ("limit", str(PAGE)),
        ("collapse", "stats"),
        *narrowed,
    ]

    async def ask(cursor: str | None) -> Page[Issue]:
        more = [("cursor", cursor)] if cursor else []
        reply = await api.get(f"/api/0/organizations/{org}/issues/", [*query, *more], right=EVENTS)
        items = [Issue.of(each, reply.at - look_back) for each in reply.body]
        return Page(items, following(reply.link))

    return await read_pages(ask, MOST_PAGES, lambda: False)


async def read_errors(api: Api, org: str, narrowed: Sequence[tuple[str, str]]) -> float:
    """Return how many error events there were in the last hour: the sum of all parts that Sentry divides it into."""
    query = [("dataset", "errors"), ("yAxis", "count()"), ("statsPeriod", "1h"), *narrowed]
    reply = await api.get(f"/api/0/organizations/{org}/events-timeseries/", query, right=ORGANISATION)
    return sum(value["value"].number for series in reply.body["timeSeries"] for value in series["values"])


async def read_outcomes(api: Api, org: str, projects: Sequence[str]) -> Counted:
    """Return what became of the error events of this hour and the one before.

    Sentry counts them by whole hours, and takes no names of projects here: `projects` are ids, none means all.
    """
    query = [
        ("field", "sum(quantity)"),
        ("groupBy", "outcome"),
        ("category", "error"),
        ("statsPeriod", "2h"),
        ("interval", "1h"),
        *(("project", each) for each in projects or ("-1",)),
    ]
    path = f"/api/0/organizations/{org}/stats_v2/"
    reply = await api.get(path, query, right=ORGANISATION, allowed={HTTPStatus.NOT_FOUND})
    if reply.status == HTTPStatus.NOT_FOUND:
        text = f"Sentry knows no organisation {org} here, or does not let the token see it: is url its region?"
        raise Failure(Reason.MISSING, text, State.UNKNOWN)
    totals = {group["by"]["outcome"].text: group["totals"]["sum(quantity)"].number for group in reply.body["groups"]}
    return Counted({outcome: totals.get(outcome, 0.0) for outcome in LOST})


def following(link: str) -> str | None:
    """Return the cursor of the next page that a Link header names; None: there is none."""
    for match in _LINK.finditer(link):
        parameters = dict(_PARAMETER.findall(match[1]))
        if parameters.get("rel") == "next" and parameters.get("results") == "true":
            return parameters.get("cursor") or None
    return None


def _moment(found: Found) -> datetime:
    try:
        read = datetime.fromisoformat(found.text)
    except ValueError:
        raise Failure(Reason.PROTOCOL, "expected a moment, got another text", State.UNKNOWN) from None
    return read if read.tzinfo else read.replace(tzinfo=UTC)
