"""Every page of the site, who opens it, and a row for each code in its address."""

import re
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.apps import apps
from django.db import connection
from django.test import Client as Browser
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from alliance.approvals import ApprovalRequest
from alliance.erasures import Erasure
from alliance.measurement import instruments
from alliance.models import AuditEvent, BrowserSession, User
from clients import approved_supervision, caseload_transfer, cover_actions, earlier_courses, merge_actions
from clients.models import CaseloadTransfer, Cover, EarlierCourseConsent, Episode, Supervision
from sessions_app.conversations import follow_up_actions
from sessions_app.corrections import misfiling_actions
from sessions_app.courses.models import SetAsideRating
from sessions_app.courses.tablets import PairedTablet
from sessions_app.flags import deferral_actions, discussion_actions
from sessions_app.flags.deferrals import Deferral
from sessions_app.groups import group_actions
from sessions_app.groups import session_actions as group_session_actions
from sessions_app.instruments.clinic_wording import Licence
from sessions_app.intake import session_actions
from sessions_app.intake.record_rating import NotStored, record_rating
from sessions_app.moving_in.columns import Kind
from sessions_app.plans import choice_actions, plan_actions
from sessions_app.plans.models import PlannedForm
from sessions_app.questionnaires.risk_confirmations import RiskConfirmation
from sessions_app.records import erasure_actions
from sessions_app.supervision import agenda_actions, question_actions, talk_actions
from tests import cast
from tests.alliance.codes_of_pages import KIND_OF
from tests.sessions_app.moving_in.files import checked, clients
from tests.sessions_app.questionnaires.answering import confirm, phq

# Who is let in by role, for every page of ours. "own": whose rows the page's code may name.

