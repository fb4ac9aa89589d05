"""The picture of the alerts' state machine, drawn from its table, so that it cannot be out of date."""

from __future__ import annotations

from collections import defaultdict

from monitor.alerts import TABLE
from monitor.model import Phase


def state_diagram() -> str:
    """Return the machine of one level as a Mermaid state diagram; what changes nothing is left out."""
    arrows: defaultdict[tuple[Phase, Phase], list[str]] = defaultdict(list)
    for (phase, seen), after in TABLE.items():
        if after is not phase:
            arrows[phase, after].append(str(seen))
    lines = ["stateDiagram-v2", f"    [*] --> {Phase.INACTIVE}"]
    lines += [f"    {phase} --> {after}: {' or '.join(seen)}" for (phase, after), seen in arrows.items()]
    return "\n".join(lines)
