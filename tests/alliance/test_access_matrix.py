"""Routes x actors x objects, from the URLconf itself. What is expected stands in the table here, not in the code."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.apps import apps
from django.test import Client as Browser
from django.urls import NoReverseMatch, URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from alliance.access import PACKAGE_PAGES
from alliance.erasures import Erasure
from alliance.models import AuditEvent, BrowserSession, User
from clients import caseload_transfer, cover_actions, earlier_courses, merge_actions
from clients.models import CaseloadTransfer, Cover, EarlierCourseConsent, Episode, Supervision
from sessions_app.conversations import follow_up_actions
from sessions_app.corrections import actions, misfiling_actions
from sessions_app.courses.models import SetAsideRating
from sessions_app.courses.tablets import PairedTablet
from sessions_app.flags import deferral_actions, discussion_actions
from sessions_app.flags.deferrals import Deferral
from sessions_app.instruments.clinic_wording import Licence
from sessions_app.intake import session_actions
from sessions_app.intake.record_rating import NotStored, record_rating
from sessions_app.moving_in.columns import Kind
from sessions_app.records import erasure_actions
from tests import cast
from tests.sessions_app.moving_in.files import checked, clients

pytestmark = pytest.mark.django_db

# Who is let in by role, for every page of ours. "own": whose rows the page's code may name.
OPEN_TO = {
    "home": {"olga", "carl", "sina", "stefan", "adam", "strange"},
    "account_security": {"olga", "carl", "sina", "stefan", "adam", "strange"},
    "still_here": {"olga", "carl", "sina", "stefan", "adam", "strange"},
    "discard_unsaved": {"olga", "carl", "sina", "stefan", "adam", "strange"},
    "draft_keys": {"olga", "carl", "sina", "stefan", "adam", "strange"},
    "change_email": {"olga", "carl", "sina", "stefan", "adam", "strange"},
    "confirm_email": {"olga", "carl", "sina", "stefan", "adam", "strange"},
    "dashboard": {"olga", "carl"},
    "together": {"olga", "carl"},
    "marks": {"olga", "carl", "sina", "stefan"},
    "caseload": {"sina", "stefan"},
    "clinic": {"adam"},
    "clients": {"olga", "carl", "adam"},
    "tablets": {"olga", "carl", "adam"},
    "instruments": {"adam"},
    "import": {"adam"},
    "settings": {"adam"},
    "rules": {"olga", "carl", "sina", "stefan", "adam"},
    "exports": {"olga", "carl", "sina", "stefan", "adam"},
    "records": {"olga", "carl"},
    "erasures": {"olga", "carl", "adam"},
}
# Not for staff: a client with a grant, a link or a short code, and the tablet of a room.
FOR_CLIENTS = {"rate", "go", "room"}
PUBLIC = {"health"}
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
# Beside the area's own people: those who may see the course, so no administrator and whoever supervises.
BY_PAGE = {"clients:who_looked": {"olga", "carl", "sina", "stefan"}}
# Whose rows Olga's and Adam's codes below are: these reach them, nobody else does.
REACH = {"dashboard": {"olga"}, "caseload": {"sina"}, "clients": {"olga", "adam"}, "clinic": {"adam"}}
REACH["together"] = REACH["records"] = {"olga"}
REACH["erasures"] = {"olga", "adam"}
REACH["marks"] = {"olga", "sina"}
REACH["clients:who_looked"] = {"olga", "sina"}
REACH["instruments"] = REACH["settings"] = REACH["import"] = {"adam"}
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


@pytest.fixture
def world(clinic):
    return with_rows(clinic)


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
            *(consent.code, consent.earlier.code),
        ],
        "together:": [clinic.olgas.code],
        "caseload:": [clinic.olgas.code, over(clinic).code],
        "records:": [clinic.olgas.client.code],
        "erasures:": an_erasure_each(clinic),
        "marks:": [rating.code, misfiling.code],
        "tablets:": [a_tablet(by=clinic.adam).code],
        "rules:": [cast.question(clinic.adam).code],
        "instruments:": [cast.wording(clinic.adam).code, Licence.objects.get().code],
        "import:": [checked(Kind.CLIENTS, clients("1;C-1;de;adult;;"), clinic.adam).code],
        "settings:": [cast.choose(clinic.adam, closing="marks").code],
    }
    return clinic


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


def an_erasure_each(clinic) -> list[UUID]:
    """Of Olga's client, asked for; that client, to ask for; and a batch."""
    one = erasure_actions.ask(client=clinic.olgas.client, reason="asked", note="", by=clinic.adam)
    batch = Erasure.objects.create(client=uuid4(), batch=uuid4(), reason="retention", asked_by=clinic.adam.pk)
    return [one.code, clinic.olgas.client.code, batch.batch]


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


