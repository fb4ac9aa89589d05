"""A kind of check is one file of this package and one line of this list."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monitor.probes.base import Check

KINDS: Mapping[str, str] = {
    "http": "monitor.probes.http:HttpCheck",
    "tcp": "monitor.probes.tcp:TcpCheck",
    "tls": "monitor.probes.tls:TlsCheck",
    "dns": "monitor.probes.dns:DnsCheck",
    "postgres": "monitor.probes.postgres:PostgresCheck",
    "sql": "monitor.probes.sql:SqlCheck",
    "migrations": "monitor.probes.migrations:MigrationsCheck",
    "pgbouncer": "monitor.probes.pgbouncer:PgbouncerCheck",
    "redis": "monitor.probes.redis:RedisCheck",
    "queue": "monitor.probes.queue:QueueCheck",
    "webhook": "monitor.probes.webhook:WebhookCheck",
    "stripe": "monitor.probes.stripe:StripeCheck",
    "metrics": "monitor.probes.metrics:MetricsCheck",
    "promql": "monitor.probes.promql:PromqlCheck",
    "shopify": "monitor.probes.shopify:ShopifyCheck",
    "flow": "monitor.probes.flow:FlowCheck",
    "render": "monitor.probes.render:RenderCheck",
    "status": "monitor.probes.status:StatusCheck",
    "age": "monitor.probes.age:AgeCheck",
    "neon": "monitor.probes.neon_project:NeonCheck",
    "sentry": "monitor.probes.sentry:SentryCheck",
    "s3": "monitor.probes.s3:S3Check",
    "supabase": "monitor.probes.supabase:SupabaseCheck",
    "heartbeat": "monitor.probes.heartbeat:HeartbeatCheck",
}
"""Every kind, and where its class stands: a kind is imported when a file uses it, with the libraries that it needs."""


def load_kind(name: str) -> type[Check]:
    """Return the class of the kind `name`; raises ValueError naming the kinds there are."""
    if name not in KINDS:
        raise ValueError(f"{name!r} is not a kind of check; there are {', '.join(KINDS)}")
    module, _, attribute = KINDS[name].partition(":")
    kind: type[Check] = getattr(import_module(module), attribute)
    return kind


def kind_of_address(text: str) -> tuple[str, dict[str, Any]] | None:
    """Return the kind that a check's short form means and the fields that it sets; None if `text` is no such address.

    `https://host/path` is http with `url`; `tcp://host:port` and `tls://host[:port]` set `host` and `port`;
    `dns://name` sets `name`, and `dns://name?type=CNAME&expect=*.example.com` also `type` and `expect`;
    `postgresql://user@host/database` is postgres with `dsn`; `redis://host:port` and its like are redis with `url`. The
    fields are not judged here: a port that is missing or no number is for the kind to refuse.
    Raises ValueError when an address of these kinds has a part that means nothing in it.
    """
    scheme, separator, _ = text.partition("://")
    match separator and scheme.lower():
        case "http" | "https":
            return "http", {"url": text}
        case "tcp" | "tls" as kind:
            return kind, _host_and_port(text)
        case "dns":
            return "dns", _name_and_query(text)
        case "postgres" | "postgresql":
            return "postgres", {"dsn": text}
        case "redis" | "rediss" | "valkey" | "valkeys":
            return "redis", {"url": text}
        case _:
            return None


def _host_and_port(text: str) -> dict[str, Any]:
    parts = urlsplit(text)
    if parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError(f"{text!r} has more than {parts.scheme}://host:port")
    host, _, port = parts.netloc.rpartition(":") if not parts.netloc.endswith("]") else (parts.netloc, "", "")
    host, port = (host, port) if host else (port, "")
    fields: dict[str, Any] = {"host": host.strip("[]")}
    return fields | ({"port": int(port) if port.isdecimal() else port} if port else {})


def _name_and_query(text: str) -> dict[str, Any]:
    parts = urlsplit(text)
    query = parse_qs(parts.query, keep_blank_values=True)
    if parts.path.strip("/") or parts.fragment or not query.keys() <= {"type", "expect"}:
        raise ValueError(f"{text!r} has more than dns://name?type=…&expect=…")
    single = {key: values[0] if len(values) == 1 else values for key, values in query.items()}
    return {"name": parts.netloc, **single}