OPEN_TO = {
    "home": {"olga", "carl", "sina", "stefan", "adam", "strange"},
    "account_security": {"olga", "carl", "sina", "stefan", "adam", "strange"},
    "usersessions_list": {"olga", "carl", "sina", "stefan", "adam", "strange"},
    "still_here": {"olga", "carl", "sina", "stefan", "adam", "strange"},
    "discard_unsaved": {"olga", "carl", "sina", "stefan", "adam", "strange"},
    "draft_keys": {"olga", "carl", "sina", "stefan", "adam", "strange"},
    "change_email": {"olga", "carl", "sina", "stefan", "adam", "strange"},
    "confirm_email": {"olga", "carl", "sina", "stefan", "adam", "strange"},
    "dashboard": {"olga", "carl"},
    "together": {"olga", "carl"},
    "questionnaires": {"olga", "carl", "sina", "stefan"},
    "marks": {"olga", "carl", "sina", "stefan"},
    "caseload": {"sina", "stefan"},
    "supervision": {"olga", "carl", "sina", "stefan"},
    "groups": {"olga", "carl", "sina", "stefan", "adam"},
    "clinic": {"adam"},
    "clients": {"olga", "carl", "adam"},
    "tablets": {"olga", "carl", "adam"},
    "instruments": {"adam"},
    "import": {"adam"},
    "settings": {"adam"},
    "health": {"adam"},
    "plan": {"adam"},
    "rules": {"olga", "carl", "sina", "stefan", "adam"},
    "exports": {"olga", "carl", "sina", "stefan", "adam"},
    "records": {"olga", "carl"},
    "erasures": {"olga", "carl", "adam"},
    "approvals": {"olga", "carl", "sina", "stefan", "adam"},
}
# Not for staff: a client with a grant, a link or a short code, and the tablet of a room.
FOR_CLIENTS = {"rate", "go", "room", "pass"}
PUBLIC = {"security_txt"}
# They know nobody: what a device keeps to open without a connection, and the door for sealed marks.
WORKERS = ["rate:worker", "room:worker", "go:worker"]
DEVICE = {**dict.fromkeys(WORKERS, 200), "rate:upload": 405, "room:home": 200}
TRANSFERS = ("transfer_episode", "transfer", "transferred", "undo_transfer")
OFFICE_PAGES_OF_CLIENTS = (*TRANSFERS, "merge", "undo_merge", "tell_apart", "undo_telling_apart")
ONLY_THE_OFFICE = {
    *(f"clients:{name}" for name in (*OFFICE_PAGES_OF_CLIENTS, "move_episode", "undo_move")),
} | {f"rules:{name}" for name in ("add_question", "take_out_question", "put_back_question")}
ONLY_THE_OFFICE |= {
    f"erasures:{name}" for name in ("list", "file", "ask", "retention", "ask_for_all_due", "batch")
}
ONLY_THE_OFFICE |= {f"approvals:{name}" for name in ("list", "emergency")}
# Beside the area's own people: those who may see the course, so no administrator and whoever supervises.
BY_PAGE = {
    "clients:who_looked": {"olga", "carl", "sina", "stefan"},
    "clients:find": {"olga", "carl", "sina", "stefan", "adam"},
}
# A question is asked by who supervises and answered by who treats.
OF_SUPERVISORS = (
    "ask",
    "change_question",
    "take_back_question",
    "put_back_question",
    "make_agenda",
    "fill_agenda",
)
OF_THERAPISTS = ("answer", "take_back_answer")
BY_PAGE |= {f"supervision:{name}": {"sina", "stefan"} for name in OF_SUPERVISORS}
BY_PAGE |= {f"supervision:{name}": {"olga", "carl"} for name in OF_THERAPISTS}
# Names and leaders of a group are managed by administrators too; its sessions are read by leaders and supervisors.
BY_PAGE |= {f"groups:{name}": {"olga", "carl", "sina", "stefan"} for name in ("group", "session")}
OF_LEADERS = (
    *("begin", "attendance", "pass_round", "void", "put_session_back"),
    *("give", "make_link", "send", "take_back"),
)
OF_LEADERS_AND_THE_OFFICE = (*("new", "change", "add_member", "end", "take_up", "take_out", "put_back"),)
BY_PAGE |= {f"groups:{name}": {"olga", "carl"} for name in OF_LEADERS}
BY_PAGE |= {f"groups:{name}": {"olga", "carl", "adam"} for name in OF_LEADERS_AND_THE_OFFICE}
# Whose rows Olga's and Adam's codes below are: these reach them, nobody else does.
REACH = {"dashboard": {"olga"}, "caseload": {"sina"}, "clients": {"olga", "adam"}, "clinic": {"adam"}}
REACH["together"] = REACH["records"] = {"olga"}
REACH["erasures"] = REACH["approvals"] = {"olga", "adam"}
REACH["marks"] = REACH["supervision"] = REACH["questionnaires"] = {"olga", "sina"}
# Answers are decided about by who treats.
BY_PAGE |= {f"questionnaires:{name}": {"olga", "carl"} for name in ("count", "leave")}
REACH |= {f"questionnaires:{name}": {"olga"} for name in ("count", "leave")}
REACH |= {f"supervision:{name}": {"sina"} for name in OF_SUPERVISORS}
REACH |= {f"supervision:{name}": {"olga"} for name in OF_THERAPISTS}
REACH["groups"] = {"olga", "sina", "adam"}
REACH |= {f"groups:{name}": {"olga", "sina"} for name in ("group", "session")}
REACH |= {f"groups:{name}": {"olga"} for name in OF_LEADERS}
REACH |= {f"groups:{name}": {"olga", "adam"} for name in OF_LEADERS_AND_THE_OFFICE}
REACH["clients:who_looked"] = {"olga", "sina"}
REACH["instruments"] = REACH["settings"] = REACH["plan"] = REACH["import"] = {"adam"}
REACH["tablets"] = OPEN_TO["tablets"]  # a tablet is nobody's client
REACH["rules"] = OPEN_TO["rules"]  # no page of them is about a client


def let_in(name: str) -> set[str]:
    return BY_PAGE.get(name) or OPEN_TO[name.split(":")[0]]


def reach(name: str) -> set[str]:
    return REACH.get(name) or REACH[name.split(":")[0]]


EVERYBODY = ["anonymous", "olga", "carl", "sina", "stefan", "adam", "strange", "disabled"]


def routes(resolver: URLResolver | None = None, namespace: str = "") -> list[tuple[str, URLPattern]]:
    found = []
    for entry in (resolver or get_resolver()).url_patterns:
        if isinstance(entry, URLResolver):
            found += routes(entry, entry.namespace or namespace)
        else:
            found.append((f"{namespace}:{entry.name}" if namespace else entry.name, entry))
    return found