def snapshot() -> dict[str, list[tuple]]:
    """Every row of our own tables, except the log and what the server keeps for each browser."""
    ours = [
        m
        for label in ("alliance", "clients", "sessions_app")
        for m in apps.get_app_config(label).get_models()
    ]
    besides = {AuditEvent, BrowserSession}
    return {m.__name__: sorted(m.objects.values_list(), key=str) for m in ours if m not in besides}


def test_every_page_of_ours_is_in_the_table():
    packages = {name for name, _ in routes() if name in PACKAGE_PAGES}
    others = {name.split(":")[0] for name, _ in routes() if name not in packages}
    assert others == {*OPEN_TO, *FOR_CLIENTS, *PUBLIC}


@pytest.mark.parametrize("who", EVERYBODY)
def test_every_page_lets_in_whom_the_table_names_and_refuses_the_rest_without_a_change(world, who):
    browser, wrong, before = browser_of(world, who), [], None
    for name, entry in OURS:
        allowed = who in let_in(name) and not (name in ONLY_THE_OFFICE and who != "adam")
        reaches = allowed and (not takes_a_code(entry) or who in reach(name))
        # What a refusal left as it was need not be read again before the next one: a quarter of this test's time.
        before = None if reaches else before or snapshot()
        for address in addresses(world, name, entry):
            for htmx in (False, True):
                asked = [browser.get] if reaches else [browser.get, browser.post]
                # A page that only takes POST says so before anything else.
                expected = {200, 302, 404, 405} if reaches else refusals(who, allowed=allowed, htmx=htmx)
                for ask in asked:
                    got = ask(address, headers={"HX-Request": "true"} if htmx else {}).status_code
                    if got not in expected:
                        wrong.append(
                            f"{name}: {ask.__name__} {address}, htmx {htmx}: {got} is not in {expected}"
                        )
        if not reaches and before != (before := snapshot()):
            wrong.append(f"{name}: refused, and something was written all the same")
    assert wrong == []


def refusals(who: str, *, allowed: bool, htmx: bool) -> set[int]:
    if who in {"anonymous", "disabled"}:
        return {204 if htmx else 302}  # to the sign-in page
    return {404, 405} if allowed else {403}


@pytest.mark.parametrize("who", ["olga", "carl", "sina", "stefan", "adam"])
def test_foreign_and_absent_answer_alike_to_the_byte(world, who):
    browser, wrong, looked_at = browser_of(world, who), [], 0
    for name, entry in WITH_A_CODE:
        if who not in let_in(name) or who in reach(name):
            continue
        absent = browser.get(addresses(world, name, entry, [uuid4()])[0])
        for address in addresses(world, name, entry):
            answer, looked_at = browser.get(address), looked_at + 1
            if (answer.status_code, answer.content) != (absent.status_code, absent.content):
                wrong.append(f"{name}: {address}: {answer.status_code}")
    assert wrong == []
    assert looked_at or who in {"olga", "sina", "adam"}


