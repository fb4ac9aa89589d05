"""The soak on the real clock: `python -m tests.soak.real --minutes 30 --seed 1`."""
