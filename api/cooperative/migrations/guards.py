"""Guards that both databases keep by themselves: what is written stays as it is."""

from __future__ import annotations

from alembic import op


def on_postgresql() -> bool:
    """Return whether this migration runs on PostgreSQL."""
    return op.get_bind().dialect.name == "postgresql"


def append_only(table: str) -> None:
    """Let rows of a table be added and never changed or taken out."""
    message = f"{table} is append only: correct it with a new row"
    if not on_postgresql():
        for act in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{act.lower()} BEFORE {act} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{message}'); END"
            )
        return
    op.execute(
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '%', TG_ARGV[0]; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION refuse_change('{message}')"
    )
    op.execute(
        f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('{message}')"
    )


def refuse_insert(table: str, name: str, when: str, message: str) -> None:
    """Refuse a new row for which a condition holds.

    Args:
        table: Where it would be added.
        name: The guard's name.
        when: A condition in SQL both databases know; ``NEW`` is the row.
        message: What the officer reads.
    """
    if not on_postgresql():
        op.execute(
            f"CREATE TRIGGER {table}_{name} BEFORE INSERT ON {table} WHEN {when} "
            f"BEGIN SELECT RAISE(ABORT, '{message}'); END"
        )
        return
    op.execute(
        f"CREATE FUNCTION {table}_{name}() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN IF {when} THEN RAISE EXCEPTION '{message}'; END IF; RETURN NEW; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {table}_{name} BEFORE INSERT ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION {table}_{name}()"
    )


def ends_once(table: str, fixed: tuple[str, ...], ends: tuple[str, ...]) -> None:
    """Let a row be ended once and never changed in anything else that counts.

    Args:
        table: Whose rows stay.
        fixed: Columns that never change.
        ends: Columns that are empty until the row ends in one way or another.
    """
    message = f"{table} is ended, not changed: end it and add a new row"
    acts = [("fixed", f"UPDATE OF {', '.join(fixed)}", ""), ("kept", "DELETE", "")]
    acts += [(name, f"UPDATE OF {name}", f"WHEN (OLD.{name} IS NOT NULL)") for name in ends]
    for name, act, when in acts:
        head = f"CREATE TRIGGER {table}_once_{name} BEFORE {act} ON {table}"
        if on_postgresql():
            op.execute(f"{head} FOR EACH ROW {when} EXECUTE FUNCTION refuse_change('{message}')")
        else:
            op.execute(f"{head} {when} BEGIN SELECT RAISE(ABORT, '{message}'); END")
    if on_postgresql():
        op.execute(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('{message}')"
        )