def test_a_malformed_code_is_an_address_that_is_not_there(world):
    browser = browser_of(world, "olga")
    for name, entry in WITH_A_CODE:
        argument = next(iter(entry.pattern.converters))
        with pytest.raises(NoReverseMatch):
            reverse(name, kwargs={argument: "1; drop table"})
        code = str(next(iter(world.codes[f"{name.split(':')[0]}:"])))
        address = addresses(world, name, entry)[0].replace(code, "1")
        assert browser.get(address).status_code == 404, name


def test_a_clients_phone_reaches_no_page_of_staff(world):
    link = cast.link(cast.therapy_session(world.olgas), by=world.olga)
    phone = Browser()
    phone.post(reverse("go:start"), {"token": link.token})
    wrong, before = [], snapshot()
    for name, entry in OURS:
        for address in addresses(world, name, entry):
            for htmx in ({}, {"HX-Request": "true"}):
                for ask in (phone.get, phone.post):
                    answer = ask(address, headers=htmx)
                    leads_to = answer.headers.get("HX-Redirect") or answer.headers.get("Location")
                    if (answer.status_code, leads_to) != (204 if htmx else 303, reverse("rate:form")):
                        wrong.append(
                            f"{name}: {ask.__name__} {address} {htmx}: {answer.status_code} {leads_to}"
                        )
        if before != (before := snapshot()):
            wrong.append(f"{name}: something was written")
    assert wrong == []


@pytest.mark.parametrize("who", EVERYBODY)
def test_staff_and_strangers_have_no_form_and_no_room(world, who):
    browser, before = browser_of(world, who), snapshot()
    names = sorted(name for name, _ in routes() if name.startswith(("rate:", "room:")))
    assert len(names) > 5
    for name in names:
        answer = browser.get(reverse(name))
        # The room's own page offers to pair this browser; it is nobody's and changes nothing.
        assert answer.status_code == DEVICE.get(name, 404), name
        assert snapshot() == before, name


@pytest.mark.parametrize("name", WORKERS)
def test_what_a_device_keeps_is_the_same_for_everybody(world, name):
    """Kept once, it is shown to the next client too."""
    address = reverse(name)
    phone = Browser()
    phone.post(
        reverse("go:start"), {"token": cast.link(cast.therapy_session(world.olgas), by=world.olga).token}
    )
    answers = [browser.get(address) for browser in (phone, *(browser_of(world, who) for who in EVERYBODY))]
    assert {(answer.status_code, answer.content) for answer in answers} == {(200, answers[0].content)}
    assert not browser_of(world, "anonymous").get(address).cookies


CANARY = "canary-7c1f"


@pytest.mark.parametrize("who", ["carl", "stefan", "adam", "strange", "anonymous", "disabled"])
def test_no_page_shows_a_clients_words_or_marks_to_somebody_who_may_not_see_them(world, who):
    session = cast.therapy_session(world.olgas)
    cast.rating(session, None, comment=CANARY, relationship=13, goals=13, approach=13, overall=13)
    discussion_actions.discuss(flags=session.flags.all(), said=CANARY, agreed=CANARY, by=world.olga)
    aside = marks_set_aside(session, comment=CANARY)
    actions.use(aside=aside, seen=session.ratings.get().code, why=CANARY, by=world.olga)
    Deferral.objects.update(why=CANARY)
    if who != "adam":
        world.olgas.client.label = CANARY
        world.olgas.client.save()
    browser = browser_of(world, who)
    for name, entry in OURS:
        for address in addresses(world, name, entry):
            answer = browser.get(address)
            content = b"".join(answer.streaming_content) if answer.streaming else answer.content
            assert CANARY.encode() not in content, f"{who} sees it at {address}"
            assert CANARY not in str(answer.headers)


