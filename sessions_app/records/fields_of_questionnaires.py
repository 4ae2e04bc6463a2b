"""The fields of what was answered to questionnaires. No administrator reads any of them."""

from sessions_app.records import promised
from sessions_app.records.field_kinds import (
    CLINICAL,
    IN_THE_CLINICS_TIME,
    LINES,
    LINK,
    NOT_SHOWN,
    ROW_NUMBER,
    SAID,
    THERAPIST,
    Field,
    Table,
    column,
)

OF_ONE_THERAPIST = Field(says="a therapist’s own guess: on their page alone")

TABLES_OF_QUESTIONNAIRES = (
    Table(
        "sessions_app.QuestionnaireResponse",
        about=("session__episode__client",),
        sheet="questionnaires",
        title="Questionnaire",
        says="One row for each time answers to a questionnaire arrived; `held` tells why some do not count.",
        shared_if="share_comment",
        promise="promise",
        computed=promised.columns(),
        fields={
            "id": ROW_NUMBER,
            "session": LINK,
            "code": column(CLINICAL, "response_code", "random; the same in every file"),
            "grant": column(CLINICAL, "form_code", "the form through which they came"),
            "instrument": column(CLINICAL, "instrument", "the questionnaire"),
            "instrument_version": column(CLINICAL, "instrument_version", "of the questionnaire"),
            "wording": column(CLINICAL, "wording_code", "edition of the clinic’s own wording, if any"),
            "rater": column(CLINICAL, "rater", "client, therapist, caregiver or observer"),
            "rater_label": column(CLINICAL, "rater_label", "which of several caregivers, such as “mother”"),
            "promise": LINK,
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
            "why": column(CLINICAL, "why", "in the words of whoever decided"),
            "decided_at": column(CLINICAL, "decided_at", IN_THE_CLINICS_TIME),
            "decided_by": column(CLINICAL, "decided_by", "name"),
        },
    ),
    # In no file: it is for its therapist alone, and an export of a colleague who covers holds what that one may see.
    Table(
        "sessions_app.Guess",
        about=("session__episode__client",),
        fields=dict.fromkeys(
            [
                "id",
                "code",
                "session",
                "therapist",
                "instrument",
                "instrument_version",
                "answers",
                "total",
                "made_at",
            ],
            OF_ONE_THERAPIST,
        ),
    ),
)
