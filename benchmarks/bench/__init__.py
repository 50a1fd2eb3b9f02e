"""Helpers of the benchmarks."""

import signal

# As by Ctrl-C, so that the servers that were started are stopped on the way out.
signal.signal(signal.SIGTERM, signal.default_int_handler)
