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
from monitor.deadman import EVERY, Deadman, Progress
from monitor.faults import ConfigError
from monitor.metrics import Metrics
from monitor.model import CheckId, EventKind, Sample
from monitor.outbox import Outbox
from monitor.outside import reach_outside
from monitor.owed import GIVE_UP_AFTER
from monitor.pipeline import Pipeline
from monitor.probes.base import observe
from monitor.push import REASONS, Pace, Pusher, Receiver
from monitor.schedule import Limits, Scheduler
from monitor.secrets import Redactor
from monitor.store import Retention, StoreUnavailable, StoreUnusable, Writer, open_store
from monitor.store.late import LateStore
from monitor.trend import SPAN
from monitor.watchdog import Watchdog
from monitor.web import Tokens, Web

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from pathlib import Path

    from monitor.channels.base import Channel, SendResult
    from monitor.config import Config
    from monitor.model import Delivery, Notification
    from monitor.outside import Outside
    from monitor.plan import Plan
    from monitor.settings import Settings
    from monitor.store import Store

TICK = timedelta(seconds=1)
TIDY = timedelta(minutes=10)
STORE_PATIENCE = timedelta(seconds=60)
STORE_RETRY = timedelta(seconds=2)
LAST_SENDS = timedelta(seconds=10)
STALE = timedelta(minutes=2)
GARBAGE = 5_000
"""Objects made and not yet gone before Python looks for circles among them; there are next to none."""

log = structlog.get_logger()


async def serve(config: Config, settings: Settings, load: Callable[[], Config]) -> None:
    """Run the daemon until SIGTERM or SIGINT; at SIGHUP take up what `load` returns.

    Raises `StoreUnusable` and `CannotListen` when it cannot start, an exception group when a part of it fails.
    """
    stop, reload = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    wishes = {signal.SIGTERM: stop, signal.SIGINT: stop, signal.SIGHUP: reload}
    for number, wish in wishes.items():
        loop.add_signal_handler(number, wish.set)
    try:
        async with reach_outside() as outside:
            await Daemon(config, settings, outside).run(load, stop, reload)
    finally:
        for number in wishes:
            loop.remove_signal_handler(number)


def redactor(config: Config, settings: Settings) -> Redactor:
    """Return what removes every secret that the configuration and the environment hold."""
    channels = (secret for channel in config.channels.values() for secret in channel.secrets())
    return Redactor((*config.secrets, *settings.secrets, *channels))