OURS = [(name, entry) for name, entry in routes() if name.split(":")[0] in OPEN_TO]


def takes_a_code(entry: URLPattern) -> bool:
    return bool(entry.pattern.converters)


WITH_A_CODE = [(name, entry) for name, entry in OURS if takes_a_code(entry)]


def with_rows(clinic):
    """Olga's rows, one of each kind, by the URL name's object."""
    first, last = cast.rated_course(clinic.olgas, [380, 330])
    planned = cast.therapy_session(clinic.olgas, ago=timedelta(hours=-3), attendance="planned")
    discussion = discussion_actions.discuss(flags=last.flags.all(), said="x", agreed="y", by=clinic.olga)
    deferral = a_deferral(clinic.olgas, by=clinic.olga)
    aside, rating = marks_set_aside(first), last.ratings.get()
    twice = cast.therapy_session(clinic.olgas, ago=timedelta(hours=-2), attendance="planned")
    session_actions.void_session(session=twice, why="x", by=clinic.olga)
    cast.rating(cast.therapy_session(clinic.olgas, ago=timedelta(minutes=55)), 370)
    helped = follow_up_actions.note(discussion=discussion, answer="helped", by=clinic.olga)
    misfiled = cast.rating(cast.therapy_session(clinic.olgas, ago=timedelta(minutes=54)), 375)
    misfiling = misfiling_actions.set_aside(rating=misfiled, why="x", by=clinic.olga)
    clinic.disabled = cast.person("Disabled", "therapist", "supervisor", "administrator")
    clinic.disabled.is_active = False
    clinic.disabled.save()
    consent = a_consent(clinic)
    clinic.codes = {
        "clients:": [
            *(clinic.olgas.client.code, clinic.olgas.code, a_cover(clinic).code),
            *(a_transfer(clinic).code, *put_together(clinic)),
        ],
        "clinic:": [clinic.olga.pk, Supervision.objects.get(therapist=clinic.olga).code],
        "dashboard:": [
            *(clinic.olgas.code, planned.code, twice.code, first.code, discussion.code),
            *(aside.code, rating.code, rating.grant.code, deferral.code, helped.code),
            *(consent.code, consent.earlier.code, a_chosen_form(clinic).code),
        ],
        "together:": [clinic.olgas.code],
        "questionnaires:": in_questionnaires(clinic, first),
        "caseload:": [clinic.olgas.code, over(clinic).code],
        "supervision:": in_supervision(clinic),
        "groups:": a_group_with_a_session(clinic),
        "records:": [clinic.olgas.client.code],
        "erasures:": an_erasure_each(clinic),
        "approvals:": [an_approval(clinic).code],
        "marks:": [rating.code, misfiling.code],
        "tablets:": [a_tablet(by=clinic.adam).code],
        "rules:": [cast.question(clinic.adam).code],
        "instruments:": [
            *(cast.wording(clinic.adam).code, Licence.objects.get().code, cast.pack(clinic.adam).code),
            RiskConfirmation.objects.get().code,
        ],
        "import:": [checked(Kind.CLIENTS, clients("1;C-1;de;adult;;"), clinic.adam).code],
        "plan:": [a_planned_form(clinic).code],
        "settings:": [cast.choose(clinic.adam, closing="marks").code],
    }
    clinic.kinds = kinds_of({code for codes in clinic.codes.values() for code in codes})
    return clinic


def kinds_of(codes: set[UUID]) -> dict[UUID, str]:
    """The model of each code; a batch of erasures has no row of its own."""
    found = dict.fromkeys(codes, "Batch")
    for label in ("alliance", "clients", "sessions_app"):
        for model in apps.get_app_config(label).get_models():
            fields = {field.name for field in model._meta.fields}
            name = "code" if "code" in fields else "pk" if model is User else None
            if name:
                rows = model._base_manager.filter(**{f"{name}__in": codes}).values_list(name, flat=True)
                found.update(dict.fromkeys(rows, model.__name__))
    return found


def a_planned_form(clinic) -> PlannedForm:
    return plan_actions.plan_form(
        **{"instrument": "life-lines", "moment": "start", "frequency": "each", "every": None, "numbers": ""},
        **{"for_whom": "clinic", "age_band": "", "therapists": [], "supervisor": ""},
        by=clinic.adam,
    )


