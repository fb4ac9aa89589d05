"""What jobs and deploys may say, as the document shows it; `heartbeats` and `deploys` read it."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from monitor.web.asked import Asked


class RunAsked(Asked):
    """What a job may say of a run in the query, where a word in the address says how it went."""

    rid: str = Field(default="", pattern=r"^[!-~]{0,64}$")
    """The name of the run, another for each, so that starts and ends find each other."""
    msg: str = ""
    """A line that is shown when the run failed, if there is no body."""
    ping: str = ""
    """Means nothing: clients of Uptime Kuma send it."""


class ReportAsked(RunAsked):
    """The same, where no word stands in the address."""

    status: Literal["", "up", "down"] = ""
    """`down`: the run failed."""


class Released(BaseModel):
    """A release of a system; nothing needs to be said of it."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    version: str = ""
    """The version that runs now."""
    before: str = ""
    """The version before; default: the one that was seen last."""
    part: str = ""
    """Which part of the system changed; empty: all of it."""
