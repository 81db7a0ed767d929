"""How each kind of clause is judged, one file a kind."""
