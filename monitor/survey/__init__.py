"""The first look at a product, for `monitor init`: what answers, how fast, on which platform, and a file that says so.

```
address → look (asks) → found → figures, facts, families → written → a commented file
```

`render/` does the same with a workspace of Render's, whose API is asked instead. All but `asking`, `look`, `files` and
`render.reading` is pure: values in, text out.
"""

from __future__ import annotations

from monitor.survey.address import name_of, named, readings
from monitor.survey.files import Target, create, target
from monitor.survey.found import NothingToWatch, Survey
from monitor.survey.look import Wish, look
from monitor.survey.render import Workspace, look_at_workspace, workspace_text, workspaces
from monitor.survey.scalars import clean
from monitor.survey.written import main_text, system_text

__all__ = [
    "NothingToWatch",
    "Survey",
    "Target",
    "Wish",
    "Workspace",
    "clean",
    "create",
    "look",
    "look_at_workspace",
    "main_text",
    "name_of",
    "named",
    "readings",
    "system_text",
    "target",
    "workspace_text",
    "workspaces",
]
