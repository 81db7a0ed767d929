"""How fast we are, beside others in the same run: `make bench`. Ratios wherever there is somebody to compare."""
