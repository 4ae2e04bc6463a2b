"""Each page of staff that writes: how it gets stale, or why it cannot."""

from datetime import date, timedelta

from allauth.mfa.models import Authenticator
from django.utils import timezone

from alliance.models import User
from clients import actions, merge_actions
from clients.models import Client, Ending, Episode, Supervision
from sessions_app.courses.models import TherapySession
from sessions_app.instruments import promises, rule_settings
from sessions_app.instruments.clinic_settings import ClinicSettings
from sessions_app.instruments.clinic_wording import ClinicWording
from sessions_app.intake import hand_over_actions, session_actions
from sessions_app.plans import choice_actions, plan_actions
from sessions_app.plans.models import PlannedForm
from sessions_app.records import erasure_actions
from sessions_app.records.retention_rule import RetentionRule
from sessions_app.supervision import question_actions, talk_actions
from sessions_app.supervision.questions import SupervisionQuestion
from sessions_app.supervision.talks import SupervisionTalk
from tests import cast
from tests.alliance.stale_edit import Edit
from tests.alliance.stale_pages_of_groups import ACTS_OF_GROUPS, EDITS_OF_GROUPS


def language_chosen_by_the_client(world):
    grant, _ = hand_over_actions.hand_over(session=cast.therapy_session(world.olgas), by=world.olga)
    hand_over_actions.choose_language(grant=grant, language="ar")


def person(world, **values):
    User.objects.filter(pk=world.olga.pk).update(**values)


def olga(world):
    return User.objects.get(pk=world.olga.pk)


def a_session(world):
    world.session = getattr(world, "session", None) or cast.therapy_session(
        cast.episode(world.olga, "Stale 1"), ago=timedelta(days=2)
    )
    return world.session.code


def stored_session(world):
    return TherapySession.every.get(pk=world.session.pk)


def ended_course(world):
    world.ended = getattr(world, "ended", None) or cast.episode(
        world.olga, "Stale 2", closed_on=cast.STARTED + timedelta(days=9), ending=Ending.PLANNED
    )
    return world.ended.code


def closed_otherwise(world):
    actions.reopen_episode(episode=world.ended, by=world.adam)
    today = timezone.localdate()
    actions.close_episode(episode=world.ended, closed_on=today, ending=Ending.UNPLANNED, by=world.olga)


def with_a_second_factor(world):
    Authenticator.objects.get_or_create(user=world.olga, type=Authenticator.Type.TOTP, defaults={"data": {}})
    return world.olga.pk


def another_second_factor(world):
    Authenticator.objects.filter(user=world.olga).delete()
    made = Authenticator.objects.create(user=world.olga, type=Authenticator.Type.TOTP, data={})
    Authenticator.objects.filter(pk=made.pk).update(created_at=timezone.now() + timedelta(hours=1))


def moving(world):
    if not hasattr(world, "moving"):
        first, second, third = (cast.episode(world.carl, f"Stale M{n}").client for n in range(3))
        world.records = [first, second, third]
        world.moving = cast.episode(world.olga, "Stale M9")
        Episode.objects.filter(pk=world.moving.pk).update(client=first)
    return world.moving.code


def moved_elsewhere(world):
    second = world.records[1]
    episode = Episode.objects.get(pk=world.moving.pk)
    merge_actions.move_episode(episode=episode, to=second, why="x", by=world.adam)


def other_wording(world):
    world.on = ClinicWording.objects.get(instrument="srs", edition="2026", language="en")
    world.off = getattr(world, "off", None) or cast.wording(world.adam, on=False, edition="2027")
    return world.off.code


def another_text_on(world):
    cast.wording(world.adam, edition="2026", language="de")


def settings_now(world):
    now = ClinicSettings.objects.in_force()
    return now.instrument, now.closing


def rules_now(world):
    values = rule_settings.in_force().values("session-rating")
    return {name: values.get(name) for name in ("cutoff", "sudden_fall")}


def an_open_question(world):
    world.question = getattr(world, "question", None) or question_actions.ask(
        episode=world.olgas, words="How is it?", by=world.sina
    )
    return world.question.code


def stored_question(world):
    return SupervisionQuestion.objects.get(pk=world.question.pk)


