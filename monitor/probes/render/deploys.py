"""The newest deploys of a service: whether one is live, how the newest one ended, and what serves meanwhile."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from monitor.probes.render.asking import moment, new_word

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from monitor.probes.base import Run
    from monitor.probes.render.asking import Render
    from monitor.probes.render.services import Service
    from monitor.vendors import Found

READ = 10
"""How many deploys are read: the newest one that has ended, and the one that serves, are among them."""
SHOWN = 7


class Stage(enum.Enum):
    """What a status means for us."""

    RUNNING = enum.auto()
    LIVE = enum.auto()
    REPLACED = enum.auto()
    FAILED = enum.auto()
    CANCELED = enum.auto()


STAGES = {
    "created": Stage.RUNNING,
    "queued": Stage.RUNNING,
    "build_in_progress": Stage.RUNNING,
    "pre_deploy_in_progress": Stage.RUNNING,
    "update_in_progress": Stage.RUNNING,
    "live": Stage.LIVE,
    "deactivated": Stage.REPLACED,
    "build_failed": Stage.FAILED,
    "pre_deploy_failed": Stage.FAILED,
    "update_failed": Stage.FAILED,
    "canceled": Stage.CANCELED,
}
"""Every status that Render documents."""
WORDS = {
    "build_failed": "the build failed",
    "pre_deploy_failed": "the pre-deploy command failed, which is where migrations run",
    "update_failed": "the new version did not start",
    "canceled": "it was canceled",
}


class Deploy(NamedTuple):
    """A deploy. `version`: the commit or the image, shortened; empty where Render does not say."""

    id: str
    status: str
    version: str
    started: datetime | None

    @property
    def stage(self) -> Stage:
        """Return what its status means; raises `Failure` (protocol, unknown) for one that nobody here knows."""
        if self.status not in STAGES:
            raise new_word(f"the deploy {self.id}", self.status)
        return STAGES[self.status]

    @property
    def name(self) -> str:
        """Return what people know it by."""
        return f"{self.id} ({self.version})" if self.version else self.id


@dataclass(frozen=True, slots=True)
class Deploys:
    """How the newest deploy stands, the newest that has ended, and the one that serves, as far as they are known."""

    newest: Deploy
    ended: Deploy | None
    serving: Deploy | None

    @classmethod
    def of(cls, found: Sequence[Deploy]) -> Deploys | None:
        """Return how `found`, newest first, stand; None where nothing was ever deployed.

        A deploy that runs says nothing of the one before it: a failure stays one until another one has ended well.
        """
        if not found:
            return None
        ended = next((each for each in found if each.stage is not Stage.RUNNING), None)
        serving = next((each for each in found if each.status == "live"), None)
        return cls(found[0], ended, serving)

    def is_(self, stage: Stage) -> bool:
        """Return whether the newest deploy that has ended did so at `stage`."""
        return self.ended is not None and self.ended.stage is stage

    @property
    def trouble(self) -> str:
        """Return what became of the newest deploy that has ended, and which version serves."""
        if self.ended is None or self.ended.status not in WORDS:
            return ""
        still = f"the previous version still serves: {self.serving.name}" if self.serving else "none is live"
        return f"{WORDS[self.ended.status]}: {self.ended.name}; {still}"


async def look_at_deploys(run: Run, render: Render, services: Mapping[str, Service]) -> None:
    """Note how the deploys of `services` stand; raises `Failure` (unknown)."""
    failed, canceled, newest = [], [], []
    for name, service in services.items():
        run.asking = f"the question for the deploys of {name}"
        deploys = Deploys.of(await _read(render, service))
        if deploys is None:
            continue
        _note(run, render, name, deploys)
        if deploys.serving:
            run.runs(deploys.serving.name, name)
        newest.append(f"{name}: {deploys.newest.name}, {deploys.newest.status}")
        if deploys.is_(Stage.FAILED):
            failed.append(f"{name}: {deploys.trouble}")
        if deploys.is_(Stage.CANCELED):
            canceled.append(f"{name}: {deploys.trouble}")
    for measure, texts in (("deploy_failed", failed), ("deploy_canceled", canceled), ("deploy_live", newest)):
        if texts:
            run.remark(measure, "; ".join(texts))
    run.remark("deploy_started", "; ".join(newest))


def _note(run: Run, render: Render, name: str, deploys: Deploys) -> None:
    newest = deploys.newest
    run.note("deploy_live", newest.stage is Stage.LIVE, resource=name)
    run.note("deploy_failed", deploys.is_(Stage.FAILED), resource=name)
    run.note("deploy_canceled", deploys.is_(Stage.CANCELED), resource=name)
    if newest.started:
        run.note("deploy_started", newest.started.timestamp(), resource=name)
        waiting = (render.now - newest.started).total_seconds() if newest.stage is Stage.RUNNING else 0.0
        run.note("deploy_running", max(waiting, 0.0), resource=name)


async def _read(render: Render, service: Service) -> list[Deploy]:
    reply = await render.get(f"/v1/services/{service.id}/deploys", [("limit", str(READ))])
    return [_deploy(each["deploy"]) for each in reply.body]


def _deploy(found: Found) -> Deploy:
    started = found.get("startedAt") or found.get("createdAt")
    return Deploy(found["id"].text, found["status"].text, _version(found), moment(started) if started else None)


def _version(found: Found) -> str:
    commit, image = found.get("commit"), found.get("image")
    if commit and (sha := commit.get("id")):
        return sha.text[:SHOWN]
    reference = image.get("ref") if image else None
    return reference.text.rpartition("/")[2] if reference else ""