class TestRevocation:
    """What is taken away is gone at the next request of an open session."""

    def reads(self, browser, clinic):
        return browser.get(reverse("caseload:client", args=[clinic.olgas.code])).status_code

    def test_of_a_supervision(self, clinic):
        browser = browser_of(clinic, "sina")
        assert self.reads(browser, clinic) == 200
        Supervision.objects.filter(supervisor=clinic.sina).update(
            ends_on=timezone.localdate() - timedelta(days=1), starts_on=cast.STARTED
        )
        assert self.reads(browser, clinic) == 404

    @pytest.mark.parametrize(("field", "answer"), [("is_supervisor", 403), ("is_active", 302)])
    def test_of_a_role_and_of_the_account(self, clinic, field, answer):
        browser = browser_of(clinic, "sina")
        assert self.reads(browser, clinic) == 200
        setattr(clinic.sina, field, False)
        clinic.sina.save()
        assert self.reads(browser, clinic) == answer


class TestCover:
    """A colleague sees a client in the days of a cover, and what they cover, and nothing else."""

    def arranged(self, clinic, **days):
        today = timezone.localdate()
        days = {"starts_on": today, "ends_on": today, **days}
        (made,) = cover_actions.start(episodes=[clinic.olgas], colleague=clinic.carl, **days, by=clinic.olga)
        return made

    def reads(self, browser, clinic):
        return browser.get(reverse("dashboard:client", args=[clinic.olgas.code])).status_code

    def test_opens_the_course_and_closes_it_at_the_next_request(self, clinic):
        browser = browser_of(clinic, "carl")
        assert self.reads(browser, clinic) == 404
        made = self.arranged(clinic)
        assert self.reads(browser, clinic) == 200
        cover_actions.end(covers=[made], by=clinic.olga)
        assert self.reads(browser, clinic) == 404

    @pytest.mark.parametrize(("first", "last"), [(1, 5), (2, 2)])
    def test_opens_nothing_before_its_first_day(self, clinic, first, last):
        today = timezone.localdate()
        self.arranged(clinic, starts_on=today + timedelta(days=first), ends_on=today + timedelta(days=last))
        assert self.reads(browser_of(clinic, "carl"), clinic) == 404

    def test_opens_nothing_after_its_last_day(self, clinic, time_machine):
        self.arranged(clinic)
        time_machine.move_to(timezone.now() + timedelta(days=1))
        assert self.reads(browser_of(clinic, "carl"), clinic) == 404

    def test_opens_no_page_of_the_office(self, clinic):
        self.arranged(clinic)
        browser, client, episode = browser_of(clinic, "carl"), clinic.olgas.client.code, clinic.olgas.code
        about_client = [(name, client) for name in ("client", "change", "open_episode")]
        about_episode = [(name, episode) for name in ("close_episode", "reopen_episode", "correct_days")]
        for name, code in (*about_client, *about_episode):
            url = reverse(f"clients:{name}", args=[code])
            assert {browser.get(url).status_code, browser.post(url).status_code} <= {404, 405}, name
        assert "K-1" not in browser.get(reverse("clients:list")).text

    def test_gives_nothing_of_another_client(self, clinic):
        other = cast.episode(clinic.olga, "K-3")
        self.arranged(clinic)
        browser = browser_of(clinic, "carl")
        assert browser.get(reverse("dashboard:client", args=[other.code])).status_code == 404

    def test_is_for_active_therapists_alone(self, clinic):
        self.arranged(clinic)
        browser = browser_of(clinic, "carl")
        User.objects.filter(pk=clinic.carl.pk).update(is_therapist=False, is_supervisor=True)
        assert self.reads(browser, clinic) == 403
        assert not Episode.objects.visible_to(User.objects.get(pk=clinic.carl.pk)).exists()


class TestSecondFactor:
    def test_whoever_owes_one_reaches_nothing_but_its_set_up(self, clinic, settings):
        settings.SECOND_FACTOR_REQUIRED = True
        browser = browser_of(clinic, "olga")
        for name, entry in OURS:
            if name in {"account_security", "still_here"}:
                continue
            for address in addresses_without_rows(name, entry):
                answer = browser.get(address)
                assert (answer.status_code, answer.url) == (303, reverse("mfa_index")), address
        assert browser.get(reverse("mfa_index")).status_code == 200

    def test_whoever_has_one_works(self, clinic, settings):
        from allauth.mfa.models import Authenticator

        settings.SECOND_FACTOR_REQUIRED = True
        Authenticator.objects.create(user=clinic.olga, type=Authenticator.Type.TOTP, data={"secret": "x"})
        assert browser_of(clinic, "olga").get(reverse("dashboard:work_list")).status_code == 200


