"""As `test_rules_deleted`, of what hangs on courses: sessions, groups, supervision, answers, guesses, approvals."""

import inspect
from datetime import timedelta
from types import SimpleNamespace
from uuid import uuid4

import pytest
from django.db import models as django_models
from django.urls import get_resolver
from django.utils import timezone

from alliance.approvals import ApprovalNotice, ApprovalRequest
from alliance.erasures import Erasure
from alliance.measurement import instruments
from alliance.models import Role, User
from clients import approval_actions, approval_pages, cover_actions, sight
from clients.covers import Cover
from clients.models import Episode, Supervision
from sessions_app.courses.grants import RatingGrant
from sessions_app.courses.late_marks import LateMarks, LateMarksQuerySet
from sessions_app.courses.models import EpisodeRows, TherapySession
from sessions_app.courses.responses import QuestionnaireResponse
from sessions_app.flags.episode_standing import EpisodeStanding
from sessions_app.groups import who_reads
from sessions_app.groups.models import Group, GroupAttendance, GroupMember, GroupSession, OfGroup
from sessions_app.instruments.promises import Promise
from sessions_app.questionnaires.guesses import Guess, GuessQuerySet
from sessions_app.questionnaires.risk_answers import RiskAnswer, RiskAnswerQuerySet, RiskNote
from sessions_app.questionnaires.risk_confirmations import RiskConfirmation
from sessions_app.records import erasure_actions
from sessions_app.supervision import rows as supervision_rows
from sessions_app.supervision import views as supervision_views
from sessions_app.supervision.agendas import Agenda, AgendaItem, AgendaItemQuerySet
from sessions_app.supervision.questions import SupervisionQuestion
from sessions_app.supervision.rows import BetweenTwo
from tests import cast
from tests.alliance import test_rules_deleted
from tests.alliance.one_condition_less import Door, pks, try_all
from tests.alliance.whole_cast import DAY, whole_cast

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


# --- What there is, and who else -----------------------------------------------------------------


def everything(clinic) -> dict[str, User]:
    people = whole_cast(clinic)
    people |= {
        "second office": cast.person("Second", Role.ADMINISTRATOR),
        "told": cast.person("Told", Role.THERAPIST),
        "told and disabled": cast.person("Told.disabled", Role.THERAPIST),
        "both offices": cast.person("Office", Role.ADMINISTRATOR, Role.THERAPIST),
    }
    for gone in ("disabled therapist", "no therapist any more"):
        Supervision.objects.create(supervisor=clinic.stefan, therapist=people[gone], starts_on=cast.STARTED)
    episodes = {str(one.client): one for one in Episode.objects.select_related("client").order_by("pk")}
    sessions = {label: a_session(one) for label, one in episodes.items()}
    said = {"words": "x", "asked_by": clinic.sina}
    SupervisionQuestion.objects.bulk_create(
        SupervisionQuestion(episode=one, **said) for one in episodes.values()
    )
    AgendaItem.objects.bulk_create(
        AgendaItem(agenda=one, place=1, why="added", text="x", added_by=one.supervisor)
        for one in Agenda.objects.all()
    )
    members(people, episodes, sessions)
    risk_answers(clinic, people, sessions)
    guesses(people, sessions)
    # Two courses of one client: which of them stands under the label is not asked of the database.
    of_carl = Episode.objects.get(therapist=clinic.carl, closed_on__isnull=False)
    sessions["transferred by Carl"] = of_carl.sessions.first() or a_session(of_carl)
    LateMarks.objects.bulk_create(
        LateMarks(session=sessions[label])
        for label in (
            "K-1",
            "K-2",
            "transferred by Carl",
            "of disabled",
            "of no therapist",
            "over long ago",
        )
    )
    approvals(clinic, people)
    Erasure.objects.create(
        client=clinic.olgas.client.code, reason="asked", asked_by=people["both offices"].pk
    )
    Erasure.objects.create(client=clinic.carls.client.code, reason="asked", asked_by=clinic.carl.pk)
    User.objects.filter(name__endswith="disabled").update(is_active=False)
    return {name: User.objects.get(pk=person.pk) for name, person in people.items()}


def a_session(episode: Episode) -> TherapySession:
    held_at = timezone.now() - 2 * DAY
    return TherapySession.objects.create(
        episode=episode, number=1, held_at=held_at, ends_at=held_at + HOUR, attendance="attended"
    )


