"""The examples of docs/webhooks.md that ask a vendor, run as they stand against the stand-ins of the vendors."""

from __future__ import annotations

import re
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.clock import SystemClock
from monitor.config import load
from monitor.model import State
from monitor.probes.base import observe
from monitor.vendors import Accounts
from tests.fakes import ImpatientClock
from tests.systems.shopify_api import TOKEN, ShopifyApi
from tests.systems.stripe_api import KEY, StripeApi

if TYPE_CHECKING:
    from monitor.model import Sample
    from monitor.probes.base import Resources

PAGE = Path(__file__).parents[2] / "docs/webhooks.md"
ENVIRON = {
    "STRIPE_MONITOR_KEY": KEY,
    "STRIPE_PRICE_MONTHLY": "price_1M",
    "STRIPE_PRICE_YEARLY": "price_1Y",
    "SHOPIFY_TOKEN": TOKEN,
}


def example(section: str) -> str:
    """Return the YAML of a section."""
    found = re.search(rf"^## {section}\n.*?^```yaml\n(.*?)^```$", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    assert found
    return found[1]


async def run(section: str, url: str, resources: Resources, folder: Path) -> dict[str, Sample]:
    """Return what each check of a section's example finds when the vendor is at `url`."""
    (folder / "monitor.yaml").write_text(example(section), "utf-8")
    patient = replace(resources, accounts=Accounts(ImpatientClock(SystemClock())))
    plans = load(folder, ENVIRON).plans.values()
    return {
        plan.id.check: await observe(plan.id, plan.check.model_copy(update={"url": url}), patient, SystemClock())
        for plan in plans
    }


async def test_the_example_of_stripe(resources: Resources, tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        api = StripeApi("127.0.0.1", None)
        await api.start(stack)
        api.registers("https://shop.example.com/webhooks/stripe", "*")
        api.sells("price_1M", "price_1Y")
        api.happens("checkout.session.completed", ago=timedelta(hours=1), pending=1)
        found = await run("stripe", api.url, resources, tmp_path)
    assert {name: sample.state for name, sample in found.items()} == {"stripe": State.UP, "prices": State.UP}
    assert "1 × checkout.session.completed" in found["stripe"].remarks["undelivered"]
    assert not found["prices"].remarks


async def test_the_example_of_shopify(resources: Resources, tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        api = ShopifyApi("127.0.0.1", None)
        await api.start(stack)
        api.subscribes("APP_UNINSTALLED", "https://api.example.com/webhooks/app")
        found = await run("shopify", api.url, resources, tmp_path)
    assert found["shopify"].state is State.UP
    assert found["shopify"].remarks["missing_topics"] == "orders/create is not subscribed to"
