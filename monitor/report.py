"""What `monitor check` prints: a line for each check, JSON, or JUnit's XML for a CI system."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from monitor.plain import plain
from monitor.units import show_duration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.sweep import Finding


def as_line(finding: Finding, width: int) -> str:
    """Return one line: state, name, how long it took, what was wrong."""
    sample = finding.sample
    took = show_duration(sample.took.total_seconds())
    said = [plain(part) for part in ((f"{sample.reason}: {sample.detail}" if sample.reason else ""), *finding.crossed)]
    return f"{sample.state:<8}{sample.check!s:<{width}}  {took:>8}  {'; '.join(part for part in said if part)}".rstrip()


def as_record(finding: Finding) -> dict[str, object]:
    """Return what JSON says of one check."""
    sample = finding.sample
    return {
        "system": sample.check.system,
        "check": sample.check.check,
        "state": str(sample.state),
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
    """Return all findings as JUnit's XML: down is a failure, unknown an error."""
    lost = sum(finding.sample.state == "down" for finding in findings)
    dark = sum(finding.sample.state == "unknown" for finding in findings)
    suite = ET.Element(
        "testsuite", name="monitor check", tests=str(len(findings)), failures=str(lost), errors=str(dark)
    )
    for finding in findings:
        sample = finding.sample
        seconds = f"{sample.took.total_seconds():.3f}"
        case = ET.SubElement(suite, "testcase", classname=sample.check.system, name=sample.check.check, time=seconds)
        if not finding.well:
            kind = "failure" if sample.state == "down" else "error"
            ET.SubElement(case, kind, type=str(sample.reason), message=plain(sample.detail))
        if finding.crossed:
            ET.SubElement(case, "system-out").text = plain("; ".join(finding.crossed))
    return ET.tostring(suite, encoding="unicode", xml_declaration=True)
