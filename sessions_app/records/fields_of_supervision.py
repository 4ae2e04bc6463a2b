"""The fields of what therapist and supervisor say to each other: in no file, so in none that a client is given.

Erased with the client, as everything that is about one.
"""

from sessions_app.records.field_kinds import IN_SUPERVISION, Erased, Field, Table, Whose, not_shown

TABLES_OF_SUPERVISION = (
    Table(
        "sessions_app.SupervisionQuestion",
        about=("episode__client",),
        fields=dict.fromkeys(
            [
                *(
                    "id",
                    "code",
                    "episode",
                    "words",
                    "version",
                    "asked_at",
                    "asked_by",
                    "answer",
                    "answered_at",
                ),
                *("answered_by", "withdrawn_at", "withdrawn_by", "form_key"),
            ],
            IN_SUPERVISION,
        ),
    ),
    Table(
        "sessions_app.SupervisionQuestionChange",
        about=("question__episode__client",),
        fields=dict.fromkeys(
            ["id", "question", "version", "kind", "words", "answer", "changed_at", "changed_by"],
            IN_SUPERVISION,
        ),
    ),
    Table(
        "sessions_app.SupervisionTalk",
        about=("episode__client",),
        fields=dict.fromkeys(
            [
                *("id", "code", "episode", "held_on", "agreed", "version", "noted_at", "noted_by"),
                *("withdrawn_at", "withdrawn_by", "form_key"),
            ],
            IN_SUPERVISION,
        ),
    ),
    Table(
        "sessions_app.SupervisionTalkChange",
        about=("talk__episode__client",),
        fields=dict.fromkeys(
            ["id", "talk", "version", "kind", "held_on", "agreed", "changed_at", "changed_by"], IN_SUPERVISION
        ),
    ),
    Table(
        "sessions_app.AgendaItem",
        about=("episode__client",),
        fields={
            **dict.fromkeys(
                [
                    *("id", "code", "agenda", "place", "episode", "why", "added_at", "added_by", "form_key"),
                    *("ticked_at", "ticked_by", "removed_at", "removed_by"),
                ],
                IN_SUPERVISION,
            ),
            # A line that hangs on no client may name one all the same.
            "text": Field(says=IN_SUPERVISION.says, erased=Erased.EMPTIED),
        },
    ),
    Table(
        "sessions_app.Agenda",
        whose=Whose.STAFF,
        fields=not_shown("id", "code", "supervisor", "therapist", "held_on", "made_at"),
    ),
)
