"""A workspace of Render's as a first file: what its API tells of services, stores and domains."""

from __future__ import annotations

from monitor.survey.render.reading import Workspace, look_at_workspace, workspaces
from monitor.survey.render.written import API, KEY, workspace_text

__all__ = ["API", "KEY", "Workspace", "look_at_workspace", "workspace_text", "workspaces"]