def a_chosen_form(clinic) -> PlannedForm:
    named = instruments.get("gad-7")
    return choice_actions.switch_off(episode=clinic.olgas, named=named, why="x", by=clinic.olga)


def a_cover(clinic) -> Cover:
    today = timezone.localdate()
    # Not Carl, who must not reach Olga's rows.
    helper = cast.person("Helper", "therapist")
    (made,) = cover_actions.start(
        episodes=[clinic.olgas], colleague=helper, starts_on=today, ends_on=today, by=clinic.olga
    )
    return made


def a_transfer(clinic) -> CaseloadTransfer:
    moves = [caseload_transfer.Move(cast.episode(clinic.carl, "K-8"), cast.person("Next", "therapist"))]
    return caseload_transfer.transfer(moves=moves, on=timezone.localdate(), by=clinic.adam)


def over(clinic) -> Episode:
    return cast.episode(clinic.olga, "K-6", closed_on=timezone.localdate(), ending="planned")


def a_consent(clinic) -> EarlierCourseConsent:
    """To a course with somebody who has left: nobody but Olga reaches anything of it."""
    former = cast.person("Former", "therapist")
    earlier = cast.episode(former, "K-7", closed_on=cast.STARTED, ending="planned")
    User.objects.filter(pk=former.pk).update(is_active=False)
    episode = Episode.objects.create(client=earlier.client, therapist=clinic.olga, opened_on=cast.STARTED)
    return earlier_courses.record_consent(
        earlier=earlier, episode=episode, given_on=timezone.localdate(), by=clinic.olga
    )


def marks_set_aside(session, comment="") -> SetAsideRating:
    """Others than those that stand, with this sentence of the client."""
    grant = session.ratings.get().grant
    with pytest.raises(NotStored):
        record_rating(grant=grant, answers=cast.answers(200), mode="line", comment=comment)
    return SetAsideRating.objects.get(session=session)


def a_deferral(episode, by) -> Deferral:
    session = cast.therapy_session(episode)
    cast.rating(session, 200)
    return deferral_actions.defer(episode=episode, flags=session.flags.all(), kind="later", why="x", by=by)


def in_supervision(clinic) -> list[UUID]:
    """A course, a question, a note of Olga's and one of Sina's, an agenda, a line of it, and the therapist."""
    question = question_actions.ask(episode=clinic.olgas, words="x", by=clinic.sina)
    question_actions.answer_question(question=question, answer="y", by=clinic.olga)
    notes = [
        talk_actions.note_supervision(
            episode=clinic.olgas, held_on=timezone.localdate(), agreed="z", by=person
        ).code
        for person in (clinic.olga, clinic.sina)
    ]
    agenda = agenda_actions.make_agenda(
        therapist=clinic.olga, held_on=timezone.localdate(), proposals=[], by=clinic.sina
    )
    item = agenda_actions.add_item(agenda=agenda, text="x", by=clinic.olga)
    return [clinic.olgas.code, question.code, *notes, agenda.code, item.code, clinic.olga.pk]


def in_questionnaires(clinic, session) -> list[UUID]:
    """A course, answers to a questionnaire, and one of them at which somebody has to look."""
    confirm(looks=clinic.sina, by=clinic.adam)
    response = phq(session, 10)
    return [clinic.olgas.code, response.code, response.risk_answers.get().code]


def a_group_with_a_session(clinic) -> list[UUID]:
    """Of Olga alone: the group, its member, a session of it, and the member's part of that."""
    group = group_actions.make_group(
        name="Group", kind="group", leader=clinic.olga, co_leader=None, by=clinic.olga
    )
    member = group_actions.add_member(
        group=group, client=cast.episode(clinic.olga, "K-G").client, by=clinic.olga
    ).member
    held = group_session_actions.begin_session(
        group=group, held_at=cast.an_hour_ago(), present=[str(member.code)], by=clinic.olga
    )
    return [group.code, member.code, held.code, held.attendances.get().code]


