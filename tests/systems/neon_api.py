"""A stand-in of Neon's API for one project: it pages, and lies where it is told to."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tests.systems.site import Answer, Api, page, says_json

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from aiohttp import web

    from tests.peers import Authority

KEY, PROJECT = "napi_0123456789abcdef", "shiny-wind-028834"
BRANCH, COMPUTE = "br-aged-salad-637688", "ep-little-smoke-851426"
LONG_AGO = "2025-11-30T20:09:48Z"


class NeonApi(Api):
    """One project. `says`: what every question is answered while it is set; `lies`: what is at a path instead."""

    def __init__(
        self, host: str, authority: Authority | None, now: Callable[[], datetime] | None = None, key: str = KEY
    ) -> None:
        self.key = key
        super().__init__(host, authority, now)

    def heal(self) -> None:
        super().heal()
        self.says: Answer | None = None
        self.lies: dict[str, Answer] = {}
        self.asked: list[str] = []
        self.project: dict[str, Any] = {
            **dict.fromkeys(("active_time_seconds", "data_storage_bytes_hour", "cpu_used_sec"), 100),
            "compute_time_seconds": 90_000,
            "written_data_bytes": 5_000_000,
            "data_transfer_bytes": 7_000_000,
            "synthetic_storage_size": 300_000_000,
            "id": PROJECT,
            "platform_id": "aws",
            "region_id": "aws-us-east-2",
            "name": "seedsource",
            "provisioner": "k8s-neonvm",
            "pg_version": 17,
            "proxy_host": "us-east-2.aws.neon.tech",
            "branch_logical_size_limit": 512,
            "branch_logical_size_limit_bytes": 512 * 2**20,
            "store_passwords": True,
            "creation_source": "console",
            "history_retention_seconds": 86_400,
            "created_at": LONG_AGO,
            "updated_at": LONG_AGO,
            "consumption_period_start": LONG_AGO,
            "consumption_period_end": LONG_AGO,
            "owner_id": "1232111",
            "settings": {"quota": {}},
        }
        self.branches = [self.branch("main", BRANCH, default=True)]
        self.computes = [self.compute(COMPUTE, BRANCH)]
        self.operations: list[dict[str, Any]] = []
        self.happens("start_compute", "finished")

    def branch(self, name: str, identity: str, *, default: bool = False) -> dict[str, Any]:
        return {
            **dict.fromkeys(("cpu_used_sec", "active_time_seconds", "compute_time_seconds"), 10),
            **dict.fromkeys(("written_data_bytes", "data_transfer_bytes"), 1_000),
            **dict.fromkeys(("state_changed_at", "created_at", "updated_at"), LONG_AGO),
            "id": identity,
            "project_id": PROJECT,
            "name": name,
            "current_state": "ready",
            "logical_size": 30_000_000,
            "creation_source": "console",
            "default": default,
            "protected": False,
        }

    def compute(self, identity: str, branch: str, state: str = "idle") -> dict[str, Any]:
        return {
            "host": f"{identity}.us-east-2.aws.neon.tech",
            "id": identity,
            "project_id": PROJECT,
            "branch_id": branch,
            "region_id": "aws-us-east-2",
            "autoscaling_limit_min_cu": 0.25,
            "autoscaling_limit_max_cu": 1,
            "type": "read_write",
            "current_state": state,
            "pooler_enabled": False,
            "pooler_mode": "transaction",
            "disabled": False,
            "passwordless_access": True,
            "creation_source": "console",
            "created_at": LONG_AGO,
            "updated_at": LONG_AGO,
            "settings": {},
            "proxy_host": "us-east-2.aws.neon.tech",
            "suspend_timeout_seconds": 0,
            "provisioner": "k8s-neonvm",
        }

    def happens(self, action: str, status: str, ago: timedelta = timedelta(minutes=5)) -> None:
        """Have an operation; the newest stands first."""
        at = (self.now() - ago).strftime("%Y-%m-%dT%H:%M:%SZ")
        made = {
            "id": f"a07f8772-1877-4da9-a939-{len(self.operations):012d}",
            "project_id": PROJECT,
            "action": action,
            "status": status,
            "failures_count": int(status == "failed"),
            "created_at": at,
            "updated_at": at,
            "total_duration_ms": 100,
        }
        self.operations.append(made)
        self.operations.sort(key=lambda each: each["updated_at"], reverse=True)

    def _answer(self, request: web.Request) -> Answer:
        path = request.path.removeprefix("/api/v2")
        self.asked.append(request.path_qs)
        if found := self.says or self.lies.get(path.removeprefix(f"/projects/{PROJECT}")):
            return found
        if request.headers.get("Authorization") != f"Bearer {self.key}":
            return self.refuses(401, "supplied credentials do not pass authentication")
        return self._found(path.removeprefix(f"/projects/{PROJECT}"), request)

    def _found(self, path: str, request: web.Request) -> Answer:
        limit, begin = int(request.query.get("limit", "10000")), int(request.query.get("cursor", "0"))
        end = begin + limit
        match path:
            case "":
                return says_json({"project": self.project})
            case "/branches":
                more = {"next": str(end)} if end < len(self.branches) else {}
                pagination = {"sort_by": "updated_at", "sort_order": "desc", **more}
                return says_json({"branches": self.branches[begin:end], "annotations": {}, "pagination": pagination})
            case "/endpoints":
                return says_json({"endpoints": self.computes})
            case "/operations":
                shown = self.operations[begin:end]
                return says_json({"operations": shown, "pagination": {"cursor": str(begin + len(shown))}})
            case rest if rest.startswith("/endpoints/"):
                named = [each for each in self.computes if each["id"] == rest.rpartition("/")[2]]
                return says_json({"endpoint": named[0]}) if named else self.refuses(404, "endpoint not found")
            case _:
                return self.refuses(404, "project not found")

    def refuses(self, status: int, message: str) -> Answer:
        """Return an error as Neon writes it."""
        return says_json({"request_id": "4e5e", "code": "", "message": message}, status)


HTML = page("<h1>Neon</h1>")
