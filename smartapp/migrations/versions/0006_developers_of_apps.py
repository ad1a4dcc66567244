"""Developers of apps, the sessions they work in, and how their apps' requests fared."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "developers",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("address_ref", sa.String(length=64), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked", sa.Integer(), nullable=False),
        sa.Column("asked_since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_developers")),
        sa.UniqueConstraint("address_ref", name=op.f("uq_developers_address_ref")),
    )
    op.create_table(
        "developer_sessions",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("cookie_ref", sa.String(length=64), nullable=False),
        sa.Column("developer_id", sa.String(length=32), nullable=False),
        sa.Column("last_seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("absolute_until", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["developer_id"], ["developers.id"], name=op.f("fk_developer_sessions_developer_id_developers")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_developer_sessions")),
        sa.UniqueConstraint("cookie_ref", name=op.f("uq_developer_sessions_cookie_ref")),
    )
    with op.batch_alter_table("developer_sessions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_developer_sessions_absolute_until"), ["absolute_until"], unique=False)

    op.create_table(
        "app_traces",
        sa.Column(
            "seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), sa.Identity(always=True), nullable=False
        ),
        sa.Column("provider", sa.String(length=64), nullable=False),
        sa.Column("client_id", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("door", sa.String(length=16), nullable=False),
        sa.Column("error", sa.String(length=64), nullable=False),
        sa.Column("why", sa.String(length=64), nullable=False),
        sa.Column("request_id", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_app_traces")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("app_traces", schema=None) as batch_op:
        batch_op.create_index("ix_app_traces_provider_client_id_seq", ["provider", "client_id", "seq"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("app_traces", schema=None) as batch_op:
        batch_op.drop_index("ix_app_traces_provider_client_id_seq")

    op.drop_table("app_traces")
    with op.batch_alter_table("developer_sessions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_developer_sessions_absolute_until"))

    op.drop_table("developer_sessions")
    op.drop_table("developers")