def addresses_without_rows(name: str, entry: URLPattern) -> list[str]:
    if not takes_a_code(entry):
        return [reverse(name)]
    return [reverse(name, kwargs={next(iter(entry.pattern.converters)): uuid4()})]


class TestIdleSignOut:
    def test_a_quarter_of_an_hour_without_anybody_ends_the_session(self, clinic, time_machine):
        time_machine.move_to(timezone.now(), tick=False)
        browser = browser_of(clinic, "olga")
        browser.get(reverse("dashboard:work_list"))
        time_machine.shift(timedelta(minutes=14))
        assert browser.get(reverse("dashboard:work_list")).status_code == 200
        time_machine.shift(timedelta(minutes=16))
        assert browser.get(reverse("dashboard:work_list")).status_code == 302
        assert "_auth_user_id" not in browser.session

    def test_saying_that_one_is_there_keeps_it(self, clinic, time_machine):
        time_machine.move_to(timezone.now(), tick=False)
        browser = browser_of(clinic, "olga")
        for _ in range(3):
            time_machine.shift(timedelta(minutes=14))
            assert browser.post(reverse("still_here")).status_code == 204
        assert browser.get(reverse("dashboard:work_list")).status_code == 200

    def test_twelve_hours_are_the_end_however_busy_one_is(self, clinic, time_machine):
        time_machine.move_to(timezone.now(), tick=False)
        browser = browser_of(clinic, "olga")
        answers = []
        for _ in range(73):
            answers.append(browser.post(reverse("still_here")).status_code)
            time_machine.shift(timedelta(minutes=10))
        assert answers == [204] * 73
        assert browser.get(reverse("dashboard:work_list")).status_code == 302

    def test_a_page_that_asks_by_itself_is_nobody_being_there(self, clinic, time_machine):
        time_machine.move_to(timezone.now(), tick=False)
        browser = browser_of(clinic, "olga")
        browser.get(reverse("dashboard:work_list"))
        poll = {"X-Poll": "1", "HX-Request": "true"}
        for _ in range(3):
            time_machine.shift(timedelta(minutes=5))
            assert browser.get(reverse("dashboard:work_list"), headers=poll).status_code == 200
        time_machine.shift(timedelta(minutes=1))
        answer = browser.get(reverse("dashboard:work_list"), headers=poll)
        assert (answer.status_code, answer["HX-Redirect"]) == (204, reverse("account_login"))


class TestTheCookie:
    def test_a_late_answer_takes_no_cookie_away(self, clinic):
        """A second tab's question may be under way while the hand-over changes the cookie."""
        late = Browser()
        late.cookies["session"] = "of-a-session-that-is-gone"
        answer = late.get(reverse("dashboard:work_list"), headers={"HX-Request": "true", "X-Poll": "1"})
        assert answer["HX-Redirect"] == reverse("account_login")
        assert "session" not in answer.cookies

    def test_signing_out_takes_it_away(self, clinic):
        answer = browser_of(clinic, "olga").post(reverse("account_logout"))
        assert answer.cookies["session"].value == ""


def test_the_log_of_a_list_does_not_tell_its_order(world):
    """Who needs a talk stands first on the page; the administrator reads the log."""
    for number in range(8):
        cast.rated_course(cast.episode(world.olga, f"L-{number}"), [380, 330])
    for who, address in (("olga", "dashboard:work_list"), ("sina", "caseload:overview")):
        browser_of(world, who).get(reverse(address))
        codes = AuditEvent.objects.get(action="listed", actor=getattr(world, who).pk).clients
        assert len(codes) > 8
        assert codes == sorted(codes)
