"""What must be allowed to us outside, found out from the configuration alone.

```
checks → what they read (`Check.permissions`, `DatabaseCheck.reads`) → tables → SQL → sheet
```
"""

from __future__ import annotations

from monitor.grants.sheet import sheet

__all__ = ["sheet"]
