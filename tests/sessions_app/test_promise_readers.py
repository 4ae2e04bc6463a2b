"""Whatever reads marks asks what was promised, or says here why it need not: a new reader fails until it does one."""

import ast
from pathlib import Path

import sessions_app

MARKS = {"Rating", "SetAsideRating", "QuestionnaireResponse"}
ASKS = {"promises", "promised", "Door", "kept"}
# Why a module may read marks without asking. The therapist's door is open by every promise (`Door.THERAPIST`).
WRITES = "stores marks or decides about them; what it shows goes to whoever treats the client"
THERAPIST = "is read on pages of whoever treats the client alone"
NO_MARKS = "tells that there are marks, or when they came, and never which"
CONCLUDES = "feeds the stored standing and the flags; who reads those for supervision asks"
SHOWN = "is given rows that its caller has sifted"
OF_GROUPS = "shows a group, whose readers `groups/who_reads.py` knows: it asks the standing what is withheld"
RATER = "shows a rater their own marks, on the form they make them on"
NEEDS_NOT_ASK = {
    "conversations/follow_up_actions.py": WRITES,
    "conversations/story.py": SHOWN,
    "conversations/together.py": THERAPIST,
    "corrections/actions.py": WRITES,
    "corrections/families.py": WRITES,
    "corrections/forms.py": WRITES,
    "corrections/misfiling_actions.py": WRITES,
    "corrections/misfiling_forms.py": WRITES,
    "corrections/right_sessions.py": NO_MARKS,
    "corrections/views.py": THERAPIST,
    "courses/decisions.py": NO_MARKS,
    "courses/grants.py": NO_MARKS,
    "courses/rating_state.py": NO_MARKS,
    "courses/wordings.py": NO_MARKS,
    "dashboards/course_standings.py": "its `in_supervision` leaves out what the standing says was withheld",
    "dashboards/newest_page.py": NO_MARKS,
    "dashboards/next_session.py": NO_MARKS,
    "dashboards/still_out.py": NO_MARKS,
    "dashboards/to_talk_about.py": SHOWN,
    "dashboards/views/questionnaires.py": "the readers that it calls ask",
    "dashboards/work_list.py": THERAPIST,
    "demo/follow_ups.py": "makes a clinic of invented people",
    "demo/rows.py": "makes a clinic of invented people",
    "demo/set_aside.py": "makes a clinic of invented people",
    "demo/companion.py": "makes a clinic of invented people",
    "demo/given.py": "makes a clinic of invented people",
    "demo/guesses.py": "makes a clinic of invented people",
    "demo/newcomers.py": "makes a clinic of invented people",
    "flags/chance_returns.py": "counts over all courses of the clinic, of whom nobody can be told",
    "flags/course.py": CONCLUDES,
    "flags/episode_standing.py": CONCLUDES,
    "flags/facts.py": CONCLUDES,
    "flags/models.py": CONCLUDES,
    "groups/group_page.py": OF_GROUPS,
    "groups/round_actions.py": NO_MARKS,
    "groups/session_actions.py": NO_MARKS,
    "groups/session_page.py": OF_GROUPS,
    "intake/deliveries.py": WRITES,
    "intake/guess_actions.py": NO_MARKS,
    "intake/hand_over_actions.py": NO_MARKS,
    "intake/imported_rating.py": WRITES,
    "intake/paper_entry.py": WRITES,
    "intake/rate_forms.py": RATER,
    "intake/rater_forms.py": THERAPIST,
    "intake/questionnaire_entry.py": WRITES,
    "intake/raters_page.py": THERAPIST,
    "intake/record_rating.py": WRITES,
    "intake/replacements.py": WRITES,
    "intake/sending_actions.py": NO_MARKS,
    "intake/session_actions.py": WRITES,
    "intake/session_facts.py": NO_MARKS,
    "intake/session_forms.py": THERAPIST,
    "intake/staff_answer_actions.py": WRITES,
    "intake/views/sending.py": NO_MARKS,
    "intake/waiting.py": NO_MARKS,
    "intake/views/therapy_sessions.py": THERAPIST,
    "intake/views/upload.py": WRITES,
    "intake/which_session.py": NO_MARKS,
    "models/__init__.py": "names the rows for Django",
    "moving_in/course_import.py": WRITES,
    "moving_in/known_rows.py": NO_MARKS,
    "plans/which_forms.py": NO_MARKS,
    "questionnaires/decision_actions.py": WRITES,
    "questionnaires/guess_pairs.py": THERAPIST,
    "questionnaires/record_response.py": WRITES,
    "questionnaires/waiting.py": "the form says that somebody looks; what is held, the therapist reads",
    "records/foreign_marks.py": "says which rows are of somebody else; what leaves goes through `records/promised.py`",
    "rulebook/impact_preview.py": "counts over all courses of the clinic, of whom nobody can be told",
}


def named_in(tree):
    return {
        name.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for name in node.names
    } | {
        name.name.rpartition(".")[2]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for name in node.names
    }


def readers():
    """{module: whether it asks} of all that name rows with marks."""
    root = Path(sessions_app.__file__).parent
    found = {}
    for path in sorted(root.rglob("*.py")):
        names = named_in(ast.parse(path.read_text("utf-8")))
        if "migrations" not in path.parts and names & MARKS:
            found[path.relative_to(root).as_posix()] = bool(names & ASKS)
    return found


def test_every_reader_of_marks_asks_what_was_promised_or_says_why_it_need_not():
    found = readers()
    silent = {module for module, asks in found.items() if not asks}
    assert silent - NEEDS_NOT_ASK.keys() == set(), "ask `promises.allows`, or say here why not"


def test_no_reason_is_left_of_a_module_that_is_gone_or_asks():
    found = readers()
    silent = {module for module, asks in found.items() if not asks}
    assert NEEDS_NOT_ASK.keys() - silent == set()
    assert len(silent) < len(found)


def test_the_doors_of_supervision_and_files_ask():
    """Those that were found by hand; the canaries are in records/test_promise_doors.py."""
    found = readers()
    for module in (
        *("dashboards/client_page.py", "dashboards/course_reading.py", "dashboards/voided_sessions.py"),
        *("corrections/set_aside.py", "corrections/misfiling_views.py", "records/promised.py"),
    ):
        assert found[module], module
