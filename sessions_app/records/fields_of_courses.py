"""The fields of what happened in sessions: marks, flags, conversations. No administrator reads any of them.

A new model or field gets its line here; see `field_table`.
"""

from typing import Any

from alliance.measurement import flag_rules, instruments
from sessions_app.records import promised
from sessions_app.records.field_kinds import (
    CLINICAL,
    COMPUTED,
    IN_THE_CLINICS_TIME,
    LINES,
    LINK,
    NOT_SHOWN,
    ROW_NUMBER,
    SAID,
    SECRET,
    THERAPIST,
    Computed,
    Erased,
    Field,
    Table,
    column,
    not_shown,
)


def _sentence(withdrawn: Any, rule: str, is_new: bool, on_work_list: bool, *of: Any) -> str | None:
    evidence, instrument = of
    finding = flag_rules.Finding(rule, is_new, on_work_list, evidence)
    return None if withdrawn else flag_rules.sentence(finding, instruments.get(instrument))


def _rule(rule: str) -> str:
    return flag_rules.RULES[rule].name if rule in flag_rules.RULES else rule


# The order of the sheets in files, and of what hangs on a session in a record.
TABLES_OF_COURSES = (
    # --- What a client marked ---
    Table(
        "sessions_app.Rating",
        about=("session__episode__client",),
        sheet="ratings",
        title="Rating",
        says="One row for each rating, corrected ones too; `counts` tells which one is in the course.",
        shared_if="share_comment",
        promise="promise",
        computed={
            **promised.columns(),
            "counts": Computed(
                CLINICAL,
                "yes; no where a later row took its place, it holds no marks, or its session was voided",
                ("replaced_by__pk", "mode", "session__voided_at"),
                lambda later, mode, voided: later is None and mode != "none" and voided is None,
            ),
        },
        fields={
            "id": ROW_NUMBER,
            "session": LINK,
            "code": column(CLINICAL, "rating_code", "random; the same in every file"),
            "instrument": column(CLINICAL, "instrument", "the form that was marked"),
            "instrument_version": column(CLINICAL, "instrument_version", "of the form"),
            "answers": column(CLINICAL, "answers", LINES),
            "total": column(CLINICAL, "total", "sum of the lines; empty where one is missing"),
            "comment": column(SAID, "comment", "the client’s own words"),
            "share_comment": column(
                CLINICAL, "comment_is_shared", "the client agreed that it is read in supervision"
            ),
            "language": column(CLINICAL, "language", "in which the client read the form"),
            "mode": column(CLINICAL, "mode", "line, number, paper, verbal; none: what stood was set aside"),
            "received_at": column(CLINICAL, "received_at", IN_THE_CLINICS_TIME),
            "replaces": column(CLINICAL, "replaces_rating_code", "the rating in whose place it stands"),
            "claimed_at": column(
                THERAPIST, "device_clock", "what the device’s own clock said; may be wrong by years"
            ),
            "wording": column(CLINICAL, "wording_code", "edition of the clinic’s own wording, if any"),
            "grant": LINK,
            "promise": LINK,
            "sha256": SECRET,
            "delivery": NOT_SHOWN,
        },
    ),
    Table(
        "sessions_app.Correction",
        about=("rating__session__episode__client",),
        sheet="corrections",
        title="Why the rating was corrected",
        says="Why a rating took the place of another.",
        fields={
            "id": ROW_NUMBER,
            "code": column(CLINICAL, "correction_code", "random; the same in every file"),
            "rating": column(CLINICAL, "rating_code", "the later of the two"),
            "kind": column(
                CLINICAL, "kind", "corrected, completed, used, restored, taken_out, misfiled, moved_here"
            ),
            "why": column(CLINICAL, "why", "in the therapist’s words"),
            "restores": column(CLINICAL, "restores_rating_code", "whose marks count again"),
            "corrected_at": column(CLINICAL, "corrected_at", IN_THE_CLINICS_TIME),
            "corrected_by": column(CLINICAL, "corrected_by", "name"),
        },
    ),
    Table(
        "sessions_app.SetAsideRating",
        about=("session__episode__client",),
        sheet="set_aside",
        title="Marks that were set aside",
        says="Marks that arrived and could not stand as the rating.",
        promise="grant__promise",
        fields={
            "id": ROW_NUMBER,
            "session": LINK,
            "grant": LINK,
            "code": column(THERAPIST, "set_aside_code", "random; the same in every file"),
            "reason": column(THERAPIST, "reason", "disputed, withdrawn, late, invalid"),
            "answers": column(THERAPIST, "answers", LINES),
            "comment": column(THERAPIST, "comment", "the client’s own words"),
            "share_comment": column(THERAPIST, "comment_is_shared", "yes or no"),
            "language": column(THERAPIST, "language", "in which the client read the form"),
            "mode": column(THERAPIST, "mode", "line, number, paper, verbal"),
            "received_at": column(THERAPIST, "received_at", IN_THE_CLINICS_TIME),
            "claimed_at": column(THERAPIST, "device_clock", "what the device’s own clock said"),
            "raw": column(THERAPIST, "as_it_came", "where no marks could be read"),
            "sha256": SECRET,
            "delivery": NOT_SHOWN,
        },
    ),
    Table(
        "sessions_app.Settlement",
        about=("set_aside__session__episode__client",),
        sheet="set_aside_decisions",
        title="Decision about marks that were set aside",
        says="What the therapist decided about marks that were set aside.",
        fields={
            "id": ROW_NUMBER,
            "code": column(THERAPIST, "decision_code", "random; the same in every file"),
            "set_aside": column(THERAPIST, "set_aside_code", "the marks"),
            "outcome": column(THERAPIST, "outcome", "used, left"),
            "rating": column(THERAPIST, "rating_code", "what they became"),
            "why": column(THERAPIST, "why", "in the therapist’s words"),
            "settled_at": column(THERAPIST, "decided_at", IN_THE_CLINICS_TIME),
            "settled_by": column(THERAPIST, "decided_by", "name"),
            "undone_at": column(THERAPIST, "undone_at", "moment; empty: it stands"),
            "undone_by": column(THERAPIST, "undone_by", "name"),
        },
    ),
    Table(
        "sessions_app.Misfiling",
        about=("rating__session__episode__client",),
        sheet="misfilings",
        title="Marks that were not of this client or session",
        says="Marks that were found in the wrong record. The marks themselves are in no file of this one.",
        fields={
            "id": ROW_NUMBER,
            "code": column(CLINICAL, "misfiling_code", "random; the same in every file"),
            "rating": LINK,
            "left": LINK,
            # Neither record names the other.
            "moved_to": Field(says="in another record", erased=Erased.EMPTIED),
            "why": column(CLINICAL, "why", "in the words of who set them aside"),
            "set_aside_at": column(CLINICAL, "set_aside_at", IN_THE_CLINICS_TIME),
            "set_aside_by": column(CLINICAL, "set_aside_by", "name"),
            "undone_at": column(CLINICAL, "undone_at", "moment; empty: it stands"),
            "undone_by": column(CLINICAL, "undone_by", "name"),
        },
    ),
    Table(
        "sessions_app.RatingGrant",
        about=("session__episode__client",),
        sheet="forms",
        title="Form that was given",
        says="One row for each time a form was handed over, sent, or entered from paper.",
        fields={
            "id": ROW_NUMBER,
            "session": LINK,
            "code": column(CLINICAL, "form_code", "random; the same in every file"),
            "instrument": column(CLINICAL, "instrument", "the form"),
            "instrument_version": column(CLINICAL, "instrument_version", "of the form"),
            "purpose": column(CLINICAL, "purpose", "alliance: the rating of the session; questionnaire"),
            "rater": column(CLINICAL, "rater", "client, therapist, caregiver or observer"),
            "rater_label": column(CLINICAL, "rater_label", "which of several caregivers, such as “mother”"),
            "promise": LINK,
            "form_set": column(CLINICAL, "form_set", "the same for forms that were given together"),
            "place_in_set": column(CLINICAL, "place_in_set", "which of them came first; from 0"),
            "answered_at": column(
                CLINICAL, "answered_at", "of a questionnaire: moment; empty: no answers that count"
            ),
            "channel": column(CLINICAL, "channel", "tablet, phone, paired (tablet of a room), paper, verbal"),
            "language": column(CLINICAL, "language", "of the form"),
            "made_at": column(CLINICAL, "made_at", IN_THE_CLINICS_TIME),
            "made_by": column(CLINICAL, "made_by", "name"),
            "opened_at": column(CLINICAL, "opened_at", "moment; empty: not sent, or not opened"),
            "open_until": column(CLINICAL, "open_until", "until then it could be opened"),
            "accept_until": column(CLINICAL, "accept_until", "until then marks were taken"),
            "declined": column(CLINICAL, "declined", "the client chose not to rate"),
            "withdrawn_at": column(CLINICAL, "taken_back_at", "moment; empty: it was not"),
            "withdrawn_by": column(CLINICAL, "taken_back_by", "name"),
            "paired_tablet": NOT_SHOWN,
            "instead_of": LINK,
            "form_key": NOT_SHOWN,
            "wording": column(CLINICAL, "wording_code", "edition of the clinic’s own wording, if any"),
            "token_hash": SECRET,
            "link_hash": SECRET,
            "short_code_hash": SECRET,
            "short_code_until": NOT_SHOWN,
        },
    ),
    # --- What the rules concluded, and what was said about it ---
    Table(
        "sessions_app.Flag",
        about=("session__episode__client",),
        sheet="flags",
        title="Flag",
        says="One row for each finding of a rule, withdrawn ones too.",
        computed={
            "rule_name": Computed(CLINICAL, "the rule in words", ("rule",), _rule),
            "sentence": Computed(
                CLINICAL,
                "as it stands on the page; empty where the flag was withdrawn",
                ("withdrawn_at", "rule", "is_new", "on_work_list", "evidence", "instrument"),
                _sentence,
            ),
            "evidence": Computed(
                CLINICAL,
                "the figures behind it, in tenths; JSON; empty where the flag was withdrawn",
                ("withdrawn_at", "evidence"),
                lambda withdrawn, evidence: None if withdrawn else evidence,
                for_people=False,
            ),
        },
        fields={
            "id": ROW_NUMBER,
            "session": LINK,
            "code": column(CLINICAL, "flag_code", "random; the same in every file"),
            "rating": column(CLINICAL, "rating_code", "on which it rests"),
            "instrument": column(CLINICAL, "instrument", "the form"),
            "rule": column(CLINICAL, "rule", "letter of the rule (docs/clinical-rules.md)"),
            "is_new": column(CLINICAL, "is_new", "yes; no where it goes on"),
            "on_work_list": column(CLINICAL, "is_reason_to_talk", "yes or no"),
            # Of a withdrawn one it may hold marks that turned out to be somebody else's.
            "evidence": Field(says="in the column of this name, while the flag stands"),
            "settings_version": column(CLINICAL, "settings_version", "of the rules that raised it"),
            "raised_at": column(CLINICAL, "raised_at", IN_THE_CLINICS_TIME),
            "withdrawn_at": column(CLINICAL, "withdrawn_at", "moment; empty: it stands"),
        },
    ),
    Table(
        "sessions_app.Discussion",
        about=("session__episode__client",),
        sheet="talks",
        title="Conversation",
        says="One row for each conversation about flags, taken-back ones too.",
        fields={
            "id": ROW_NUMBER,
            "session": LINK,
            "code": column(CLINICAL, "talk_code", "random; the same in every file"),
            "said": column(CLINICAL, "said", "what the client said, in the therapist’s words"),
            "agreed": column(CLINICAL, "agreed", "what was agreed to change"),
            "version": column(CLINICAL, "version", "1: never changed"),
            "discussed_at": column(CLINICAL, "noted_at", IN_THE_CLINICS_TIME),
            "discussed_by": column(CLINICAL, "noted_by", "name"),
            "withdrawn_at": column(CLINICAL, "taken_back_at", "moment; empty: it stands"),
            "withdrawn_by": column(CLINICAL, "taken_back_by", "name"),
        },
    ),
    Table(
        "sessions_app.DiscussionChange",
        about=("discussion__session__episode__client",),
        sheet="changes_of_talks",
        title="Earlier note",
        says="One row for each change of such a note, with the words that stood before it.",
        fields={
            "id": ROW_NUMBER,
            "discussion": column(CLINICAL, "talk_code", "the conversation"),
            "version": column(CLINICAL, "version", "of the words that stood before"),
            "kind": column(CLINICAL, "change", "edited, taken back, put back"),
            "said": column(CLINICAL, "said", "what stood before"),
            "agreed": column(CLINICAL, "agreed", "what stood before"),
            "why": column(CLINICAL, "why", "in the therapist’s words"),
            "changed_at": column(CLINICAL, "changed_at", IN_THE_CLINICS_TIME),
            "changed_by": column(CLINICAL, "changed_by", "name"),
        },
    ),
    Table(
        "sessions_app.Discussion_flags",
        about=("discussion__session__episode__client",),
        sheet="flags_of_talks",
        says="Which flags a conversation was about.",
        fields={
            "id": ROW_NUMBER,
            "discussion": column(CLINICAL, "talk_code", "the conversation"),
            "flag": column(CLINICAL, "flag_code", "the flag"),
        },
    ),
    Table(
        "sessions_app.FollowUp",
        about=("session__episode__client",),
        sheet="follow_ups",
        title="Did it help?",
        says="The answers to “did it help?”.",
        fields={
            "id": ROW_NUMBER,
            "session": LINK,
            "code": column(CLINICAL, "follow_up_code", "random; the same in every file"),
            "discussion": column(CLINICAL, "talk_code", "the conversation it is about"),
            "answer": column(CLINICAL, "answer", "helped, partly, not_yet, not_tried"),
            "noted_at": column(CLINICAL, "noted_at", IN_THE_CLINICS_TIME),
            "noted_by": column(CLINICAL, "noted_by", "name"),
            "undone_at": column(CLINICAL, "undone_at", "moment; empty: it stands"),
            "undone_by": column(CLINICAL, "undone_by", "name"),
        },
    ),
    Table(
        "sessions_app.Deferral",
        about=("session__episode__client",),
        sheet="deferrals",
        title="Not talked about",
        says="Decisions not to talk about flags now, or at all.",
        fields={
            "id": ROW_NUMBER,
            "session": LINK,
            "code": column(CLINICAL, "deferral_code", "random; the same in every file"),
            "kind": column(CLINICAL, "kind", "later, not_needed"),
            "why": column(CLINICAL, "why", "in the therapist’s words"),
            "deferred_at": column(CLINICAL, "decided_at", IN_THE_CLINICS_TIME),
            "deferred_by": column(CLINICAL, "decided_by", "name"),
            "undone_at": column(CLINICAL, "undone_at", "moment; empty: it stands"),
            "undone_by": column(CLINICAL, "undone_by", "name"),
            "undone_why": column(CLINICAL, "why_undone", "in the therapist’s words"),
        },
    ),
    Table(
        "sessions_app.Deferral_flags",
        about=("deferral__session__episode__client",),
        sheet="flags_of_deferrals",
        says="Which flags such a decision was about.",
        fields={
            "id": ROW_NUMBER,
            "deferral": column(CLINICAL, "deferral_code", "the decision"),
            "flag": column(CLINICAL, "flag_code", "the flag"),
        },
    ),
    Table(
        "sessions_app.LateMarks",
        about=("session__episode__client",),
        fields=not_shown("id", "code", "session", "arrived_at", "seen_at", "seen_by"),
    ),
    Table(
        "sessions_app.LookBefore",
        about=("session__episode__client",),
        fields=dict.fromkeys(["session", "held_at", "looked"], COMPUTED),
    ),
    Table(
        "sessions_app.EpisodeStanding",
        about=("episode__client",),
        fields=dict.fromkeys(
            [
                *("episode", "revision", "settings_version", "calls_from", "talk", "agreement", "words"),
                *("deferral", "put_off", "put_off_until", "course", "process"),
            ],
            COMPUTED,
        ),
    ),
)
