"""The pictures by which apps are known, as they were when they were fetched."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "app_logos",
        sa.Column("client_id", sa.String(length=64), nullable=False),
        sa.Column("uri", sa.String(length=1000), nullable=False),
        sa.Column("png", sa.LargeBinary(), nullable=False),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["apps.client_id"], name=op.f("fk_app_logos_client_id_apps")),
        sa.PrimaryKeyConstraint("client_id", name=op.f("pk_app_logos")),
    )


def downgrade() -> None:
    op.drop_table("app_logos")
