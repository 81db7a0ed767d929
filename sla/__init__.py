"""Arithmetic of agreements: what a contract says about a period of measurements. No clock, no I/O."""
