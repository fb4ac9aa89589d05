"""One system's real file against its stand-in: real probes, pipeline, routes, outbox and channels. Only time is ours.

async with bench(SeedSource, authority) as bench:
    await bench.run("health")               # probes, judges, tells
    bench.stand_in.crashes()
    await bench.run("health", times=3)
    bench.told()                            # what arrived in Slack, the mailbox and the webhook since it was last asked
"""

from __future__ import annotations

import asyncio
import html
import json
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from monitor.channels.base import Resources as ChannelResources
from monitor.channels.base import deliver
from monitor.channels.posting import open_session
from monitor.config import load
from monitor.databases import Databases
from monitor.inbox import Inbox
from monitor.metrics import Metrics
from monitor.model import DOWN, Alert, AlertKey, CheckId, Severity, State
from monitor.network import Resolver, TlsContexts
from monitor.outbox import Outbox
from monitor.pipeline import Pipeline
from monitor.probes.base import Resources as ProbeResources
from monitor.probes.base import observe
from monitor.rollout import SETTLING, Means, Rollouts
from monitor.routing import Route, told_of
from monitor.secrets import Redactor
from monitor.vendors import Accounts
from monitor.web import Door, Heartbeats, Tokens, Web
from tests.baseline.hours import WEEK, each_hour, summed, whole_hour
from tests.channels.peers import Mails, Posts, mails, posts
from tests.examples import SECOND
from tests.fakes import FakeClock, ImpatientClock
from tests.systems.site import StandIn

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
    from email.message import EmailMessage

    from monitor.channels.base import Channel, SendResult
    from monitor.config import Config
    from monitor.hour import Hour, HourMeasure
    from monitor.model import Change, Delivery, Event, Notification, Sample
    from monitor.plan import Plan
    from tests.peers import Authority

FILES = Path(__file__).parents[2] / "config"
PATIENCE = 20

MAILBOXES = {
    "oncall@example.com": "oncall",
    "lead@example.com": "lead",
    "db-admin@capliquify.com": "db-admin",
    "devops@capliquify.com": "devops",
    "cto@capliquify.com": "cto",
}
"""The channel of each address that the one SMTP server takes."""

System = TypeVar("System", bound=StandIn)


class Told(NamedTuple):
    """One message that arrived: in which channel, its first line, and everything that people read in it."""

    channel: str
    headline: str
    text: str


@dataclass
class Inboxes:
    """The peers of the channels in `config/monitor.yaml`."""

    ops: Posts
    hook: Posts
    oncall: Mails

    @property
    def environ(self) -> dict[str, str]:
        return {
            "SLACK_WEBHOOK_URL": f"http://127.0.0.1:{self.ops.port}/services/T0/B0/ops",
            "HOOK_URL": f"http://127.0.0.1:{self.hook.port}/alerts",
            "SMTP_URL": f"smtp://127.0.0.1:{self.oncall.port}?starttls=never",
            "ONCALL_EMAIL": "oncall@example.com",
        }

    def empty(self) -> list[Told]:
        """Return what has arrived, and forget it."""
        arrived = [
            *(
                Told(path.rpartition("/")[2], _plain(post["text"]), _plain(" ".join(_strings(post))))
                for post, path in zip(self.ops.got, self.ops.paths, strict=True)
            ),
            *(Told("hook", _first(post), _plain(" ".join(_strings(post)))) for post in self.hook.got),
            *(
                Told(MAILBOXES[mail["To"]], _body(mail).splitlines()[0], _plain(_body(mail)))
                for mail in self.oncall.got
            ),
        ]
        for inbox in (self.ops, self.hook, self.oncall):
            inbox.got.clear()
        self.ops.paths.clear()
        return arrived


