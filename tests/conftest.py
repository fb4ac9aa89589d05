"""What every test stands on: hypothesis without a stopwatch, and an environment that says nothing."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

# A shared machine is slow for seconds at a time: how long an example took says nothing about it.
settings.register_profile("shared machine", deadline=None)
settings.load_profile("shared machine")

OURS = ("MONITOR_", "SENTRY_", "LOG_", "SLACK_", "SMTP_", "HOOK_", "CAPLIQUIFY_", "RENDER")
THEIRS = ("PORT", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "NO_COLOR", "FORCE_COLOR", "COLUMNS")


@pytest.fixture(autouse=True)
def _quiet_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide what the developer's shell or the build machine has set, so that a test sees only what it sets itself."""
    for name in list(os.environ):
        if name.startswith(OURS) or name.upper() in THEIRS:
            monkeypatch.delenv(name)
