"""Step 0005_runs: settlement runs, and the guards that keep their order."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from api.cooperative.migrations.guards import append_only, refuse_insert

revision = "0005_runs"
down_revision = "0004_readings"

_NAME, _RUN, _HASH = sa.String(32), sa.String(16), sa.String(64)
_TABLES = ("run", "run_computation", "run_day", "run_finding", "run_waiver", "run_step")
_MOVES = (
    "'draft>computed', 'draft>withdrawn', 'computed>computed', 'computed>proposed', "
    "'computed>withdrawn', 'proposed>approved', 'proposed>draft', 'approved>posted', "
    "'approved>withdrawn', 'posted>invoiced', 'invoiced>closed'"
)
_STATE = "SELECT s.state FROM run_step s WHERE s.run = {run} ORDER BY s.number DESC LIMIT 1"


def upgrade() -> None:
    """Make the tables and their guards."""
    _make_run()
    _make_computation()
    _make_day()
    _make_findings()
    _make_step()
    for table in _TABLES:
        append_only(table)
    _guard_versions()
    _guard_computations()
    _guard_steps()


def _recorded() -> list[sa.Column[int] | sa.Column[str]]:
    return [
        sa.Column("recorded_at_s", sa.BigInteger(), nullable=False),
        sa.Column("recorded_by", _NAME, nullable=False),
    ]


def _make_run() -> None:
    op.create_table(
        "run",
        sa.Column("id", _RUN, nullable=False),
        sa.Column("period", sa.String(7), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("corrects", _RUN),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("decision", _NAME, nullable=False),
        *_recorded(),
        sa.PrimaryKeyConstraint("id", name="pk_run"),
        sa.ForeignKeyConstraint(["corrects"], ["run.id"], name="fk_run_corrects"),
        sa.UniqueConstraint("period", "version", name="uq_run_period_version"),
        sa.CheckConstraint("version >= 1", name="ck_run_version"),
    )


def _make_computation() -> None:
    op.create_table(
        "run_computation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run", _RUN, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("code_version", _HASH, nullable=False),
        sa.Column("fingerprint", _HASH, nullable=False),
        sa.Column("input_hash", _HASH, nullable=False),
        sa.Column("result_hash", _HASH, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("inputs", sa.Text(), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        *_recorded(),
        sa.PrimaryKeyConstraint("id", name="pk_run_computation"),
        sa.ForeignKeyConstraint(["run"], ["run.id"], name="fk_run_computation_run"),
        sa.UniqueConstraint("run", "number", name="uq_run_computation_run_number"),
    )


def _make_day() -> None:
    lists = ("taken", "given", "taken_quality", "given_quality", "bought", "sold", "to_battery")
    sums = ("taken_wh", "given_wh", "bought_wh", "sold_wh", "to_battery_wh")
    op.create_table(
        "run_day",
        sa.Column("computation", sa.Integer(), nullable=False),
        sa.Column("connection", _NAME, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        *(
            sa.Column(name, sa.String(100) if "quality" in name else sa.Text(), nullable=False)
            for name in lists
        ),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in sums),
        sa.PrimaryKeyConstraint("computation", "connection", "day", name="pk_run_day"),
        sa.ForeignKeyConstraint(
            ["computation"], ["run_computation.id"], name="fk_run_day_computation"
        ),
    )


def _make_findings() -> None:
    op.create_table(
        "run_finding",
        sa.Column("computation", sa.Integer(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("code", sa.String(8), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("severity", sa.String(8), nullable=False),
        sa.Column("connection", _NAME, nullable=False),
        sa.Column("member", _NAME, nullable=False),
        sa.Column("effect_cents", sa.BigInteger(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("first_s", sa.BigInteger()),
        sa.Column("last_s", sa.BigInteger()),
        sa.PrimaryKeyConstraint("computation", "rank", name="pk_run_finding"),
        sa.ForeignKeyConstraint(
            ["computation"], ["run_computation.id"], name="fk_run_finding_computation"
        ),
        sa.UniqueConstraint("computation", "key", name="uq_run_finding_computation_key"),
    )
    op.create_table(
        "run_waiver",
        sa.Column("run", _RUN, nullable=False),
        sa.Column("finding", sa.String(64), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        *_recorded(),
        sa.PrimaryKeyConstraint("run", "finding", name="pk_run_waiver"),
        sa.ForeignKeyConstraint(["run"], ["run.id"], name="fk_run_waiver_run"),
        sa.CheckConstraint("length(reason) >= 10", name="ck_run_waiver_reason"),
    )


def _make_step() -> None:
    op.create_table(
        "run_step",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run", _RUN, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("computation", sa.Integer()),
        sa.Column("proposal", sa.Integer()),
        sa.Column("body_hash", _HASH, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        *_recorded(),
        sa.PrimaryKeyConstraint("id", name="pk_run_step"),
        sa.ForeignKeyConstraint(["run"], ["run.id"], name="fk_run_step_run"),
        sa.ForeignKeyConstraint(
            ["computation"], ["run_computation.id"], name="fk_run_step_computation"
        ),
        sa.UniqueConstraint("run", "number", name="uq_run_step_run_number"),
    )
    op.create_index("ix_run_step_computation", "run_step", ["computation"])


def _guard_versions() -> None:
    """Let a month have one run under way, and a new one only as a correction of what stands."""
    last = (
        "SELECT s.state FROM run_step s JOIN run o ON o.id = s.run WHERE o.period = NEW.period "
        "AND o.version = NEW.version - 1 ORDER BY s.number DESC LIMIT 1"
    )
    refuse_insert(
        "run",
        "in_order",
        f"NEW.version > 1 AND COALESCE(({last}), '') NOT IN ('withdrawn', 'invoiced', 'closed')",
        "the version before it is still under way",
    )
    refuse_insert(
        "run",
        "corrects_another",
        "NEW.corrects IS NOT NULL AND NOT EXISTS (SELECT 1 FROM run o WHERE o.id = NEW.corrects "
        "AND o.period = NEW.period AND o.version < NEW.version AND LENGTH(NEW.reason) >= 10)",
        "a correction names an earlier run of its month and a reason of ten letters or more",
    )


def _guard_computations() -> None:
    """Let results be added only while their computation is being made, waivers before the end."""
    refuse_insert(
        "run_computation",
        "in_draft",
        f"COALESCE(({_STATE.format(run='NEW.run')}), '') NOT IN ('draft', 'computed')",
        "only a draft is computed",
    )
    for table in ("run_day", "run_finding"):
        refuse_insert(
            table,
            "in_time",
            "EXISTS (SELECT 1 FROM run_step s WHERE s.computation = NEW.computation)",
            "this computation is finished",
        )
    refuse_insert(
        "run_waiver",
        "in_time",
        f"COALESCE(({_STATE.format(run='NEW.run')}), '') <> 'computed'",
        "only what is computed and not yet proposed can be waived",
    )


def _guard_steps() -> None:
    """Keep the order of steps, two pairs of eyes, one posted run, and one computation at a time."""
    previous = "FROM run_step p WHERE p.run = NEW.run AND p.number = NEW.number - 1"
    refuse_insert(
        "run_step",
        "in_order",
        "NOT (NEW.number = 1 AND NEW.state = 'draft') AND NOT EXISTS "
        f"(SELECT 1 {previous} AND (p.state || '>' || NEW.state) IN ({_MOVES}))",
        "a run goes draft, computed, proposed, approved, posted, invoiced, closed",
    )
    refuse_insert(
        "run_step",
        "same_numbers",
        "NEW.state IN ('proposed', 'approved', 'posted', 'invoiced', 'closed') AND NOT EXISTS "
        f"(SELECT 1 {previous} AND p.computation = NEW.computation)",
        "a step is about the computation of the step before it",
    )
    refuse_insert(
        "run_step",
        "two_people",
        "NEW.state = 'approved' AND EXISTS "
        f"(SELECT 1 {previous} AND p.recorded_by = NEW.recorded_by)",
        "who proposed a run does not approve it",
    )
    refuse_insert(
        "run_step",
        "posted_once",
        "NEW.state = 'posted' AND EXISTS (SELECT 1 FROM run n JOIN run o ON o.period = n.period "
        "AND o.id <> n.id JOIN run_step s ON s.run = o.id AND s.state = 'posted' "
        "WHERE n.id = NEW.run AND (n.corrects IS NULL OR o.version > "
        "(SELECT c.version FROM run c WHERE c.id = n.corrects)))",
        "a month is posted once, and then only corrected",
    )
