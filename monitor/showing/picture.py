"""Everything as it stands at one moment, made anew only where something has changed since the last time. Pure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from monitor.model import CheckId
from monitor.showing.check import Heard, Seen, view_of, view_of_skipped
from monitor.showing.strip import Hours, Strip
from monitor.showing.system import system_view

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator, Mapping, Sequence
    from datetime import datetime

    from monitor.config import Config
    from monitor.model import Alert, Dispatch, Silence
    from monitor.situation import Situation
    from monitor.view import CheckView, SystemView
    from monitor.watched import Watched

NOBODY = Heard()


class Known(NamedTuple):
    """What a view was made of: while that is the same, so is the view."""

    watched: Watched
    revision: int
    hour: datetime
    alerts: list[Alert]
    heard: Heard


@dataclass(slots=True)
class Picture:
    """How everything stands, here or as another instance sees it: what is remembered, and the strips.

    `messages` are those about live alerts, newest first, by check. Values of thresholds whose windows reach back
    further than `reach` are not known. `hide` removes what is secret from a text of the configuration.
    """

    situation: Situation
    hide: Callable[[str], str] = str
    reach: timedelta = timedelta.max
    messages: Mapping[CheckId, Sequence[Dispatch]] = field(default_factory=dict)
    _strips: dict[CheckId, Strip] = field(default_factory=dict)
    _made: dict[CheckId, tuple[Known, CheckView]] = field(default_factory=dict)

    def strip(self, check: CheckId) -> Strip:
        """Return the strip of `check`."""
        strip = self._strips.get(check)
        if strip is None:
            strip = self._strips[check] = Strip(check)
        return strip

    def forget(self, checks: Container[CheckId]) -> None:
        """Forget all checks but these."""
        self._strips = {check: strip for check, strip in self._strips.items() if check in checks}
        self._made = {check: made for check, made in self._made.items() if check in checks}

    def refresh(self, config: Config, now: datetime) -> Iterator[None]:
        """Make what has changed, so that an overview is there at once; whoever iterates may pause in between."""
        hours, silences = Hours.until(now), self._silences(now)
        for watched in list(self.situation.watched.values()):
            if watched.plan.id in config.plans:
                self._view(watched, silences, hours)
                yield

    def systems(self, config: Config, now: datetime) -> tuple[SystemView, ...]:
        """Return the systems of `config`, with their checks, in its order; those that are skipped come last."""
        hours, silences = Hours.until(now), self._silences(now)
        views: defaultdict[str, list[CheckView]] = defaultdict(list)
        for check in config.plans:
            if (watched := self.situation.watched.get(check)) is not None:
                views[check.system].append(self._view(watched, silences, hours))
        for skipped in config.skipped:
            system, _, name = skipped.name.partition("/")
            if name:
                views[system].append(view_of_skipped(skipped, self.strip(CheckId(system, name)).look(hours)))
        return tuple(system_view(system, views[name], silences) for name, system in config.systems.items())

    def _silences(self, now: datetime) -> list[Silence]:
        return [one for one in self.situation.silences.values() if one.since <= now < one.until]

    def _view(self, watched: Watched, silences: Sequence[Silence], hours: Hours) -> CheckView:
        check = watched.plan.id
        strip, alerts = self.strip(check), self.situation.board.of(check)
        heard = Heard(self.messages.get(check, ()), silences) if alerts else NOBODY
        known = Known(watched, strip.revision, hours.present, alerts, heard)
        made = self._made.get(check)
        if made is not None and made[0] == known:
            return made[1]
        view = view_of(Seen(watched, strip.newest, strip.look(hours), self.reach, self.hide), alerts, heard, hours.now)
        self._made[check] = known._replace(revision=strip.revision), view
        return view
