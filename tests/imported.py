"""Samples taken in from lines of JSON, for tests."""

from __future__ import annotations

import json
from typing import Any

from monitor.exchange import import_samples
from monitor.store.database import Database
from sla.interchange import read_measurements
from tests.stored_month import IN_NOVEMBER

JOURNEYS = {"indienen", "inzage"}
SAMPLE = {"journey": "indienen", "due": "2026-11-01T00:00:00Z", "interval_s": 60, "outcome": "up", "duration_ms": 812.5}


def lines(*records: dict[str, Any]) -> list[str]:
    return [json.dumps(record) for record in records]


def take_samples(database: Database, *records: dict[str, Any]) -> tuple[int, int]:
    with database.begin() as tx:
        read = read_measurements(lines(*records), "f.jsonl")
        found = import_samples(tx, read, "f.jsonl", location="lokaal", journeys=JOURNEYS, now_us=IN_NOVEMBER)
    return found.written, found.there
