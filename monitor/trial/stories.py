"""From the fields of one test to what is put on its stage and what is expected; what does not fit is noted."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from monitor.faults import allowed
from monitor.model import BLIND, DOWN, NO_DATA, OURS, Act, CheckId, Deed, Reason, Scope, State, labels, stable_id
from monitor.trial.moments import DEFAULT_START, parse_start
from monitor.trial.nouns import LEFT_OUT, NOTHING, UP, Counting, Finding, Manners, Measured, Past, Script, Stage, Value
from monitor.trial.series import parse_series
from monitor.trial.story import Named, Stands, StoryCase, Told
from monitor.units import Unit, parse_duration, parse_quantity
from monitor.upkeep import MAINTENANCE
from monitor.watch import Function, parse_watch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from monitor.config import Config
    from monitor.config.yaml_file import KeyPath
    from monitor.plan import Plan
    from monitor.trial.fields import ActFields, ExpectFields, StoryFields
    from monitor.trial.nouns import Place, SeriesKey
    from monitor.trial.reading import Source
    from monitor.trial.series import Series

NOBODY = "nobody"
EVERYTHING = "everything"
ABSENT = {"-": Value(absent=True), "unmeasured": Value(absent=True, failed=True)}
STATES = {"up": UP, "nothing": NOTHING, "skipped": LEFT_OUT}
WORDS = "up, down, down(timeout), unknown, unknown(dns), skipped and nothing"
EXPECT = "such as {at: 10m, alert: shop/site down, state: critical}"
OWN = ("state", "every", "detail")
"""What a mapping of results holds besides measures."""

T = TypeVar("T")


class Teller:
    """Reads one test of a file, against the configuration."""

    def __init__(self, source: Source, config: Config, fields: StoryFields, path: KeyPath) -> None:
        self._source = source
        self._config = config
        self._fields = fields
        self._path = path

    def story(self) -> StoryCase | None:
        """Return the test; what is wrong with it is noted, and then it is of no use."""
        fields = self._fields
        stage = self._stage()
        stands, told, silent = self._expected()
        if not fields.expect and not fields.messages:
            self._fault((), "expects nothing", "give it expect, or messages")
        return StoryCase(
            place=self._source.place(self._path),
            stage=stage,
            stands=stands,
            told=told,
            messages=tuple(self._counts()),
            silent=silent,
            nothing_else=fields.nothing_else,
        )

    def _counts(self) -> Iterator[tuple[Place, str, int]]:
        for channel, count in self._fields.messages.items():
            self._channel(channel, ("messages", channel))
            yield self._source.place((*self._path, "messages", channel)), channel, count

    def _fault(self, path: KeyPath, message: str, hint: str = "") -> None:
        self._source.fault((*self._path, *path), message, hint)

    def _read(self, path: KeyPath, read: Callable[[], T]) -> T | None:
        try:
            return read()
        except ValueError as error:
            self._fault(path, str(error))
            return None

    def _stage(self) -> Stage:
        fields = self._fields
        start = self._read(("start",), lambda: parse_start(fields.start)) or DEFAULT_START
        moments = [one.at + one.within for one in fields.expect if one.at is not None]
        return Stage(
            start=start,
            scripts=dict(self._scripts()),
            past=dict(self._pasts()),
            manners=dict(self._manners()),
            acts=tuple(sorted(self._acts(start), key=lambda pair: pair[0])),
            least=max(moments, default=timedelta()),
            until=fields.until,
        )

    def _scripts(self) -> Iterator[tuple[CheckId, Script]]:
        for name, written in self._fields.results.items():
            path: KeyPath = ("results", name)
            plan = self._source.plan(name, (*self._path, *path), self._config)
            if plan is None:
                continue
            given = written if isinstance(written, dict) else {"state": written}
            script = self._script(plan, given, path)
            if script is not None:
                yield plan.id, script

    def _script(self, plan: Plan, given: Mapping[str, object], path: KeyPath) -> Script | None:
        state = str(given.get("state", "up"))
        states = self._read(path, lambda: parse_series(state, _finding))
        every = given.get("every")
        pace = self._read((*path, "every"), lambda: parse_duration(str(every))) if every is not None else None
        if every is not None and not pace:
            pace = None
        measured: dict[SeriesKey, Measured] = {}
        for text, written in given.items():
            if text not in OWN:
                found = self._measured(plan, text, str(written), (*path, text))
                measured |= dict([found]) if found else {}
        detail = str(given.get("detail", "it is so in this test"))
        return Script(states, measured, pace, detail) if states is not None else None

    def _measured(self, plan: Plan, text: str, written: str, path: KeyPath) -> tuple[SeriesKey, Measured] | None:
        found = self._series_key(plan, text, path)
        if found is None:
            return None
        key, unit = found
        counts = _is_pace(written, unit)
        unit = Unit.PER_SECOND if counts else unit
        series: Series[Value] | None = self._read(
            path, lambda: parse_series(written, lambda value: _value(value, unit), ramps=True)
        )
        usual = Counting.PER_SECOND if counts else Counting.PLAIN
        counting = Counting.TIME_LEFT if unit is Unit.TIMESTAMP else usual
        return (key, Measured(series, counting)) if series is not None else None

    def _series_key(self, plan: Plan, text: str, path: KeyPath) -> tuple[SeriesKey, Unit] | None:
        """Return the measure and labels that `text` names, and the unit; a fault, and None, for none."""
        watch = self._read(path, lambda: parse_watch(text))
        if watch is None:
            return None
        declared = {spec.name: spec for spec in plan.check.declared()}
        if watch.function is not Function.LAST or watch.exclusion or watch.measure not in declared:
            self._fault(path, f"{plan.id} has no measure {text!r}", allowed(watch.measure, (*OWN, *declared)))
            return None
        spec = declared[watch.measure]
        strange = [name for name, _ in watch.selection if name not in spec.labels]
        if strange and spec.labels:
            self._fault(path, f"{watch.measure} has no label {strange[0]!r}", allowed(strange[0], spec.labels))
        chosen = {name: name for name in spec.labels} | dict(watch.selection)
        return (watch.measure, labels(chosen)), spec.unit

    def _pasts(self) -> Iterator[tuple[CheckId, dict[SeriesKey, Past]]]:
        for name, measures in self._fields.past.items():
            path: KeyPath = ("past", name)
            plan = self._source.plan(name, (*self._path, *path), self._config)
            values = {}
            for text, written in measures.items() if plan else ():
                key = self._series_key(plan, text, (*path, text)) if plan else None
                past = self._past(str(written), key[1], (*path, text)) if key else None
                if key is not None and past is not None:
                    values[key[0]] = past
            if plan is not None:
                yield plan.id, values

    def _past(self, text: str, unit: Unit, path: KeyPath) -> Past | None:
        counts = _is_pace(text, unit)
        return self._read(path, lambda: Past(parse_quantity(text, Unit.PER_SECOND if counts else unit), counts))

    def _manners(self) -> Iterator[tuple[str, Series[Manners]]]:
        for channel, text in self._fields.channels.items():
            path: KeyPath = ("channels", channel)
            self._channel(channel, path)
            series: Series[Manners] | None = self._read(path, lambda text=text: parse_series(text, _manner))  # type: ignore[misc]
            if series is not None:
                yield channel, series

    def _channel(self, name: str, path: KeyPath) -> None:
        if name not in self._config.channels:
            self._fault(path, f"there is no channel {name!r}", allowed(name, self._config.channels))

    def _acts(self, start: datetime) -> Iterator[tuple[timedelta, Act]]:
        for index, fields in enumerate(self._fields.acts):
            act = self._act(fields, ("acts", index), start + fields.at)
            if act is not None:
                yield fields.at, act

    def _act(self, fields: ActFields, path: KeyPath, at: datetime) -> Act | None:
        deeds = {
            Deed.ACKNOWLEDGE: fields.ack,
            Deed.SILENCE: fields.silence,
            Deed.LIFT: fields.lift,
            Deed.NOTE: fields.note,
        }
        given = {deed: text for deed, text in deeds.items() if text}
        if len(given) != 1:
            self._fault(path, "must be one act", "exactly one of ack, silence, lift and note")
            return None
        deed, text = next(iter(given.items()))
        scope = self._scope(text, path)
        until = at + fields.lasts if fields.lasts is not None else None
        identity = stable_id(*self._path, *path)
        return Act(identity, at, deed, fields.who, scope, "", fields.why, until, fields.maintenance)

    def _scope(self, text: str, path: KeyPath) -> Scope:
        place, _, alert = text.strip().partition(" ")
        if place == EVERYTHING:
            return Scope(alert=alert.strip())
        if place in self._config.systems:
            return Scope(place, alert=alert.strip())
        check = self._source.check_id(place)
        if check not in self._config.plans:
            known = [EVERYTHING, *self._config.systems, *map(str, self._config.plans)]
            self._fault(path, f"there is no {place!r}", allowed(place, known))
        return Scope(check.system, check.check, alert.strip())

    def _expected(self) -> tuple[tuple[Stands, ...], tuple[Told, ...], bool]:
        stands: list[Stands] = []
        told: list[Told] = []
        silent = False
        for index, fields in enumerate(self._fields.expect):
            path: KeyPath = ("expect", index)
            if fields.told == [NOBODY]:
                silent = True
                continue
            alert = self._alert(fields, path) if fields.alert else None
            if fields.at is None or (fields.told is None) == (fields.state is None):
                self._fault(path, "must say when, and either state or told", EXPECT)
            elif fields.told is None and fields.state is not None:
                stands += self._stands(fields.at, alert, fields.state, path)
            else:
                told += self._told(fields, fields.at, alert, path)
        if silent and told:
            self._fault(("expect",), "expects both that nobody is told and that somebody is")
        return tuple(stands), tuple(told), silent

    def _stands(self, at: timedelta, alert: Named | None, state: str, path: KeyPath) -> Iterator[Stands]:
        if alert is None:
            self._fault(path, "must name the alert that is so")
        else:
            yield Stands(self._source.place((*self._path, *path)), at, alert, state)

    def _told(self, fields: ExpectFields, at: timedelta, alert: Named | None, path: KeyPath) -> Iterator[Told]:
        for channel in fields.told or ():
            self._channel(channel, (*path, "told"))
            yield Told(
                place=self._source.place((*self._path, *path)),
                at=at,
                channel=channel,
                alert=alert,
                kind=fields.kind or "",
                severity=fields.severity or "",
                text=fields.text,
                within=fields.within,
            )

    def _alert(self, fields: ExpectFields, path: KeyPath) -> Named:
        place, _, name = fields.alert.strip().partition(" ")
        check, name = self._source.check_id(place), name.strip()
        plan = self._config.plans.get(check)
        if check.system == OURS:
            known = [BLIND]
        elif check.check == MAINTENANCE and check.system in self._config.systems:
            known = [MAINTENANCE]
        elif plan is None:
            self._source.plan(place, (*self._path, *path, "alert"), self._config)
            known = [name]
        else:
            known = [DOWN, NO_DATA, *(one.name for one in plan.thresholds)]
        if name not in known:
            self._fault((*path, "alert"), f"{check} has no alert {name!r}", allowed(name, known))
        return Named(check, name, labels(fields.labels))


def _finding(text: str) -> Finding:
    if text in STATES:
        return STATES[text]
    word, bracket, reason = text.removesuffix(")").partition("(")
    known = {"down": (State.DOWN, Reason.TIMEOUT), "unknown": (State.UNKNOWN, Reason.UNKNOWN)}
    if word not in known or (bracket and not text.endswith(")")):
        raise ValueError(f"{text!r} is not what a run finds, which is {WORDS}")
    state, usual = known[word]
    if reason and reason not in list(Reason):
        raise ValueError(f"{reason!r} is no reason; {allowed(reason, list(Reason))}")
    return Finding(state, Reason(reason) if reason else usual)


def _is_pace(written: str, unit: Unit) -> bool:
    """Return whether a plain number is written as the pace of a counter, such as `2/s`."""
    return unit is Unit.NUMBER and "/s" in written


def _value(text: str, unit: Unit) -> Value:
    return ABSENT.get(text) or Value(parse_quantity(text, unit))


def _manner(text: str) -> Manners:
    known = {one.value: one for one in Manners}
    if text not in known:
        raise ValueError(f"{text!r} is not how a channel behaves; {allowed(text, known)}")
    return known[text]
