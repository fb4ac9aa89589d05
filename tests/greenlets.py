"""Lets coverage follow SQLAlchemy's greenlets at the price of a switch between them, not of every call in any thread.

Coverage keeps a stack of calls for each greenlet if its `concurrency` names greenlets. It then asks at every call and
every return which greenlet runs, and looks that up in a dictionary written in Python: that is more than half of what
measuring costs. But who runs changes only at a switch, and greenlet tells of each. So coverage starts without, and the
tracer of a thread is told who runs only while a greenlet other than the thread's first one does.
"""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Any

import greenlet

if TYPE_CHECKING:
    from collections.abc import Mapping

    from coverage.plugin_support import Plugins


def coverage_init(_registry: Plugins, _options: Mapping[str, str]) -> None:
    """Follow the switches of this thread and of those that begin later. Called by coverage, before it measures."""
    greenlet.settrace(_switched)
    threading.setprofile(_begun)


def _begun(*_event: Any) -> None:  # noqa: ANN401 - what sys.setprofile passes
    sys.setprofile(None)
    greenlet.settrace(_switched)


def _switched(_event: str, change: tuple[greenlet.greenlet, greenlet.greenlet]) -> None:
    """Tell the tracer of this thread whether to keep greenlets apart from now on."""
    _, now = change
    tracer: Any = sys.gettrace()
    if hasattr(tracer, "concur_id_func"):
        tracer.concur_id_func = greenlet.getcurrent if now.parent else None
