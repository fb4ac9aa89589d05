"""The examples of docs/flows.md, run as they stand against a product."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.clock import SystemClock
from monitor.config import load
from monitor.model import State
from monitor.probes.base import observe
from tests.fakes import ImpatientClock
from tests.probes.flow.product import PASSWORD, running

if TYPE_CHECKING:
    from monitor.model import Sample
    from monitor.probes.base import Resources
    from tests.probes.flow.product import Product

PAGE = Path(__file__).parents[3] / "docs/flows.md"
SMOKE, UPLOAD = re.findall(r"^```yaml\n(.*?)^```$", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)


async def run(example: str, product: Product, resources: Resources, folder: Path) -> Sample:
    """Return what the check of an example finds when its hosts are the product's."""
    text = example.replace("https://shop.example.com", product.url).replace("https://bucket.example.com", product.url)
    (folder / "monitor.yaml").write_text(text, "utf-8")
    (plan,) = load(folder, {"CANARY_PASSWORD": PASSWORD}).plans.values()
    return await observe(plan.id, plan.check, resources, ImpatientClock(SystemClock()))


async def test_the_smoke_flow(resources: Resources, tmp_path: Path) -> None:
    async with running() as product:
        sample = await run(SMOKE, product, resources, tmp_path)
        assert sample.state is State.UP, sample.detail
        assert product.tenants == {}
        assert ("DELETE", "/api/tenants/7") in product.seen


async def test_the_upload(resources: Resources, tmp_path: Path) -> None:
    async with running() as product:
        sample = await run(UPLOAD, product, resources, tmp_path)
        assert sample.state is State.UP, sample.detail
        assert product.uploads == [b"\x89PNG\r\n\x1a\n"]
