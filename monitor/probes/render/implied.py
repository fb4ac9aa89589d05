"""The figures that come with a check of Render, where the file watches none of the same measure."""

from __future__ import annotations

from datetime import timedelta

from monitor.probes.base import LevelDurations, ThresholdFields

IN_A_MINUTE, IN_A_WHILE = timedelta(minutes=1), timedelta(minutes=5)
MISSING = "See in Render who deleted or renamed it. Apply the blueprint again, or correct its name here."
SUSPENDED = (
    "The message says who suspended it. After a crash loop read its log, mend the cause, then resume it in Render."
)
DEPLOY = "Read the deploy's log in Render. What served before still serves, so there is time: mend it and deploy again."
CANCELED = "Somebody, or a newer deploy, canceled it. See whether what was to go live did."
INSTANCES = "See in Render under Events why they ended, and in the log what they said last."
STRANGERS = "See who made it. If it came from a second entry in render.yaml, take that out, and delete the service."
MEMORY = "At its limit Render ends the instance. Find what grows, or take the next instance type."
DISK = "Delete what is not needed, or make the disk larger in Render. It cannot be made smaller again."
FAILURES = "See the log of that moment in Render. Out of memory: find what grows, or take the next instance type."
BACKUP = "See the database in Render under Recovery. Make a backup by hand, and ask Render's support why none is made."
AVAILABLE = "See the database in Render, and status.render.com. The message says what state it is in."
EXPIRES = "A free database is deleted when it expires. Take a paid plan in Render before that."
DOMAIN = "In Render under Settings, Custom Domains, see what it says, mend the DNS record, and verify again."
VARIABLES = "Add what the message names in Render under Environment, and deploy."
BUDGET = "The message names what costs more than it should. See in Render under Billing who changed it."

FIGURES: dict[str, ThresholdFields] = {
    each.watch: each
    for each in (
        ThresholdFields(watch="missing", name="no such resource", critical="> 0", remedy=MISSING),
        ThresholdFields(watch="suspended", name="suspended", critical="> 0", remedy=SUSPENDED),
        ThresholdFields(watch="strangers", name="strangers", warning="> 0", remedy=STRANGERS),
        ThresholdFields(watch="deploy_failed", name="deploy failed", critical="> 0", remedy=DEPLOY),
        ThresholdFields(watch="deploy_canceled", name="deploy canceled", info="> 0", remedy=CANCELED),
        ThresholdFields.model_validate(
            {
                "watch": "instance_share",
                "name": "instances",
                "warning": "< 100%",
                "critical": "<= 0%",
                "for": LevelDurations(warning=IN_A_WHILE, critical=IN_A_MINUTE),
                "remedy": INSTANCES,
            }
        ),
        ThresholdFields(watch="memory_share", name="memory", warning="> 90%", remedy=MEMORY),
        ThresholdFields(watch="disk_share", name="disk", warning="> 80%", critical="> 90%", remedy=DISK),
        ThresholdFields(watch="failures", name="failures", warning="> 0", remedy=FAILURES),
        ThresholdFields(watch="backup_failures", name="failed backup", warning="> 0", remedy=BACKUP),
        ThresholdFields(watch="backup_age", name="old backup", warning="> 26h", critical="> 50h", remedy=BACKUP),
        ThresholdFields.model_validate(
            {"watch": "available", "name": "not available", "critical": "< 1", "for": IN_A_MINUTE, "remedy": AVAILABLE}
        ),
        ThresholdFields(watch="expires", name="expires", warning="< 14d", critical="< 3d", remedy=EXPIRES),
        ThresholdFields(watch="domain_verified", name="unverified domain", critical="< 1", remedy=DOMAIN),
        ThresholdFields(watch="missing_variables", name="missing variables", critical="> 0", remedy=VARIABLES),
        ThresholdFields(watch="budget_share", name="over budget", warning="> 100%", remedy=BUDGET),
        ThresholdFields(watch="unpriced", name="unknown price", info="> 0", remedy=BUDGET),
    )
}
"""By measure."""
WITH = {
    "deploys": ("deploy_failed", "deploy_canceled"),
    "instances": ("instance_share",),
    "memory": ("memory_share",),
    "disk": ("disk_share",),
}
"""The measures that come with an aspect and have a figure."""
