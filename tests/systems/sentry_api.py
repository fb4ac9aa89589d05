"""A stand-in of Sentry's API for one organisation: it pages by its Link header, counts by hours, and drops events."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tests.systems.site import Answer, Api, says_json

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from aiohttp import web

    from tests.peers import Authority

TOKEN, ORG = "sntrys_0123456789abcdef", "example"
MINUTE = timedelta(minutes=1)
LIMITS = {
    "X-Sentry-Rate-Limit-Limit": "40",
    "X-Sentry-Rate-Limit-Remaining": "39",
    "X-Sentry-Rate-Limit-Reset": "1795255200",
    "X-Sentry-Rate-Limit-ConcurrentLimit": "25",
    "X-Sentry-Rate-Limit-ConcurrentRemaining": "24",
}


class SentryApi(Api):
    """One organisation. `says`: what every question is answered while it is set; `lies`: what is at a path instead.

    `errors`: events in each of the last sixty minutes; `outcomes`: what became of those of two hours.
    """

    def __init__(
        self, host: str, authority: Authority | None, now: Callable[[], datetime] | None = None, org: str = ORG
    ) -> None:
        self.org = org
        super().__init__(host, authority, now)

    def heal(self) -> None:
        super().heal()
        self.token = TOKEN
        self.issues: list[dict[str, Any]] = []
        self.errors = 2
        self.outcomes = {"accepted": 240, "filtered": 12}
        self.says: Answer | None = None
        self.lies: dict[str, Answer] = {}
        self.asked: list[web.Request] = []
        self.repeats = False

    def has(self, substatus: str | None, title: str = "TypeError: x is None", first: timedelta = 600 * MINUTE) -> None:
        """Have an unresolved issue that was first seen so long ago."""
        number = len(self.issues) + 1
        at = self.now()
        self.issues.append(
            {
                "id": str(number),
                "shareId": None,
                "shortId": f"API-{number:X}",
                "title": title,
                "culprit": "app.main in checkout",
                "permalink": f"https://{self.org}.sentry.io/issues/{number}/",
                "logger": None,
                "level": "error",
                "status": "unresolved",
                "statusDetails": {},
                "substatus": substatus,
                "isPublic": False,
                "platform": "python",
                "project": {"id": "7", "name": "api", "slug": "api", "platform": "python"},
                "type": "error",
                "metadata": {"type": "TypeError", "value": title},
                "numComments": 0,
                "assignedTo": None,
                "isBookmarked": False,
                "isSubscribed": False,
                "subscriptionDetails": None,
                "hasSeen": False,
                "annotations": [],
                "count": "12",
                "userCount": 3,
                "firstSeen": (at - first).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
                "lastSeen": at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
                "issueType": "error",
                "issueCategory": "error",
                "priority": "high",
            }
        )

    def drops(self, number: int, outcome: str = "rate_limited") -> None:
        """Take no more events, so that hardly an issue is new."""
        self.outcomes[outcome] = number

    def _answer(self, request: web.Request) -> Answer:
        self.asked.append(request)
        path = request.path.removeprefix(f"/api/0/organizations/{self.org}")
        if found := self.says or self.lies.get(path):
            return found
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            return says_json({"detail": "Invalid token"}, 401)
        match path:
            case "/issues/":
                return self._issues(request)
            case "/events-timeseries/":
                return says_json(self._timeseries())
            case "/stats_v2/":
                return says_json(self._stats())
            case _:
                return says_json({"detail": "The requested resource does not exist"}, 404)

    def _issues(self, request: web.Request) -> Answer:
        limit, begin = int(request.query["limit"]), int(request.query.get("cursor", "0:0:0").split(":")[1])
        shown = self.issues[:limit] if self.repeats else self.issues[begin : begin + limit]
        more = str(self.repeats or begin + limit < len(self.issues)).lower()
        after = 0 if self.repeats and begin else begin + limit
        url = f"{self.url}{request.path}?cursor="
        link = (
            f'<{url}0:0:1>; rel="previous"; results="false"; cursor="0:0:1", '
            f'<{url}0:{after}:0>; rel="next"; results="{more}"; cursor="0:{after}:0"'
        )
        answer = says_json(shown)
        return Answer(200, answer.body, {**answer.headers, "Link": link, **LIMITS})

    def _timeseries(self) -> dict[str, Any]:
        begin = self.now().timestamp() * 1_000 - 3_600_000
        values = [
            {"timestamp": begin + 60_000 * minute, "value": self.errors, "incomplete": minute == 59}
            for minute in range(60)
        ]
        meta = {"interval": 60_000, "valueType": "integer", "valueUnit": None}
        return {
            "timeSeries": [{"yAxis": "count()", "values": values, "meta": meta}],
            "meta": {"dataset": "errors", "start": begin, "end": begin + 3_600_000},
        }

    def _stats(self) -> dict[str, Any]:
        hours = [(self.now() - each * 60 * MINUTE).strftime("%Y-%m-%dT%H:00:00Z") for each in (1, 0)]
        groups = [
            {
                "by": {"outcome": outcome},
                "totals": {"sum(quantity)": number},
                "series": {"sum(quantity)": [number - number // 2, number // 2]},
            }
            for outcome, number in self.outcomes.items()
        ]
        return {"start": hours[0], "end": hours[1], "intervals": hours, "groups": groups}
