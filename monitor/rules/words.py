"""What an alert of Prometheus says, in its templates: the words of our own channel, as far as a rule knows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.channels.labelled import RUNBOOK
from monitor.message import steps_text
from monitor.metrics.text import label_name
from monitor.model import AlertKey
from monitor.page import figure_of, title
from monitor.plain import plain, plain_lines, safe_links
from monitor.rules.expression import measure_of
from monitor.units import Unit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from monitor.model import CheckId, Severity
    from monitor.plan import Plan
    from monitor.thresholds import Threshold

HUMAN = {
    Unit.SECONDS: "{{ $value | humanizeDuration }}",
    Unit.TIMESTAMP: "{{ $value | humanizeDuration }}",
    Unit.RATIO: "{{ $value | humanizePercentage }}",
    Unit.BYTES: "{{ $value | humanize1024 }}B",
    Unit.PER_SECOND: "{{ $value | humanize }}/s",
    Unit.BYTES_PER_SECOND: "{{ $value | humanize1024 }}B/s",
    Unit.NUMBER: "{{ $value | humanize }}",
}
KNOWN = "{{{{ if eq $value $value }}}}{0}{{{{ else }}}}nobody can tell now{{{{ end }}}}"
"""What is held while nobody can tell has no number for a value."""
LONGEST_STEP = 1_000


class Words:
    """Writes labels and annotations. `redact` takes secrets out of whatever people read."""

    def __init__(self, redact: Callable[[str], str]) -> None:
        self._redact = redact

    def about_threshold(self, plan: Plan, threshold: Threshold, severity: Severity) -> dict[str, str]:
        """Return the annotations of one level of a threshold."""
        spec = measure_of(plan, threshold)
        said = self.literal(f"; figure {figure_of(threshold, severity)}")
        description = KNOWN.format(f"value {HUMAN[threshold.unit]}") + said
        summary = self.literal(title(plan, AlertKey(plan.id, threshold.name)))
        if spec.labels:
            series = ", ".join(f"{name} {{{{ $labels.{label_name(name)} }}}}" for name in spec.labels)
            summary = f"{summary} ({series})"
        return self._whole(plan, summary, description, threshold.remedy or plan.remedy)

    def about_check(self, plan: Plan, name: str, description: str) -> dict[str, str]:
        """Return the annotations of an alert of the check itself; `description` is a template."""
        by_reason = (f"{reason}: {' '.join(steps)}" for reason, steps in plan.remedy_for.items())
        summary = self.literal(title(plan, AlertKey(plan.id, name)))
        return self._whole(plan, summary, description, (*by_reason, *plan.remedy))

    def literal(self, text: str) -> str:
        """Return `text`, on one line, so that a template shows it as it is."""
        return plain(self._redact(text)).replace("{{", '{{ "{{" }}')

    def remark(self, *texts: str) -> str:
        """Return a comment of what is not empty."""
        return plain(self._redact(", ".join(text for text in texts if text)))

    def _whole(self, plan: Plan, summary: str, description: str, remedy: Sequence[str]) -> dict[str, str]:
        steps = (plain_lines(self._redact(step), LONGEST_STEP).replace("{{", '{{ "{{" }}') for step in remedy)
        runbook = safe_links([(RUNBOOK, self._redact(plan.runbook))])
        said = {
            "summary": summary,
            "description": description,
            "remedy": steps_text([step for step in steps if step]),
            "runbook_url": runbook[0][1] if runbook else "",
        }
        return {name: text for name, text in said.items() if text}


def labels_for(check: CheckId, severity: Severity) -> Mapping[str, str]:
    """Return the labels that a rule gives its alerts; those of a measure are there already."""
    return {"system": check.system, "check": check.check, "severity": str(severity)}
