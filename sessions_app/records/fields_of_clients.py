"""The fields about staff, clients, episodes and sessions: people and dates, which the office may read.

A new model or field gets its line here; see `field_table`.
"""

from sessions_app.records.field_kinds import (
    CLINICAL,
    COMPUTED,
    IN_THE_CLINICS_TIME,
    LINK,
    NOT_SHOWN,
    OFFICE,
    ROW_NUMBER,
    SECRET,
    Table,
    Whose,
    column,
    not_shown,
)

# The order of the sheets in files.
TABLES_OF_CLIENTS = (
    # --- Whose clients, in the files of the office ---
    Table(
        "alliance.User",
        whose=Whose.STAFF,
        sheet="people",
        says="Members of staff.",
        fields={
            "id": ROW_NUMBER,
            "name": column(OFFICE, "name", "as it stands on pages"),
            "email": column(OFFICE, "email", "address of the sign-in"),
            "is_therapist": column(OFFICE, "is_therapist", "yes or no"),
            "is_supervisor": column(OFFICE, "is_supervisor", "yes or no"),
            "is_administrator": column(OFFICE, "is_administrator", "yes or no"),
            "is_active": column(OFFICE, "may_sign_in", "yes or no"),
            "joined_at": column(OFFICE, "joined_at", IN_THE_CLINICS_TIME),
            "name_key": COMPUTED,
            "name_look": COMPUTED,
            "question_language": NOT_SHOWN,
            "last_login": NOT_SHOWN,
            "password": SECRET,
        },
    ),
    Table(
        "clients.Supervision",
        whose=Whose.STAFF,
        sheet="supervisions",
        says="Who supervises whom, from when to when.",
        fields={
            "id": ROW_NUMBER,
            "code": column(OFFICE, "supervision_code", "random; the same in every file"),
            "supervisor": column(OFFICE, "supervisor", "name"),
            "therapist": column(OFFICE, "therapist", "name"),
            "starts_on": column(OFFICE, "starts_on", "first day"),
            "ends_on": column(OFFICE, "ends_on", "last day; empty: in force"),
        },
    ),
    # --- A client ---
    Table(
        "clients.Client",
        about=("pk",),
        sheet="clients",
        title="Client",
        says="One row for each client.",
        fields={
            "id": ROW_NUMBER,
            "code": column(OFFICE, "client_code", "random; the same in every file and in the access log"),
            "label": column(OFFICE, "client_label", "as the clinic wrote it"),
            "language": column(OFFICE, "form_language", "of the form: en, de ..."),
            "age_band": column(OFFICE, "age_band", "adult, adolescent, child, young_child"),
            "registered_at": column(OFFICE, "registered_at", IN_THE_CLINICS_TIME),
            "label_key": COMPUTED,
            "label_look": COMPUTED,
            "merged_into": column(
                OFFICE, "merged_into_client_code", "the record that holds its episodes now"
            ),
        },
    ),
    Table(
        "clients.Episode",
        about=("client",),
        sheet="episodes",
        title="Episode",
        says="One row for each course of therapy of a client with a therapist.",
        fields={
            "id": ROW_NUMBER,
            "client": LINK,
            "code": column(OFFICE, "episode_code", "random; the same in every file"),
            "therapist": column(OFFICE, "therapist", "name"),
            "opened_on": column(OFFICE, "opened_on", "day"),
            "closed_on": column(OFFICE, "closed_on", "day; empty: open"),
            "ending": column(OFFICE, "ending", "planned, unplanned, transferred; empty: open"),
        },
    ),
    Table(
        "sessions_app.TherapySession",
        about=("episode__client",),
        sheet="sessions",
        title="Session",
        says="One row for each session, planned or held.",
        fields={
            "id": ROW_NUMBER,
            "episode": LINK,
            "code": column(OFFICE, "session_code", "random; the same in every file"),
            "number": column(OFFICE, "session_number", "its place in the course"),
            "held_at": column(OFFICE, "starts_at", IN_THE_CLINICS_TIME),
            "ends_at": column(OFFICE, "ends_at", IN_THE_CLINICS_TIME),
            "modality": column(OFFICE, "modality", "in_person, video, phone"),
            "attendance": column(OFFICE, "attendance", "planned, attended, cancelled, did_not_attend"),
            "voided_at": column(OFFICE, "voided_at", "moment; empty: it counts"),
            "voided_by": column(OFFICE, "voided_by", "name"),
            "void_reason": column(CLINICAL, "void_reason", "in the therapist’s words"),
            "form_key": NOT_SHOWN,
        },
    ),
    # --- One person, one record. Rows that name two clients go with either. ---
    Table(
        "clients.ClientMerge",
        about=("kept", "merged"),
        fields=not_shown("id", "code", "kept", "merged", "merged_at", "merged_by", "undone_at", "undone_by"),
    ),
    Table(
        "clients.EpisodeMove",
        about=("episode__client", "from_client", "to_client"),
        fields=not_shown(
            *("id", "code", "episode", "from_client", "to_client", "merge", "why"),
            *("moved_at", "moved_by", "undone_at", "undone_by"),
        ),
    ),
    Table(
        "clients.DifferentClients",
        about=("first", "second"),
        fields=not_shown("id", "code", "first", "second", "noted_at", "noted_by"),
    ),
)