def members(people, episodes, sessions) -> None:
    """Of Carl's group: his own client, one who left, and some of therapists who lead nothing."""
    group = Group.objects.get(name="Carl's")
    held = GroupSession.objects.create(
        group=group,
        held_at=timezone.now() - HOUR,
        ends_at=timezone.now() - HOUR / 2,
        begun_by=people["carl"],
    )
    today, now = timezone.localdate(), timezone.now()
    left = {"left_on": today, "left_at": now, "left_by": people["carl"]}
    more = cast.episode(people["carl"], "left the group", opened_on=cast.STARTED)
    held_back = cast.episode(people["both"], "withheld", opened_on=cast.STARTED)
    for number, (one, fields) in enumerate(
        [
            (episodes["K-2"], {}),
            (more, left),
            (episodes["of both"], {}),
            (held_back, {}),
            (episodes["K-1"], {}),
        ],
        start=1,
    ):
        member = GroupMember.objects.create(group=group, episode=one, number=number, **fields)
        label = str(one.client)
        if label in sessions:
            GroupAttendance.objects.create(group_session=held, member=member, session=sessions[label])
    Supervision.objects.create(supervisor=people["stefan"], therapist=people["both"], starts_on=cast.STARTED)
    EpisodeStanding.objects.update_or_create(
        episode=held_back, defaults={"settings_version": "x", "course": {"withheld": True}}
    )
    two_teams = Group.objects.create(
        name="Two teams", kind="group", leader=people["olga"], co_leader=people["carl"]
    )
    for number, (one, fields) in enumerate([(episodes["K-2"], {}), (more, left), (held_back, {})], start=1):
        GroupMember.objects.create(group=two_teams, episode=one, number=number, **fields)


def risk_answers(clinic, people, sessions) -> None:
    """Fresh and old ones, with and without notes, of therapists who are there and who are gone."""
    for named, instrument in (
        ("told", "phq-9"),
        ("disabled supervisor", "gad-7"),
        ("strange", "phq-8"),
    ):
        for looks in (clinic.adam, people[named]):  # the newest one holds
            RiskConfirmation.objects.filter(instrument=instrument).update(
                ended_at=timezone.now(), ended_by=clinic.adam
            )
            RiskConfirmation.objects.create(
                instrument=instrument,
                text_version=1,
                sentences={"en": "x"},
                looks_when_away=looks,
                confirmed_by=clinic.adam,
            )
    flags = dict.fromkeys(("export", "record", "research", "record_system", "family"), False)
    kept = Promise.objects.create(
        rater="client", version=1, supervisor=False, supervisor_comment=False, made_by=clinic.adam, **flags
    )
    now = timezone.now()
    response = answered(sessions["K-1"])
    raised(response, "fresh", now)
    raised(response, "late", now - 2 * DAY)
    noted(raised(response, "noted in time", now - 25 * HOUR), now - 2 * HOUR)
    noted(raised(response, "noted late, lately", now - 2 * DAY), now - HOUR)
    noted(raised(response, "noted late, long ago", now - 5 * DAY), now - 3 * DAY)
    for label in ("of disabled", "of no therapist"):
        raised(answered(sessions[label]), "fresh", now)
    promised = answered(sessions["K-2"], promise=kept)
    raised(promised, "promised", now)
    noted(raised(promised, "promised, and noted long ago", now - 5 * DAY), now - 3 * DAY)
    for label, instrument in (("agreed", "gad-7"), ("withdrawn", "phq-8")):
        raised(answered(sessions[label], instrument=instrument), "late", now - 2 * DAY)


def answered(session, *, instrument="phq-9", promise=None) -> QuestionnaireResponse:
    """A row as an answered form leaves it, also of a therapist who is gone."""
    session_and_grant = {"session": session, "token_hash": uuid4().hex * 2}
    now = timezone.now()
    grant = RatingGrant.objects.create(
        **session_and_grant,
        channel="tablet",
        made_by=session.episode.therapist,
        open_until=now + HOUR,
        accept_until=now + 7 * DAY,
        instrument=instrument,
        instrument_version="1",
        purpose="questionnaire",
    )
    return QuestionnaireResponse.objects.create(
        grant=grant,
        session=session,
        instrument=instrument,
        instrument_version="1",
        rater="client",
        promise=promise,
        answers={},
        language="en",
        mode="line",
        sha256=uuid4().hex,
        held="late",
    )


def raised(response, item, at) -> RiskAnswer:
    return RiskAnswer.objects.create(response=response, item=item, answer=20, limit=10, raised_at=at)


