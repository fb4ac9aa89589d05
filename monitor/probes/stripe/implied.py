"""The figures that come with a check of Stripe, where the file has none of its own on the same subject."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.probes.base import ThresholdFields

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

RESEND = (
    "See in Stripe (Developers, Webhooks, the endpoint, its events) what it was answered, and read the receiver's log "
    "of that time. Once it answers 2xx, have Stripe send again what was lost: by itself it tries for three days only."
)
SUBSCRIBE = (
    "Add the event in Stripe (Developers, Webhooks, the endpoint, its events). What happened meanwhile is not sent."
)
REPLACE = "Nobody can buy at this price. See in Stripe's product catalogue, and give the product the id of another."
SEE_STATUS = "See status.stripe.com. If Stripe is well, see who else uses up the account's rate limit."


OWN: dict[str, tuple[ThresholdFields, ...]] = {
    "missing_events": (
        ThresholdFields(watch="missing_events", name="missing events", warning="> 0", remedy=SUBSCRIBE),
    ),
    "undelivered": (
        ThresholdFields(watch="backlog", name="not delivered", warning="> 0", remedy=RESEND),
        ThresholdFields(watch="newest_failed", name="deliveries fail", critical=">= 3", remedy=RESEND),
    ),
    "prices": (
        ThresholdFields(watch="missing_prices", name="missing prices", critical="> 0", remedy=REPLACE),
        ThresholdFields(watch="inactive_prices", name="inactive prices", warning="> 0", remedy=REPLACE),
    ),
    "api_errors": (ThresholdFields(watch="api_errors", name="errors of the API", critical="> 10%", remedy=SEE_STATUS),),
}
"""By subject. A subject is a part of the names of the measures that tell of it, but for deliveries, which have more."""
DELIVERIES = ("undelivered", "backlog", "newest_failed")


def thresholds(subjects: Collection[str], own: Sequence[ThresholdFields]) -> tuple[ThresholdFields, ...]:
    """Return the figures on `subjects`, but for those of which the file says something in its `own`."""
    watched = " ".join(fields.watch for fields in own)
    parts = {subject: DELIVERIES if subject == "undelivered" else (subject,) for subject in subjects}
    silent = [subject for subject, names in parts.items() if not any(name in watched for name in names)]
    return tuple(fields for subject in silent for fields in OWN[subject])
