"""A daemon that runs the monitoring half of a deployment runbook.

    schedule → probe → sample → thresholds → alerts → store + metrics → routing → outbox → channels

That line is the flow, the picture in the README and the order of the import layers. Read `pipeline.py` first: it
says what happens to one sample. Then `alerts.py` (why was I paged?) and `outbox.py` (why was I not?).
"""

__version__ = "0.1.0"
