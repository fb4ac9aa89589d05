"""What `monitor check` prints: a line for each check, JSON, or JUnit's XML for a CI system."""

from __future__ import annotations

import json
import math
from collections import Counter
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from monitor.plain import plain
from monitor.units import show_duration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.model import Sample
    from monitor.sweep import Finding


SKIPPED = "skipped"
"""What a run that was left out on purpose is called, in place of a state."""


def state_of(sample: Sample) -> str:
    """Return the word for what a run found: up, down, unknown or skipped."""
    return SKIPPED if sample.left_out else str(sample.state)


def as_line(finding: Finding, width: int) -> str:
    """Return one line: state, name, how long it took, what was wrong, or why it was left out."""
    sample = finding.sample
    took = show_duration(sample.took.total_seconds())
    why = "left out" if sample.left_out else sample.reason
    said = [plain(part) for part in ((f"{why}: {sample.detail}" if why else ""), *finding.crossed)]
    text = "; ".join(part for part in said if part)
    return f"{state_of(sample):<8}{sample.check!s:<{width}}  {took:>8}  {text}".rstrip()


def as_record(finding: Finding) -> dict[str, object]:
    """Return what JSON says of one check."""
    sample = finding.sample
    return {
        "system": sample.check.system,
        "check": sample.check.check,
        "state": state_of(sample),
        "reason": str(sample.reason) if sample.reason else None,
        "detail": sample.detail,
        "at": sample.at.isoformat(),
        "seconds": sample.took.total_seconds(),
        "crossed": list(finding.crossed),
        "measures": [
            {
                "name": measure.name,
                "labels": dict(measure.labels),
                "value": measure.value if math.isfinite(measure.value) else None,
            }
            for measure in sample.measures
        ],
    }


def as_json(findings: Sequence[Finding]) -> str:
    """Return all findings as one JSON list."""
    return json.dumps([as_record(finding) for finding in findings], indent=2, allow_nan=False)


def as_junit(findings: Sequence[Finding]) -> str:
    """Return all findings as JUnit's XML: down is a failure, unknown an error, what was left out is skipped."""
    counts = Counter(state_of(finding.sample) for finding in findings)
    found = {"failures": counts["down"], "errors": counts["unknown"], "skipped": counts[SKIPPED]}
    suite = ET.Element("testsuite", name="monitor check", tests=str(len(findings)))
    for name, count in found.items():
        suite.set(name, str(count))
    for finding in findings:
        sample = finding.sample
        seconds = f"{sample.took.total_seconds():.3f}"
        case = ET.SubElement(suite, "testcase", classname=sample.check.system, name=sample.check.check, time=seconds)
        if sample.left_out:
            ET.SubElement(case, SKIPPED, message=plain(sample.detail))
        elif not finding.well:
            kind = "failure" if sample.state == "down" else "error"
            ET.SubElement(case, kind, type=str(sample.reason), message=plain(sample.detail))
        if finding.crossed:
            ET.SubElement(case, "system-out").text = plain("; ".join(finding.crossed))
    return ET.tostring(suite, encoding="unicode", xml_declaration=True)
