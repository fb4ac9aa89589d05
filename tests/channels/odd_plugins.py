"""Plugins of apprise that misbehave, and then our own child as it is. Run as a script, with `-I`."""

# ruff: noqa: T201 - printing is what one of them is about
from __future__ import annotations

import os
import runpy
import subprocess
import sys
from typing import Any

from apprise.decorators import notify


@notify(on="prints")  # type: ignore[no-untyped-call, untyped-decorator]  # apprise says nothing of its types
def prints(body: str, *_: object, meta: dict[str, Any], **__: object) -> bool:
    """Show everything to everybody, and something that looks like an answer of ours."""
    print(meta["url"], body, '{"number": 0, "known": true, "sent": true, "said": ""}', flush=True)
    print(meta["url"] * 100_000, file=sys.stderr, flush=True)
    return False


@notify(on="raises")  # type: ignore[no-untyped-call, untyped-decorator]  # the same
def raises(*_: object, meta: dict[str, Any], **__: object) -> bool:
    raise RuntimeError(f"cannot use {meta['url']}")


@notify(on="exits")  # type: ignore[no-untyped-call, untyped-decorator]  # the same
def exits(*_: object, **__: object) -> bool:
    os._exit(3)


@notify(on="leaves")  # type: ignore[no-untyped-call, untyped-decorator]  # the same
def leaves(*_: object, meta: dict[str, Any], **__: object) -> bool:
    """Start something that waits for ever, and wait for it."""
    return subprocess.run(["sleep", meta["host"]], check=False).returncode == 0


runpy.run_path(sys.argv[1], run_name="__main__")
