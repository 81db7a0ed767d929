"""A report made visible: HTML, PDF and JSON. Rounding happens here and nowhere else."""
