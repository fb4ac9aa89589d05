"""The same judgement as Prometheus rules, the same routes as an Alertmanager's configuration: `monitor rules`. Pure.

```
plan → expression (what a threshold sees) → alerting (rules of a check) → groups → text
routes, needs → inhibition, intervals, receivers → alertmanager → text
```

What PromQL cannot say, or says otherwise, is in `differences.py`; tests hold every expression against promtool.
"""

from monitor.rules.alertmanager import alertmanager_file
from monitor.rules.differences import report
from monitor.rules.groups import rules_file

__all__ = ["alertmanager_file", "report", "rules_file"]
