"""Whether a Redis or Valkey server answers, and how full, how busy and how safe it is."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, ClassVar, Literal

from monitor.fields import Size
from monitor.keyvalue import Info
from monitor.model import Failure, Reason, State
from monitor.permission import Asks
from monitor.probes.base import MeasureSpec, ThresholdFields
from monitor.probes.keyvalue import KeyValueCheck
from monitor.probes.redis.figures import counted, figures, full, hit_share, remarks
from monitor.units import Unit

if TYPE_CHECKING:
    from monitor.keyvalue import Reply, Talk
    from monitor.probes.base import Run

Policy = Literal[
    "noeviction",
    "allkeys-lru",
    "allkeys-lfu",
    "allkeys-random",
    "volatile-lru",
    "volatile-lfu",
    "volatile-random",
    "volatile-ttl",
]
COUNTED = "counted"
"""Where a run leaves what was counted by then for the next one."""


class RedisCheck(KeyValueCheck):
    """Sends PING, then asks the server about itself (INFO); what it does not tell is no measure.

    A server that refuses writes for lack of memory is down, saturated. For Redis from 5 on, Valkey, and what speaks
    like them.
    """

    kind: str = "redis"
    limit: Size | None = None
    """The memory of the plan, such as `25MB`; default: the server's own `maxmemory`, if it has one."""
    policy: Policy | None = None
    """What the server must do when it is full (`maxmemory_policy`); a queue needs `noeviction`. Another one is a
    warning."""

    measures: ClassVar = (
        *KeyValueCheck.measures,
        MeasureSpec("ping", Unit.SECONDS, "from PING to PONG"),
        MeasureSpec("memory", Unit.BYTES, "what the data and the server's own needs take"),
        MeasureSpec("memory_limit", Unit.BYTES, "`limit`, or the server's maxmemory"),
        MeasureSpec("memory_share", Unit.RATIO, "the share of the limit that is used; absent where there is none"),
        MeasureSpec("fragmentation", Unit.NUMBER, "bytes taken from the machine for each one used"),
        MeasureSpec("evicted", Unit.NUMBER, "keys dropped for lack of memory, since the server started"),
        MeasureSpec("refused", Unit.NUMBER, "writes refused for lack of memory, since the server started"),
        MeasureSpec("policy_wrong", Unit.NUMBER, "1 while maxmemory_policy is not `policy`, else 0"),
        MeasureSpec("clients", Unit.NUMBER, "connections, ours among them"),
        MeasureSpec("client_share", Unit.RATIO, "the share of maxclients that is used"),
        MeasureSpec("blocked", Unit.NUMBER, "connections that wait in a blocking command, as idle workers do"),
        MeasureSpec("rejected", Unit.NUMBER, "connections refused for maxclients, since the server started"),
        MeasureSpec("hits", Unit.NUMBER, "lookups that found their key, since the server started"),
        MeasureSpec("misses", Unit.NUMBER, "lookups that found nothing, since the server started"),
        MeasureSpec("hit_share", Unit.RATIO, "hits of all lookups since the run before; absent if there were none"),
        MeasureSpec("keys", Unit.NUMBER, "keys in the database"),
        MeasureSpec("slowlog", Unit.NUMBER, "entries in the slow log, which holds 128 unless it is told otherwise"),
        MeasureSpec("persistence_failed", Unit.NUMBER, "1 while the last snapshot or write of the log failed, else 0"),
        MeasureSpec("save_age", Unit.SECONDS, "since the last snapshot; since the start where there was none"),
        MeasureSpec("replicas", Unit.NUMBER, "replicas that are connected to a master"),
        MeasureSpec("replication_up", Unit.NUMBER, "1 while a replica has its master, else 0"),
        MeasureSpec("replication_lag", Unit.SECONDS, "since a replica heard of its master, a master of each replica"),
        MeasureSpec("uptime", Unit.SECONDS, "since the server started"),
    )

    def asks_for(self) -> Asks:
        """Return that it asks the server about itself."""
        return Asks(commands=("ping", "info", "slowlog|len"))

    def implied(self) -> tuple[ThresholdFields, ...]:
        """Return the warning of another policy than the one that is asked for."""
        if self.policy is None:
            return ()
        remedy = f"Set maxmemory-policy to {self.policy}, in the server's configuration or with its provider."
        return (ThresholdFields(watch="policy_wrong", name="policy", warning="> 0", remedy=remedy),)

    async def probe(self, run: Run) -> None:
        """Ask for PONG, then for all else; a server that answers PING with an error may yet tell of itself."""
        started = perf_counter()
        async with self.talk(run) as talk:
            pong = await self._ping(run, talk)
            told, slow = await self._info(run, talk, pong)
        if isinstance(slow, int):
            run.note("slowlog", slow)
        why = self._note(run, Info(told.decode("utf-8", "replace"))) if isinstance(told, bytes) else ""
        self._judge(pong, told, why)
        run.note("duration", perf_counter() - started)

    async def _ping(self, run: Run, talk: Talk) -> Reply:
        """Return PONG, or the `Failure` that came in its place; anything else is not Redis."""
        asked = perf_counter()
        (pong,) = await talk.ask(("PING",))
        took = perf_counter() - asked
        if pong == b"PONG":
            run.note("phase", took, phase="ping")
            run.note("ping", took)
        elif not isinstance(pong, Failure):
            raise Failure(Reason.PROTOCOL, f"{self.address.shown} answers PING with something else")
        return pong

    async def _info(self, run: Run, talk: Talk, pong: Reply) -> list[Reply]:
        """Return what the server tells of itself, and how long its slow log is."""
        asked = perf_counter()
        try:
            told = await talk.ask(("INFO",), ("SLOWLOG", "LEN"))
        except Failure:
            if isinstance(pong, Failure):
                raise pong from None
            raise
        run.note("phase", perf_counter() - asked, phase="info")
        return told

    def _note(self, run: Run, info: Info) -> str:
        """Note what the server tells of itself; return what shows that it is full, if something does."""
        found = figures(info, self.limit, self.policy, self.address.database)
        before, now = run.memory.get(COUNTED), counted(info)
        run.memory[COUNTED] = now
        if (share := hit_share(before, now)) is not None:
            found["hit_share"] = share
        for name, value in found.items():
            run.note(name, value)
        for name, text in remarks(info, found):
            run.remark(name, text)
        return full(info, before, now)

    def _judge(self, pong: Reply, told: Reply, full: str) -> None:
        """Raise the `Failure` that follows from the answers, if one does."""
        if isinstance(pong, Failure):
            raise pong
        if isinstance(told, Failure):
            raise Failure(told.reason, f"{told.detail} (INFO; it answers PING)", State.UNKNOWN)
        if not isinstance(told, bytes):
            raise Failure(Reason.PROTOCOL, f"{self.address.shown} answers INFO with something else")
        if full:
            raise Failure(Reason.SATURATED, f"{self.address.shown} has no memory left for writes ({full})")
