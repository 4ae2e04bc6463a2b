"""The fields of groups. Who else was in a group leaves in no file of a client: nobody learns of another."""

from sessions_app.records.field_kinds import LINK, Erased, Field, Table, Whose, not_shown

OF_A_GROUP = Field(says="of a group: on its leaders’ pages alone, so that no file of one tells of another")

TABLES_OF_GROUPS = (
    Table(
        "sessions_app.GroupAttendance",
        about=("session__episode__client",),
        fields={
            **dict.fromkeys(["id", "code", "voided_along"], OF_A_GROUP),
            **dict.fromkeys(["group_session", "member", "session"], LINK),
        },
    ),
    Table(
        "sessions_app.GroupMember",
        about=("episode__client",),
        fields=dict.fromkeys(
            [
                *("id", "code", "group", "episode", "number", "joined_on", "left_on", "left_at", "left_by"),
            ],
            OF_A_GROUP,
        ),
    ),
    Table(
        "sessions_app.Group",
        whose=Whose.STAFF,
        fields={
            **not_shown("id", "code", "kind", "leader", "co_leader", "made_at", "ended_at", "ended_by"),
            # A couple is often called after its two.
            **dict.fromkeys(["name", "name_key"], Field(says=OF_A_GROUP.says, erased=Erased.TAKEN_OUT)),
        },
    ),
    Table(
        "sessions_app.GroupSession",
        whose=Whose.STAFF,
        fields={
            **not_shown(
                *("id", "code", "group", "held_at", "ends_at", "modality", "begun_at", "begun_by"),
                *("form_key", "voided_at", "voided_by", "void_reason"),
            ),
        },
    ),
    Table(
        "sessions_app.TabletRound",
        whose=Whose.STAFF,
        fields=not_shown("id", "code", "group_session", "begun_at", "begun_by", "open_until"),
    ),
)
