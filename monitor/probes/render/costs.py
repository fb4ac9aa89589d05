"""What the plans cost in a month, beside a budget. Traffic, build minutes and seats are not in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from monitor.probes.render.services import named, read_databases, read_key_values, read_services

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from monitor.probes.base import Run
    from monitor.probes.render.asking import Render
    from monitor.probes.render.fields import Costs
    from monitor.probes.render.services import Service, Store

SERVICE = {
    "free": 0.0, "starter": 7.0, "standard": 25.0, "pro": 85.0, "pro_plus": 175.0, "pro_max": 225.0, "pro_ultra": 450.0
}  # fmt: skip
"""US$ a month for an instance of each plan, as Render's pricing page had them in 2026; a file may say otherwise."""
DATABASE = {
    "free": 0.0, "basic_256mb": 6.0, "basic_1gb": 19.0, "basic_4gb": 75.0, "pro_4gb": 55.0, "pro_8gb": 100.0,
    "pro_16gb": 200.0, "pro_32gb": 400.0, "starter": 7.0, "standard": 20.0,
}  # fmt: skip
KEY_VALUE = {"free": 0.0, "starter": 10.0, "standard": 32.0, "pro": 135.0, "pro_plus": 250.0}
DISK, DATABASE_DISK = 0.25, 0.30
"""US$ a month for a GB of a service's disk, and of a database's."""
LEGACY = frozenset({"free", "starter", "standard", "pro", "pro_plus"})
"""Plans of databases whose disk is in their price."""
STATIC, CRON, CRON_LEAST = "static_site", "cron_job", 1.0


@dataclass
class Bill:
    """What each resource costs by its name, and which have a plan whose price nobody here knows."""

    costs: dict[str, float] = field(default_factory=dict)
    unpriced: list[str] = field(default_factory=list)

    def add(self, name: str, price: float | None, plan: str) -> None:
        """Add a resource."""
        if price is None:
            self.unpriced.append(f"{name} ({plan})")
        else:
            self.costs[name] = self.costs.get(name, 0.0) + price


async def look_at_costs(run: Run, render: Render, owner: str, costs: Costs) -> None:
    """Note what everything in the workspace costs a month, in US$, and how much of the budget; raises `Failure`."""
    run.asking = "the question for what there is to pay"
    bill = priced(
        await read_services(render, owner),
        await read_databases(render, owner),
        await read_key_values(render, owner),
        costs.prices,
    )
    total = sum(bill.costs.values())
    for name, price in bill.costs.items():
        run.note("cost", price, resource=name)
    run.note("monthly_cost", total)
    run.note("budget_share", total / costs.budget)
    run.note("unpriced", len(bill.unpriced))
    text = f"US${total:,.2f} a month of {costs.budget:,.2f}: {grown(bill.costs, costs.expected)}"
    run.remark("budget_share", text)
    run.remark("monthly_cost", text)
    if bill.unpriced:
        run.remark("unpriced", f"no price is known of {named(bill.unpriced)}: give it under prices")


def priced(
    services: Sequence[Service], databases: Sequence[Store], stores: Sequence[Store], prices: Mapping[str, float]
) -> Bill:
    """Return what everything costs; `prices` are by kind and plan, `database/basic_1gb`, before those known here."""
    bill = Bill()
    for service in services:
        if not service.suspended:
            bill.add(service.name, _service(service, prices), service.plan or service.type)
    for store in databases:
        price = prices.get(f"database/{store.plan}", DATABASE.get(store.plan))
        disk = 0.0 if store.plan in LEGACY else store.disk * DATABASE_DISK
        bill.add(store.name, None if price is None else (price + disk) * store.copies, store.plan)
    for store in stores:
        bill.add(store.name, prices.get(f"key_value/{store.plan}", KEY_VALUE.get(store.plan)), store.plan)
    return bill


def grown(costs: Mapping[str, float], expected: Mapping[str, float]) -> str:
    """Return what costs more than was `expected`, the most first; without expectations what costs most."""
    more = {name: cost - expected.get(name, 0.0) for name, cost in costs.items()}
    ordered = sorted((name for name in more if more[name] > 0), key=lambda name: (-more[name], name))
    return named([_grown(name, costs[name], expected) for name in ordered]) or "nothing grew"


def _grown(name: str, cost: float, expected: Mapping[str, float]) -> str:
    if not expected:
        return f"{name} {cost:g}"
    return f"{name} {cost:g} (expected {expected[name]:g})" if name in expected else f"{name} {cost:g} (not expected)"


def _service(service: Service, prices: Mapping[str, float]) -> float | None:
    if service.type == STATIC:
        return 0.0
    price = prices.get(f"service/{service.plan}", CRON_LEAST if service.type == CRON else SERVICE.get(service.plan))
    return None if price is None else price * max(service.instances, service.type == CRON) + service.disk * DISK
