"""The shapes of what explains, weighs, counts down and compares two reports, as JSON Schema documents."""

from __future__ import annotations

from typing import Any

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_INSTANT = {
    "type": "string",
    "description": "RFC 3339 with offset",
    "pattern": r"^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,6})?([Zz]|[+-]\d\d:\d\d)$",
}
_MAYBE_INSTANT = {"anyOf": [_INSTANT, {"type": "null"}]}
_TEXT = {"type": "string", "minLength": 1}
_TEXTS = {"type": "array", "items": _TEXT}
_COUNT = {"type": "integer", "minimum": 0}
_SECONDS = {"type": "number", "description": "seconds, up to six decimals"}
_MINUTES = {"type": "string", "pattern": r"^-?\d+\.\d\d$", "description": "service-window minutes, cut to hundredths"}
_MONEY = {"type": "string", "pattern": r"^-?\d+\.\d\d$", "description": "euros; a computed proposal"}
_RATIO = {"type": ["string", "null"], "pattern": r"^\d+\.\d{12,}$", "description": "null where not measured"}
_CLASSES = {"enum": ["up", "degraded", "down", "excluded", "unmeasured", "outside"]}
_SHA256 = {"type": "string", "pattern": "^[0-9a-f]{64}$"}


def _object(properties: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Every property must be there, and no other."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
        **more,
    }