def a_note(world):
    world.note = getattr(world, "note", None) or talk_actions.note_supervision(
        episode=world.olgas, held_on=timezone.localdate(), agreed="Slower", by=world.olga
    )
    return world.note.code


def a_planned_form(world):
    if not hasattr(world, "planned"):
        says = {"instrument": "phq-8", "moment": "start", "frequency": "each", "every": None, "numbers": ""}
        whom = {"for_whom": "clinic", "age_band": "", "therapists": [], "supervisor": ""}
        world.planned = plan_actions.plan_form(by=world.adam, **says, **whom)
    return world.planned.code


def chosen_for_olgas(world, instrument):
    row = PlannedForm.objects.standing().get(episode=world.olgas, instrument=instrument)
    return row.moment, row.why


EDITS = {
    **EDITS_OF_GROUPS,
    "clients:change": Edit(
        row=lambda world: world.olgas.client.code,
        typed={"label": "K-1b"},
        meanwhile=language_chosen_by_the_client,
        shows=("Language of the form English Arabic nothing new", "Label K-1 K-1 K-1b"),
        kept=lambda world: (
            list(Client.objects.filter(pk=world.olgas.client_id).values_list("label", "language"))
            == [("K-1b", "ar")]
        ),
        who="olga",
    ),
    "clinic:person": Edit(
        row=lambda world: world.sina.pk,
        typed={"name": "Sina B."},
        meanwhile=lambda world: User.objects.filter(pk=world.sina.pk).update(
            is_active=False, is_therapist=True
        ),
        shows=(
            "May sign in yes no nothing new",
            "Name Sina Sina Sina B.",
            "Therapist: sees their own clients",
        ),
        # Roles that nobody touched here stay as the other administrator left them.
        kept=lambda world: (
            list(User.objects.filter(pk=world.sina.pk).values_list("name", "is_active", "is_therapist"))
            == [("Sina B.", False, True)]
        ),
    ),
    "clinic:change_email": Edit(
        row=lambda world: world.olga.pk,
        typed={"email": "olga.c@clinic.example"},
        meanwhile=lambda world: person(world, email="olga.b@clinic.example"),
        shows=("olga@clinic.example olga.b@clinic.example olga.c@clinic.example",),
        kept=lambda world: olga(world).email == "olga.c@clinic.example",
    ),
    "clinic:end_supervision": Edit(
        row=lambda world: Supervision.objects.get(therapist=world.olga).code,
        typed={"last_day": f"{timezone.localdate() + timedelta(days=9)}"},
        meanwhile=lambda world: Supervision.objects.filter(therapist=world.olga).update(
            ends_on=timezone.localdate() + timedelta(days=3)
        ),
        shows=(
            f"not set {timezone.localdate() + timedelta(days=3):%-d %B %Y} "
            f"{timezone.localdate() + timedelta(days=9):%-d %B %Y}",
        ),
        kept=lambda world: (
            Supervision.objects.get(therapist=world.olga).ends_on == timezone.localdate() + timedelta(days=9)
        ),
    ),
    "dashboard:change_session": Edit(
        row=a_session,
        typed={"modality": "phone"},
        meanwhile=lambda world: session_actions.change_session(
            session=stored_session(world),
            held_at=stored_session(world).held_at,
            modality="in_person",
            attendance="cancelled",
            by=world.olga,
        ),
        shows=("Attendance Attended Cancelled", "How In person In person Phone"),
        # And the seconds of the time that the page does not show are those of before.
        kept=lambda world: (
            (
                stored_session(world).modality,
                stored_session(world).attendance,
                stored_session(world).held_at,
            )
            == ("phone", "cancelled", world.session.held_at)
        ),
        who="olga",
    ),
    "settings:change": Edit(
        row=lambda world: "",
        typed={"instrument": "srs"},
        meanwhile=lambda world: cast.choose(world.adam, closing="thanks"),
        shows=("After a rating the client sees", "Only thanks", "Form of every session Session rating"),
        kept=lambda world: settings_now(world) == ("srs", "thanks"),
    ),
    "settings:rules": Edit(
        row=lambda world: "",
        typed={"cutoff": "34.0", "step": "save"},
        meanwhile=lambda world: cast.choose_rules(world.adam, sudden_fall=57),
        shows=("Below cutoff: Cutoff 36.0 36.0 34.0", "Sudden fall: Smallest fall 4.0 5.7 nothing new"),
        kept=lambda world: rules_now(world) == {"cutoff": 340, "sudden_fall": 57},
    ),
    "settings:change_promise": Edit(
        row=lambda world: "",
        typed={"research": "on", "step": "save"},
        meanwhile=lambda world: cast.promise(world.adam, export=False),
        shows=(
            "The marks are in files of many clients yes no nothing new",
            "research, without names no no yes",
        ),
        kept=lambda world: (
            (promises.in_force("client").research, promises.in_force("client").export) == (True, False)
        ),
    ),
    "clients:correct_days": Edit(
        row=ended_course,
        typed={"opened_on": "2026-01-02", "why": "It began earlier"},
        meanwhile=lambda world: Episode.objects.filter(pk=world.ended.pk).update(
            closed_on=cast.STARTED + timedelta(days=3)
        ),
        shows=("Closed on", f"{cast.STARTED + timedelta(days=3):%-d %B %Y}", "2 January 2026"),
        kept=lambda world: (
            list(Episode.objects.filter(pk=world.ended.pk).values_list("opened_on", "closed_on"))
            == [(date(2026, 1, 2), cast.STARTED + timedelta(days=3))]
        ),
        who="olga",
    ),
    "clinic:correct_supervision": Edit(
        row=lambda world: Supervision.objects.get(therapist=world.olga).code,
        typed={"starts_on": "2026-01-02", "why": "It began earlier"},
        meanwhile=lambda world: Supervision.objects.filter(therapist=world.olga).update(
            ends_on=timezone.localdate() + timedelta(days=3)
        ),
        shows=("To and including not set", "2 January 2026"),
        kept=lambda world: (
            list(Supervision.objects.filter(therapist=world.olga).values_list("starts_on", "ends_on"))
            == [(date(2026, 1, 2), timezone.localdate() + timedelta(days=3))]
        ),
    ),
    "erasures:retention": Edit(
        row=lambda world: "",
        typed={"years": "10"},
        meanwhile=lambda world: erasure_actions.change_rule(years=20, years_young=25, by=world.adam),
        shows=("last episode not set 20 10", "For those under 18 not set 25 nothing new"),
        kept=lambda world: RetentionRule.objects.in_force().says == {"years": 10, "years_young": 25},
    ),
    "supervision:change_question": Edit(
        row=an_open_question,
        typed={"words": "And what does she say about it?"},
        meanwhile=lambda world: question_actions.ask_otherwise(
            question=world.question, words="What would help?", by=world.sina
        ),
        shows=("Your question How is it? What would help? And what does she say about it?",),
        kept=lambda world: stored_question(world).words == "And what does she say about it?",
        who="sina",
    ),
    "supervision:answer": Edit(
        row=an_open_question,
        typed={"answer": "Better"},
        meanwhile=lambda world: question_actions.ask_otherwise(
            question=world.question, words="What would help?", by=world.sina
        ),
        shows=("Question How is it? What would help?",),
        kept=lambda world: stored_question(world).answer == "Better",
        who="olga",
    ),
    "supervision:change_note": Edit(
        row=a_note,
        typed={"agreed": "Ask about the pace"},
        meanwhile=lambda world: talk_actions.change_supervision_note(
            talk=world.note, held_on=cast.STARTED, agreed="Wait", by=world.olga
        ),
        shows=("What was agreed Slower Wait Ask about the pace",),
        kept=lambda world: (
            list(SupervisionTalk.objects.filter(pk=world.note.pk).values_list("agreed", "held_on"))
            == [("Ask about the pace", cast.STARTED)]
        ),
        who="olga",
    ),
    "plan:change": Edit(
        row=a_planned_form,
        typed={"moment": "end", "step": "save"},
        meanwhile=lambda world: plan_actions.change_planned(
            planned=world.planned, by=world.adam, **{**world.planned.says, "age_band": "adult"}
        ),
        shows=(
            "Age of the client Any age 18 and over nothing new",
            "When At the start of a session At the start",
        ),
        kept=lambda world: (
            list(PlannedForm.objects.standing().filter(instrument="phq-8").values_list("moment", "age_band"))
            == [("end", "adult")]
        ),
    ),
    "dashboard:give_form": Edit(
        row=lambda world: world.olgas.code,
        query=lambda world: "?form=phq-8",
        typed={"moment": "end", "frequency": "each", "why": "She tires"},
        meanwhile=lambda world: choice_actions.give_in_course(
            **{"episode": world.olgas, "instrument": "phq-8", "why": "He tires", "by": world.olga},
            **{"moment": "start", "frequency": "sessions", "every": 2, "numbers": ""},
        ),
        shows=("Why not set He tires She tires", "How often not set At every n-th session At each session"),
        kept=lambda world: chosen_for_olgas(world, "phq-8") == ("end", "She tires"),
        who="olga",
    ),
    "dashboard:choose_scale": Edit(
        row=lambda world: world.olgas.code,
        typed={"instrument": "srs", "why": "She asked"},
        meanwhile=lambda world: choice_actions.give_in_course(
            **{"episode": world.olgas, "instrument": "couple-family-session-rating", "why": "A pair"},
            **{"moment": "rating", "frequency": "each", "every": None, "numbers": "", "by": world.olga},
        ),
        shows=("Why not set A pair She asked", "Form of every session Choose Couple or family"),
        kept=lambda world: chosen_for_olgas(world, "srs") == ("rating", "She asked"),
        who="olga",
    ),
    "dashboard:switch_form_off": Edit(
        row=lambda world: world.olgas.code,
        query=lambda world: "?form=phq-8",
        typed={"why": "Too much"},
        meanwhile=lambda world: choice_actions.give_in_course(
            **{"episode": world.olgas, "instrument": "phq-8", "why": "She asked", "by": world.olga},
            **{"moment": "start", "frequency": "each", "every": None, "numbers": ""},
        ),
        shows=("It is given by the plan of the clinic at the start of each session: She asked",),
        kept=lambda world: chosen_for_olgas(world, "phq-8") == ("", "Too much"),
        who="olga",
    ),
    # Pages with a button: what they say of how things stand is what is compared.
    "settings:use_again": Edit(
        row=lambda world: ClinicSettings.objects.get(version=1).code,
        meanwhile=lambda world: cast.choose(world.adam, instrument="srs"),
        shows=("Version in force 1 2",),
        kept=lambda world: settings_now(world) == ("session-rating", "marks"),
    ),
    "clients:reopen_episode": Edit(
        row=ended_course,
        meanwhile=closed_otherwise,
        shows=("Planned ending Unplanned ending",),
        kept=lambda world: Episode.objects.get(pk=world.ended.pk).is_open,
        who="olga",
    ),
    "clients:move_episode": Edit(
        row=moving,
        query=lambda world: f"?other={world.records[2].code}",
        typed={"why": "Opened under the wrong client"},
        meanwhile=moved_elsewhere,
        shows=("Stale M0, registered on", "Stale M1, registered on"),
        kept=lambda world: Episode.objects.get(pk=world.moving.pk).client == world.records[2],
    ),
    "clinic:remove_second_factor": Edit(
        row=with_a_second_factor,
        meanwhile=another_second_factor,
        shows=("Second factor set up on",),
        kept=lambda world: not Authenticator.objects.filter(user=world.olga).exists(),
    ),
    "instruments:switch_on": Edit(
        row=other_wording,
        meanwhile=another_text_on,
        shows=("Switched off by this", "German"),
        kept=lambda world: list(ClinicWording.objects.switched_on().filter(instrument="srs")) == [world.off],
    ),
    "dashboard:void_session": Edit(
        row=a_session,
        typed={"why": "Entered twice"},
        meanwhile=lambda world: cast.rating(world.session, 380),
        shows=("Marks none came on",),
        kept=lambda world: stored_session(world).is_voided,
        who="olga",
    ),
}

