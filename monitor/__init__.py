"""The service that runs: puts the rooms together."""
