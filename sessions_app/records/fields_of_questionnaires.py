"""The fields of what was answered to questionnaires. No administrator reads any of them."""

from sessions_app.records.field_kinds import (
    CLINICAL,
    IN_THE_CLINICS_TIME,
    LINES,
    LINK,
    NOT_SHOWN,
    ROW_NUMBER,
    SAID,
    THERAPIST,
    Table,
    column,
    not_shown,
)

TABLES_OF_QUESTIONNAIRES = (
    # The rows of the clinic are about no client, and stay; those that a therapist chose go with theirs.
    Table(
        "sessions_app.PlannedForm",
        about=("episode__client",),
        sheet="forms_chosen",
        title="Form chosen for this client",
        says="One row for each form that the therapist gave otherwise than the clinic plans it, or not at all.",
        fields={
            "id": ROW_NUMBER,
            "code": column(CLINICAL, "choice_code", "random; the same in every file"),
            "episode": LINK,
            "instrument": column(CLINICAL, "instrument", "the form"),
            "rater": column(CLINICAL, "rater", "client, therapist, caregiver or observer"),
            "is_off": column(CLINICAL, "is_off", "yes: it is not given"),
            "moment": column(CLINICAL, "moment", "rating, intake, start, end or ending"),
            "frequency": column(CLINICAL, "frequency", "each, sessions, weeks, chosen or once"),
            "every": column(CLINICAL, "every", "sessions or weeks from one time to the next"),
            "numbers": column(CLINICAL, "numbers", "the chosen sessions"),
            "why": column(CLINICAL, "why", "in the therapist’s words"),
            "since": column(CLINICAL, "since", "day"),
            "added_at": column(CLINICAL, "added_at", IN_THE_CLINICS_TIME),
            "added_by": column(CLINICAL, "added_by", "name"),
            "ended_at": column(CLINICAL, "ended_at", "moment; empty: it holds"),
            "ended_by": column(CLINICAL, "ended_by", "name"),
            **not_shown(
                "for_whom", "age_band", "therapists", "supervisor", "same_as", "form_key", "replaces"
            ),
        },
    ),
    Table(
        "sessions_app.QuestionnaireResponse",
        about=("session__episode__client",),
        sheet="questionnaires",
        title="Questionnaire",
        says="One row for each time answers to a questionnaire arrived; `held` tells why some do not count.",
        shared_if="share_comment",
        fields={
            "id": ROW_NUMBER,
            "session": LINK,
            "code": column(CLINICAL, "response_code", "random; the same in every file"),
            "grant": column(CLINICAL, "form_code", "the form through which they came"),
            "instrument": column(CLINICAL, "instrument", "the questionnaire"),
            "instrument_version": column(CLINICAL, "instrument_version", "of the questionnaire"),
            "wording": column(CLINICAL, "wording_code", "edition of the clinic’s own wording, if any"),
            "rater": column(CLINICAL, "rater", "client, therapist, caregiver or observer"),
            "answers": column(CLINICAL, "answers", LINES),
            "total": column(CLINICAL, "total", "by the instrument’s rule; empty where an answer is missing"),
            "comment": column(SAID, "comment", "the rater’s own words"),
            "share_comment": column(
                CLINICAL, "comment_is_shared", "the rater agreed that it is read in supervision"
            ),
            "language": column(CLINICAL, "language", "in which the form was read"),
            "mode": column(CLINICAL, "mode", "line, number, paper, verbal"),
            "received_at": column(CLINICAL, "received_at", IN_THE_CLINICS_TIME),
            "sha256": NOT_SHOWN,
            "held": column(CLINICAL, "held", "empty where they count; else why somebody had to look at them"),
            "raw": column(THERAPIST, "unreadable", "what came, where no answers can be read"),
            "delivery": NOT_SHOWN,
            "claimed_at": column(
                THERAPIST, "device_clock", "what the device’s own clock said; may be wrong by years"
            ),
        },
    ),
    Table(
        "sessions_app.ResponseDecision",
        about=("response__session__episode__client",),
        sheet="questionnaire_decisions",
        title="Decision about a questionnaire",
        says="One row for each decision that answers count, or do not; the newest holds.",
        fields={
            "id": ROW_NUMBER,
            "response": column(CLINICAL, "response_code", "the answers it is about"),
            "counts": column(CLINICAL, "counts", "yes or no"),
            "why": column(SAID, "why", "in the words of whoever decided"),
            "decided_at": column(CLINICAL, "decided_at", IN_THE_CLINICS_TIME),
            "decided_by": column(CLINICAL, "decided_by", "name"),
        },
    ),
)