class Daemon:
    """Every part of a running daemon, joined."""

    def __init__(self, config: Config, settings: Settings, outside: Outside) -> None:
        """Put the parts together for `config`; nothing runs yet. Must be made while the event loop runs."""
        self._settings = settings
        self._outside = outside
        self._clock = SystemClock()
        self._config = config
        self._redact = redactor(config, settings)
        retention = Retention(config.retention.samples, config.retention.size, config.retention.hours)
        self._store = LateStore(lambda: _open(settings.database, retention), self._remember)
        self._writer = Writer(self._store, self._clock)
        self.metrics = Metrics()
        self._pipeline = Pipeline(
            self._clock,
            self._writer,
            self.metrics,
            self._owe,
            self._run_now,
        )
        self._deadman = self._make_deadman()
        self._pusher = self._make_pusher()
        self._outbox = Outbox(
            self._clock,
            self._writer,
            self.metrics.outbox,
            fall_back=self._pipeline.fall_back,
            last_resort=self._last_resort,
            jitter=random.random,
        )
        limits = Limits(config.limits.in_flight, config.limits.per_host)
        self._scheduler = Scheduler(self._clock, self._observe, self._pipeline.take, limits, self.metrics.schedule)
        self._watchdog = Watchdog(self.metrics.daemon.loop_lag)
        self._lost = 0
        self.configure(config)

    def configure(self, config: Config) -> None:
        """Run `config` from now on; checks and channels that did not change are not disturbed."""
        gone = set(self._config.plans) - set(config.plans)
        self._config = config
        self._redact = redactor(config, self._settings)
        for plan in config.plans.values():
            self.metrics.watch(plan)
        for check in gone:
            self.metrics.forget(check)
        self.metrics.outbox.configure(config.channels)
        self._pipeline.configure(config.plans, config.routes)
        fallbacks = {name: channel.fallback for name, channel in config.channels.items() if channel.fallback}
        self._outbox.configure({name: self._sender(channel) for name, channel in config.channels.items()}, fallbacks)
        self._scheduler.replace(config.plans)
        self._hurry()
        self.metrics.daemon.reloaded(self._clock.now(), successful=True)

    async def run(self, load: Callable[[], Config], stop: asyncio.Event, reload: asyncio.Event) -> None:
        """Watch until `stop` is set; at each `reload`, take up what `load` returns, unless it is faulty.

        Raises whatever a part ends with, as an exception group: a daemon that has lost a part must not go on.
        """
        async with AsyncExitStack() as stack:
            watching = asyncio.create_task(self._watchdog.run(), name="watchdog")
            stack.push_async_callback(self._end, watching)
            stack.push_async_callback(self._store.close)
            await self._reach_store(stop)
            web = Web(
                Tokens(self._settings.token, self._settings.scrape_token),
                self.metrics,
                healthy=self._problems,
                ready=self._not_ready,
            )
            await web.start(*self._settings.listen)
            stack.push_async_callback(web.stop)
            host, _ = self._settings.listen
            if self._settings.confined:
                log.warning("only_this_machine_can_connect", why="PORT is set and MONITOR_TOKEN is not")
            log.info("watching", checks=len(self._config.plans), listen=f"http://{host}:{web.port}")
            stack.push_async_callback(self._writer.close)
            writing = asyncio.create_task(self._writer.run(), name="writer")
            stack.push_async_callback(self._end, writing)
            try:
                await self._work(load, stop, reload, {writing, watching})
            finally:
                await self._outbox.drain(LAST_SENDS)
                if self._pusher is not None:
                    await self._pusher.close()
            log.info("stopped")

    async def _work(
        self, load: Callable[[], Config], stop: asyncio.Event, reload: asyncio.Event, around: set[asyncio.Task[None]]
    ) -> None:
        """Run every part until `stop`, or until one of them, or of those `around`, ends."""
        self._pipeline.begin()
        self._hurry()
        _spare_the_collector()
        parts: list[Awaitable[None]] = [
            self._scheduler.run(),
            self._outbox.run(),
            self._ticking(),
            self._tidying(),
            self._reloading(load, reload),
        ]
        if self._deadman is not None:
            parts.append(self._deadman.run())
        if self._pusher is not None:
            parts.append(self._pusher.run())
        tasks = {asyncio.ensure_future(part) for part in parts}
        stopping = asyncio.create_task(stop.wait())
        ended, _ = await asyncio.wait({*tasks, *around, stopping}, return_when=asyncio.FIRST_COMPLETED)
        for task in (*tasks, stopping):
            task.cancel()
        await asyncio.gather(*tasks, stopping, return_exceptions=True)
        broken = [error for task in ended if not task.cancelled() and (error := task.exception())]
        if broken:
            raise BaseExceptionGroup("a part of the daemon failed", broken)

    async def _reach_store(self, stop: asyncio.Event) -> None:
        """Open the store and remember what it holds; after a minute go on without it, and let it come later.

        Raises `StoreUnusable` when what is there is not a store of ours.
        """
        until = self._clock.now() + STORE_PATIENCE
        while not stop.is_set():
            try:
                await self._store.open()
            except StoreUnavailable as error:
                log.warning("store_unavailable", reason=str(error))
                if self._clock.now() >= until:
                    return
                await self._clock.sleep_until(self._clock.now() + STORE_RETRY)
            else:
                return

    async def _remember(self, store: Store) -> None:
        """Take up what an earlier process knew and owed."""
        now = self._clock.now()
        windows = [threshold.watch.window for plan in self._config.plans.values() for threshold in plan.thresholds]
        async for sample in store.replay(now - max([SPAN, *windows])):
            self._pipeline.recall(sample)
        self._pipeline.restore(await store.alerts())
        events = await store.journal(now - GIVE_UP_AFTER, limit=100_000)
        fell_back = {event.detail.split(" ")[0] for event in events if event.kind is EventKind.FELL_BACK}
        self._outbox.restore(await store.owed(), fell_back)

    def _hurry(self) -> None:
        """Look soon at what failed: a restart or a reload must not make an outage wait for its usual time."""
        for check in self._pipeline.unsettled():
            self._scheduler.hurry(check)

    def _owe(self, owed: Sequence[Notification], uncertain: bool) -> None:  # noqa: FBT001 - a callback's form
        """Pass on to the outbox, which is made after the pipeline."""
        self._outbox.owe(owed, uncertain)

    async def _run_now(self, check: CheckId) -> None:
        """Pass on to the scheduler, which is made after the pipeline."""
        await self._scheduler.run_now(check)

    async def _observe(self, plan: Plan) -> Sample:
        return await observe(plan.id, plan.check, self._outside.for_probes(self._redact), self._clock)

    def _sender(self, channel: Channel) -> Callable[[Delivery], Awaitable[SendResult]]:
        resources = self._outside.for_channels(self._redact)
        return lambda delivery: deliver(channel, delivery, resources)

    async def _last_resort(self, text: str) -> None:
        if self._deadman is None:
            log.critical("nobody_was_told", text=text)
        else:
            await self._deadman.fail(text)

    async def _ticking(self) -> None:
        while True:
            await self._pipeline.tick()
            self._show_ourselves()
            await self._clock.sleep_until(self._clock.now() + TICK)

    def _show_ourselves(self) -> None:
        daemon = self.metrics.daemon
        daemon.leader.set(1)
        daemon.store_available.set(self._writer.available)
        daemon.clock_offset.set(self._clock.offset().total_seconds())
        daemon.samples_lost.inc(self._writer.lost_samples - self._lost)
        self._lost = self._writer.lost_samples

    async def _tidying(self) -> None:
        while True:
            await self._clock.sleep_until(self._clock.now() + TIDY)
            try:
                await self._store.tidy(self._clock.now())
            except StoreUnavailable as error:
                log.warning("store_not_tidied", reason=str(error))

    async def _reloading(self, load: Callable[[], Config], reload: asyncio.Event) -> None:
        while True:
            await reload.wait()
            reload.clear()
            try:
                config = await asyncio.to_thread(load)
            except ConfigError as error:
                self.metrics.daemon.reloaded(self._clock.now(), successful=False)
                log.error("reload_refused", faults=[str(fault) for fault in error.faults])  # noqa: TRY400 - no bug of ours
            else:
                if (config.limits, config.retention) != (self._config.limits, self._config.retention):
                    log.warning("needs_a_restart", what="limits and retention are taken up at the next start")
                self.configure(config)
                log.info("reloaded", checks=len(config.plans))

    def _progress(self) -> Progress:
        return Progress(self._pipeline.judged_at, self._writer.committed_at, self._outbox.oldest())

    def _pace(self) -> timedelta:
        """Return the time within which a sample must come: a minute, or longer where every check runs less often."""
        return max(EVERY, 2 * min((plan.check.every for plan in self._config.plans.values()), default=EVERY))

    def _make_deadman(self) -> Deadman | None:
        url = self._settings.deadman_url
        if url is None:
            return None
        return Deadman(url, self._outside.session, self._clock, self._progress, self.metrics.daemon, self._pace)

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

    def _problems(self) -> Sequence[str]:
        """Return what keeps the daemon from its work: a restart would mend it."""
        age = self._clock.now() - self._pipeline.judged_at
        stale = bool(self._config.plans) and age > max(STALE, 2 * self._pace())
        return [f"no sample was judged for {age.total_seconds():.0f} s"] if stale else []

    def _not_ready(self) -> Sequence[str]:
        away = "the store cannot be reached: what happens is remembered in memory only"
        return [] if self._writer.available and self._store.reached else [away]

    async def _end(self, task: asyncio.Task[None]) -> None:
        """End a part that outlives the others: the watchdog, and the writer's loop before its last flush."""
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _spare_the_collector() -> None:
    """Let Python's collector pass over what stays: looking through 1,000 checks would stall the loop for 80 ms."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE, *gc.get_threshold()[1:])


async def _open(path: Path, retention: Retention) -> Store:
    """Open the store at `path`; its folder is made if need be."""
    try:
        await asyncio.to_thread(path.parent.mkdir, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnusable(f"the folder {path.parent} cannot be made: {error.strerror or error}") from error
    return await open_store(path, retention)
