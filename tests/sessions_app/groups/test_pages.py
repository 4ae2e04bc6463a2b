"""The pages about groups: who reads what, what is on them, and that thirty members ask no more than three."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from alliance.models import AuditEvent, Role
from alliance.stale_forms import NAME
from clients.models import Episode
from sessions_app.courses.grants import RatingGrant
from sessions_app.courses.models import Attendance
from sessions_app.groups import group_actions, session_actions
from sessions_app.groups.models import Group, GroupMember, GroupSession
from sessions_app.intake import hand_over_actions
from tests import cast
from tests.built_once import OnACopy, kept_open
from tests.sessions_app.groups import a_group
from tests.sessions_app.intake.pairing import paired
from tests.sessions_app.intake.rate_form import put_lock

pytestmark = pytest.mark.django_db
WEEK = timedelta(weeks=1)


def page_of(name, row):
    return reverse(f"groups:{name}", args=[row.code])


def words(answer):
    return " ".join(answer.content.decode().split())


@pytest.fixture
def group(clinic):
    return a_group.of_five(clinic)


@pytest.fixture(scope="class")
def built(django_db_setup, django_db_blocker):
    with kept_open(django_db_blocker):
        clinic = cast.clinic()
        yield clinic, a_group.of_five(clinic)


class WithAGroup(OnACopy):
    """The group is made once for the tests of the class."""

    @pytest.fixture
    def group(self, copied):
        return copied[1]


def save(browser, address, typed, **options):
    """Open the page, type, press."""
    form = browser.get(address).context["form"]
    said = {NAME: form[NAME].value()} if NAME in form.fields else {}
    return browser.post(address, {**said, **typed}, **options)


def rated(group, weeks, totals, **others):
    """A session so many weeks ago, rated by those of `totals`."""
    held = a_group.begun(group, ago=weeks * WEEK + timedelta(hours=1), without=["K-31"], **others)
    for label, total in totals.items():
        cast.rating(a_group.part_of(held, label), total)
    return held


class TestWhatWasPromised(WithAGroup):
    """Marks that were promised to be the therapists' alone: both leaders read them, whoever supervises does not."""

    @pytest.mark.parametrize(("supervisor", "shown"), [(True, True), (False, False)])
    def test_a_supervisor_reads_of_a_group_what_was_promised(self, clinic, group, sign_in, supervisor, shown):
        if not supervisor:
            cast.promise(clinic.adam, supervisor=False)
        held = rated(group, 1, {"K-1": 273, "K-21": 381})
        pages = [page_of("group", group), reverse("groups:session", args=[held.code])]
        for page in pages:
            for leader in (clinic.olga, clinic.cora):
                assert "27.3" in words(sign_in(leader).get(page))
            for who in (clinic.sina, clinic.chris):
                assert ("27.3" in words(sign_in(who).get(page))) is shown

    def test_marks_of_others_before_stay_open(self, clinic, group, sign_in):
        rated(group, 2, {"K-1": 273})
        cast.promise(clinic.adam, supervisor=False)
        rated(group, 1, {"K-21": 381})
        seen = words(sign_in(clinic.sina).get(page_of("group", group)))
        assert ("27.3" in seen, "38.1" in seen) == (True, False)


