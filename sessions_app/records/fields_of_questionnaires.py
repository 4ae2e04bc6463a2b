"""The fields of what was answered to questionnaires. No administrator reads any of them."""

from sessions_app.records import promised, response_columns
from sessions_app.records.field_kinds import (
    CLINICAL,
    IN_THE_CLINICS_TIME,
    LINK,
    NOT_SHOWN,
    ROW_NUMBER,
    SAID,
    THERAPIST,
    Computed,
    Field,
    Table,
    column,
    not_shown,
)

OF_ONE_THERAPIST = Field(says="a therapist’s own guess: on their page alone")

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
        promise="promise",
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
            "answers": column(CLINICAL, "answers", "each by its item, in tenths; JSON; null: not answered"),
            "total": column(
                CLINICAL,
                "total",
                "by the instrument’s rule, in its own points; empty where an answer is missing",
            ),
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
        computed={
            **promised.columns(),
            "questionnaire_name": Computed(
                CLINICAL, "as pages call it", ("instrument", "instrument_version"), response_columns.name
            ),
            "range_of_total": Computed(
                CLINICAL,
                "the lowest and the highest total there can be, in points",
                ("instrument", "instrument_version", "wording__form"),
                response_columns.range_of_total,
            ),
            "subscales": Computed(
                CLINICAL,
                "in points; a dash where an answer is missing",
                response_columns.SCORED,
                response_columns.subscales,
            ),
            "total_pro_rated": Computed(
                CLINICAL,
                "in points, by the owner’s rule about missing answers, where the clinic has switched it on",
                response_columns.SCORED,
                response_columns.prorated_total,
            ),
            "in_words": Computed(
                CLINICAL,
                "each question as it was read, with its answer",
                response_columns.OF,
                response_columns.answers_in_words,
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
    Table(
        "sessions_app.RiskAnswer",
        about=("response__session__episode__client",),
        sheet="answers_about_self_harm",
        title="Answer at which somebody had to look",
        says="One row for each answer at or above the limit of a question about self-harm.",
        promise="response__promise",
        fields={
            "id": ROW_NUMBER,
            "response": column(CLINICAL, "response_code", "the answers it is among"),
            "code": column(CLINICAL, "risk_answer_code", "random; the same in every file"),
            "item": column(CLINICAL, "item", "the question, by its place in the form"),
            "answer": column(CLINICAL, "answer_tenths", "in tenths"),
            "limit": column(CLINICAL, "limit_tenths", "from which on somebody has to look; in tenths"),
            "raised_at": column(CLINICAL, "raised_at", IN_THE_CLINICS_TIME),
        },
    ),
    Table(
        "sessions_app.RiskNote",
        about=("answer__response__session__episode__client",),
        sheet="notes_about_self_harm",
        title="Note about such an answer",
        says="One row for each note; the first one acknowledges the answer.",
        fields={
            "id": ROW_NUMBER,
            "answer": column(CLINICAL, "risk_answer_code", "the answer it is about"),
            "note": column(CLINICAL, "note", "in the words of whoever looked"),
            "noted_at": column(CLINICAL, "noted_at", IN_THE_CLINICS_TIME),
            "noted_by": column(CLINICAL, "noted_by", "name"),
            "form_key": NOT_SHOWN,
        },
    ),
    # In no file: it is for its therapist alone, and an export of a colleague who covers holds what that one may see.
    Table(
        "sessions_app.Guess",
        about=("session__episode__client",),
        fields=dict.fromkeys(
            [
                *("id", "code", "session", "therapist", "instrument", "instrument_version"),
                *("answers", "total", "made_at"),
            ],
            OF_ONE_THERAPIST,
        ),
    ),
)