def noted(answer, at) -> None:
    by = answer.response.session.episode.therapist
    RiskNote.objects.create(answer=answer, note="x", noted_at=at, noted_by=by)


def guesses(people, sessions) -> None:
    lines = instruments.get("session-rating")
    guess = {
        "instrument": lines.id,
        "instrument_version": lines.version,
        "answers": {item.id: None for item in lines.items},
    }
    for label, who in (
        ("K-1", "olga"),
        ("K-1", "covers"),
        ("K-1", "covered"),
        ("of disabled", "disabled therapist"),
        ("K-2", "carl"),
    ):
        Guess.objects.create(session=sessions[label], therapist=people[who], **guess)


def approvals(clinic, people) -> None:
    """Asked for by one office about Carl's and Olga's clients, and told to some."""
    today = timezone.localdate().isoformat()
    days = {"starts_on": today, "ends_on": today}
    covered = [str(one.code) for one in (clinic.olgas, clinic.carls)]
    for kind, what, asked_by, person in (
        ("supervision", {"therapist": str(clinic.olga.pk)}, clinic.adam, clinic.stefan),
        (
            "supervision",
            {"therapist": str(clinic.carl.pk)},
            people["second office"],
            people["both offices"],
        ),
        ("cover", {"episodes": covered, "colleague": str(people["told"].pk)}, clinic.adam, people["told"]),
    ):
        request = ApprovalRequest.objects.create(
            kind=kind,
            what={"supervisor": str(person.pk), **days, **what},
            said="x",
            same=uuid4().hex,
            person=person,
            asked_by=asked_by,
            waits_until=timezone.now() + 2 * DAY,
        )
        for told in ("told", "told and disabled", "disabled administrator"):
            ApprovalNotice.objects.create(request=request, person=people[told])
    ApprovalNotice.objects.filter(person=people["told"], request=request).update(seen_at=timezone.now())


# --- What each sees ------------------------------------------------------------------------------


def of_each(rows, asked):
    """What is answered of each of these rows, which are read anew for each person."""
    return lambda person: tuple(asked(row, person) for row in rows())


def groups():
    return Group.objects.order_by("pk")


def members_of(group):
    return list(group.members.select_related("episode"))


def moments() -> list:
    now = timezone.now()
    return [cast.an_hour_ago(), *(now + days * DAY for days in range(-3, 4))]


def untold(person):
    person.approvals_untold = int(person.is_active)  # the session counts them
    return [one.pk for one in approval_pages.untold(person)]


SEEN = {
    "sessions": pks(TherapySession.objects.visible_to),
    "sessions written": pks(TherapySession.objects.own),
    "questions": pks(SupervisionQuestion.objects.visible_to),
    "questions answered": pks(SupervisionQuestion.objects.own),
    "treated": pks(lambda person: supervision_rows.treats(person)),
    "agenda items": pks(AgendaItem.objects.visible_to),
    "members": pks(GroupMember.objects.visible_to),
    "members of led": pks(GroupMember.objects.own),
    "members managed": pks(GroupMember.objects.managed_by),
    "attendances": pks(GroupAttendance.objects.visible_to),
    "looked at": pks(RiskAnswer.objects.looked_at_by),
    "looked at, to write": pks(RiskAnswer.objects.own),
    "risk answers": pks(RiskAnswer.objects.visible_to),
    "guesses": pks(Guess.objects.visible_to),
    "own guesses": pks(Guess.objects.own),
    "late marks": pks(
        lambda user: LateMarks.objects.whose_therapist_left(Episode.objects.supervised_by(user))
    ),
    "works with": of_each(
        lambda: Episode.objects.filter(client__label__in=["K-1", "of both", "of no therapist"]),
        lambda episode, person: episode.is_worked_by(person),
    ),
    "opened by a cover": of_each(
        Cover.objects.all,
        lambda cover, person: [cover.opens_to(person.pk, moment) for moment in moments()],
    ),
    "between two": pks(
        lambda person: supervision_views._between_two(SimpleNamespace(user=person), Episode.objects.all())
    ),
    "supervises": of_each(
        lambda: Episode.objects.filter(client__label__in=["K-1", "K-2"]),
        lambda episode, person: supervision_rows.supervises(person, episode),
    ),
    "approvals": pks(lambda person: approval_pages.visible_to(person)),
    "untold": untold,
    "labels of approvals": of_each(ApprovalRequest.objects.all, lambda *of: approval_pages.clients_for(*of)),
    "confirms": of_each(ApprovalRequest.objects.all, lambda *of: approval_actions.may_confirm(*of)),
    "refuses": of_each(ApprovalRequest.objects.all, lambda *of: approval_actions.may_refuse(*of)),
    "may be covered": pks(lambda person: cover_actions.may_be_covered(person)),
    "would see": pks(lambda person: sight.of_person(person)),
    "supervisors": lambda person: frozenset(sight.supervisors_of([person])),
    "open marks": of_each(
        groups, lambda group, person: who_reads.courses_with_open_marks(person, group, members_of(group))
    ),
    "writes in groups": of_each(
        groups,
        lambda group, person: [who_reads.may_write(person, group, one) for one in members_of(group)],
    ),
    "confirms erasures": of_each(Erasure.objects.all, lambda *of: erasure_actions.may_confirm(*of)),
}

