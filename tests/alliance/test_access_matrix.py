"""Routes x actors x objects, from the URLconf itself. What is expected stands in the table here, not in the code."""

from datetime import timedelta
from functools import cached_property
from uuid import UUID, uuid4

import pytest
from django.contrib.messages.storage.fallback import FallbackStorage
from django.db import connection
from django.db.models import UUIDField
from django.http import Http404
from django.test import Client as Browser
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import NoReverseMatch, URLPattern, reverse
from django.utils import timezone
from django_htmx.middleware import HtmxDetails

from alliance.access import PACKAGE_PAGES
from alliance.models import AuditEvent, User
from clients import cover_actions
from clients.models import Episode, Supervision
from sessions_app.corrections import actions
from sessions_app.flags import discussion_actions
from sessions_app.flags.deferrals import Deferral
from tests import cast
from tests.alliance.codes_of_pages import BY_NAME, KIND_OF
from tests.alliance.page_table import (
    DEVICE,
    EVERYBODY,
    FOR_CLIENTS,
    ONLY_THE_OFFICE,
    OPEN_TO,
    OURS,
    PUBLIC,
    WITH_A_CODE,
    WORKERS,
    addresses,
    browser_of,
    let_in,
    marks_set_aside,
    of_its_kind,
    reach,
    routes,
    snapshot,
    takes_a_code,
    to_be_tried,
    with_rows,
)
from tests.alliance.test_methods import headers_of
from tests.built_once import built_once, copy_of

pytestmark = pytest.mark.django_db


# Who is let in by role, for every page of ours. "own": whose rows the page's code may name.
@pytest.fixture(scope="module")
def built(django_db_setup, django_db_blocker):
    with built_once(django_db_blocker, lambda: with_rows(cast.clinic())) as made:
        yield made


@pytest.fixture
def world(built, db):
    return copy_of(built)


@pytest.fixture
def clinic(world):
    return world


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
        for address in to_be_tried(world, name, entry, who):
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


def test_a_refused_role_looks_up_no_row(world):
    """So that one address stands for all of a page: an absent code is refused in as many queries as another."""
    browser = browser_of(world, "strange")
    for name, entry in WITH_A_CODE:
        if "strange" in let_in(name):
            continue
        tried = [*addresses(world, name, entry, [uuid4()]), addresses(world, name, entry)[0]]
        browser.get(tried[0])  # the first refusal in a minute writes its line of the log
        counted = set()
        for address in tried:
            with CaptureQueriesContext(connection) as asked:
                assert browser.get(address).status_code == 403, address
            counted.add(len(asked))
        assert len(counted) == 1, name


@pytest.mark.parametrize("who", ["olga", "carl", "sina", "stefan", "adam"])
def test_foreign_and_absent_answer_alike_to_the_byte(world, who):
    """Status, headers and content, to GET and to POST."""
    browser, wrong, looked_at = browser_of(world, who), [], 0
    for name, entry in WITH_A_CODE:
        if who not in let_in(name) or who in reach(name):
            continue
        nowhere = addresses(world, name, entry, [uuid4()])[0]
        for ask in (browser.get, browser.post):
            absent = answer_of(ask(nowhere))
            for address in of_its_kind(world, name, entry):
                looked_at += 1
                if (answer := answer_of(ask(address))) != absent:
                    wrong.append(f"{name}: {ask.__name__} {address}: {answer[0]}")
    assert wrong == []
    assert looked_at or who in {"olga", "sina", "adam"}


def answer_of(answer) -> tuple:
    return (answer.status_code, headers_of(answer), answer.content)


def test_every_page_with_a_code_says_what_it_is_of():
    assert {name for name, _ in WITH_A_CODE} == {*KIND_OF, *BY_NAME}


