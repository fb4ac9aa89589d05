"""The JSON Schema of a file of tests, made from the models that read it."""

from __future__ import annotations

from typing import Any

from monitor.schema import DIALECT, VARIABLE, definitions_of
from monitor.trial.fields import TrialFile


def schema() -> dict[str, Any]:
    """Return the JSON Schema of a whole file of tests."""
    return {
        "$schema": DIALECT,
        "title": "runbook-monitor: tests",
        "description": "Unit tests of thresholds and routes, for `monitor test`.",
        "$ref": "#/$defs/TrialFile",
        "$defs": {"Variable": VARIABLE, **definitions_of([TrialFile])},
    }