HERE = "alliance/test_stale_forms.py"
TWICE = "intake/test_sent_twice.py"
SET_ASIDE = "corrections/test_set_aside.py"
MISFILED = "corrections/test_misfiling.py"
# Pages that add a row, or act on a state: why they carry no version, and the test of the changed state.
ACTS = {
    **ACTS_OF_GROUPS,
    "discard_unsaved": ("throws away what waits in one's own session", "test_it_can_be_thrown_away"),
    "still_here": ("writes nothing but that somebody is there", "test_saying_that_one_is_there_keeps_it"),
    "change_email": (
        "stores nothing: it sends a link, which names both addresses",
        "test_a_link_is_good_once_",
    ),
    "confirm_email": ("the link names the address it replaces", "test_a_link_is_good_once_"),
    "clients:register": ("adds; its key makes it once", "test_a_client_registered_twice_"),
    "clients:open_episode": ("adds; a pair has one open episode", "test_a_pair_has_one_open_episode"),
    "clients:close_episode": (
        "refused where it is closed",
        "test_what_a_second_tab_believes_does_not_close_",
    ),
    "clients:transfer_episode": ("refused where it is closed", "test_a_transfer_on_a_stale_page_is_refused"),
    "clients:transfer": (
        "names its episodes",
        "test_who_was_transferred_meanwhile_is_left_out_and_it_is_said",
    ),
    "clients:undo_transfer": ("refused where it is taken back", "test_a_transfer_is_taken_back_as_one_act"),
    "clients:arrange_cover": ("adds", "test_a_therapist_lets_a_colleague_cover_named_clients"),
    "clients:end_cover": ("says so where it is over", "test_a_cover_that_is_over_is_said"),
    "caseload:let_read": ("adds", "test_a_course_that_ended_long_ago_is_opened_to_its_therapist_by_a_cover"),
    "caseload:late_marks_seen": ("the same again is nothing", "test_after_the_end_the_therapist_is_told_"),
    "dashboard:late_marks_seen": ("the same again is nothing", "test_after_the_end_the_therapist_is_told_"),
    "dashboard:record_consent": ("adds", "test_the_clients_consent_opens_the_page_for_two_and_nothing_else"),
    "dashboard:withdraw_consent": ("the same again is nothing", "test_a_consent_is_withdrawn_once"),
    "dashboard:edit_discussion": ("carries its version", "test_two_tabs_that_edit_one_note_read_both_texts_"),
    "dashboard:take_back_discussion": (
        "carries its version",
        "test_of_words_that_changed_meanwhile_shows_them_",
    ),
    "dashboard:put_back_discussion": (
        "refused where it stands",
        "test_noted_again_meanwhile_it_is_not_put_back_",
    ),
    "dashboard:undo_discussion": (
        "refused where it was edited",
        "test_words_that_were_edited_since_are_not_",
    ),
    "dashboard:take_back_deferral": (
        "the same again is nothing",
        "test_a_decision_is_taken_back_with_a_reason_",
    ),
    "dashboard:change_follow_up": ("refused where it is another", "test_a_stale_page_changes_nothing"),
    "clients:merge": ("carries the episodes it showed", "test_what_was_not_shown_does_not_move"),
    "clients:undo_merge": ("refused where it is undone", "test_a_merge_is_undone_once"),
    "clients:undo_move": ("refused where it is undone", "test_a_move_is_undone_once"),
    "clients:tell_apart": (
        "adds once; refused where one was merged",
        "test_a_pair_that_was_merged_meanwhile_",
    ),
    "clients:undo_telling_apart": (
        "takes out once, and says so",
        "test_what_is_compared_again_already_is_said",
    ),
    "clinic:add_person": ("adds; its key makes it once", "test_a_person_added_twice_"),
    "clinic:invite": ("refused who may not sign in", "test_who_may_not_sign_in_is_not_invited"),
    "clinic:start_supervision": ("adds; a pair has one open one", "test_a_supervision_is_started_and_ended"),
    "clinic:export_log": ("writes nothing but that it was exported", "test_an_export_writes_its_line_alone"),
    "tablets:pair": ("a code pairs once", "test_a_code_pairs_once_and_for_ten_minutes"),
    "tablets:revoke": ("says so where it is revoked", "test_twice_is_told_and_sending_to_it_is_refused"),
    "plan:add": ("adds; its key makes it once", "test_sent_twice_it_is_planned_once"),
    "plan:end": (
        "refused where it is another",
        "test_one_that_was_changed_meanwhile_is_not_taken_out_unseen",
    ),
    "plan:undo": ("the same again is nothing", "test_it_ends_the_row_and_adds_the_next"),
    "plan:put_back": (
        "the same again is nothing",
        "test_it_says_what_is_not_asked_any_more_and_has_a_way_back",
    ),
    "dashboard:by_the_plan": ("refused where it is another", "test_switched_off_with_a_reason_and_back"),
    "instruments:load": ("adds; an edition is there once", "test_a_text_that_is_there_already_is_refused_"),
    "instruments:switch_off": ("the same again is nothing", "test_off_and_on_again_and_twice_the_same"),
    "instruments:record_licence": ("adds", "test_a_licence_is_recorded_with_who_accepted_it_and_ended"),
    "instruments:switch_on_pack": ("refused where the folder was changed", "test_a_folder_that_was_changed_"),
    "instruments:switch_off_pack": ("refused where it is off", "test_twice_is_once_and_on_again_is_"),
    "instruments:confirm_risk_items": ("carries what it showed", "test_what_another_administrator_wrote_"),
    "instruments:end_risk_items": ("refused where it is ended", "test_ended_it_is_given_no_more_"),
    "instruments:end_licence": ("refused where it is ended", "test_a_licence_is_ended_once"),
    "exports:export": (
        "writes nothing but that it was exported",
        "test_the_log_names_the_clients_whose_rows_left",
    ),
    "records:client": (
        "writes nothing but that it was made",
        "test_it_is_asked_whether_it_is_still_you_and_written_",
    ),
    "erasures:file": ("writes nothing but that it was made", "test_the_list_is_a_file_that_asks_who_you_are"),
    "erasures:ask": ("adds; one request is open", "test_a_request_can_be_called_off_and_asked_for_again"),
    "erasures:ask_for_all_due": (
        "carries how many it showed",
        "test_two_administrators_erase_who_is_due_and_the_log_",
    ),
    "erasures:batch": ("calls off who is not due any more", "test_who_comes_back_meanwhile_is_left_out"),
    "erasures:erasure": ("done once", "test_confirmed_by_two_at_once_it_is_done_once"),
    "erasures:call_off": (
        "says where it is decided",
        "test_confirmed_and_called_off_at_once_it_is_one_of_the_two",
    ),
    "import:load": ("adds a file that waits", "test_is_sealed_while_it_waits_and_gone_with_the_import"),
    "import:columns": (
        "the check of just these columns follows",
        "test_what_changed_since_the_check_stops_the_",
    ),
    "import:layout": ("the check is made anew", "test_what_changed_since_the_check_stops_the_import"),
    "import:check": ("writes what it found alone", "test_a_check_changes_nothing_and_an_import_says_"),
    "import:confirm": ("done once, as it was checked", "test_two_presses_on_one_file_import_it_once"),
    "import:remove": ("refused where it is imported", "test_a_file_can_be_removed"),
    "settings:work_list": (
        "refused where the settings changed",
        "test_pressed_twice_or_on_an_old_page_nothing_is_lost",
    ),
    "settings:recomputation": ("goes on with what is left", "test_it_goes_on_where_it_stopped_"),
    "rules:choose_language": ("one's own choice of one field", "test_a_choice_of_language_writes_it_alone"),
    "rules:add_question": ("adds; the same is there once", "test_one_that_is_there_already_is_refused"),
    "rules:take_out_question": ("the same again is nothing", "test_a_question_is_taken_out_once"),
    "rules:put_back_question": ("says why not", "test_what_cannot_be_put_back_says_why"),
    "dashboard:hand_over": (
        "carries the sessions it showed",
        "test_a_session_that_was_added_in_another_tab_",
    ),
    "dashboard:raters": ("its key makes it once", "test_a_caregivers_link_that_is_reloaded_is_the_same_"),
    "dashboard:take_form_back": (
        "says so where it is not out",
        "test_a_form_is_taken_back_once_and_then_it_is_said",
    ),
    "dashboard:own_form": ("carries what stood", "test_answers_that_came_meanwhile_are_shown_first"),
    "dashboard:guess": ("a guess is not changed", "test_a_guess_is_made_once_and_the_same_again_is_nothing"),
    "dashboard:choose_guessing": (
        "the same again is nothing",
        "test_guessing_is_off_until_it_is_switched_on",
    ),
    "dashboard:make_link": ("its key makes it once", "test_a_link_page_that_is_reloaded_shows_the_same_"),
    "dashboard:send": ("its key makes it once", "test_another_button_of_the_same_page_is_another_press"),
    "dashboard:on_paper": ("only leads on", "test_on_paper_only_leads_on"),
    "dashboard:enter_new_rating": ("its key makes it once", "test_a_paper_rating_sent_twice_is_stored_once_"),
    "dashboard:enter_rating": ("carries what stood", "test_marks_that_came_meanwhile_are_shown_before_"),
    "dashboard:paper_forms": ("its key makes it once", "test_sent_twice_it_is_stored_once"),
    "dashboard:add_session": ("its key makes it once", "test_the_same_form_sent_three_times_is_one_session_"),
    "dashboard:put_session_back": ("the same again is nothing", "test_void_read_and_put_back"),
    "dashboard:take_back": ("says whether marks came first", "test_says_so_where_it_was_taken_back"),
    "dashboard:discuss": ("words kept where flags went", "test_flags_somebody_discussed_meanwhile_lose_no_"),
    "dashboard:defer": (
        "refused where nothing calls any more",
        "test_what_was_talked_about_meanwhile_is_refused",
    ),
    "dashboard:undo_deferral": ("the same again is nothing", "test_twice_is_once"),
    "dashboard:note_follow_up": (
        "another answer is refused",
        "test_a_double_press_is_one_answer_and_another_",
    ),
    "dashboard:undo_follow_up": (
        "the same again is nothing",
        "test_undo_opens_the_question_and_keeps_the_row",
    ),
    "dashboard:use_marks": (
        "carries what stood",
        "test_is_refused_where_something_else_stands_than_was_seen",
    ),
    "dashboard:leave_marks": ("refused where it is decided", "test_use_and_leave_at_once_are_one_decision"),
    "dashboard:take_up_marks": ("refused where it is decided", "test_is_settled_and_can_be_taken_up_again"),
    "dashboard:misfile_marks": (
        "refused where it is decided",
        "test_taken_up_again_they_wait_for_a_decision",
    ),
    "dashboard:correct_rating": ("of a row that never changes", "test_what_was_corrected_meanwhile_is_not_"),
    "dashboard:put_back": (
        "of a row that never changes",
        "test_correcting_and_putting_back_at_once_leave_one_",
    ),
    "supervision:ask": ("adds; its key makes it once", "test_a_question_sent_twice_is_asked_once"),
    "supervision:note": ("adds; its key makes it once", "test_a_note_sent_twice_is_noted_once"),
    "supervision:take_back_question": (
        "the same again is nothing",
        "test_taken_back_and_put_back_twice_is_once",
    ),
    "supervision:put_back_question": (
        "the same again is nothing",
        "test_taken_back_and_put_back_twice_is_once",
    ),
    "supervision:take_back_answer": ("the same again is nothing", "test_an_answer_is_taken_back_"),
    "supervision:take_back_note": ("the same again is nothing", "test_a_note_is_taken_back_and_put_back"),
    "supervision:put_back_note": ("the same again is nothing", "test_a_note_is_taken_back_and_put_back"),
    "supervision:make_agenda": ("opens the one that is there", "test_an_agenda_of_a_day_is_made_once"),
    "supervision:fill_agenda": ("adds what is not there", "test_what_came_up_since_is_added_at_the_end_once"),
    "supervision:add_item": ("adds; its key makes it once", "test_a_line_sent_twice_is_added_once"),
    "supervision:change_item": ("says what it makes", "test_two_who_put_it_in_order_at_once_lose_no_item"),
    "questionnaires:count": ("refused where they count", "test_decided_in_two_tabs_the_second_is_told"),
    "questionnaires:leave": ("refused where left", "test_decided_in_two_tabs_the_second_is_told"),
    "questionnaires:risk_answer": ("carries how many notes it showed", "test_two_people_learn_of_"),
    "marks:set_aside": ("refused where it is done", "test_twice_and_twice_back_are_refused"),
    "marks:put_back": ("refused where it is done", "test_twice_and_twice_back_are_refused"),
}