def test_a_code_of_another_kind_is_an_address_that_is_not_there(world, monkeypatch):
    """A session's code where a course's is due, a group's, a talk's: asked by somebody who may see both.

    Of the view itself, which costs a tenth of the way through all of the site: what it raises is the same page for all.
    And of its questions alone where it asks the database for nothing but the row of this code: what finds none of an
    absent code, and finds none of this one, answers the same. Nine tenths of the time went into putting them together.
    """
    # Whether it is them is asked before the row is looked up, and needs a session.
    again = "allauth.account.internal.flows.reauthentication.is_reauthentication_required"
    monkeypatch.setattr(again, lambda *args, **kwargs: False)
    one_of_each = {kind: code for code, kind in world.kinds.items()}
    wrong, otherwise, not_found, asked, of_questions = [], set(), set(), 0, 0
    for name, entry in WITH_A_CODE:
        if name in BY_NAME:
            continue
        who = next(one for one in ("adam", "olga", "sina") if one in reach(name) & let_in(name))
        if name in ONLY_THE_OFFICE:
            who = "adam"
        nobodys, answers = uuid4(), set()
        for method in ("get", "post"):
            with Questions(nobodys) as questions:
                absent = answer_of_the_view(entry, getattr(world, who), nobodys, method)
            answers.add(absent)
            if questions.are_all and not any(
                questions.find(code) for code, kind in world.kinds.items() if kind == KIND_OF[name]
            ):
                not_found.add(name)
            for kind, code in one_of_each.items():
                if kind == KIND_OF[name]:
                    continue
                asked += 1
                # A person has their own row in their hands, without a question.
                if kind != "User" and questions.are_all and not questions.find(code):
                    of_questions += 1
                    continue
                answered = answer_of_the_view(entry, getattr(world, who), code, method)
                if answered != absent:
                    wrong.append(f"{name}, {method} with the code of {kind}: {answered}")
        if "404" not in answers or answers - {"404", "405 "}:
            otherwise.add(name)
    assert wrong == []
    assert otherwise == GONE_MEANWHILE
    assert asked > 8000
    assert not_found == RATED_ALREADY, "of the right kind, the same questions find the row"
    assert of_questions > 0.7 * asked  # of the others, most take no such method


# A POST about a row that is not there is told that somebody else was faster: these rows are deleted.
GONE_MEANWHILE = {"clients:undo_telling_apart", "clinic:correct_supervision", "clinic:end_supervision"}


# The world's form was filled in, and is not out any more.
RATED_ALREADY = {"dashboard:take_form_back"}


class Questions:
    """What is asked of the database for this code; the same can be asked for another."""

    def __init__(self, code: UUID):
        self.code, self.asked = code, []

    def __enter__(self):
        self._kept = connection.execute_wrapper(self._keep)
        self._kept.__enter__()
        return self

    def __exit__(self, *raised):
        self._kept.__exit__(*raised)

    def _keep(self, execute, sql, params, many, context):
        self.asked.append((sql, params))
        return execute(sql, params, many, context)

    @cached_property
    def are_all(self) -> bool:
        """Whether each looks for rows of this code, and none found one: nothing else is in the view's hands."""
        for_the_row = [
            sql.startswith("SELECT") and stored(self.code) in (params or ()) for sql, params in self.asked
        ]
        return bool(for_the_row) and all(for_the_row) and not self.find(self.code)

    def find(self, code: UUID) -> bool:
        with connection.cursor() as cursor:
            for sql, params in self.asked:
                cursor.execute(sql, [stored(code) if one == stored(self.code) else one for one in params])
                if cursor.fetchone():
                    return True
        return False


def stored(code: UUID) -> object:
    return UUIDField().get_db_prep_value(code, connection)


def answer_of_the_view(entry, user, code, method) -> str:
    argument = next(iter(entry.pattern.converters))
    request = getattr(RequestFactory(), method)("/")
    request.user, request.session = user, {}
    request.htmx, request._messages = HtmxDetails(request), FallbackStorage(request)
    try:
        answer = entry.callback(request, **{argument: code})
    except Http404:
        return "404"
    return f"{answer.status_code} {answer.headers.get('Location', '')}"


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
        for address in addresses(world, name, entry)[
            :1
        ]:  # a locked browser leads back before any code is read
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
        for address in to_be_tried(world, name, entry, who):
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
            if name in {"account_security", "still_here", "usersessions_list"}:
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