class TestWhoReads(WithAGroup):
    @pytest.mark.parametrize(
        ("who", "group_page", "people"),
        [
            *(("olga", 200, 200), ("cora", 200, 200), ("sina", 200, 200), ("chris", 200, 200)),
            *(("carl", 404, 404), ("stefan", 404, 404), ("adam", 403, 200), ("strange", 403, 403)),
        ],
    )
    def test_leaders_and_who_supervises_one_read_it_and_an_administrator_manages_names(
        self, clinic, group, sign_in, who, group_page, people
    ):
        held = a_group.begun(group)
        browser = sign_in(getattr(clinic, who))
        assert browser.get(page_of("group", group)).status_code == group_page
        assert browser.get(page_of("session", held)).status_code == group_page
        assert browser.get(page_of("people", group)).status_code == people
        listed = "Thursday group" in words(browser.get(reverse("groups:list")))
        assert listed is (people == 200)

    def test_both_leaders_read_the_marks_of_all_and_open_only_their_own_courses(self, clinic, group, sign_in):
        held = rated(group, 0, {"K-11": 311, "K-21": 222})
        for who, opens, not_opens in ((clinic.olga, "K-11", "K-21"), (clinic.cora, "K-21", "K-11")):
            page = words(sign_in(who).get(page_of("group", group)))
            assert "31.1" in page
            assert "22.2" in page
            course = {label: clinic.members[label].episode.code for label in (opens, not_opens)}
            assert str(course[opens]) in page
            assert str(course[not_opens]) not in page
        assert held.attendances.count() == 4

    def test_marks_in_a_course_with_somebody_who_leads_no_more_are_not_open_to_who_came_after(
        self, clinic, group, sign_in
    ):
        """As after a transfer: the earlier course is not theirs to read."""
        held = rated(group, 0, {"K-11": 311, "K-21": 222})
        nora = cast.person("Nora", Role.THERAPIST)
        group_actions.change_leaders(group=group, leader=nora, co_leader=clinic.cora, by=clinic.adam)
        for name, row in (("group", group), ("session", held)):
            page = words(sign_in(nora).get(page_of(name, row)))
            assert "22.2" in page
            assert "31.1" not in page
        assert sign_in(clinic.olga).get(page_of("group", group)).status_code == 404

    def test_marks_whose_promise_keeps_them_from_supervision_are_for_the_leaders_alone(
        self, clinic, group, sign_in
    ):
        cast.promise(clinic.adam, supervisor=False, supervisor_comment=False)
        held = rated(group, 0, {"K-11": 311, "K-21": 222})
        cast.promise(clinic.adam, supervisor=True)
        cast.rating(a_group.part_of(held, "K-12"), 277)  # read with the new promise
        for name, row in (("group", group), ("session", held)):
            for who, sees in ((clinic.cora, True), (clinic.sina, False), (clinic.chris, False)):
                page = words(sign_in(who).get(page_of(name, row)))
                assert "27.7" in page
                assert ("31.1" in page, "22.2" in page) == (sees, sees), (name, who)

    def test_the_form_says_who_reads_it_before_anything_is_marked(self, clinic, group):
        """Else the second leader would read what the client was told nobody else does."""
        said = "The therapists of this session see your marks, and so does whoever supervises them."
        alone = "Your therapist sees your marks"
        held = a_group.begun(group)
        own = cast.therapy_session(clinic.olgas, ago=timedelta(days=1))
        for session, there, not_there in (
            (a_group.part_of(held, "K-1"), said, alone),
            (own, alone, said),
        ):
            _, token = hand_over_actions.hand_over(session=session, by=clinic.olga)
            browser = holding(token)
            for address in ("/rate/", "/rate/help/"):
                page = words(browser.get(address))
                assert there in page
                assert not_there not in page

    def test_every_look_is_in_the_log_of_each_client_on_it(self, clinic, group, sign_in):
        sign_in(clinic.cora).get(page_of("group", group))
        line = AuditEvent.objects.get(action="listed", actor=clinic.cora.pk)
        assert len(line.clients) == 5
        assert AuditEvent.objects.filter(action="group viewed", actor=clinic.cora.pk).count() == 1


def holding(token):
    browser = Browser()
    put_lock(browser, token)
    return browser


class TestWhereItIsFound:
    def test_a_clinic_without_groups_finds_them_in_the_settings_and_nowhere_else(self, clinic, sign_in):
        for who in (clinic.olga, clinic.adam):
            assert "groups/" not in words(sign_in(who).get(reverse("clients:list")))
        assert "groups/" not in words(sign_in(clinic.sina).get(reverse("caseload:overview")))
        assert words(sign_in(clinic.adam).get(reverse("settings:change"))).count(">New group<") == 1

    def test_with_one_the_lists_lead_to_it_for_whom_it_concerns(self, clinic, group, sign_in):
        link = f'href="{reverse("groups:list")}"'
        assert link in words(sign_in(clinic.olga).get(reverse("clients:list")))
        assert link not in words(sign_in(clinic.carl).get(reverse("clients:list")))
        assert ">New group<" in words(sign_in(clinic.carl).get(reverse("clients:list")))
        assert ">New group<" not in words(sign_in(clinic.adam).get(reverse("settings:change")))
        assert link in words(sign_in(clinic.sina).get(reverse("caseload:overview")))
        assert link not in words(sign_in(clinic.stefan).get(reverse("caseload:overview")))


