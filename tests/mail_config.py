"""The least that a configuration needs around its mail."""

from __future__ import annotations

AROUND_MAIL = """
[portal]
name = "Loket"
base_url = "http://127.0.0.1:1"
contact = "mailto:ops@example.be"
[[recipient]]
address = "a@example.be"
[[recipient]]
address = "b@example.be"
language = "en"
[[name]]
id = "naam"
title = { nl = "Naam", en = "Name" }
interval = "1m"
deadline = "5s"
name = "loket.example"
"""
