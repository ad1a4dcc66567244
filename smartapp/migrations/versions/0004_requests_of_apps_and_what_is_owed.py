"""Requests of apps that wait for a person's word; Consents to be written, and dates, of grants."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "approvals",
        sa.Column("handle_ref", sa.String(length=64), nullable=False),
        sa.Column("provider", sa.String(length=64), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("holder", sa.String(length=32), nullable=False),
        sa.Column("offline_tried", sa.Boolean(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("handle_ref", name=op.f("pk_approvals")),
    )
    with op.batch_alter_table("approvals", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_approvals_expires_at"), ["expires_at"], unique=False)

    op.create_table(
        "consent_writes",
        sa.Column("grant_id", sa.String(length=32), nullable=False),
        sa.Column("provider", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.String(length=32), nullable=False),
        sa.Column("credential_id", sa.String(length=64), nullable=False),
        sa.Column("asked", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("grant_id", name=op.f("pk_consent_writes")),
    )
    with op.batch_alter_table("consent_writes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_consent_writes_credential_id"), ["credential_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_consent_writes_person_id"), ["person_id"], unique=False)

    op.create_table(
        "grant_dates",
        sa.Column("grant_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("grant_id", "kind", name=op.f("pk_grant_dates")),
    )
    with op.batch_alter_table("grant_dates", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_grant_dates_due_at"), ["due_at"], unique=False)

    with op.batch_alter_table("contexts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_contexts_credential_id"), ["credential_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("contexts", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_contexts_credential_id"))

    for table, columns in (
        ("grant_dates", ("due_at",)),
        ("consent_writes", ("person_id", "credential_id")),
        ("approvals", ("expires_at",)),
    ):
        with op.batch_alter_table(table, schema=None) as batch_op:
            for column in columns:
                batch_op.drop_index(batch_op.f(f"ix_{table}_{column}"))
        op.drop_table(table)
