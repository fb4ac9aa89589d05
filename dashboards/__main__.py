"""`make dashboards`: write every dashboard as the JSON that Grafana provisions and imports."""

from __future__ import annotations

import json
from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from dashboards import daemon, overview, pools, system, webhooks

FOLDER = Path(__file__).parent.parent / "config/grafana/dashboards"
ALL = {
    "overview": overview.board,
    "system": system.board,
    "pools": pools.board,
    "webhooks": webhooks.board,
    "daemon": daemon.board,
}
"""Each dashboard by the name of its file."""


def written() -> dict[str, str]:
    """Return the text of each file, by its name."""
    return {
        f"{name}.json": json.dumps(make(), cls=JSONEncoder, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
        for name, make in ALL.items()
    }


def main() -> None:
    """Write them all, and remove what is none of them any more."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    files = written()
    for path in FOLDER.glob("*.json"):
        if path.name not in files:
            path.unlink()
    for name, text in files.items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
