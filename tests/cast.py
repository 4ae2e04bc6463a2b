"""Who plays in the tests.

Olga owns the episode with the client K-1. Carl is her colleague in the other team. Sina supervises
Olga, Stefan supervises Carl. Adam administers. Strange is signed in without a role.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.utils import timezone

from alliance import audit
from alliance.log_events import LogEvent
from alliance.measurement import instruments, scoring
from alliance.measurement.pack_file import read_pack
from alliance.measurement.wording_file import read_wording
from alliance.models import Role, User
from clients import caseload_transfer
from clients.models import Client, Episode, Supervision
from clients.staff_actions import add_person
from sessions_app.conversations import question_actions
from sessions_app.conversations.own_questions import OwnQuestion
from sessions_app.courses.grants import RatingGrant
from sessions_app.courses.marks_hash import hash_of_answers
from sessions_app.courses.models import Attendance, Mode, Rating, TherapySession
from sessions_app.courses.responses import QuestionnaireResponse
from sessions_app.courses.tablets import PairedTablet
from sessions_app.courses.tokens import hash_of_token, new_token
from sessions_app.flags.conclude import conclude_many
from sessions_app.instruments import actions, promise_actions
from sessions_app.instruments.clinic_settings import ClinicSettings
from sessions_app.instruments.clinic_wording import ClinicWording, Licence
from sessions_app.instruments.packs import InstrumentPack
from sessions_app.instruments.promises import Promise
from sessions_app.instruments.rule_settings import laid_over
from sessions_app.intake import hand_over_actions, sending_actions
from sessions_app.intake.record_rating import record_rating
from sessions_app.questionnaires.record_response import record_response
from sessions_app.rulebook import settings_actions
from tests.measurement.wording_files import a_file, a_form, a_pack

PASSWORD = "correct horse battery staple"
ITEMS = ("relationship", "goals", "approach", "overall")
STARTED = date(2026, 1, 7)
MINUTES_50 = timedelta(minutes=50)


def person(name: str, *roles: Role) -> User:
    adam = User.objects.filter(is_administrator=True).first()
    someone = add_person(email=f"{name.lower()}@clinic.example", name=name, roles=set(roles), by=adam)
    someone.set_password(PASSWORD)
    someone.save()
    return someone


@cache
def _hash_of_password() -> str:
    return make_password(PASSWORD)


def people(*named: tuple[str, Role | None]) -> list[User]:
    """As `person` leaves them, the first one an administrator, in few statements: nearly every test has them."""
    rows = [
        User(email=f"{name.lower()}@clinic.example", name=name, password=_hash_of_password())
        for name, _ in named
    ]
    for row, (_, role) in zip(rows, named, strict=True):
        if role:
            setattr(row, f"is_{role.value}", True)
    User.objects.bulk_create(rows)
    EmailAddress.objects.bulk_create(
        EmailAddress(user=row, email=row.email, verified=True, primary=True) for row in rows
    )
    adam = rows[0]
    for row, (_, role) in zip(rows, named, strict=True):
        audit.record(
            LogEvent.PERSON_ADDED, row, by=None if row is adam else adam, roles=[role] if role else []
        )
    return rows


def transfer(*, episode: Episode, therapist: User, on: date, by: User) -> Episode:
    """The episode that begins with the new therapist."""
    made = caseload_transfer.transfer(moves=[caseload_transfer.Move(episode, therapist)], on=on, by=by)
    new: Episode = made.episodes.get().to
    return new


def episode(therapist: User, label: str = "K-1", opened_on: date = STARTED, **fields: Any) -> Episode:
    client = Client.objects.create(label=label, language="en")
    return Episode.objects.create(client=client, therapist=therapist, opened_on=opened_on, **fields)


def therapy_session(of: Episode, *, ago: timedelta | None = None, **fields: Any) -> TherapySession:
    """The next session; without `ago`, an hour ago, or at midnight where that was yesterday."""
    number = of.sessions.count() + 1
    held_at: datetime = fields.pop("held_at", timezone.now() - ago if ago is not None else an_hour_ago())
    fields = {"ends_at": held_at + MINUTES_50, "attendance": Attendance.ATTENDED, **fields}
    session = TherapySession.objects.create(episode=of, number=number, held_at=held_at, **fields)
    conclude_many(episodes=[of.pk])
    return session


def an_hour_ago() -> datetime:
    """The tests also run in the first hour of a day, and what is of today must be so then too."""
    now = timezone.now()
    return max(
        now - timedelta(hours=1), timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    )


def answers(total: int | None = 380, **lines: int | None) -> dict[str, int | None]:
    """Four answers in tenths that add up to `total`, as even as can be; `lines` overrides single ones."""
    if total is None:
        return {**dict.fromkeys(ITEMS), **lines}
    spread = [total // 4 + (1 if place < total % 4 else 0) for place in range(4)]
    return {**dict(zip(ITEMS, spread, strict=True)), **lines}


def rating(
    session: TherapySession, total: int | None = 380, *, comment: str = "", **lines: int | None
) -> Rating:
    """A rating as a client gives it: through a hand-over and the one door."""
    grant, _ = hand_over_actions.hand_over(session=session, by=session.episode.therapist)
    return record_rating(grant=grant, answers=answers(total, **lines), mode=Mode.LINE, comment=comment)


def answered(grant: RatingGrant, given: dict[str, int | None], *, comment: str = "") -> QuestionnaireResponse:
    """Answers to a questionnaire as its rater gives them, through the one door."""
    return record_response(grant=grant, answers=given, mode=Mode.LINE, comment=comment)


def link(session: TherapySession, *, by: User) -> sending_actions.Link:
    return sending_actions.make_link(episode=session.episode, session=session, by=by)


def sent(session: TherapySession, *, tablet: PairedTablet, by: User) -> RatingGrant:
    return sending_actions.send(episode=session.episode, session=session, tablet=tablet, by=by)


def rated_course(
    of: Episode, totals: list[int | None], *, last_ago: timedelta = timedelta(hours=1)
) -> list[TherapySession]:
    """Weekly sessions, the last one `last_ago`; a total of None is a session without a rating.

    The first rating comes through the doors. The others are written like it, all at once, for a third of the tests
    have such a course: test_cast.py compares them with those that came through the doors.
    """
    first, now = of.sessions.count() + 1, timezone.now()
    rows = [
        TherapySession(
            episode=of,
            number=first + place,
            held_at=at,
            ends_at=at + MINUTES_50,
            attendance=Attendance.ATTENDED,
        )
        for place in range(len(totals))
        for at in [now - last_ago - timedelta(weeks=len(totals) - 1 - place)]
    ]
    rated = [(row, total) for row, total in zip(rows, totals, strict=True) if total is not None]
    if rated:
        (session, total), *others = rated
        # Those that follow do not exist yet: several without a rating would be flagged.
        so_far = rows.index(session) + 1
        TherapySession.objects.bulk_create(rows[:so_far])
        made = rating(session, total)
        TherapySession.objects.bulk_create(rows[so_far:])
        _rated_likewise(made, others)
    else:
        TherapySession.objects.bulk_create(rows)
    conclude_many(episodes=[of.pk])
    return rows


def _rated_likewise(first: Rating, others: list[tuple[TherapySession, int]]) -> None:
    instrument = instruments.get(first.instrument, first.instrument_version)
    grants = [
        RatingGrant(
            **_same(first.grant, but={"session_id", "token_hash", "form_set", "made_at", "form_key"}),
            session=session,
            token_hash=hash_of_token(new_token()),
        )
        for session, _ in others
    ]
    ratings = []
    for grant, (session, total) in zip(grants, others, strict=True):
        score = scoring.score(instrument, answers(total))
        marks = {
            "answers": score.answers,
            "total": score.total,
            "sha256": hash_of_answers(score.answers, "", share_comment=False),
        }
        of_another = {"grant_id", "session_id", "received_at", *marks}
        ratings.append(Rating(**_same(first, but=of_another), grant=grant, session=session, **marks))
    RatingGrant.objects.bulk_create(grants)
    Rating.objects.bulk_create(ratings)
    audit.write(
        [
            line
            for grant, made in zip(grants, ratings, strict=True)
            for line in (
                audit.line(
                    LogEvent.HANDED_OVER, grant, by=grant.made_by, client=grant.client_code, rater=grant.rater
                ),
                audit.line(
                    LogEvent.RATED,
                    made,
                    by=None,
                    client=grant.client_code,
                    channel=grant.channel,
                    mode=made.mode,
                ),
            )
        ]
    )


def _same(row: RatingGrant | Rating, *, but: set[str]) -> dict[str, Any]:
    names = {field.attname for field in row._meta.concrete_fields} - but - {"id", "code"}
    return {name: getattr(row, name) for name in names}


def conclude_everything() -> None:
    """What every action does at its end, for rows that a test wrote past the actions."""
    conclude_many(episodes=list(Episode.objects.values_list("pk", flat=True)))


def wording(
    by: User, *, on: bool = True, edition: str = "2026", language: str = "en", **parts: str
) -> ClinicWording:
    """A loaded wording of the SRS in invented words; switched on under a licence, unless told otherwise."""
    text = a_file(edition=edition, language=language, **parts)
    loaded = actions.load_wording(read=read_wording(text, [tag for tag, _ in settings.LANGUAGES]), by=by)
    if on and not Licence.objects.exists():
        licence(by)
    return actions.switch_on(wording=loaded, by=by) if on else loaded


def licence(by: User, **fields: Any) -> Licence:
    terms = {"instrument": "srs", "holder": "The clinic", "kind": "group", "number": "7", "medium": "both"}
    return actions.record_licence(**{**terms, "valid_to": None, **fields}, by=by)


def pack(by: User) -> InstrumentPack:
    """A pack in invented words, whose terms were confirmed."""
    read = read_pack(a_pack(), [tag for tag, _ in settings.LANGUAGES])
    return actions.switch_on_pack(pack=read, read_sha256=read.sha256, by=by)


def inventory(by: User, instrument: str, *, licensed: bool = False) -> ClinicWording:
    """A questionnaire in invented words, switched on under a licence; licensed: there is one already."""
    read = read_wording(a_form(instrument), [tag for tag, _ in settings.LANGUAGES])
    if not licensed:
        licence(by, instrument=instruments.get(instrument).form_of)
    return actions.switch_on(wording=actions.load_wording(read=read, by=by), by=by)


def question(by: User, text: str = "What would you say to a friend about today?", **of: str) -> OwnQuestion:
    """A question of the clinic; about whichever line fell below cutoff, in English, unless told otherwise."""
    return question_actions.add_question(
        **{"rule": "A", "item": "", "language": "en", "text": text, **of}, by=by
    )


def choose(
    by: User, *, instrument: str = "session-rating", closing: str = "thanks", **of_the_form: Any
) -> ClinicSettings:
    return settings_actions.change_settings(instrument=instrument, closing=closing, by=by, **of_the_form)


def promise(by: User, *, rater: str = "client", **flags: bool | str) -> Promise:
    """The next version of what forms promise, with these flags and own sentences (`own_<language>`)."""
    if flags.get("supervisor") is False:
        flags["supervisor_comment"] = False
    return promise_actions.change_promise(rater=rater, by=by, **flags)


def choose_rules(
    by: User, *, instrument: str = "session-rating", language: str = "", **values: Any
) -> ClinicSettings:
    """The next version of the settings, with these parameters over what is shipped, and no others."""
    scale = instruments.get(instrument)
    return settings_actions.change_rules(
        instrument=scale,
        language=language,
        parameters=laid_over(scale.parameters, values),
        by=by,
    )


@dataclass
class Clinic:
    olga: User
    carl: User
    sina: User
    stefan: User
    adam: User
    strange: User
    olgas: Episode
    carls: Episode


def clinic() -> Clinic:
    adam, olga, carl, sina, stefan, strange = people(
        ("Adam", Role.ADMINISTRATOR),
        ("Olga", Role.THERAPIST),
        ("Carl", Role.THERAPIST),
        ("Sina", Role.SUPERVISOR),
        ("Stefan", Role.SUPERVISOR),
        ("Strange", None),
    )
    for supervisor, therapist in ((sina, olga), (stefan, carl)):
        Supervision.objects.create(supervisor=supervisor, therapist=therapist, starts_on=STARTED)
    return Clinic(
        olga=olga,
        carl=carl,
        sina=sina,
        stefan=stefan,
        adam=adam,
        strange=strange,
        olgas=episode(olga, "K-1"),
        carls=episode(carl, "K-2"),
    )
