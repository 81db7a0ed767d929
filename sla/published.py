"""The shapes we promise to other programs, as JSON Schema documents; the files in `schemas/` are what this writes."""

from __future__ import annotations

from typing import Any

from sla.contract import Contract
from sla.published_answers import ANSWERS

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_INSTANT = {
    "type": "string",
    "description": "RFC 3339 with offset",
    "pattern": r"^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,6})?([Zz]|[+-]\d\d:\d\d)$",
}
_MAYBE_INSTANT = {"anyOf": [_INSTANT, {"type": "null"}]}
_TEXT = {"type": "string", "minLength": 1}
_ANY_TEXT = {"type": "string"}
_COUNT = {"type": "integer", "minimum": 0}
_SECONDS = {"type": "number", "minimum": 0, "description": "seconds, up to six decimals"}
_MONEY = {"type": "string", "pattern": r"^-?\d+\.\d\d$", "description": "euros"}
_RATIO = {"type": ["string", "null"], "pattern": r"^\d+\.\d{12,}$", "description": "null where not measured"}
_TEXTS = {"type": "array", "items": _TEXT}
_FIGURE = {"type": ["string", "null"], "description": "a ratio, a number, or seconds; as the kind of clause counts"}


def _object(required: dict[str, Any], optional: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {**required, **(optional or {})},
        "required": list(required),
        "additionalProperties": False,
        **more,
    }