class Bench(Generic[System]):
    """The daemon around one system, with a store that always takes and a clock that is moved by hand."""

    available = True
    overtaken = False
    ends = False
    committed_at: datetime | None = None

    def __init__(self, stand_in: System, config: Config, inboxes: Inboxes, databases: Databases) -> None:
        self.stand_in = stand_in
        self.config = config
        self.clock = FakeClock(datetime.now(UTC))  # certificates end by the real clock
        stand_in.clock = self.clock.now
        self._inboxes = inboxes
        self._tls = TlsContexts()
        self._redact = Redactor(config.secrets)
        self._memories: dict[tuple[CheckId, str], dict[str, Any]] = {}
        self._accounts = Accounts(ImpatientClock(self.clock))
        self.databases = databases
        self._outbox = Outbox(
            self.clock, self, self, fall_back=self._nobody, last_resort=self._nobody, jitter=lambda: 0.0
        )
        self._pipeline = self.pipeline = Pipeline(self.clock, self, self, self._outbox.owe, self._ask_again)
        self.routes = _at_once(config.routes)
        self._pipeline.configure(config.plans, self.routes)
        self.kept: list[Sample] = []
        self.events: list[Event] = []
        self.quick: list[tuple[str, datetime]] = []
        means = Means(
            self._outbox.owe, self._run_now, lambda *closer: self.quick.append(closer), self._memory, lambda *_: None
        )
        self.rollouts = Rollouts(self.clock, self, self, means)  # type: ignore[arg-type] # as much of both as it needs
        self.rollouts.configure(config.plans, config.systems, self.routes)
        self._sending = 0
        self._sent = asyncio.Event()

    @asynccontextmanager
    async def listens(self) -> AsyncIterator[str]:
        """Take reports of jobs over HTTP, and yield the address of the daemon's page."""
        inbox = Inbox(
            clock=self.clock,
            writer=self,
            plans=lambda: self.config.plans,
            memory=lambda plan: self._memories.setdefault((plan.id, plan.check.kind), {}),
            leads=lambda: True,
            stir=lambda _: None,
            hide=self._redact,
        )
        door = Door(Tokens(), self.clock, lambda _: None)
        web = Web(door, Metrics(), healthy=list, ready=list, more=Heartbeats(door, inbox).table())
        await web.start("127.0.0.1", 0)
        try:
            yield f"http://127.0.0.1:{web.port}"
        finally:
            await web.stop()

    def as_written(self) -> None:
        """Tell by the routes as they stand in the file from now on, with their hours and what may wait."""
        self.routes = self.config.routes
        self._pipeline.configure(self.config.plans, self.routes)

    def until(self, day: int, hour: int) -> None:
        """Let time pass without a run until that day of the week (Monday is 0) and hour, in UTC."""
        now = self.clock.now()
        begin = now.replace(hour=hour, minute=0, second=0, microsecond=0) + timedelta(days=(day - now.weekday()) % 7)
        self.clock.skip(begin - now if begin > now else begin - now + timedelta(days=7))

    def plan(self, check: str) -> Plan:
        return self.config.plans[CheckId(self.stand_in.name, check)]

    async def run(self, check: str, times: int = 1) -> Sample:
        """Run `check` so often at its own pace, deliver whatever is owed, and return the last sample."""
        plan = self.plan(check)
        samples = [await self._run_and_tell(plan) for _ in range(times)]
        return samples[-1]

    def has_seen(self, check: str, weeks: float, *measures: HourMeasure) -> None:
        """Let so many weeks have been like this, hour by hour, until now."""
        plan, now = self.plan(check), self.clock.now()
        before = self._pipeline.pasts()[plan.id]
        past = before.emptied()
        for hour in each_hour(weeks, lambda _: measures, whole_hour(now) - weeks * WEEK):
            past.add(hour)
        past.read_at = now
        self._pipeline.look_back(plan.id, before, past)

    async def round(self, times: int = 1) -> None:
        """Run every check so often, in the order of the file, as if all were due together."""
        for _ in range(times):
            for plan in self.config.plans.values():
                await self._run_once(plan)
            await self.clock.advance(30 * SECOND)
            await self._deliver()

    def told(self) -> list[Told]:
        """Return what arrived in all channels since this was last asked."""
        return self._inboxes.empty()

    def assert_told(self, check: str, severity: Severity, *words: str) -> None:
        """Assert that exactly those whom the routes name have one new message of that severity, with these words."""
        self._assert_heard(check, severity, (str(severity), *words))

    def assert_resolved(self, check: str, severity: Severity) -> None:
        """Assert that exactly those who were told at `severity` heard that it is over."""
        self._assert_heard(check, severity, ("resolved",))

    def hears(self, check: str, severity: Severity, name: str = DOWN) -> list[str]:
        """Return the channels that the routes name for an alert of `check`, which need not be in the file."""
        key = AlertKey(CheckId(self.stand_in.name, check), name)
        return sorted(told_of(self.routes, Alert(key), severity, self.clock.now()))

    def _assert_heard(self, check: str, severity: Severity, words: Sequence[str]) -> None:
        told = self.told()
        heard = sorted(message.channel for message in told)
        assert heard == self.hears(check, severity), told
        for message in told:
            assert words[0] in message.headline.lower()
            for word in words[1:]:
                assert word in message.text, f"{message.channel}: no {word!r} in {message.text!r}"

    async def _run_and_tell(self, plan: Plan) -> Sample:
        sample = await self._run_once(plan)
        await self._deliver()
        await self.clock.advance(plan.check.every if sample.state is State.UP else plan.check.retry_every)
        return sample

    async def _run_once(self, plan: Plan) -> Sample:
        resolver = Resolver([self.stand_in.names.address])  # a kept one remembers for a second what a name was
        try:
            resources = ProbeResources(
                resolver, self._tls, self.databases, self._redact, self._memories, self._accounts
            )
            clock = ImpatientClock(self.clock)
            sample = await observe(plan.id, plan.check, resources, clock)
        finally:
            await resolver.close()
        self.clock.skip(clock.waited)
        await self._pipeline.take(sample)
        await self.rollouts.see(sample)
        self.kept.append(sample)
        return sample

    async def deploy(self, version: str = "2") -> None:
        """Let a deploy be noticed, and what follows it run and be told."""
        await self.rollouts.begin(self.stand_in.name, [("", "1", version)], self.clock.now())
        self.clock.skip(SETTLING)
        await self.later(0 * SECOND)

    async def later(self, by: timedelta) -> None:
        """Let time pass without a run, and what follows a deploy happen."""
        self.clock.skip(by)
        await self.rollouts.tick()
        await asyncio.gather(*self.rollouts.under_way)
        await self._deliver()

    async def _run_now(self, check: CheckId) -> None:
        await self._run_once(self.config.plans[check])

    def _memory(self, plan: Plan) -> dict[str, Any]:
        return self._memories.setdefault((plan.id, plan.check.kind), {})

    async def replay(self, since: datetime) -> AsyncIterator[Sample]:
        for sample in self.kept:
            if sample.at > since:
                yield sample

    async def hours(self, check: CheckId, since: datetime) -> list[Hour]:
        """Return the hours of what was kept, one for each hour that has a sample."""
        own = [sample for sample in self.kept if sample.check == check and sample.at >= since]
        return [summed(check, at, group) for at, group in groupby(own, lambda sample: whole_hour(sample.at))]

    async def journal(self, since: datetime) -> list[Event]:
        return [event for event in reversed(self.events) if event.at > since]

    async def _ask_again(self, check: CheckId) -> None:
        await self._run_once(self.config.plans[check])

    async def _deliver(self) -> None:
        """Let time pass until nothing must leave; no time passes while a message is on its way."""
        running = asyncio.create_task(self._outbox.run())
        async with asyncio.timeout(PATIENCE):
            while (oldest := self._outbox.oldest()) is not None and oldest <= self.clock.now():
                await self.clock.advance(SECOND)
                while self._sending:
                    self._sent.clear()
                    await self._sent.wait()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    def connect(self, resources: ChannelResources) -> None:
        """Send through the real channels from now on."""
        sends = {name: self._sender(channel, resources) for name, channel in self.config.channels.items()}
        self._outbox.configure(sends, {})

    def _sender(self, channel: Channel, resources: ChannelResources) -> Callable[[Delivery], Awaitable[SendResult]]:
        async def send(delivery: Delivery) -> SendResult:
            self._sending += 1
            try:
                return await deliver(channel, delivery, resources)
            finally:
                self._sending -= 1
                self._sent.set()

        return send

    async def _nobody(self, *args: Notification | str) -> None:
        raise AssertionError(args)

    def keep(self, sample: Sample) -> None: ...

    def post(self, change: Change) -> None: ...

    async def commit(self, change: Change) -> bool:
        self.events += change.events
        return True

    def sample(self, sample: Sample) -> None: ...

    def alert(self, alert: Alert) -> None: ...

    def left_out(self, check: CheckId, count: int) -> None:
        raise AssertionError(check, count)

    def delivered(self, channel: str, count: int) -> None: ...

    def failed(self, channel: str, reason: str) -> None:
        raise AssertionError(channel, reason)

    def pending(self, count: int, oldest: float) -> None: ...


