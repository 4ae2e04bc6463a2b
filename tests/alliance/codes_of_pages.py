"""What the code in the address of each page is of. A code of anything else is an address that is not there."""

KINDS = {
    "Agenda": {
        "supervision": "agenda fill_agenda add_item",
    },
    "AgendaItem": {
        "supervision": "change_item",
    },
    "ApprovalRequest": {
        "approvals": "request decline emergency",
    },
    "Batch": {
        "erasures": "batch",
    },
    "CaseloadTransfer": {
        "clients": "transferred undo_transfer",
    },
    "Client": {
        "clients": "client change open_episode merge tell_apart",
        "erasures": "ask",
        "records": "client",
    },
    "ClientMerge": {
        "clients": "undo_merge",
    },
    "ClinicSettings": {
        "settings": "use_again",
    },
    "ClinicWording": {
        "instruments": "wording switch_on switch_off",
    },
    "Cover": {
        "clients": "end_cover",
    },
    "Deferral": {
        "dashboard": "undo_deferral take_back_deferral",
    },
    "DifferentClients": {
        "clients": "undo_telling_apart",
    },
    "Discussion": {
        "dashboard": (
            "edit_discussion take_back_discussion put_back_discussion undo_discussion note_follow_up"
        ),
    },
    "EarlierCourseConsent": {
        "dashboard": "withdraw_consent",
    },
    "Episode": {
        "caseload": "client next_client previous_client late_marks_seen let_read",
        "clients": "move_episode close_episode reopen_episode transfer_episode correct_days who_looked",
        "dashboard": (
            "client next_client previous_client hand_over forms give_form choose_scale on_paper "
            "enter_new_rating make_link send raters guess add_session defer late_marks_seen "
            "record_consent switch_form_off"
        ),
        "questionnaires": "panels with_the_alliance",
        "supervision": "ask note",
        "together": "choose show",
    },
    "EpisodeMove": {
        "clients": "undo_move",
    },
    "Erasure": {
        "erasures": "erasure call_off",
    },
    "FollowUp": {
        "dashboard": "undo_follow_up change_follow_up",
    },
    "Group": {
        "groups": "group people change leaders end take_up begin add_member",
    },
    "GroupAttendance": {
        "groups": "give make_link send take_back",
    },
    "GroupMember": {
        "groups": "take_out put_back",
    },
    "GroupSession": {
        "groups": "session pass_round void put_session_back attendance",
    },
    "ImportRun": {
        "import": "run columns layout check remarks remove confirm",
    },
    "InstrumentPack": {
        "instruments": "switch_off_pack",
    },
    "Licence": {
        "instruments": "end_licence",
    },
    "Misfiling": {
        "marks": "put_back",
    },
    "OwnQuestion": {
        "rules": "take_out_question put_back_question",
    },
    "PairedTablet": {
        "tablets": "revoke",
    },
    "PlannedForm": {
        "dashboard": "by_the_plan",
        "plan": "change end undo put_back",
    },
    "QuestionnaireResponse": {
        "questionnaires": "count leave",
    },
    "Rating": {
        "dashboard": "correct_rating put_back",
        "marks": "set_aside",
    },
    "RatingGrant": {
        "dashboard": "sent take_form_back",
    },
    "RiskAnswer": {
        "questionnaires": "risk_answer",
    },
    "RiskConfirmation": {
        "instruments": "end_risk_items",
    },
    "SetAsideRating": {
        "dashboard": "use_marks leave_marks take_up_marks misfile_marks",
    },
    "Supervision": {
        "clinic": "end_supervision correct_supervision",
    },
    "SupervisionQuestion": {
        "supervision": "change_question take_back_question put_back_question answer take_back_answer",
    },
    "SupervisionTalk": {
        "supervision": "change_note take_back_note put_back_note",
    },
    "TherapySession": {
        "dashboard": (
            "change_session void_session put_session_back take_back enter_rating paper_forms "
            "discuss own_form blank_paper_form"
        ),
    },
    "User": {
        "clinic": "person change_email invite end_sign_ins remove_second_factor",
        "supervision": "make_agenda",
    },
}
# A word and no code.
BY_NAME = {"rules:rule"}
KIND_OF = {
    f"{area}:{name}": kind
    for kind, areas in KINDS.items()
    for area, names in areas.items()
    for name in names.split()
}
