"""What is watched, at which figures, and who is told: YAML files, read strictly.

```
files → yaml_file → section (variables put in) → validation (models) → planning → Config, or every fault at once
```

Start with `loading.py`, which goes this way; `systems.py` reads a system's checks, `telling.py` channels and routes.
"""

from __future__ import annotations

from monitor.config.fields import DeployFields
from monitor.config.loading import Config, load
from monitor.config.names import Skipped
from monitor.config.systems import System
from monitor.config.telling import Review

__all__ = ["Config", "DeployFields", "Review", "Skipped", "System", "load"]