class TestMaking:
    def test_a_therapist_leads_the_one_they_make_and_an_administrator_says_who_does(self, clinic, sign_in):
        browser = sign_in(clinic.olga)
        answer = save(browser, reverse("groups:new"), {"name": "Mondays", "kind": "couple"})
        made = Group.objects.get()
        assert (answer["Location"], made.leader) == (page_of("people", made), clinic.olga)
        office = sign_in(clinic.adam)
        empty = save(office, reverse("groups:new"), {"name": "x", "kind": "group"})
        assert empty.status_code == 422
        save(office, reverse("groups:new"), {"name": "x", "kind": "group", "leader": clinic.carl.pk})
        assert Group.objects.get(name="x").leader == clinic.carl

    def test_own_clients_are_added_and_a_colleagues_is_not_there(self, clinic, sign_in):
        group = a_group.led_by_two(clinic)
        browser = sign_in(clinic.olga)
        people = page_of("people", group)
        assert "Add K-1" in words(browser.get(people))
        assert "K-2" not in words(browser.get(people, {"q": "K"}))
        add = page_of("add_member", group)
        assert browser.post(add, {"client": clinic.carls.client.code}).status_code == 404
        assert browser.post(add, {"client": "x"}).status_code == 404
        assert "K-1 is in the group" in words(
            browser.post(add, {"client": clinic.olgas.client.code}, follow=True)
        )
        office = sign_in(clinic.adam)
        assert "Add K-2" not in words(office.get(people))
        assert "Add K-2" in words(office.get(people, {"q": "k-2"}))
        said = words(office.post(add, {"client": clinic.carls.client.code}, follow=True))
        assert "An episode with Olga was opened for it." in said
        # Whoever supervises names leaders and adds nobody.
        assert sign_in(clinic.sina).post(add, {"client": clinic.olgas.client.code}).status_code == 403

    def test_taken_out_put_back_ended_and_taken_up(self, clinic, group, sign_in):
        browser, member = sign_in(clinic.cora), clinic.members["K-11"]
        out = browser.post(page_of("take_out", member), follow=True)
        assert "K-11 has left the group" in words(out)
        assert "K-11 is in the group again" in words(browser.post(page_of("put_back", member), follow=True))
        browser.post(page_of("end", group))
        ended = words(browser.get(page_of("people", group)))
        assert "Take the group up again" in ended
        assert "Add members" not in ended
        client = clinic.members["K-21"].client_code
        refused = browser.post(page_of("add_member", group), {"client": client}, follow=True)
        assert "This group has ended" in words(refused)
        browser.post(page_of("take_up", group))
        assert not Group.objects.get().is_over

    def test_leaders_who_were_named_meanwhile_are_shown_first(self, clinic, group, sign_in):
        browser = sign_in(clinic.adam)
        form = browser.get(page_of("leaders", group)).context["form"]
        typed = {"leader": clinic.carl.pk, "co_leader": clinic.cora.pk, NAME: form[NAME].value()}
        group_actions.change_leaders(group=group, leader=clinic.olga, co_leader=clinic.carl, by=clinic.olga)
        refused = browser.post(page_of("leaders", group), typed)
        assert refused.status_code == 409
        assert Group.objects.get().leader == clinic.olga
        again = {
            "leader": clinic.carl.pk,
            "co_leader": "",
            NAME: refused.context["form"][NAME].value(),
        }
        said = words(browser.post(page_of("leaders", group), again, follow=True))
        assert "Led by Carl." in said
        assert "From now on these members’ sessions are in a course with Carl" in said
        assert GroupMember.objects.present_now().exclude(episode__therapist=clinic.carl).count() == 0


class TestTheGroupPage:
    def test_says_who_falls_away_where_it_goes_and_the_spread(self, clinic, group, sign_in):
        for weeks in range(7, 0, -1):
            falls = 340 if weeks > 3 else 340 - 50 * (4 - weeks)
            rated(group, weeks, {"K-1": 340, "K-11": falls, "K-12": 342, "K-21": 338})
        page = words(sign_in(clinic.cora).get(page_of("group", group)))
        assert "Look at first" in page
        assert "Falls away from the group:" in page
        assert "while the others, in the middle, are where they were" in page
        assert "The group is about where it was" in page
        assert "19.0 to 34.2" in page
        assert '<svg class="spread"' in page
        flagged = sign_in(clinic.olga).get(page_of("group", group)).context["page"]
        assert [row.member.episode.client.label for row in flagged.to_look_at] == ["K-11"]

    def test_empty_states(self, clinic, sign_in):
        browser = sign_in(clinic.olga)
        group = a_group.led_by_two(clinic)
        assert "Nobody is in it yet" in words(browser.get(page_of("group", group)))
        assert "Nobody is in it yet" in words(browser.get(page_of("begin", group)))
        group_actions.add_member(group=group, client=clinic.olgas.client, by=clinic.olga)
        assert "No session yet" in words(browser.get(page_of("group", group)))

    def test_three_and_thirty_members_ask_the_same(self, clinic, sign_in):
        browser, counted = sign_in(clinic.olga), {}
        browser.get(reverse("groups:list"))  # the first request of a browser notes more than the others
        for size in (3, 30):
            group = a_group.many(clinic, size, name=f"Of {size}")
            for weeks in (2, 1):
                Episode.objects.update(opened_on=cast.STARTED)
                held = a_group.begun(group, ago=weeks * WEEK)
                for one in held.attendances.all()[:3]:
                    cast.rating(one.session, 340 - 100 * (weeks == 1))
            for name, row in (("group", group), ("people", group), ("session", held), ("begin", group)):
                with CaptureQueriesContext(connection) as asked:
                    assert browser.get(page_of(name, row)).status_code == 200
                counted.setdefault(name, set()).add(len(asked))
        assert all(len(found) == 1 for found in counted.values()), counted


