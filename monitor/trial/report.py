"""What `monitor test` prints: a line for each test, what was expected and what came; JSON; JUnit's XML."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple, Self
from xml.etree import ElementTree as ET

from monitor.plain import plain
from monitor.units import show_duration

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from monitor.trial.command import Trial
    from monitor.trial.nouns import Failure, Outcome


class Covered(NamedTuple):
    """How many rules there are, and which of them no test has seen."""

    rules: int
    uncovered: tuple[str, ...]

    @classmethod
    def of(cls, trials: Iterable[Trial]) -> Self:
        """Return what the tests of all `trials` cover together; to be asked when they were played."""
        coverages = [trial.coverage for trial in trials]
        uncovered = tuple(rule for coverage in coverages for rule in coverage.uncovered)
        return cls(sum(len(coverage.rules) for coverage in coverages), uncovered)

    @property
    def share(self) -> float:
        """Return the share that is covered, 0 to 1; all of none is 1."""
        return 1 - len(self.uncovered) / self.rules if self.rules else 1.0

    @property
    def line(self) -> str:
        """Return it in a sentence."""
        done = self.rules - len(self.uncovered)
        return f"coverage: {done} of {self.rules} rules and routes, {percent(self.share)}"


def percent(share: float) -> str:
    """Return a share for people; what is not all of it never reads as 100 %."""
    return "100 %" if share == 1 else f"{min(share * 100, 99.9):.1f} %"


def as_lines(outcome: Outcome) -> Iterator[str]:
    """Yield one line for a test, and more for one that failed: what was expected where, and what came."""
    word = "ok" if outcome.passed else "FAILED"
    yield f"{word:<8}{plain(outcome.name)}"
    for failure in outcome.failures:
        yield f"  {failure.place}: expected: {plain(failure.expected)}"
        for line in failure.came:
            yield f"    but: {plain(line)}"


def sum_line(outcomes: Sequence[Outcome]) -> str:
    """Return how many passed and failed, how much time passed in them, and how long that took."""
    failed = sum(not outcome.passed for outcome in outcomes)
    lasted = sum(outcome.lasted.total_seconds() for outcome in outcomes)
    took = sum(outcome.seconds for outcome in outcomes)
    count = f"{len(outcomes)} test{'s' * (len(outcomes) != 1)}"
    return f"{count}, {failed} failed: {show_duration(lasted)} in {show_duration(took)}"


def as_json(outcomes: Sequence[Outcome], covered: Covered) -> str:
    """Return everything as one JSON object."""
    record = {
        "tests": [
            {
                "name": outcome.name,
                "file": outcome.place.file,
                "line": outcome.place.line,
                "passed": outcome.passed,
                "seconds": round(outcome.seconds, 6),
                "failures": [_record(failure) for failure in outcome.failures],
            }
            for outcome in outcomes
        ],
        "coverage": {"rules": covered.rules, "share": covered.share, "uncovered": list(covered.uncovered)},
    }
    return json.dumps(record, indent=2)


def as_junit(outcomes: Sequence[Outcome]) -> str:
    """Return everything as JUnit's XML, a class for each file."""
    failures = str(sum(not outcome.passed for outcome in outcomes))
    suite = ET.Element("testsuite", name="monitor test", tests=str(len(outcomes)), failures=failures)
    for outcome in outcomes:
        seconds = f"{outcome.seconds:.3f}"
        case = ET.SubElement(suite, "testcase", classname=outcome.place.file, name=plain(outcome.name), time=seconds)
        for failure in outcome.failures:
            found = ET.SubElement(case, "failure", message=plain(failure.expected))
            found.text = "\n".join(_text(failure))
    return ET.tostring(suite, encoding="unicode", xml_declaration=True)


def _text(failure: Failure) -> Iterable[str]:
    yield f"{failure.place}: expected: {plain(failure.expected)}"
    for line in failure.came:
        yield f"but: {plain(line)}"


def _record(failure: Failure) -> dict[str, object]:
    return {
        "file": failure.place.file,
        "line": failure.place.line,
        "expected": failure.expected,
        "came": list(failure.came),
    }
