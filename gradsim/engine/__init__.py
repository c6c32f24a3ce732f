"""Makes traces: the one compiled machine that runs every network. The only home of numba."""
