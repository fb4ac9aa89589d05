"""Standbys, slots and the archive: what follows this server, or how far behind another this one is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from monitor.model import Failure, Reason
from monitor.probes.base import MeasureSpec
from monitor.units import Unit, show

if TYPE_CHECKING:
    from monitor.databases import Connection
    from monitor.probes.base import Run
    from monitor.probes.postgres import PostgresCheck

MEASURES = (
    MeasureSpec("replicas", Unit.NUMBER, "standbys and subscribers that are connected"),
    MeasureSpec("replica_lag", Unit.SECONDS, "how long ago what a replica has replayed was written", ("replica",)),
    MeasureSpec("replica_behind", Unit.BYTES, "what a replica has still to replay", ("replica",)),
    MeasureSpec("replay_lag", Unit.SECONDS, "on a standby, how old what it shows is"),
    MeasureSpec("slot_retained", Unit.BYTES, "what the server keeps on its disk for a replication slot", ("slot",)),
    MeasureSpec("inactive_slots", Unit.NUMBER, "replication slots that nobody reads"),
    MeasureSpec("archive_failures", Unit.NUMBER, "failed attempts to archive a file of the log; a counter"),
)
REPLICATION = """
WITH here AS (SELECT pg_is_in_recovery() AS standby,
       CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END AS lsn)
SELECT (SELECT json_agg(r) FROM (
         SELECT coalesce(nullif(s.application_name, ''), 'unnamed') AS name, count(*) AS replicas,
                count(s.state) < count(*) AS hidden, max(pg_wal_lsn_diff(here.lsn, s.replay_lsn)) AS behind,
                extract(epoch FROM max(CASE WHEN s.replay_lsn < here.lsn THEN s.replay_lag ELSE '0' END)) AS lag
           FROM pg_stat_replication s GROUP BY 1) r)::text AS replicas,
       (SELECT json_agg(r) FROM (
         SELECT s.slot_name AS name, s.active, pg_wal_lsn_diff(here.lsn, s.restart_lsn) AS retained
           FROM pg_replication_slots s) r)::text AS slots,
       (SELECT failed_count FROM pg_stat_archiver) AS archive_failures,
       CASE WHEN NOT here.standby THEN NULL
            WHEN EXISTS (SELECT FROM pg_stat_wal_receiver) AND pg_last_wal_receive_lsn() <= here.lsn THEN 0
            ELSE extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()) END::float8 AS replay_lag
  FROM here
"""
"""A standby that has replayed all it received shows nothing old, but only as long as it receives at all."""


async def take(connection: Connection, run: Run, _check: PostgresCheck) -> None:
    """Note what there is of it."""
    row = await connection.fetchrow(REPLICATION)
    if row["replay_lag"] is not None:
        run.note("replay_lag", max(row["replay_lag"], 0.0))
    run.note("archive_failures", row["archive_failures"])
    _note_slots(run, json.loads(row["slots"] or "[]"))
    _note_replicas(run, json.loads(row["replicas"] or "[]"))


def _note_slots(run: Run, slots: list[dict[str, Any]]) -> None:
    idle = [slot for slot in slots if not slot["active"]]
    run.note("inactive_slots", len(idle))
    for slot in slots:
        if slot["retained"] is not None:
            run.note("slot_retained", max(slot["retained"], 0.0), slot=slot["name"])
    if idle:
        said = ", ".join(f"{slot['name']} ({show(slot['retained'] or 0, Unit.BYTES)})" for slot in idle)
        run.remark("inactive_slots", f"nobody reads {said}; pg_drop_replication_slot lets go of one")
        run.remark("slot_retained", f"nobody reads {said}")


def _note_replicas(run: Run, replicas: list[dict[str, Any]]) -> None:
    run.note("replicas", sum(replica["replicas"] for replica in replicas))
    if any(replica["hidden"] for replica in replicas):
        raise Failure(Reason.AUTH, "replication: how far replicas are is hidden from our role, which needs pg_monitor")
    for replica in replicas:
        if replica["lag"] is not None:
            run.note("replica_lag", max(replica["lag"], 0.0), replica=replica["name"])
        if replica["behind"] is not None:
            run.note("replica_behind", max(replica["behind"], 0.0), replica=replica["name"])
