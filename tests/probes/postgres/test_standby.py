"""A primary and its standby, both watched: who follows, how far behind, and what a standby that is cut off shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.model import State
from tests.postgres import PASSWORD, cluster
from tests.probes.postgres.conftest import check_of, value
from tests.standby import standby_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from monitor.model import Sample
    from monitor.probes.postgres import PostgresCheck

    Look = Callable[[PostgresCheck], Awaitable[Sample]]


async def test_a_standby_is_watched_from_both_ends(look: Look) -> None:
    """One that replays nothing is behind; one that receives nothing is not up to date, though it has replayed all.

    A role that may not see how far replicas are is not told that they are nowhere.
    """
    with cluster() as primary, standby_of(primary) as standby:
        here, there = check_of(primary.dsn()), check_of(standby.dsn())
        primary.psql("CREATE TABLE work AS SELECT 1 AS i")
        first = await look(here)
        while value(first, "replica_behind", replica="follower") != 0:
            first = await look(here)
        assert (value(first, "standby"), value(first, "replicas")) == (0, 1)
        assert value(first, "replica_lag", replica="follower") == 0
        assert value(first, "replay_lag") is None

        follows = await look(there)
        assert follows.state is State.UP
        assert (value(follows, "standby"), value(follows, "replay_lag")) == (1, 0)
        assert value(follows, "replicas") == 0

        standby.psql("SELECT pg_wal_replay_pause()")
        primary.psql("INSERT INTO work SELECT generate_series(1, 1000)")
        behind = await look(here)
        while not value(behind, "replica_behind", replica="follower"):
            behind = await look(here)
        paused = await look(there)
        while not value(paused, "replay_lag"):
            paused = await look(there)
        standby.psql("SELECT pg_wal_replay_resume()")

        primary.psql(f"CREATE ROLE plain LOGIN PASSWORD '{PASSWORD}'")
        blind = await look(check_of(primary.dsn(user="plain")))
        assert {"replica_lag", "replica_behind"} <= blind.unmeasured
        assert "which needs pg_monitor" in blind.remarks["unmeasured"]
        assert value(blind, "replicas") == 1

        primary.stop()
        cut_off = await look(there)
        while not value(cut_off, "replay_lag"):
            cut_off = await look(there)
        assert cut_off.state is State.UP
