"""What the pipeline shows goes into the strips too."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitor.clock import Clock
    from monitor.model import Alert, CheckId, Sample
    from monitor.pipeline import Display
    from monitor.showing import Picture


class Feed:
    """A display that keeps a picture up to date, and passes everything on."""

    def __init__(self, beyond: Display, clock: Clock, picture: Callable[[], Picture]) -> None:
        """Make one before `beyond`; `picture` returns what is kept up to date."""
        self._beyond = beyond
        self._clock = clock
        self._picture = picture

    def sample(self, sample: Sample) -> None:
        """Count and show a sample."""
        picture = self._picture()
        picture.strip(sample.check).add(sample, picture.situation.silences.values())
        self._beyond.sample(sample)

    def alert(self, alert: Alert) -> None:
        """Colour the hours of an alert, and show it."""
        self._picture().strip(alert.key.check).fire(alert.key, alert.severity, self._clock.now())
        self._beyond.alert(alert)

    def left_out(self, check: CheckId, count: int) -> None:
        """Pass on values that no threshold sees."""
        self._beyond.left_out(check, count)