def _list(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


def _or_null(shape: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [shape, {"type": "null"}]}


_STRETCH = _object({"from": _INSTANT, "to": _INSTANT})


def explanation_schema() -> dict[str, Any]:
    """Of `sla explain --json`: why an instant counts as it does."""
    sample = _object(
        {
            "due": _INSTANT,
            "location": {"type": "string"},
            "outcome": {"enum": ["up", "degraded", "down", "unknown"]},
            "failure": {"type": "string"},
            "attempts": {"type": "integer", "minimum": 1},
            "until": _INSTANT | {"description": "how far the sample speaks"},
            "held_until": _INSTANT | {"description": "how far it would speak if no other followed"},
            "speaks": {"type": "boolean", "description": "whether it speaks for the instant itself"},
        }
    )
    outage = _object(
        {
            "id": _TEXT,
            "start": _object({"last_good": _MAYBE_INSTANT, "first_bad": _INSTANT}),
            "end": _object({"last_bad": _INSTANT, "first_good": _MAYBE_INSTANT}),
        }
    )
    span = _object({"from": _INSTANT, "to": _INSTANT, "state": {"enum": ["up", "degraded", "down", "unmeasured"]}})
    journey = _object(
        {
            "journey": _TEXT,
            "counted": _CLASSES | {"description": "of this journey alone, before several are taken together"},
            "samples": _list(sample),
            "span": _or_null(span) | {"description": "where settled spans were given instead of samples"},
            "outage": _or_null(outage),
        }
    )
    claim = _object(
        {"entry": _COUNT, "kind": _TEXT, "outcome": {"enum": ["granted", "refused", "replaced"]}, "reasons": _TEXTS}
    )
    return {
        "$schema": _DRAFT,
        "title": "Explanation",
        **_object(
            {
                "at": _INSTANT,
                "clause": _TEXT,
                "version": _COUNT,
                "period": _STRETCH,
                "counted": _CLASSES,
                "journeys": _list(journey),
                "claims": _list(claim),
                "reasons": _TEXTS,
            }
        ),
    }


def what_if_schema() -> dict[str, Any]:
    """Of `sla what-if --json`: clauses before and after the claims."""
    side = _object(
        {
            "version": _COUNT,
            "period": _STRETCH,
            "availability": _or_null(_object({"lowest": _RATIO, "point": _RATIO, "highest": _RATIO})),
            "figure": _TEXT | {"description": "what the clause is judged by, in words"},
            "verdict": {"enum": ["met", "missed", "undecided"]},
            "amount_eur": _MONEY,
            "reasons": _TEXTS,
        }
    )
    clause = _object(
        {"id": _TEXT, "differs": {"type": "boolean"}, "before": _or_null(side), "after": _or_null(side)},
        description="A side is null where there is no such clause, version and period.",
    )
    return {
        "$schema": _DRAFT,
        "title": "What-if",
        **_object(
            {
                "contract": _object({"before": _TEXT, "after": _TEXT}),
                "claims": _TEXTS,
                "remarks": _TEXTS,
                "clauses": _list(clause),
                "amount_eur": _object({"before": _MONEY, "after": _MONEY, "difference": _MONEY}),
                "stored": {"const": False},
            }
        ),
    }


def budget_schema() -> dict[str, Any]:
    """Of `sla budget --json`: what is left of the downtime that availability clauses allow."""
    figures = {
        f"{name}_{unit}": shape
        for name in ("allowed", "spent", "left")
        for unit, shape in (("minutes", _MINUTES), ("seconds", _SECONDS))
    }
    step = _object(
        {"after_minutes": _MINUTES, "after_seconds": _SECONDS, "amount_eur": _MONEY, "possible": {"type": "boolean"}},
        description="How much further downtime reaches the next sanction step, and what it then costs.",
    )
    outlook = _object(
        {
            "clause": _TEXT,
            "version": _COUNT,
            "period": _STRETCH,
            "now": _INSTANT,
            **figures,
            "burn_rate": _RATIO | {"description": "times faster than the target allows; null where it allows nothing"},
            "amount_eur": _MONEY,
            "next_step": _or_null(step),
            "gone": _MAYBE_INSTANT | {"description": "when at the present pace nothing is left; null in this period"},
            "sentence": _TEXT,
        }
    )
    return {"$schema": _DRAFT, "title": "Budget", **_list(outlook)}


def changes_schema() -> dict[str, Any]:
    """Of a restated report's `report.changes`; `report-difference --json` gives it with the report's `number`."""
    value = {"type": ["string", "number", "boolean", "null"]}
    line = _object(
        {
            "about": {"enum": ["clause", "outage", "decision", "coverage", "total", "response", "blips"]},
            "id": {"type": "string", "description": "clause, outage, ledger entry, or journey and step; empty for all"},
            "part": {"type": "string", "description": "of a clause: contract version and period"},
            "what": _TEXT | {"description": "the figure, by its place in the report"},
            "unit": {
                "enum": ["verdict", "answer", "presence", "instant", "seconds", "ratio", "euros", "number", "text"]
            },
            "before": value | {"description": "null where there was no such figure"},
            "after": value | {"description": "null where there is no such figure any more"},
            "difference": {"type": ["string", "number", "null"], "description": "after less before, exact"},
            "causes": _TEXTS | {"description": "keys of `causes`, in the order in which they took effect"},
        }
    )
    entry = _object(
        {
            "key": _TEXT,
            "entry": {"type": "integer", "minimum": 1},
            "kind": _TEXT,
            "by": _TEXT,
            "recorded_at": _INSTANT,
            "reason": _TEXT,
            "changes": {"type": "boolean", "description": "whether any line goes back to it"},
        },
        description="An entry that the ledger took in between the two reports.",
    )
    other = _object(
        {
            "key": {"enum": ["measurements", "contract", "software", "ledger"]},
            "before": {"type": "string"},
            "after": {"type": "string"},
            "changes": {"type": "boolean"},
        }
    )
    previous = _object(
        {
            "number": _TEXT,
            "sha256": _SHA256,
            "issued_at": _INSTANT,
            "ledger_head": {"type": ["string", "null"]},
            "recomputed": {"type": "boolean", "description": "its file was gone; computed again as of its day"},
        }
    )
    shape = _object(
        {
            "previous": previous,
            "changed": {"type": "boolean"},
            "lines": _list(line),
            "causes": _list({"oneOf": [entry, other]}),
        }
    )
    shape["properties"]["number"] = _TEXT | {"description": "of the report itself, where the changes stand alone"}
    return {"$schema": _DRAFT, "title": "Changes", **shape}


ANSWERS = {
    "explanation": explanation_schema,
    "what-if": what_if_schema,
    "budget": budget_schema,
    "changes": changes_schema,
}
