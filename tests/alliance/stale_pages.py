"""Each page of staff that changes what is stored: how it gets stale. Pages that cannot: `stale_acts`."""

from datetime import date, timedelta

from allauth.mfa.models import Authenticator
from django.utils import timezone

from alliance.approvals import ApprovalRequest
from alliance.models import User
from clients import actions, approval_actions, merge_actions
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
from tests.alliance.stale_pages_of_groups import EDITS_OF_GROUPS


def language_chosen_by_the_client(world):
    grant, _ = hand_over_actions.hand_over(session=cast.therapy_session(world.olgas), by=world.olga)
    hand_over_actions.choose_language(grant=grant, language="ar")


def person(world, **values):
    User.objects.filter(pk=world.olga.pk).update(**values)


def confirmed():
    """What waits since a second person has to confirm it takes effect; whether anything did."""
    waiting = ApprovalRequest.objects.open().first()
    bea = cast.person("Bea", "administrator")
    return approval_actions.confirm(request=waiting, by=bea).took_effect


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
        kept=lambda world: confirmed() and olga(world).email == "olga.c@clinic.example",
    ),
    "clinic:end_supervision": Edit(
        row=lambda world: Supervision.objects.get(therapist=world.olga).code,
        typed={"last_day": f"{timezone.localdate() + timedelta(days=2)}"},
        meanwhile=lambda world: Supervision.objects.filter(therapist=world.olga).update(
            ends_on=timezone.localdate() + timedelta(days=3)
        ),
        shows=(
            f"not set {timezone.localdate() + timedelta(days=3):%-d %B %Y} "
            f"{timezone.localdate() + timedelta(days=2):%-d %B %Y}",
        ),
        kept=lambda world: (
            Supervision.objects.get(therapist=world.olga).ends_on == timezone.localdate() + timedelta(days=2)
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
        kept=lambda world: confirmed() and not Authenticator.objects.filter(user=world.olga).exists(),
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
