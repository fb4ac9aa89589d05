"""The root: the only module that knows every part, puts them together, and takes them apart in reverse order."""

from __future__ import annotations

import asyncio
import gc
import random
import signal
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from monitor.channels.base import deliver
from monitor.clock import SystemClock
from monitor.counter import Counter
from monitor.deadman import Deadman
from monitor.desk import Desk
from monitor.desk import Means as DeskMeans
from monitor.drilling import Drilling
from monitor.evidence import Evidence
from monitor.health import Health
from monitor.inbox import Inbox
from monitor.leadership import Leadership
from monitor.listening import Hearing, Listening
from monitor.lookback import Lookback
from monitor.metrics import Metrics
from monitor.model import Change
from monitor.outbox import Outbox
from monitor.outside import reach_outside
from monitor.owed import Cap
from monitor.parts import end, until_one_ends
from monitor.pipeline import Pipeline
from monitor.place import open_at
from monitor.probes.base import observe, starved
from monitor.push import REASONS, Pace, Pusher, Receiver
from monitor.recall import recall, recall_keepsakes
from monitor.register import Register
from monitor.reload import reloading
from monitor.review import Reviews
from monitor.roll import Roll
from monitor.rollout import REMEMBERED, Means, Rollouts
from monitor.schedule import Limits, Scheduler
from monitor.secrets import Redactor
from monitor.showing import Picture
from monitor.store import LeaseLost, Retention, StoreUnavailable, Writer
from monitor.store.late import LateStore
from monitor.upkeep import Upkeep
from monitor.viewing import Feed, Viewing
from monitor.viewing import Means as ViewMeans
from monitor.watchdog import Watchdog
from monitor.web import Acts, Api, Badges, Deploys, Door, Heartbeats, Tokens, Web
from monitor.web.page import Shell, pages

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

    from monitor.channels.base import Channel, SendResult
    from monitor.config import Config
    from monitor.model import Alert, AlertKey, CheckId, Delivery, Keepsake, Notification, Sample
    from monitor.outside import Outside
    from monitor.plan import Plan, Question
    from monitor.settings import Settings
    from monitor.store import Store

TICK = timedelta(seconds=1)
TIDY = timedelta(minutes=10)
LAST_SENDS = timedelta(seconds=10)
FINISHING = timedelta(seconds=1)
"""After so long a check that a restart has interrupted begins to clean up."""
GARBAGE = 5_000
"""Objects made and not yet gone before Python looks for circles among them; there are next to none."""

log = structlog.get_logger()


async def serve(
    config: Config, settings: Settings, load: Callable[[], Config], told: Callable[[str], None] | None = None
) -> None:
    """Run the daemon until SIGTERM or SIGINT; at SIGHUP take up what `load` returns. `told` hears where it listens.

    When another instance has taken the lead, all that is known here is forgotten, and this one waits for its turn.

    Raises `StoreUnusable` and `CannotListen` when it cannot start, an exception group when a part of it fails.
    """
    stop, reload = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    wishes = {signal.SIGTERM: stop, signal.SIGINT: stop, signal.SIGHUP: reload}
    for number, wish in wishes.items():
        loop.add_signal_handler(number, wish.set)
    try:
        async with reach_outside() as outside:
            while not stop.is_set():
                daemon = Daemon(config, settings, outside, told)
                try:
                    await daemon.run(load, stop, reload)
                except* LeaseLost as lost:
                    log.warning("lead_lost", why=str(lost.exceptions[0]))
                    outside.memories.clear()
                config = daemon.config
    finally:
        for number in wishes:
            loop.remove_signal_handler(number)


def redactor(config: Config, settings: Settings) -> Redactor:
    """Return what removes every secret that the configuration and the environment hold."""
    channels = (secret for channel in config.channels.values() for secret in channel.secrets())
    return Redactor((*config.secrets, *settings.secrets, *channels))


