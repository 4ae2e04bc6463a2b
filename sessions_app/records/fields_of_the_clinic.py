"""The fields that say nothing about a client, or only by a code: none of them is in a file of records."""

from sessions_app.records.field_kinds import SECRET, Erased, Field, Table, Whose, not_shown

TABLES_OF_THE_CLINIC = (
    # --- What the clinic chose, counts, and keeps running ---
    Table(
        "sessions_app.ProcessDay",
        whose=Whose.STAFF,
        fields={
            **not_shown("id", "therapist", "day"),
            **not_shown(
                *("attended", "rated", "missed", "to_talk", "talked", "not_needed", "low_points", "back"),
                *("to_see", "seen"),
                erased=Erased.TAKEN_OUT,
            ),
        },
    ),
    Table(
        "sessions_app.ChanceReturns",
        whose=Whose.SITE,
        fields=not_shown("id", "settings_version", "population", "figures", "made_at"),
    ),
    Table(
        "sessions_app.Recomputation",
        whose=Whose.SITE,
        fields=not_shown(
            *("id", "settings_version", "episodes", "done", "last_episode", "changed"),
            *("started_at", "started_by", "finished_at"),
        ),
    ),
    # What waits to be imported is removed with every erasure: it may name the client, and nobody can look.
    Table(
        "sessions_app.ImportRun",
        whose=Whose.SITE,
        fields={
            **not_shown("id", "code", "kind", "sha256", "size", "lines", "made_at", "made_by", "encoding"),
            **not_shown("delimiter", "columns", "options", "checked_at", "counts", "imported_at"),
            **not_shown("imported_by", "removed_at"),
            **not_shown("file_name", "remarks", "episodes", erased=Erased.EMPTIED),
        },
    ),
    Table(
        "sessions_app.ImportPart",
        whose=Whose.SITE,
        fields={
            **not_shown("id", "run", "number"),
            "sealed": Field(says="what waits to be imported", erased=Erased.TAKEN_OUT),
        },
    ),
    Table(
        "sessions_app.Promise",
        whose=Whose.CLINIC,
        fields=not_shown(
            *("id", "code", "rater", "version", "supervisor", "supervisor_comment", "export", "record"),
            *("research", "record_system", "family", "own", "made_at", "made_by"),
        ),
    ),
    Table(
        "sessions_app.OwnQuestion",
        whose=Whose.CLINIC,
        fields=not_shown(
            *(
                "id",
                "code",
                "rule",
                "item",
                "language",
                "text",
                "added_at",
                "added_by",
                "removed_at",
                "removed_by",
            )
        ),
    ),
    Table(
        "sessions_app.PairedTablet",
        whose=Whose.CLINIC,
        fields={
            **not_shown(
                "id", "code", "name", "name_key", "name_look", "pairing_until", "paired_at", "paired_by"
            ),
            **not_shown("last_seen_at", "revoked_at", "revoked_by"),
            "key_hash": SECRET,
            "pairing_hash": SECRET,
        },
    ),
    Table(
        "sessions_app.ClinicSettings",
        whose=Whose.CLINIC,
        fields=not_shown(
            *(
                "id",
                "code",
                "version",
                "instrument",
                "closing",
                "languages",
                "urgent_help",
                "prorated",
                "rules",
            ),
            *("made_at", "made_by"),
        ),
    ),
    Table(
        "sessions_app.ClinicWording",
        whose=Whose.CLINIC,
        fields=not_shown(
            *(
                "id",
                "code",
                "instrument",
                "instrument_version",
                "language",
                "edition",
                "title",
                "introduction",
            ),
            *("items", "form", "loaded_at", "loaded_by", "switched_on_at", "switched_on_by"),
        ),
    ),
    Table(
        "sessions_app.Licence",
        whose=Whose.CLINIC,
        fields=not_shown(
            *("id", "code", "instrument", "holder", "kind", "number", "medium", "valid_to"),
            *("accepted_at", "accepted_by", "ended_at", "ended_by"),
        ),
    ),
    Table(
        "sessions_app.InstrumentPack",
        whose=Whose.CLINIC,
        fields=not_shown(
            *(
                "id",
                "code",
                "instrument",
                "name",
                "owner",
                "licence",
                "terms",
                "source",
                "dated",
                "line",
                "sha256",
            ),
            *("accepted_at", "accepted_by", "ended_at", "ended_by"),
        ),
    ),
    Table(
        "sessions_app.RiskConfirmation",
        whose=Whose.CLINIC,
        fields=not_shown(
            *("id", "code", "instrument", "text_version", "sentences", "looks_when_away"),
            *("confirmed_at", "confirmed_by", "ended_at", "ended_by"),
        ),
    ),
    Table(
        "sessions_app.RetentionRule",
        whose=Whose.CLINIC,
        fields=not_shown("id", "code", "version", "years", "years_young", "made_at", "made_by"),
    ),
    # --- What is kept of what was done ---
    Table(
        "alliance.AuditEvent",
        whose=Whose.CLINIC,
        fields={
            **not_shown("id", "at", "actor", "action", "entity", "address"),
            **not_shown("entity_code", "client", "clients", "detail", erased=Erased.PSEUDONYM),
        },
    ),
    Table(
        "alliance.BackupMade",
        whose=Whose.SITE,
        fields=not_shown(
            "id", "file", "made_at", "seconds", "size", "encrypted", "version", "rows", "log_head"
        ),
    ),
    Table(
        "alliance.BackupVerified",
        whose=Whose.SITE,
        fields=not_shown("id", "file", "made_at", "verified_at", "seconds", "key", "is_whole", "found"),
    ),
    # Of the lines of the log it holds hashes alone. A line is never taken out but to a file, whole.
    Table(
        "alliance.AuditSeal",
        whose=Whose.CLINIC,
        fields=not_shown(
            "id", "number", "previous", "after", "upto", "count", "entries", "sealed_at", "hash"
        ),
    ),
    Table(
        "alliance.ClockBeat",
        whose=Whose.CLINIC,
        fields=not_shown("id", "beat_at", "host", "pid", "leads_since"),
    ),
    # Its sentences say what failed, and never about whom.
    Table(
        "alliance.ClockTask",
        whose=Whose.CLINIC,
        fields=not_shown("id", "name", "started_at", "ended_at", "succeeded_at", "failures", "error"),
    ),
    Table(
        "alliance.AuditArchive",
        whose=Whose.CLINIC,
        fields=not_shown(
            *(
                "id",
                "name",
                "sha256",
                "first_seal",
                "last_seal",
                "after",
                "upto",
                "count",
                "last_at",
                "made_at",
            ),
        ),
    ),
    Table("alliance.ArchivePermit", whose=Whose.SITE, fields=not_shown("id", "archive", "never")),
    Table(
        "alliance.Erasure",
        whose=Whose.CLINIC,
        fields={
            **not_shown("id", "code", "batch", "reason", "asked_at", "asked_by", "counts"),
            **not_shown("confirmed_at", "confirmed_by", "called_off_at", "called_off_by"),
            **not_shown("client", "also", erased=Erased.PSEUDONYM),
            **not_shown("note", erased=Erased.EMPTIED),
        },
    ),
    # Codes of staff, clients and episodes. A line that was typed about a client goes when it is decided.
    Table(
        "alliance.ApprovalRequest",
        whose=Whose.CLINIC,
        fields={
            **not_shown(
                "id", "code", "kind", "said", "same", "person", "asked_at", "asked_by", "waits_until"
            ),
            **not_shown("outcome", "decided_at", "decided_by", "why", "used_at"),
            **not_shown("emergency_at", "emergency_by", "emergency_reason", "emergency_made"),
            **not_shown("what", erased=Erased.PSEUDONYM),
            **not_shown("note", erased=Erased.EMPTIED),
        },
    ),
    Table(
        "alliance.ApprovalNotice", whose=Whose.STAFF, fields=not_shown("id", "request", "person", "seen_at")
    ),
    Table("alliance.MaintenanceNotice", whose=Whose.SITE, fields=not_shown("id", "sentence", "since")),
    Table("alliance.RotationPermit", whose=Whose.SITE, fields=not_shown("id", "never")),
    Table("alliance.ErasurePermit", whose=Whose.SITE, fields=not_shown("id", "erasure", "never")),
    Table(
        "sessions_app.ErasedGrant",
        whose=Whose.SITE,
        fields={**not_shown("code", erased=Erased.PSEUDONYM), **not_shown("erasure")},
    ),
    Table(
        "alliance.BrowserSession",
        whose=Whose.STAFF,
        fields={
            "session_key": SECRET,
            **not_shown("expire_date", "person"),
            # A message that was not shown yet may name the client; a locked tablet holds a grant.
            "session_data": Field(says="what the server keeps for a browser", erased=Erased.TAKEN_OUT),
        },
    ),
    # --- Of Django and allauth ---
    Table(
        "account.EmailAddress",
        whose=Whose.STAFF,
        fields=not_shown("id", "user", "email", "verified", "primary"),
    ),
    Table(
        "account.EmailConfirmation",
        whose=Whose.STAFF,
        fields={**not_shown("id", "email_address", "created", "sent"), "key": SECRET},
    ),
    Table(
        "mfa.Authenticator",
        whose=Whose.STAFF,
        fields={**not_shown("id", "user", "type", "created_at", "last_used_at"), "data": SECRET},
    ),
    Table(
        "usersessions.UserSession",
        whose=Whose.STAFF,
        fields={
            **not_shown("id", "user", "created_at", "ip", "last_seen_at", "user_agent", "data"),
            "session_key": SECRET,
        },
    ),
    Table("auth.Permission", whose=Whose.SITE, fields=not_shown("id", "name", "content_type", "codename")),
    Table("auth.Group", whose=Whose.SITE, fields=not_shown("id", "name")),
    Table("auth.Group_permissions", whose=Whose.SITE, fields=not_shown("id", "group", "permission")),
    Table("contenttypes.ContentType", whose=Whose.SITE, fields=not_shown("id", "app_label", "model")),
    # Never written: `alliance.BrowserSession` takes its place.
    Table(
        "sessions.Session", whose=Whose.SITE, fields=not_shown("session_key", "session_data", "expire_date")
    ),
)
# Tables of no model, with what an erasure does to them.
TABLES_WITHOUT_A_MODEL = {
    "cache": "tries of sign-in, by address and person: nothing of a client",
    "django_migrations": "which migrations ran",
}
