"""The nouns that travel along the flow: frozen values, no behaviour that acts, no I/O.

A `Sample` is what one run of a probe found. A `Verdict` is how one threshold judges it. An `Alert` is the state of one
threshold (or of a check being down) for one label set. An `Event` is one change of an alert, as the journal keeps it. A
`Notification` is one message owed to one channel; a `Delivery` is what a channel is asked to send at once. An `Act` is
what a person does about it all.
"""

from monitor.model.act import Acknowledgement, Act, Deed, Scope, Silence
from monitor.model.alert import (
    BLIND,
    DOWN,
    DRILL,
    NO_DATA,
    Alert,
    AlertKey,
    Drill,
    Event,
    EventKind,
    Level,
    Outcome,
    Patience,
    Phase,
    Told,
    Verdict,
)
from monitor.model.change import Change, Heard, Keepsake, Report, Said
from monitor.model.delivery import Attempt, AttemptResult, Delivery, Dispatch, Notification, Owed, Page, Post
from monitor.model.deploy import Deploy
from monitor.model.identity import stable_id
from monitor.model.sample import (
    OURS,
    CheckId,
    Failure,
    Labels,
    LeftOut,
    Measure,
    Reason,
    Sample,
    Severity,
    State,
    labels,
)

__all__ = [
    "BLIND",
    "DOWN",
    "DRILL",
    "NO_DATA",
    "OURS",
    "Acknowledgement",
    "Act",
    "Alert",
    "AlertKey",
    "Attempt",
    "AttemptResult",
    "Change",
    "CheckId",
    "Deed",
    "Delivery",
    "Deploy",
    "Dispatch",
    "Drill",
    "Event",
    "EventKind",
    "Failure",
    "Heard",
    "Keepsake",
    "Labels",
    "LeftOut",
    "Level",
    "Measure",
    "Notification",
    "Outcome",
    "Owed",
    "Page",
    "Patience",
    "Phase",
    "Post",
    "Reason",
    "Report",
    "Said",
    "Sample",
    "Scope",
    "Severity",
    "Silence",
    "State",
    "Told",
    "Verdict",
    "labels",
    "stable_id",
]
