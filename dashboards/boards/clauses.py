"""How dashboards tell where a contract's clauses stand."""

from __future__ import annotations

from dashboards.panel_kinds import table

INDICATIVE = "Indicative. The contractual figure is the monthly report, computed from stored measurements."
BUDGET_LEFT = """min by (contract, clause) (sla_budget_remaining_seconds{CLAUSE}
/ (sla_budget_seconds{CLAUSE} > 0))"""
CLAUSE_TABLE = table(
    title="Clauses this month",
    description=f"Availability so far, what the contract promises, and the downtime still allowed. {INDICATIVE}",
    exprs=(
        'max by (contract, clause) (sla_availability_ratio{CLAUSE, bound="point"})',
        "max by (contract, clause) (sla_target_ratio{CLAUSE})",
        "min by (contract, clause) (sla_budget_remaining_seconds{CLAUSE})",
        BUDGET_LEFT,
    ),
    unit="percentunit",
    width=24,
    no_value="No contract with availability clauses",
    decimals=3,
    columns={
        "contract": "Contract",
        "clause": "Clause",
        "Value #A": "Availability so far",
        "Value #B": "Target",
        "Value #C": "Downtime left",
        "Value #D": "Budget left",
    },
    column_units={"Downtime left": "dtdurations", "Budget left": "percentunit"},
)
