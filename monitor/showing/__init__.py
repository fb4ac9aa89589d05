"""What people are shown of systems and checks, made from what is remembered of them. Pure.

Start with `picture.py`: everything at one moment. `check.py` says how one check stands, `figures.py` each value against
its figures, `strip.py` its last 24 hours and its uptime, `system.py` what they add up to.
"""

from monitor.showing.picture import Picture
from monitor.showing.strip import Hours, Span, Strip
from monitor.showing.system import for_everybody

__all__ = ["Hours", "Picture", "Span", "Strip", "for_everybody"]
