"""What can be chosen at the top of a dashboard."""

from __future__ import annotations

from dashboards.board import Variable

JOB = Variable(name="job", label="Job", query="label_values(monitor_build_info, job)")
JOURNEYS = Variable(name="journey", label="Journey", query="label_values(journey_info{JOB}, journey)")
ONE_JOURNEY = Variable(name="journey", label="Journey", query="label_values(journey_info{JOB}, journey)", multi=False)
STEPS = Variable(name="step", label="Step", query="label_values(journey_step_success{JOURNEY}, step)")
CONTRACT = Variable(name="contract", label="Contract", query="label_values(sla_target_ratio{JOB}, contract)")
CLAUSE = Variable(name="clause", label="Clause", query="label_values(sla_target_ratio{CONTRACT}, clause)")
