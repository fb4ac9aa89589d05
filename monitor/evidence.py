"""Steps of a remedy that answer themselves: once somebody is woken, what they ask is run, and its answer sent after.

A page never waits for it. All questions of an incident are asked at once, with five seconds for each; the runs use the
same slots as all others, and neither move a schedule nor judge, store or show anything. What is known very soon is told
at once, and comes with the page itself, since that settles for a second (`owed.py`); the rest is told together. Nothing
is asked twice, also not after a restart.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import structlog

from monitor.finding import finding
from monitor.model import EventKind, Severity
from monitor.plain import plain

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

    from monitor.model import AlertKey, CheckId, Notification, Sample
    from monitor.plan import Question

PATIENCE = timedelta(seconds=5)
SOON = 0.1
"""The share of that time after which what is known is told, if there is anything."""
MOST_AT_ONCE = 5
"""Incidents that are asked about at a time; in a storm the others go without."""
MOST_REMEMBERED = 10_000
LONGEST_ANSWER = 300
WAKING = frozenset({EventKind.OPENED, EventKind.WORSENED})

log = structlog.get_logger()


class Evidence:
    """Asks what the steps of a page ask, and has the answers told."""

    def __init__(
        self,
        questions: Callable[[CheckId], Mapping[str, Question]],
        look: Callable[[CheckId], Awaitable[Sample | None]],
        tell: Callable[[AlertKey, str, Mapping[str, str]], Awaitable[None]],
        hide: Callable[[str], str],
        patience: timedelta = PATIENCE,
    ) -> None:
        """Make one that has asked nothing yet.

        `questions` returns those of a check, by the text of the step. `look` runs a check that disturbs nothing; None:
        there is no such check. `tell` takes an alert, its incident and the answers by the text of the step. `hide`
        removes what is secret.
        """
        self._questions = questions
        self._look = look
        self._tell = tell
        self._hide = hide
        self._patience = patience
        self._asked: dict[str, None] = {}
        self._asking: set[asyncio.Task[None]] = set()

    def see(self, owed: Sequence[Notification]) -> None:
        """Begin to ask what the critical pages among `owed` ask, each incident once; return at once."""
        left_out = 0
        for note in owed:
            asked = self._of(note)
            if not asked or note.incident in self._asked:
                continue
            self._remember(note.incident)
            if len(self._asking) < MOST_AT_ONCE:
                self._begin(note, asked)
            else:
                left_out += 1
        if left_out:
            log.warning("steps_not_run", incidents=left_out, why=f"{MOST_AT_ONCE} others are being asked about")

    async def run(self) -> None:
        """Ask until cancelled; what is being asked then is given up."""
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            await _end(set(self._asking))

    def _of(self, note: Notification) -> dict[str, Question]:
        """Return what a notification asks: only one that wakes somebody does."""
        wakes = note.kind in WAKING and note.severity is Severity.CRITICAL and not note.quiet and not note.fallback_for
        known = self._questions(note.key.check) if wakes else {}
        return {step: known[step] for step in note.page.remedy if step in known}

    def _remember(self, incident: str) -> None:
        self._asked[incident] = None
        if len(self._asked) > MOST_REMEMBERED:
            del self._asked[next(iter(self._asked))]

    def _begin(self, note: Notification, asked: Mapping[str, Question]) -> None:
        task = asyncio.create_task(self._ask(note, asked), name=f"evidence for {note.key.check}")
        self._asking.add(task)
        task.add_done_callback(self._ended)

    async def _ask(self, note: Notification, asked: Mapping[str, Question]) -> None:
        checks = dict.fromkeys(question.check for question in asked.values())
        looks = {check: asyncio.create_task(self._within(check)) for check in checks}
        late = set(looks.values())
        wait: float | None = self._patience.total_seconds() * SOON
        try:
            while late:
                done, late = await asyncio.wait(looks.values(), timeout=wait)
                wait = None
                found = {check: look.result() for check, look in looks.items() if look in done}
                known = {step: question for step, question in asked.items() if question.check in found}
                if known:
                    answers = {step: self._answer(found[question.check], question) for step, question in known.items()}
                    await self._tell(note.key, note.incident, answers)
        finally:
            await _end(late)

    async def _within(self, check: CheckId) -> Sample | str:
        """Return what a check found, or why there is no answer."""
        try:
            async with asyncio.timeout(self._patience.total_seconds()):
                return await self._look(check) or f"{check} is not watched any more"
        except TimeoutError:
            return f"no answer within {self._patience.total_seconds():g} s"

    def _answer(self, found: Sample | str, question: Question) -> str:
        said = found if isinstance(found, str) else finding(found, question)
        return plain(self._hide(said), LONGEST_ANSWER)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._asking.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("evidence_crashed", task=task.get_name(), exc_info=error)


async def _end(tasks: Iterable[asyncio.Task[Any]]) -> None:
    ending = list(tasks)
    for task in ending:
        task.cancel()
    await asyncio.gather(*ending, return_exceptions=True)