class TestTheSessionPage(WithAGroup):
    def test_begun_with_who_is_ticked_and_corrected_by_a_tap(self, clinic, group, sign_in):
        browser = sign_in(clinic.cora)
        there = a_group.codes_of([clinic.members[label] for label in ("K-1", "K-11", "K-21")])
        began = timezone.localtime() - timedelta(minutes=10)
        answer = save(
            browser,
            page_of("begin", group),
            {
                "present": there,
                "held_at": f"{began:%Y-%m-%dT%H:%M}",
                "minutes": "90",
                "modality": "in_person",
            },
        )
        held = GroupSession.objects.get()
        assert answer["Location"] == page_of("session", held)
        assert "3 of 5 there · 0 rated" in words(browser.get(page_of("session", held)))
        tap = {"member": clinic.members["K-12"].code, "present": "1"}
        piece = browser.post(page_of("attendance", held), tap, headers={"HX-Request": "true"})
        assert "4 of 5 there" in words(piece)
        assert "<html" not in piece.content.decode()
        tap = {"member": clinic.members["K-11"].code, "present": "0"}
        assert browser.post(page_of("attendance", held), tap)["Location"] == page_of("session", held)
        assert a_group.part_of(held, "K-11").attendance == Attendance.DID_NOT_ATTEND
        for named in ("x", clinic.olgas.code):
            assert (
                browser.post(page_of("attendance", held), {"member": named, "present": "1"}).status_code
                == 404
            )

    @pytest.mark.parametrize(
        ("typed", "said"),
        [
            ({"present": []}, "at least one person"),
            ({"present": ["00000000-0000-0000-0000-000000000000"]}, "no longer in this group"),
            ({"held_at": "never"}, "date"),
            ({"held_at": "1889-01-01T10:00"}, "before 1990"),
            ({"minutes": "0"}, "greater than or equal to 5"),
            ({"minutes": "9999"}, "less than or equal to 600"),
            ({"modality": "<script>"}, "not one of the available choices"),
        ],
    )
    def test_what_cannot_be_is_said_and_what_was_typed_stays(self, clinic, group, sign_in, typed, said):
        whole = {
            "present": a_group.codes_of(a_group.members_of(group)),
            "held_at": f"{timezone.localtime() - timedelta(minutes=9):%Y-%m-%dT%H:%M}",
            "minutes": "80",
            "modality": "video",
        }
        answer = save(sign_in(clinic.olga), page_of("begin", group), {**whole, **typed})
        assert answer.status_code == 422
        assert said in words(answer)
        assert not GroupSession.objects.exists()

    def test_the_second_leader_is_told_that_it_was_begun(self, clinic, group, sign_in):
        a_group.begun(group, ago=timedelta(minutes=10))
        answer = save(
            sign_in(clinic.cora),
            page_of("begin", group),
            {
                "present": a_group.codes_of(a_group.members_of(group)),
                "held_at": f"{timezone.localtime() - timedelta(minutes=5):%Y-%m-%dT%H:%M}",
                "minutes": "90",
                "modality": "in_person",
            },
            follow=True,
        )
        assert "Olga began this session already" in words(answer)
        assert GroupSession.objects.count() == 1

    def test_one_members_form_on_each_way(self, clinic, group, sign_in):
        """By the second leader too, in whose courses this member is not."""
        held, room = a_group.begun(group), paired(clinic)
        part = held.attendances.get(member=clinic.members["K-11"])
        browser, key = sign_in(clinic.cora), "11111111-1111-4111-8111-111111111111"
        assert "Give the form to K-11?" in words(browser.get(page_of("give", part)))
        for _ in range(2):
            link = browser.post(page_of("make_link", part), {"form_key": key})
            assert "Link for this client alone" in words(link)
        for _ in range(2):
            sent = browser.post(
                page_of("send", part), {"form_key": key, "tablet": room.row.code}, follow=True
            )
            assert f"K-11: sent to {room.row}" in words(sent)
        refused = browser.post(page_of("send", part), {"tablet": "x"})
        assert (refused.status_code, "not paired any more" in words(refused)) == (409, True)
        assert browser.post(page_of("give", part), {"form_key": key})["Location"] == "/rate/"
        made = RatingGrant.objects.filter(session=part.session)
        assert sorted(made.values_list("channel", flat=True)) == ["paired", "phone", "tablet"]
        assert made.filter(withdrawn_at__isnull=True).count() == 1
        cast.rating(part.session, 300)
        again = sign_in(clinic.olga).post(page_of("give", part))
        assert (again.status_code, "has its rating already" in words(again)) == (409, True)

    def test_a_form_is_taken_back_or_it_is_said_why_not(self, clinic, group, sign_in):
        held = a_group.begun(group)
        part, browser = held.attendances.get(member=clinic.members["K-11"]), sign_in(clinic.cora)
        hand_over_actions.hand_over(session=part.session, by=clinic.olga)
        take_back = page_of("take_back", part)
        assert "the form was taken back" in words(browser.post(take_back, follow=True))
        assert "No form was out any more" in words(browser.post(take_back, follow=True))
        cast.rating(part.session, 300)
        assert "and stand" in words(browser.post(take_back, follow=True))

    def test_voided_and_put_back(self, clinic, group, sign_in):
        held, browser = a_group.begun(group), sign_in(clinic.olga)
        answer = save(browser, page_of("void", held), {"why": "twice"}, follow=True)
        assert "Voided sessions (1)" in words(answer)
        assert "It counts nowhere" in words(browser.get(page_of("session", held)))
        assert "counts again" in words(browser.post(page_of("put_session_back", held), follow=True))
        session_actions.void_session(group_session=held, why="x", by=clinic.olga)
        a_group.begun(group)
        assert "another session at this time" in words(
            browser.post(page_of("put_session_back", held), follow=True)
        )