def _list(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


def contract_schema() -> dict[str, Any]:
    """Of a contract file."""
    return {"$schema": _DRAFT, "title": "Contract", **Contract.model_json_schema()}


def measurement_schema() -> dict[str, Any]:
    """Of one line of measurements."""
    span = _object(
        {
            "journey": _TEXT,
            "from": _INSTANT,
            "to": _INSTANT,
            "state": {"enum": ["up", "degraded", "down", "unmeasured"]},
        },
        description="A settled stretch of time, from (included) to (excluded); gaps are unmeasured.",
    )
    sample = _object(
        {
            "journey": _TEXT,
            "due": _INSTANT,
            "interval_s": {"type": "number", "exclusiveMinimum": 0},
            "outcome": {"enum": ["up", "degraded", "down", "unknown"]},
        },
        {
            "duration_ms": {"type": ["number", "null"], "minimum": 0},
            "location": {"type": ["string", "null"]},
            "failure": {"type": ["string", "null"]},
            "attempts": {
                "type": "integer",
                "minimum": 1,
                "description": "runs made in this slot; all failed where the outcome is down",
            },
            "steps_ms": {"type": "object", "additionalProperties": {"type": "number", "minimum": 0}},
        },
        description="One run; it speaks for the time to the next one.",
    )
    return {"$schema": _DRAFT, "title": "Measurement", "oneOf": [span, sample]}


def ledger_schema() -> dict[str, Any]:
    """Of one line of a ledger. Further keys are the entry's own data."""
    return {
        "$schema": _DRAFT,
        "title": "Ledger entry",
        "type": "object",
        "properties": {
            "kind": _TEXT,
            "recorded_at": _INSTANT,
            "from": _INSTANT,
            "to": _INSTANT,
            "scope": _list(_TEXT) | {"description": "journeys; empty means all"},
            "by": _TEXT,
            "reason": _TEXT,
            "supersedes": {"type": "integer", "minimum": 1, "description": "number of the entry this one corrects"},
            "ground": {"type": "string", "description": "of an exclusion: force-majeure, third-party, authority, …"},
            "dependency": {"type": "string", "description": "journey whose own downtime limits the exclusion"},
            "status": {"enum": ["accepted", "claimed", "refused", "withdrawn"]},
            "amount_eur": {"type": ["string", "number"], "description": "of a decision on a sanction"},
            "priority": {"enum": ["P1", "P2", "P3", "P4"], "description": "of a notification"},
            "notification": {"type": ["string", "integer"], "description": "number of the notification it is about"},
            "outage": {"type": "string", "description": "id of the outage it is about"},
            "document": {"type": "string", "description": "of a delivery"},
            "points": {"type": ["string", "integer"], "description": "of a decision: the service points it laid down"},
            "seq": {"type": "integer", "minimum": 1},
            "previous": _ANY_TEXT,
            "hash": _TEXT,
        },
        "required": ["kind", "recorded_at", "by", "reason"],
        "if": {"properties": {"kind": {"enum": ["maintenance", "exclusion"]}}},
        "then": {"required": ["from", "to"]},
    }


def assessment_schema() -> dict[str, Any]:
    """Of what `sla assess --json` writes."""
    stretch = _object({"from": _INSTANT, "to": _INSTANT})
    period = _object({"from": _INSTANT, "to": _INSTANT, "timezone": _TEXT})
    classes = ("service", "up", "degraded", "down", "excluded", "unmeasured")
    sanction = _object(
        {"amount_eur": _MONEY, "lines": _list(_object({"text": _TEXT, "amount_eur": _MONEY}))},
        description="A computed proposal; a person decides.",
    )
    maybe_seconds = {"type": ["number", "null"], "minimum": 0}
    case = _object(
        {
            "id": _TEXT | {"description": "#12 for a ledger entry, the id of an outage, or a due date"},
            "about": _TEXT,
            "verdict": {"enum": ["met", "missed", "undecided"]},
            "entries": _list(_COUNT),
            "from": _INSTANT,
            "to": _MAYBE_INSTANT,
            "least_seconds": maybe_seconds | {"description": "what the clock certainly ran"},
            "most_seconds": maybe_seconds
            | {"description": "what it may have run at most; null while it may still run"},
            "late_days": {"type": ["integer", "null"], "minimum": 0},
            "reasons": _TEXTS,
        }
    )
    clause = _object(
        {
            "id": _TEXT,
            "kind": _TEXT,
            "version": _COUNT,
            "period": period,
            "scope": _TEXTS,
            "obligation": {"enum": ["result", "best-efforts"]},
            "verdict": {"enum": ["met", "missed", "undecided"]},
            "reasons": _TEXTS,
            "seconds": {"anyOf": [_object(dict.fromkeys(classes, _SECONDS)), {"type": "null"}]},
            "availability": {
                "anyOf": [_object(dict.fromkeys(("lowest", "point", "highest"), _RATIO)), {"type": "null"}]
            },
            "target": _FIGURE,
            "measured": _FIGURE,
            "undecided_seconds": _SECONDS,
            "sanctionable": {"type": "boolean"},
            "sanction": sanction,
            "outages": _TEXTS,
        },
        {
            "points": _COUNT | {"description": "service points that count in its period"},
            "response": _object(
                {
                    "count": _COUNT,
                    "percentile_seconds": {"type": ["number", "null"]},
                    "limit_seconds": _SECONDS,
                    "within": _RATIO,
                }
            ),
            "cases": _list(case)
            | {"description": "of a clause about reacting, restoring, maintenance, releases or deliveries"},
        },
    )
    outage = _object(
        {
            "id": _TEXT,
            "journey": _TEXT,
            "start": _object({"last_good": _MAYBE_INSTANT, "first_bad": _INSTANT}),
            "end": _object({"last_bad": _INSTANT, "first_good": _MAYBE_INSTANT}),
            "counted_seconds": _SECONDS,
            "counted_by_clause": {"type": "object", "additionalProperties": _SECONDS},
            "excluded_seconds": _SECONDS,
            "outside_service_seconds": _SECONDS,
            "failures": _TEXTS,
            "sanctionable": {"type": "boolean"},
            "amount_eur": _MONEY,
            "reasons": _TEXTS,
        }
    )
    window = _object(
        {
            "entry": _COUNT,
            "kind": {"enum": ["maintenance", "exclusion"]},
            "claimed": stretch,
            "granted": _list(stretch),
            "refused": _list(stretch),
            "scope": _TEXTS,
            "by": _TEXT,
            "reason": _TEXT,
            "recorded_at": _INSTANT,
            "reasons": _TEXTS,
        }
    )
    compared = _object(
        {
            "peer": _TEXT,
            "journey": _TEXT,
            "location": {"type": ["string", "null"]},
            "ratio": _RATIO | {"description": "null where the peer would have no figure"},
            "ours": _RATIO | {"description": "of the journey round the clock; null where not measured"},
            "why": _object({"nl": _TEXT, "en": _TEXT}),
        },
        description="What another system would have said of the same measurements, without the contract.",
    )
    return {
        "$schema": _DRAFT,
        "title": "Assessment",
        **_object(
            {
                "contract": _TEXT,
                "version": {"type": ["integer", "null"]},
                "period": period,
                "clauses": _list(clause),
                "outages": _list(outage),
                "blips": _list(_object({"journey": _TEXT, "due": _INSTANT, "failure": _ANY_TEXT})),
                "windows": _list(window),
                "coverage": _RATIO,
                "sanction": sanction,
                "ledger_head": {"type": ["string", "null"]},
                "as_of": _MAYBE_INSTANT,
                "notes": _TEXTS,
            },
            {"compare": _list(compared)},
        ),
    }


#: Those of `sla.published_answers` among them.
SCHEMAS = {
    "contract": contract_schema,
    "measurement": measurement_schema,
    "ledger": ledger_schema,
    "assessment": assessment_schema,
    **ANSWERS,
}
