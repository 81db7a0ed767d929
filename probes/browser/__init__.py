"""Journeys through a real Chromium: the browser lives in a process of its own, and nothing of it outlives its run."""
