"""What people are shown of systems and checks, made from what is remembered of them. Pure.

Start with `picture.py`: everything at one moment. `check.py` says how one check stands, `figures.py` each value against
its figures, `strip.py` its last 24 hours and its uptime, `system.py` what they add up to. `plot.py` draws one measure,
`configuration.py` tells what a check does.
"""

from monitor.showing.configuration import effective, judging
from monitor.showing.picture import Picture
from monitor.showing.plot import Drawn, draw
from monitor.showing.strip import Hours, Span, Strip, hour_of
from monitor.showing.system import for_everybody

__all__ = ["Drawn", "Hours", "Picture", "Span", "Strip", "draw", "effective", "for_everybody", "hour_of", "judging"]