@asynccontextmanager
async def bench(
    kind: Callable[[Authority], System], authority: Authority, **settings: str
) -> AsyncIterator[Bench[System]]:
    """Yield a bench with a stand-in of `kind` in which all is well; `settings` are further variables."""
    async with AsyncExitStack() as stack:
        stand_in = kind(authority)
        await stack.enter_async_context(stand_in)
        inboxes = Inboxes(
            await stack.enter_async_context(posts()),
            await stack.enter_async_context(posts()),
            await stack.enter_async_context(mails()),
        )
        resolver, tls = Resolver(), TlsContexts()
        stack.push_async_callback(resolver.close)
        environ = {**inboxes.environ, **stand_in.environ, **settings}
        config = read(stand_in.name, environ, only(stand_in.name, authority.path.parent))
        made = Bench(stand_in, config, inboxes, Databases(resolver))
        stack.callback(made.databases.close)
        session = await stack.enter_async_context(open_session(resolver, tls))
        made.connect(ChannelResources(session, resolver, tls, Redactor(made.config.secrets)))
        yield made


def read(system: str, environ: Mapping[str, str], files: Path = FILES) -> Config:
    """Return the configuration that stands in `config/`, for one system."""
    return load(files, environ, [system])


def only(system: str, folder: Path) -> Path:
    """Return a folder with the main file and that of one system; the others, slow to parse, are but names there."""
    made = folder / f"only {system}"
    (made / "systems").mkdir(parents=True, exist_ok=True)
    for other in (FILES / "systems").glob("*.yaml"):
        if other.stem != system:
            (made / "systems" / other.name).write_text(f"system: {other.stem}\nchecks: {{any: tcp://localhost:1}}\n")
    for file in ("monitor.yaml", f"systems/{system}.yaml"):
        (made / file).parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):
            (made / file).symlink_to(FILES / file)
    return made


def _strings(value: Any) -> list[str]:  # noqa: ANN401 - any JSON value
    match value:
        case str():
            return [value]
        case dict():
            return [text for part in value.values() for text in _strings(part)]
        case list():
            return [text for part in value for text in _strings(part)]
        case _:
            return []


def _first(post: dict[str, Any]) -> str:
    return json.dumps([post["status"], post["commonLabels"], post["commonAnnotations"].get("summary", "")])


def _body(mail: EmailMessage) -> str:
    part = mail.get_body(("plain",))
    assert part
    return str(part.get_content())


def _plain(text: str) -> str:
    return " ".join(html.unescape(text).split())


def _at_once(routes: Iterable[Route]) -> tuple[Route, ...]:
    """Return `routes` with all hours open and nothing waiting: here the figures are proven, in test_routes the rest."""
    return tuple(replace(route, hours=None, within=0 * SECOND, digest=None) for route in routes)
