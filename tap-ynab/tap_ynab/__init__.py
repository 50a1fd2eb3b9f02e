"""Singer tap for YNAB (You Need A Budget)."""

import gc

# A start makes many objects and no garbage, for which Python would look 140 times.
gc.set_threshold(100_000)