def an_erasure_each(clinic) -> list[UUID]:
    """Of Olga's client, asked for; that client, to ask for; and a batch."""
    one = erasure_actions.ask(client=clinic.olgas.client, reason="asked", note="", by=clinic.adam)
    batch = Erasure.objects.create(client=uuid4(), batch=uuid4(), reason="retention", asked_by=clinic.adam.pk)
    return [one.code, clinic.olgas.client.code, batch.batch]


def an_approval(clinic) -> ApprovalRequest:
    """Asked for about Olga's clients, and told to her."""
    return approved_supervision.start_supervision(
        supervisor=clinic.stefan, therapist=clinic.olga, starts_on=timezone.localdate(), by=clinic.adam
    )


def put_together(clinic) -> list[UUID]:
    """A merge, a move and a pair that was told apart, among clients whose therapist has left."""
    gone = cast.person("Gone", "therapist")
    one, other, third = (
        cast.episode(gone, f"Gone {n}", closed_on=cast.STARTED, ending="planned") for n in range(3)
    )
    seen = [one.code, other.code]
    merge = merge_actions.merge_clients(kept=one.client, merged=other.client, seen=seen, by=clinic.adam)
    other.refresh_from_db()
    move = merge_actions.move_episode(episode=other, to=third.client, why="x", by=clinic.adam)
    told = merge_actions.tell_apart(one=one.client, other=third.client, by=clinic.adam)
    return [merge.code, move.code, told.code]


def a_tablet(by) -> PairedTablet:
    now = timezone.now()
    paired = {"paired_at": now, "paired_by": by, "last_seen_at": now, "pairing_until": now}
    return PairedTablet.objects.create(name="Room 3", key_hash="0" * 64, **paired)


def browser_of(world, name: str) -> Browser:
    browser = Browser(raise_request_exception=True)
    if name != "anonymous":
        browser.force_login(
            getattr(world, name), backend="allauth.account.auth_backends.AuthenticationBackend"
        )
    return browser


def addresses(world, name: str, entry: URLPattern, codes=None) -> list[str]:
    if not takes_a_code(entry):
        return [reverse(name)]
    argument = next(iter(entry.pattern.converters))
    prefix = f"{name.split(':')[0]}:"
    return [reverse(name, kwargs={argument: code}) for code in (codes or world.codes[prefix])]


def to_be_tried(world, name: str, entry: URLPattern, who: str) -> list[str]:
    """Every address of this page that is of the right kind; one where its role is refused.

    That comes before the code is looked at: `test_a_refused_role_looks_up_no_row`. What a code of another kind answers:
    `test_a_code_of_another_kind_is_an_address_that_is_not_there`. Both together were nine tenths of all requests.
    """
    found = of_its_kind(world, name, entry)
    return found if who in let_in(name) else found[:1]


def of_its_kind(world, name: str, entry: URLPattern) -> list[str]:
    if name not in KIND_OF:
        return addresses(world, name, entry)
    codes = world.codes[f"{name.split(':')[0]}:"]
    return addresses(world, name, entry, [one for one in codes if world.kinds[one] == KIND_OF[name]])


def snapshot() -> dict[str, list[tuple]]:
    """Every row of our own tables, except the log and what the server keeps for each browser."""
    ours = [
        m
        for label in ("alliance", "clients", "sessions_app")
        for m in apps.get_app_config(label).get_models()
    ]
    found = {}
    # As they are stored: to build a query of Django's for each table costs thirty times as much as to run it.
    with connection.cursor() as cursor:
        for m in ours:
            if m not in {AuditEvent, BrowserSession}:
                cursor.execute(f'SELECT * FROM "{m._meta.db_table}"')
                found[m.__name__] = sorted(cursor.fetchall(), key=str)
    return found


def addresses_of_all(resolver: URLResolver | None = None, before: str = "/") -> list[str]:
    """One address for each page of the site, the packages' too, with a code of nothing where it takes one."""
    found = []
    for entry in (resolver or get_resolver()).url_patterns:
        written = str(entry.pattern).removeprefix("^").removesuffix("$")
        address = before + re.sub(r"<uuid:\w+>", str(UUID(int=1)), written)
        address = re.sub(r"<\w+:\w+>|\(\?P<[^)]*\)", "1", address)
        found += addresses_of_all(entry, address) if isinstance(entry, URLResolver) else [address]
    return found