def test_a_name_is_a_label_and_never_markup(clinic, sign_in):
    browser = sign_in(clinic.olga)
    bad = save(browser, reverse("groups:new"), {"name": "a\u202eb", "kind": "group"})
    assert bad.status_code == 422
    save(browser, reverse("groups:new"), {"name": "<b>x</b>", "kind": "group"})
    assert "<b>x</b>" not in browser.get(reverse("groups:list")).content.decode()


def test_a_leader_finds_no_way_from_a_members_page_to_the_group(clinic, group, sign_in):
    """The link stands on the page of a member's course, for whoever leads and for nobody else."""
    member = group.members.select_related("episode__client", "episode__therapist").first()
    course = reverse("dashboard:client", args=[member.episode.code])
    link = f'<a href="{page_of("group", group)}">{group.name}</a>'
    browser = sign_in(member.episode.therapist)
    assert link in browser.get(course).content.decode()
    Group.objects.filter(pk=group.pk).update(leader=clinic.carl, co_leader=None)
    assert link not in browser.get(course).content.decode()


def test_who_leads_the_group_now_writes_nothing_in_a_course_that_a_former_leader_took_along(
    clinic, group, sign_in
):
    held = a_group.begun(group)
    part = held.attendances.select_related("member__episode", "session").first()
    assert part.member.episode.therapist != clinic.carl
    Group.objects.filter(pk=group.pk).update(leader=clinic.carl, co_leader=None)
    carl = sign_in(clinic.carl)
    page = carl.get(page_of("session", held)).content.decode()
    assert part.member.episode.client.label in page
    absent = {"member": str(part.member.code), "present": "0"}
    answers = [
        carl.get(page_of("give", part)),
        *(carl.post(page_of(name, part)) for name in ("give", "make_link", "send", "take_back")),
        carl.post(page_of("attendance", held), absent),
    ]
    assert [one.status_code for one in answers] == [404] * 6
    assert page_of("give", part) not in page
    assert not RatingGrant.objects.exists()
    part.session.refresh_from_db()
    assert part.session.attendance == Attendance.ATTENDED
    # Control: whoever works with the course does, as soon as they lead.
    Group.objects.filter(pk=group.pk).update(leader=part.member.episode.therapist)
    olga = sign_in(part.member.episode.therapist)
    assert olga.get(page_of("give", part)).status_code == 200
    assert olga.post(page_of("attendance", held), absent).status_code == 302
