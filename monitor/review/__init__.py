"""The week in one message: what paged, and what paged for nothing, with the figure that would have stayed silent.

```
store → gather → noise (which rules) → silent (what would have kept them silent, judged again) → week (how it reads)
```

`reviews` sends it once a week, `monitor review` shows it at any time.
"""

from __future__ import annotations

from monitor.review.gather import read_week
from monitor.review.reviews import Reviews
from monitor.review.week import Week, as_lines

__all__ = ["Reviews", "Week", "as_lines", "read_week"]