GROUP_ROWS = ("members", "members of led", "members managed", "attendances")
RISK = ("looked at", "looked at, to write", "risk answers")
DOORS = [
    Door(EpisodeRows, "visible_to", ("sessions",)),
    Door(EpisodeRows, "own", ("sessions written",)),
    Door(BetweenTwo, "visible_to", ("questions",)),
    Door(BetweenTwo, "own", ("questions answered",)),
    Door(supervision_rows, "treats", ("treated",)),
    Door(supervision_rows, "supervises", ("supervises",)),
    Door(supervision_views, "_between_two", ("between two",)),
    Door(AgendaItemQuerySet, "visible_to", ("agenda items",)),
    Door(OfGroup, "_within", GROUP_ROWS),
    *(Door(OfGroup, name, GROUP_ROWS) for name in ("visible_to", "own", "managed_by")),
    Door(RiskAnswerQuerySet, "concerns_others", RISK),
    *(Door(RiskAnswerQuerySet, name, RISK) for name in ("looked_at_by", "own", "visible_to")),
    Door(GuessQuerySet, "visible_to", ("guesses",)),
    Door(GuessQuerySet, "own", ("own guesses",)),
    Door(LateMarksQuerySet, "whose_therapist_left", ("late marks",)),
    Door(Episode, "is_worked_by", ("works with",)),
    Door(Cover, "opens_to", ("opened by a cover",)),
    Door(approval_pages, "visible_to", ("approvals",)),
    Door(approval_pages, "untold", ("untold",)),
    Door(approval_pages, "clients_for", ("labels of approvals",)),
    Door(approval_actions, "may_confirm", ("confirms",)),
    Door(approval_actions, "may_refuse", ("refuses",)),
    Door(cover_actions, "may_be_covered", ("may be covered",)),
    Door(sight, "of_person", ("would see",)),
    Door(sight, "supervisors_of", ("supervisors",)),
    Door(who_reads, "courses_with_open_marks", ("open marks",)),
    Door(who_reads, "may_write", ("writes in groups",)),
    Door(erasure_actions, "may_confirm", ("confirms erasures",)),
]
# What says the same a second time, or saves a query: taken out, nobody sees anything else. With the reason.
SAID_TWICE = {
    "Episode.is_worked_by without self.therapist_id == user.pk (2)": "the condition before has asked for it",
    "sessions_app.groups.who_reads.courses_with_open_marks without not supervised - found": "it saves a query",
}


def test_each_condition_of_a_row_is_missed_by_somebody_where_it_is_taken_out(clinic, monkeypatch):
    tried = try_all(DOORS, everything(clinic), SEEN, monkeypatch)
    assert "\n".join(sorted(tried.unmissed)) == "\n".join(sorted(SAID_TWICE))
    assert len(tried.broken) < tried.number / 4
    assert tried.number > 80


# Another name of a door that is tried.
SAME_DOOR = {("GroupQuerySet", "own")}


def test_every_queryset_that_asks_who_is_reading_is_among_the_doors():
    get_resolver().url_patterns  # noqa: B018 - so that all code is loaded
    tried = {(door.holder, door.name) for door in (*DOORS, *test_rules_deleted.DOORS)}
    left = {
        (of.__name__, name)
        for of in all_below(django_models.QuerySet)
        if of.__module__.split(".")[0] in {"alliance", "clients", "sessions_app"}
        for name, method in vars(of).items()
        if inspect.isfunction(method) and "user" in inspect.signature(method).parameters
        if (of, name) not in tried and method.__qualname__ == f"{of.__name__}.{name}"
    }
    assert left - SAME_DOOR == set()
    assert len(tried) > 40


def all_below(of):
    for one in of.__subclasses__():
        yield one
        yield from all_below(one)
