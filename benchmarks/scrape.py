"""Reading what a daemon shows at /metrics: sums, and quantiles of histograms, between two scrapes."""

from __future__ import annotations

import http.client
import re

PATIENCE = 30


def get(port: int, path: str) -> str:
    """Return the body at `path` of a local server; leaves if the answer is not 200."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    connection.request("GET", path)
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    if answer.status != http.client.OK:
        raise SystemExit(f"{path} answers {answer.status}: {body[:500]}")
    return body


def total(exposition: str, name: str) -> float:
    """Return the sum of all series of that name; 0 if there is none."""
    values = re.findall(rf"^{name}(?:{{[^\n]*}})? (\S+)", exposition, re.MULTILINE)
    return sum(map(float, values))


def quantile(q: float, name: str, before: str, after: str) -> float:
    """Return the quantile of what a histogram without labels took in between two scrapes, as PromQL's interpolates."""
    earlier, later = _buckets(name, before), _buckets(name, after)
    counts = [(edge, count - earlier.get(edge, 0.0)) for edge, count in later.items()]
    rank = q * counts[-1][1]
    below_edge, below = 0.0, 0.0
    for edge, count in counts:
        if count >= rank and count > below:
            share = (rank - below) / (count - below)
            return below_edge if edge == float("inf") else below_edge + (edge - below_edge) * share
        below_edge, below = edge, count
    return below_edge


def _buckets(name: str, exposition: str) -> dict[float, float]:
    found = re.findall(rf'^{name}_bucket{{le="([^"]+)"}} (\S+)', exposition, re.MULTILINE)
    if not found:
        raise SystemExit(f"the daemon shows no histogram {name}")
    return {float(edge): float(count) for edge, count in found}
