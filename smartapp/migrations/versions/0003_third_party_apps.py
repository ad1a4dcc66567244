"""Third-party apps: registrations, what patients allowed them, and what they were handed."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "app_assertions",
        sa.Column("jti_ref", sa.String(length=64), nullable=False),
        sa.Column("kept_until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("jti_ref", name=op.f("pk_app_assertions")),
    )
    with op.batch_alter_table("app_assertions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_app_assertions_kept_until"), ["kept_until"], unique=False)

    op.create_table(
        "app_codes",
        sa.Column("code_ref", sa.String(length=64), nullable=False),
        sa.Column("grant_id", sa.String(length=32), nullable=False),
        sa.Column("family_id", sa.String(length=32), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("kept_until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("code_ref", name=op.f("pk_app_codes")),
    )
    with op.batch_alter_table("app_codes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_app_codes_grant_id"), ["grant_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_app_codes_kept_until"), ["kept_until"], unique=False)

    op.create_table(
        "app_families",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("provider", sa.String(length=64), nullable=False),
        sa.Column("client_id", sa.String(length=64), nullable=False),
        sa.Column("grant_id", sa.String(length=32), nullable=False),
        sa.Column("grant_version", sa.Integer(), nullable=False),
        sa.Column("session_id", sa.String(length=32), nullable=True),
        sa.Column("refreshable", sa.Boolean(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("rotated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_why", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_app_families")),
    )
    with op.batch_alter_table("app_families", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_app_families_expires_at"), ["expires_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_app_families_grant_id"), ["grant_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_app_families_session_id"), ["session_id"], unique=False)

    op.create_table(
        "apps",
        sa.Column("client_id", sa.String(length=64), nullable=False),
        sa.Column("provider", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("said", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ground", sa.String(), nullable=False),
        sa.Column("offered", sa.String(), nullable=False),
        sa.Column("secret_ref", sa.String(length=64), nullable=False),
        sa.Column("registration_ref", sa.String(length=64), nullable=False),
        sa.Column("developer_id", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("client_id", name=op.f("pk_apps")),
    )
    with op.batch_alter_table("apps", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_apps_developer_id"), ["developer_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_apps_provider"), ["provider"], unique=False)
        batch_op.create_index(batch_op.f("ix_apps_registration_ref"), ["registration_ref"], unique=False)

    op.create_table(
        "grants",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("provider", sa.String(length=64), nullable=False),
        sa.Column("client_id", sa.String(length=64), nullable=False),
        sa.Column("patient_ref", sa.String(length=64), nullable=False),
        sa.Column("sealed_patient", sa.LargeBinary(), nullable=False),
        sa.Column("person_id", sa.String(length=32), nullable=False),
        sa.Column("granted_by", sa.String(length=16), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("credential_id", sa.String(length=64), nullable=False),
        sa.Column("session_id", sa.String(length=32), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grants")),
    )
    with op.batch_alter_table("grants", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_grants_client_id"), ["client_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_grants_credential_id"), ["credential_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_grants_patient_ref"), ["patient_ref"], unique=False)
        batch_op.create_index(batch_op.f("ix_grants_person_id"), ["person_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_grants_session_id"), ["session_id"], unique=False)
        batch_op.create_index(
            "uq_grants_open",
            ["provider", "client_id", "patient_ref", "person_id"],
            unique=True,
            sqlite_where=sa.text("state NOT IN ('ended', 'expired')"),
            postgresql_where=sa.text("state NOT IN ('ended', 'expired')"),
        )

    op.create_table(
        "app_access_tokens",
        sa.Column("token_ref", sa.String(length=64), nullable=False),
        sa.Column("client_id", sa.String(length=64), nullable=False),
        sa.Column("family_id", sa.String(length=32), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["family_id"], ["app_families.id"], name=op.f("fk_app_access_tokens_family_id_app_families")
        ),
        sa.PrimaryKeyConstraint("token_ref", name=op.f("pk_app_access_tokens")),
    )
    with op.batch_alter_table("app_access_tokens", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_app_access_tokens_expires_at"), ["expires_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_app_access_tokens_family_id"), ["family_id"], unique=False)

    op.create_table(
        "app_origins",
        sa.Column("client_id", sa.String(length=64), nullable=False),
        sa.Column("origin", sa.String(length=300), nullable=False),
        sa.Column("provider", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["apps.client_id"], name=op.f("fk_app_origins_client_id_apps")),
        sa.PrimaryKeyConstraint("client_id", "origin", name=op.f("pk_app_origins")),
    )
    with op.batch_alter_table("app_origins", schema=None) as batch_op:
        batch_op.create_index("ix_app_origins_provider_origin", ["provider", "origin"], unique=False)

    op.create_table(
        "app_refresh_tokens",
        sa.Column("token_ref", sa.String(length=64), nullable=False),
        sa.Column("family_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["family_id"], ["app_families.id"], name=op.f("fk_app_refresh_tokens_family_id_app_families")
        ),
        sa.PrimaryKeyConstraint("token_ref", name=op.f("pk_app_refresh_tokens")),
    )
    with op.batch_alter_table("app_refresh_tokens", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_app_refresh_tokens_family_id"), ["family_id"], unique=False)

    op.create_table(
        "grant_events",
        sa.Column(
            "seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), sa.Identity(always=True), nullable=False
        ),
        sa.Column("grant_id", sa.String(length=32), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("by", sa.String(length=16), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["grant_id"], ["grants.id"], name=op.f("fk_grant_events_grant_id_grants")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_grant_events")),
    )
    with op.batch_alter_table("grant_events", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_grant_events_grant_id"), ["grant_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("grant_events", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_grant_events_grant_id"))

    op.drop_table("grant_events")
    with op.batch_alter_table("app_refresh_tokens", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_app_refresh_tokens_family_id"))

    op.drop_table("app_refresh_tokens")
    with op.batch_alter_table("app_origins", schema=None) as batch_op:
        batch_op.drop_index("ix_app_origins_provider_origin")

    op.drop_table("app_origins")
    with op.batch_alter_table("app_access_tokens", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_app_access_tokens_family_id"))
        batch_op.drop_index(batch_op.f("ix_app_access_tokens_expires_at"))

    op.drop_table("app_access_tokens")
    with op.batch_alter_table("grants", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_grants_open",
            sqlite_where=sa.text("state NOT IN ('ended', 'expired')"),
            postgresql_where=sa.text("state NOT IN ('ended', 'expired')"),
        )
        batch_op.drop_index(batch_op.f("ix_grants_session_id"))
        batch_op.drop_index(batch_op.f("ix_grants_person_id"))
        batch_op.drop_index(batch_op.f("ix_grants_patient_ref"))
        batch_op.drop_index(batch_op.f("ix_grants_credential_id"))
        batch_op.drop_index(batch_op.f("ix_grants_client_id"))

    op.drop_table("grants")
    with op.batch_alter_table("apps", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_apps_registration_ref"))
        batch_op.drop_index(batch_op.f("ix_apps_provider"))
        batch_op.drop_index(batch_op.f("ix_apps_developer_id"))

    op.drop_table("apps")
    with op.batch_alter_table("app_families", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_app_families_session_id"))
        batch_op.drop_index(batch_op.f("ix_app_families_grant_id"))
        batch_op.drop_index(batch_op.f("ix_app_families_expires_at"))

    op.drop_table("app_families")
    with op.batch_alter_table("app_codes", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_app_codes_kept_until"))
        batch_op.drop_index(batch_op.f("ix_app_codes_grant_id"))

    op.drop_table("app_codes")
    with op.batch_alter_table("app_assertions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_app_assertions_kept_until"))

    op.drop_table("app_assertions")