class Daemon:
    """Every part of a running daemon, joined."""

    def __init__(
        self, config: Config, settings: Settings, outside: Outside, told: Callable[[str], None] | None = None
    ) -> None:
        """Put the parts together for `config`; nothing runs yet. Must be made while the event loop runs."""
        self._settings = settings
        self._told = told
        self._outside = outside
        self._clock = SystemClock()
        self.config = config
        self._redact = redactor(config, settings)
        retention = Retention(config.retention.samples, config.retention.size, config.retention.hours)
        self._store = LateStore(lambda: open_at(settings.database, retention), self._remember)
        self._leadership = Leadership(self._store, self._clock)
        self._writer = Writer(self._store, self._clock)
        self.metrics = Metrics()
        feed = Feed(self.metrics, self._clock, lambda: self._picture)
        self._pipeline = Pipeline(self._clock, self._writer, feed, self._owe, self._run_now, self._happened)
        self._picture = Picture(self._pipeline.situation, self._hide)
        self._pusher = self._make_pusher()
        self._outbox = self._make_outbox()
        self._health = Health(self._clock, self._leadership, self._pipeline, self._writer, self._outbox, self._plans)
        self._deadman = self._make_deadman()
        limits = Limits(config.limits.in_flight, config.limits.per_host)
        self._scheduler = Scheduler(self._clock, self._observe, self._take, limits, self.metrics.schedule)
        self._rollouts = self._make_rollouts()
        self._desk = self._make_desk()
        hearing = Hearing(self._desk.hear, self._outbox.posted, self._pipeline.about)
        self._listening = Listening(self._clock, hearing, random.random)
        self._upkeep = Upkeep(self._clock, self._pipeline, self._scheduler.run_now)
        self._reviews = Reviews(self._clock, self._store, self._writer, self._owe)
        self._drilling = Drilling(self._clock, self._store, self._pipeline)
        self._evidence = Evidence(self._questions, self._look_apart, self._tell_answers, self._hide)
        self._lookback = Lookback(self._store, self._clock, self._pipeline, self.metrics.looks_back)
        self._viewer = self._make_viewer()
        self._watchdog = Watchdog(self.metrics.daemon.loop_lag)
        self.configure(config)

    def configure(self, config: Config) -> None:
        """Run `config` from now on; checks and channels that did not change are not disturbed."""
        gone = set(self.config.plans) - set(config.plans)
        self.config = config
        self._redact = redactor(config, self._settings)
        for plan in config.plans.values():
            self.metrics.watch(plan)
        for check in gone:
            self.metrics.forget(check)
        self.metrics.outbox.configure(config.channels)
        self._pipeline.configure(config.plans, config.routes, config.flapping)
        fallbacks = {name: channel.fallback for name, channel in config.channels.items() if channel.fallback}
        caps = {name: Cap(channel.limit.messages, channel.limit.per) for name, channel in config.channels.items()}
        senders = {name: self._sender(channel) for name, channel in config.channels.items()}
        self._outbox.configure(senders, fallbacks, caps)
        self._listening.configure(config.channels, self._outside.for_channels(self._redact, self._clock))
        self._scheduler.replace(config.plans)
        self._rollouts.configure(config.plans, config.systems, config.routes)
        self._upkeep.configure(config.maintenance, config.plans)
        self._reviews.configure(config.review, config.plans)
        self._drilling.configure(config.drills, config.channels)
        self._hurry()
        self.metrics.daemon.reloaded(self._clock.now(), successful=True)

    def _plans(self) -> Collection[Plan]:
        return self.config.plans.values()

    def refused(self) -> None:
        """Note that a configuration was not taken up."""
        self.metrics.daemon.reloaded(self._clock.now(), successful=False)

    async def run(self, load: Callable[[], Config], stop: asyncio.Event, reload: asyncio.Event) -> None:
        """Wait for our turn to lead, then watch until `stop` is set; at each `reload`, take up what `load` returns.

        Raises whatever a part ends with, as an exception group: a daemon that has lost a part must not go on.
        """
        async with AsyncExitStack() as stack:
            around = {
                asyncio.create_task(self._watchdog.run(), name="watchdog"),
                asyncio.create_task(self._showing(), name="showing"),
                asyncio.create_task(reloading(self, load, reload), name="reloading"),
            }
            stack.push_async_callback(end, around)
            stack.push_async_callback(self._store.close)
            viewing = asyncio.create_task(self._viewer.run(), name="viewing")
            stack.push_async_callback(end, {viewing})
            around.add(viewing)
            address = await self._show(stack)
            if self._told is not None:
                self._told(address)
            stack.push_async_callback(self._leadership.resign)
            await until_one_ends(stop, around, [self._leadership.gain()])
            if stop.is_set():
                return
            self._health.show(self.metrics.daemon)
            log.info("watching", checks=len(self.config.plans), listen=address)
            stack.push_async_callback(self._writer.close)
            writing = asyncio.create_task(self._writer.run(), name="writer")
            stack.push_async_callback(end, {writing})
            stack.callback(self._outside.databases.close)  # an instance that waits holds no connection
            try:
                await self._work(stop, {writing, *around})
            finally:
                await self._outbox.drain(LAST_SENDS)
                if self._pusher is not None and stop.is_set():
                    await self._pusher.close()
            log.info("stopped")

    async def _show(self, stack: AsyncExitStack) -> str:
        """Listen until `stack` ends; return where."""
        door = self._door()
        reports = [*Heartbeats(door, self._inbox()).table(), *Deploys(door, self._register()).table()]
        reports += Acts(door, self._counter(), self._clock).table()
        reports += Api(door, self._viewer, self._roll(), self._clock, self._hide).table()
        reports += Badges(door, self._viewer, self._clock).table()
        reports += pages(Shell(door, self._clock), self._viewer, self._counter(), self._clock)
        web = Web(door, self.metrics, healthy=self._health.problems, ready=self._health.not_ready, more=reports)
        host, port = self._settings.listen
        await web.start(host, port)
        stack.push_async_callback(web.stop)
        if self._settings.confined:
            log.warning("only_this_machine_can_connect", why="PORT is set and MONITOR_TOKEN is not")
        return f"http://{host}:{web.port}"

    async def _work(self, stop: asyncio.Event, around: set[asyncio.Task[None]]) -> None:
        """Run every part until `stop`, or until one of them, or of those `around`, ends."""
        self._pipeline.begin()
        self._hurry()
        _spare_the_collector()
        parts = [
            self._leadership.keep(),
            self._scheduler.run(),
            self._outbox.run(),
            self._lookback.run(),
            self._rollouts.run(),
            self._desk.run(),
            self._listening.run(),
            self._upkeep.run(),
            self._drilling.run(),
            self._evidence.run(),
            self._reviews.run(),
            self._ticking(),
            self._tidying(),
        ]
        if self._deadman is not None:
            parts.append(self._deadman.run())
        if self._pusher is not None:
            parts.append(self._pusher.run())
        await until_one_ends(stop, around, parts)

    async def _remember(self, store: Store) -> None:
        await recall(store, self.config.plans.values(), self._pipeline, self._outbox, self._clock.now())
        if joined := await recall_keepsakes(store, self.config.plans, self._outside.memory, self._pipeline.remind):
            self._writer.post(Change(keepsakes=joined))
        self._rollouts.restore(await store.deploys(self._clock.now() - REMEMBERED))
        self._hurry()

    def _hurry(self) -> None:
        """Look soon at what failed, and at what was interrupted: neither must wait for its usual time."""
        for check in self._pipeline.unsettled():
            self._scheduler.hurry(check)
        for plan in self.config.plans.values():
            if plan.check.unfinished(self._outside.memory(plan)):
                self._scheduler.hurry(plan.id, FINISHING)

    def _owe(self, owed: Sequence[Notification], uncertain: bool) -> None:  # noqa: FBT001 - a callback's form
        """Pass on to the outbox, which is made after the pipeline; then ask what the steps of the pages ask."""
        self._outbox.owe(owed, uncertain)
        self._evidence.see(owed)

    async def _run_now(self, check: CheckId) -> None:
        """Pass on to the scheduler, which is made after the pipeline."""
        await self._scheduler.run_now(check)

    async def _take(self, sample: Sample) -> bool:
        """Judge a sample, look which version it saw, and tell whoever waits for it."""
        again = await self._pipeline.take(sample)
        self._desk.see(sample)
        await self._rollouts.see(sample)
        return again

    def _happened(self, alert: Alert) -> Sequence[str]:
        """Pass on to what follows deploys, which is made after the pipeline."""
        return self._rollouts.beside(alert)

    def _questions(self, check: CheckId) -> Mapping[str, Question]:
        plan = self.config.plans.get(check)
        return plan.questions if plan else {}

    async def _look_apart(self, check: CheckId) -> Sample | None:
        """Run a check for the evidence: nothing remembers it, and nothing is remembered of other runs."""
        plan, resources = self.config.plans.get(check), self._outside.apart(self._redact)
        if plan is None:
            return None
        return await self._scheduler.look(plan, lambda own: observe(own.id, own.check, resources, self._clock))

    async def _tell_answers(self, key: AlertKey, incident: str, answers: Mapping[str, str]) -> None:
        silent = {name for name, channel in self.config.channels.items() if channel.silent}
        await self._pipeline.answer(key, incident, answers, silent)

    async def _observe(self, plan: Plan) -> Sample:
        resources = self._outside.for_probes(self._redact, self._keep)
        sample = await observe(plan.id, plan.check, resources, self._clock)
        return starved(sample, self._watchdog.stalled(sample.took))

    async def _keep(self, keepsake: Keepsake) -> bool:
        return await self._writer.commit(Change(keepsakes=(keepsake,)))

    def _sender(self, channel: Channel) -> Callable[[Delivery], Awaitable[SendResult]]:
        resources = self._outside.for_channels(self._redact, self._clock)
        return lambda delivery: deliver(channel, delivery, resources)

    async def _last_resort(self, text: str) -> None:
        if self._deadman is None:
            log.critical("nobody_was_told", text=text)
        else:
            await self._deadman.fail(text)

    def _door(self) -> Door:
        tokens = Tokens(self._settings.token, self._settings.scrape_token)
        return Door(tokens, self._clock, self.metrics.daemon.refused, on_render=self._settings.render)

    async def _ticking(self) -> None:
        while True:
            await self._pipeline.tick()
            await self._clock.sleep_until(self._clock.now() + TICK)

    async def _showing(self) -> None:
        while True:
            self._health.show(self.metrics.daemon)
            await self._clock.sleep_until(self._clock.now() + TICK)

    async def _tidying(self) -> None:
        while True:
            await self._clock.sleep_until(self._clock.now() + TIDY)
            try:
                await self._store.tidy(self._clock.now())
            except StoreUnavailable as error:
                log.warning("store_not_tidied", reason=str(error))

    def _make_outbox(self) -> Outbox:
        return Outbox(
            self._clock,
            self._writer,
            self.metrics.outbox,
            fall_back=self._pipeline.fall_back,
            last_resort=self._last_resort,
            jitter=random.random,
        )

    def _make_rollouts(self) -> Rollouts:
        means = Means(
            self._owe, self._run_now, self._scheduler.quicken, self._outside.memory, self.metrics.deploys.show
        )
        return Rollouts(self._clock, self._store, self._writer, means)

    def _make_desk(self) -> Desk:
        means = DeskMeans(
            leads=self._takes_acts,
            checks=lambda: self.config.plans,
            run_now=self._run_now,
            post=self._writer.post,
        )
        return Desk(self._clock, self._store, self._pipeline, means)

    def _takes_acts(self) -> bool:
        """Return whether what people do is done here; when we end, whoever comes next does it."""
        return self._leadership.leads and not self._writer.ends

    def _counter(self) -> Counter:
        return Counter(
            clock=self._clock,
            desk=self._desk,
            look=self._store.open_to_look,
            alerts_here=lambda: self._pipeline.alerts if self._takes_acts() else None,
            checks=lambda: self.config.plans,
        )

    def _make_viewer(self) -> Viewing:
        means = ViewMeans(
            config=lambda: self.config,
            leads=lambda: self._leadership.leads,
            leader=lambda: self._store.owner,
            problems=lambda: [*self._health.problems(), *self._health.not_ready()],
            look=self._store.open_to_look,
            hide=self._hide,
        )
        return Viewing(self._clock, self._picture, means)

    def _register(self) -> Register:
        return Register(
            clock=self._clock,
            rollouts=self._rollouts,
            systems=lambda: self.config.systems,
            leads=lambda: self._leadership.leads,
        )

    def _roll(self) -> Roll:
        return Roll(clock=self._clock, plans=lambda: self.config.plans, look=self._store.open_to_look)

    def _inbox(self) -> Inbox:
        return Inbox(
            clock=self._clock,
            writer=self._writer,
            plans=lambda: self.config.plans,
            memory=self._outside.memory,
            leads=lambda: self._leadership.leads,
            stir=self._scheduler.stir,
            hide=self._hide,
        )

    def _make_deadman(self) -> Deadman | None:
        url = self._settings.deadman_url
        if url is None:
            return None
        return Deadman(
            url, self._outside.session, self._clock, self._health.progress, self.metrics.daemon, self._health.pace
        )

    def _make_pusher(self) -> Pusher | None:
        settings = self._settings
        if settings.remote_write_url is None:
            return None
        login = settings.remote_write_token
        receiver = Receiver(settings.remote_write_url, login, self._outside.kept, self._hide)
        tally = self.metrics.remote_write(REASONS)
        pace = Pace(settings.remote_write_every, random.random)
        return Pusher(self.metrics, settings.instance, receiver, self._clock, tally, pace)

    def _hide(self, text: str) -> str:
        """Remove what is secret in the present configuration."""
        return self._redact(text)


def _spare_the_collector() -> None:
    """Let Python's collector pass over what stays: looking through 1,000 checks would stall the loop for 80 ms."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE, *gc.get_threshold()[1:])
