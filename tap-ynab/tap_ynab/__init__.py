"""Singer tap for YNAB (You Need A Budget)."""
