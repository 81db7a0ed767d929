"""How a check is walked and measured; every run ends in a `Sample`. Imports nothing of the other rooms."""
