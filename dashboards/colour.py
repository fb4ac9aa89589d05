"""Colours that mean the same on every panel, and the words for numbers that are states."""

from __future__ import annotations

from grafana_foundation_sdk.models.dashboard import (
    DynamicConfigValue,
    FieldColor,
    FieldColorModeId,
    Threshold,
    ThresholdsConfig,
    ValueMap,
    ValueMappingResult,
)

GOOD, WARNING, BAD, INFO, PLAIN = "green", "orange", "red", "blue", "text"
SEVERITIES = {"critical": BAD, "warning": WARNING, "info": INFO}


def steps(*worse: tuple[float, str], best: str = GOOD) -> ThresholdsConfig:
    """Return the colours of a value: `best`, and from each figure on another one."""
    return ThresholdsConfig(steps=[Threshold(None, best), *(Threshold(value, colour) for value, colour in worse)])


ANY_IS_BAD = steps((1, BAD))
ANY_IS_DOUBTFUL = steps((1, WARNING))
NEUTRAL = steps(best=PLAIN)
DAY = 86_400
UPTIME = steps((0.99, WARNING), (0.999, GOOD), best=BAD)
VALID_FOR = steps((7 * DAY, WARNING), (21 * DAY, GOOD), best=BAD)
"""Of a certificate: who renews by himself does so three weeks before the end, or earlier."""


def words(**by_number: tuple[str, str]) -> ValueMap:
    """Return words and colours for numbers: `words(_0=("down", "red"))`."""
    named = {number.lstrip("_"): ValueMappingResult(text, colour) for number, (text, colour) in by_number.items()}
    return ValueMap(named)


UP_OR_DOWN = words(_0=("down", BAD), _1=("up", GOOD))
BY_SEVERITY = ValueMap({name: ValueMappingResult(color=colour) for name, colour in SEVERITIES.items()})
YES_OR_NO = words(_0=("no", BAD), _1=("yes", GOOD))


def fixed(colour: str) -> DynamicConfigValue:
    """Return the setting that gives a series one colour."""
    return DynamicConfigValue(id_val="color", value=FieldColor(FieldColorModeId.FIXED, colour))
