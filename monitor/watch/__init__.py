"""What a threshold looks at and at which figures: the grammar of `watch`, `info`, `warning` and `critical`.

watch     = series | function "(" series "," window ")" | past
past      = ("usual" | "drift") "(" over ["," least] ")" | "unseen" "(" series [by] ["," window] ")"
over      = series [by] "," window | "rate" "(" series "," window ")" [by]
series    = measure ["{" name ("=" | "!=") quoted text, … "}"]
by        = "by" label
figure    = (">" | ">=" | "<" | "<=" | "==" | "!=") quantity

`usual` knows no `by`. What the functions of `past` mean stands in `monitor.baseline`.
"""

from monitor.watch.figures import COMPARISONS, Figure, parse_figure
from monitor.watch.grammar import ALLOWED, parse_watch
from monitor.watch.nouns import Function, Watch
from monitor.watch.results import result_unit, settled, values_needed

__all__ = [
    "ALLOWED",
    "COMPARISONS",
    "Figure",
    "Function",
    "Watch",
    "parse_figure",
    "parse_watch",
    "result_unit",
    "settled",
    "values_needed",
]
