"""A stand-in of Supabase's Management API for one project."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tests.systems.site import Answer, Api, says_json

if TYPE_CHECKING:
    from aiohttp import web

TOKEN, PROJECT = "sbp_0123456789abcdef0123456789abcdef01234567", "abcdefghijklmnopqrst"
HOUR = timedelta(hours=1)


class SupabaseApi(Api):
    """One project. `says`: what every question is answered while it is set; `lies`: what is at a path instead."""

    def heal(self) -> None:
        super().heal()
        self.token = TOKEN
        self.status = "ACTIVE_HEALTHY"
        self.services: dict[str, str] = {}
        self.used, self.size = 2 * 10**9, 8 * 10**9
        self.read_only = False
        self.backups: list[dict[str, Any]] = []
        self.physical: dict[str, int] = {}
        self.says: Answer | None = None
        self.lies: dict[str, Answer] = {}
        self.asked: list[str] = []
        self.backs_up(10 * HOUR)

    def backs_up(self, ago: timedelta, status: str = "COMPLETED") -> None:
        at = (self.now() - ago).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        number = len(self.backups) + 1
        self.backups.append({"id": number, "is_physical_backup": False, "status": status, "inserted_at": at})

    def _answer(self, request: web.Request) -> Answer:
        self.asked.append(request.path_qs)
        path = request.path.removeprefix(f"/v1/projects/{PROJECT}")
        if found := self.says or self.lies.get(path):
            return found
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            return says_json({"message": "Unauthorized"}, 401)
        if request.path == path:
            return says_json({"message": "Project not found"}, 404)
        asked = request.query.getall("services", [])
        metrics = {"fs_size_bytes": self.size, "fs_avail_bytes": self.size - self.used, "fs_used_bytes": self.used}
        answers: dict[str, Any] = {
            "": {"id": PROJECT, "ref": PROJECT, "name": "tatame", "region": "eu-west-1", "status": self.status},
            "/health": [{"name": name, "status": self.services.get(name, "ACTIVE_HEALTHY")} for name in asked],
            "/readonly": {"enabled": self.read_only, "override_enabled": False, "override_active_until": "never"},
            "/config/disk/util": {"timestamp": "2026-11-21T10:00:00Z", "metrics": metrics},
            "/database/backups": {
                "region": "eu-west-1",
                "walg_enabled": True,
                "pitr_enabled": bool(self.physical),
                "backups": self.backups,
                "physical_backup_data": self.physical,
            },
        }
        return says_json(answers[path]) if path in answers else says_json({"message": "Cannot GET"}, 404)
