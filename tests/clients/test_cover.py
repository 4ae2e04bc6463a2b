"""Cover during holidays: arranged, shown, ended, and what it does not open. Its door: `TestCover` of the matrix."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from alliance.log_events import LogEvent
from alliance.models import AuditEvent, Role
from alliance.refused import Refused
from clients import access_log, actions, cover_actions
from clients.models import READABLE_FOR, Cover, Episode
from sessions_app.records import erasure_actions
from tests import cast

pytestmark = pytest.mark.django_db
TODAY = timezone.localdate


def arrange(clinic, *episodes, colleague=None, first=0, last=7, by=None):
    return cover_actions.start(
        episodes=episodes or [clinic.olgas],
        colleague=colleague or clinic.carl,
        starts_on=TODAY() + timedelta(days=first),
        ends_on=TODAY() + timedelta(days=last),
        by=by or clinic.olga,
    )


def page(name, *args, query=""):
    return reverse(f"clients:{name}", args=args) + query


def test_a_therapist_lets_a_colleague_cover_named_clients(clinic, sign_in):
    second, third = (cast.episode(clinic.olga, label) for label in ("K-3", "K-4"))
    browser = sign_in(clinic.olga)
    assert "K-2" not in browser.get(page("arrange_cover")).text
    data = {
        "colleague": clinic.carl.pk,
        "starts_on": TODAY().isoformat(),
        "ends_on": (TODAY() + timedelta(days=7)).isoformat(),
        "episodes": [clinic.olgas.code, second.code],
    }
    assert browser.post(page("arrange_cover"), data).url == page("covers")
    seen = set(Episode.objects.own(clinic.carl).values_list("client__label", flat=True))
    assert seen == {"K-1", "K-3", "K-2"}
    assert third not in Episode.objects.visible_to(clinic.carl)
    listed = browser.get(page("covers")).text
    assert "Carl for Olga" in listed
    assert "K-3" in listed
    assert "Carl, " in browser.get(page("client", clinic.olgas.client.code)).text, "shown to the therapist"
    theirs = sign_in(clinic.carl).get(page("covers")).text
    assert "You cover" in theirs
    assert reverse("dashboard:client", args=[second.code]) in theirs


def test_it_is_in_the_log_with_its_days(clinic):
    (made,) = arrange(clinic)
    cover_actions.end(covers=[made], by=clinic.olga)
    said = [
        line.sentence
        for line in access_log.lines(AuditEvent.objects.filter(action__startswith="cover").order_by("pk"))
    ]
    first, last = made.starts_on, made.ends_on
    assert said == [
        f"Olga let Carl cover client K-1 from {first:%-d %B %Y} to {last:%-d %B %Y}",
        "Olga ended the cover of client K-1 by Carl",
    ]


@pytest.mark.parametrize(
    ("days", "said"),
    [
        ({"first": 3, "last": 2}, "cannot lie before its first"),
        ({"first": -9, "last": -1}, "These days are over"),
        ({"first": 0, "last": 200}, "half a year at most"),
        ({"first": 0, "last": 500}, "more than a year ahead"),
    ],
)
def test_days_that_nobody_means_are_refused(clinic, days, said):
    with pytest.raises(Refused, match=said):
        arrange(clinic, **days)
    assert not Cover.objects.exists()


def test_who_can_cover(clinic):
    for colleague, by, said in (
        (clinic.sina, clinic.olga, "not a therapist who may sign in"),
        (clinic.olga, clinic.adam, "who needs no cover"),
        (clinic.olga, clinic.olga, "Nobody opens a client to themselves"),
    ):
        with pytest.raises(Refused, match=said):
            arrange(clinic, colleague=colleague, by=by)
    arrange(clinic)
    with pytest.raises(Refused, match="Carl covers K-1 already from"):
        arrange(clinic, first=5, last=9)
    arrange(clinic, first=8, last=9)


def test_nobody_is_covered_where_no_client_is_chosen(clinic, sign_in):
    with pytest.raises(Refused, match="No client is chosen"):
        cover_actions.start(
            episodes=[], colleague=clinic.carl, starts_on=TODAY(), ends_on=TODAY(), by=clinic.olga
        )
    data = {"colleague": clinic.carl.pk, "starts_on": TODAY(), "ends_on": TODAY()}
    answer = sign_in(clinic.olga).post(page("arrange_cover"), data)
    assert (answer.status_code, "Choose at least one client." in answer.text) == (422, True)
    assert not Cover.objects.exists()


def test_a_last_day_before_the_first_is_said_at_its_field_and_what_was_typed_stays(clinic, sign_in):
    first, last = TODAY() + timedelta(days=9), TODAY() + timedelta(days=3)
    data = {"colleague": clinic.carl.pk, "starts_on": first, "ends_on": last, "episodes": [clinic.olgas.code]}
    answer = sign_in(clinic.olga).post(page("arrange_cover"), data)
    assert answer.status_code == 422
    assert answer.context["form"].errors == {"ends_on": ["This day lies before the first one."]}
    assert f'value="{last.isoformat()}"' in answer.text
    assert not Cover.objects.exists()


@pytest.mark.parametrize("how", ["closed", "transferred", "erased"])
def test_nobody_is_covered_where_one_of_the_clients_went_meanwhile(clinic, how):
    """Chosen on a page that was open when it happened: the whole arrangement waits for a second look."""
    stays, goes = clinic.olgas, cast.episode(clinic.olga, "K-3")
    if how == "closed":
        actions.close_episode(episode=goes, closed_on=TODAY(), ending="planned", by=clinic.olga)
    elif how == "transferred":
        cast.transfer(episode=goes, therapist=cast.person("Otto", Role.THERAPIST), on=TODAY(), by=clinic.adam)
    else:
        asked = erasure_actions.ask(client=goes.client, reason="asked", note="", by=clinic.adam)
        erasure_actions.confirm(erasure=asked, by=clinic.olga)
    with pytest.raises(Refused, match="closed, transferred or erased meanwhile"):
        arrange(clinic, stays, goes)
    assert not Cover.objects.exists()
    arrange(clinic, stays)


def test_an_administrator_covers_the_client_whose_page_they_come_from(clinic, sign_in):
    row = over(clinic, READABLE_FOR + timedelta(days=1))
    browser, address = sign_in(clinic.adam), page("arrange_cover", query=f"?episode={row.code}")
    assert [one.client.label for one in browser.get(address).context["episodes"]] == ["K-9"]
    data = {"colleague": clinic.olga.pk, "starts_on": TODAY(), "ends_on": TODAY(), "episodes": [row.code]}
    assert browser.post(address, data).url == page("covers")
    assert Cover.objects.get().episode == row
    assert browser.get(page("arrange_cover", query="?episode=nonsense")).status_code == 404


def test_a_therapist_opens_no_colleagues_client_by_naming_it_in_the_address(clinic, sign_in):
    address = page("arrange_cover", query=f"?episode={clinic.carls.code}")
    answer = sign_in(clinic.olga).get(address)
    assert [one.client.label for one in answer.context["episodes"]] == ["K-1"]
    assert "K-2" not in answer.text


def test_a_cover_is_ended_once_however_often_it_is_pressed(clinic):
    covers = arrange(clinic)
    assert [cover_actions.end(covers=covers, by=clinic.olga) for _ in range(2)] == [1, 0]
    assert AuditEvent.objects.filter(action=LogEvent.COVER_ENDED).count() == 1


def test_an_administrator_who_also_treats_opens_no_client_to_themself(clinic, sign_in):
    both = cast.person("Bea", Role.THERAPIST, Role.ADMINISTRATOR)
    browser = sign_in(both)
    answer = browser.post(
        page("arrange_cover", query=f"?therapist={clinic.olga.pk}"),
        {"colleague": both.pk, "starts_on": TODAY(), "ends_on": TODAY(), "episodes": [clinic.olgas.code]},
    )
    assert answer.status_code == 422
    assert not Episode.objects.visible_to(both).exists()


def test_a_foreign_client_cannot_be_named(clinic, sign_in):
    data = {"colleague": cast.person("Otto", Role.THERAPIST).pk, "starts_on": TODAY(), "ends_on": TODAY()}
    answer = sign_in(clinic.olga).post(page("arrange_cover"), {**data, "episodes": [clinic.carls.code]})
    assert answer.status_code == 422
    assert not Cover.objects.exists()
    by_office = sign_in(clinic.adam).post(
        page("arrange_cover", query=f"?therapist={clinic.carl.pk}"), {**data, "episodes": [clinic.carls.code]}
    )
    assert by_office.url == page("covers")


def test_is_ended_for_one_client_or_for_all_and_by_those_who_manage_them(clinic, sign_in):
    others = [cast.episode(clinic.olga, label) for label in ("K-3", "K-4")]
    first, *_ = arrange(clinic, clinic.olgas, *others)
    url = page("end_cover", first.code)
    assert sign_in(clinic.carl).post(url).status_code == 404
    browser = sign_in(clinic.olga)
    assert "for all 3" in browser.get(url).text
    browser.post(url, {"only": "1"})
    assert Cover.objects.today().count() == 2
    assert clinic.olgas not in Episode.objects.own(clinic.carl)
    last = Cover.objects.today().first()
    sign_in(clinic.adam).post(page("end_cover", last.code))
    assert not Cover.objects.today().exists()
    assert sign_in(clinic.olga).get(url).status_code == 404


@pytest.mark.parametrize("how", ["close", "transfer"])
def test_ends_with_the_episode(clinic, how):
    arrange(clinic)
    if how == "close":
        actions.close_episode(episode=clinic.olgas, closed_on=TODAY(), ending="planned", by=clinic.olga)
    else:
        otto = cast.person("Otto", Role.THERAPIST)
        cast.transfer(episode=clinic.olgas, therapist=otto, on=TODAY(), by=clinic.adam)
    assert clinic.olgas not in Episode.objects.visible_to(clinic.carl)
    if how == "close":
        actions.reopen_episode(episode=clinic.olgas, by=clinic.olga)
        assert clinic.olgas not in Episode.objects.visible_to(clinic.carl), "and does not come back with it"


def over(clinic, ago):
    row = cast.episode(clinic.olga, "K-9", opened_on=date(2020, 1, 1))
    Episode.objects.filter(pk=row.pk).update(closed_on=TODAY() - ago, ending="planned")
    row.refresh_from_db()
    return row


def test_a_course_that_ended_long_ago_is_opened_to_its_therapist_by_a_cover(clinic, sign_in):
    row = over(clinic, READABLE_FOR + timedelta(days=1))
    assert row not in Episode.objects.visible_to(clinic.olga)
    (made,) = arrange(clinic, row, colleague=clinic.olga, by=clinic.adam)
    assert row in Episode.objects.visible_to(clinic.olga)
    cover_actions.end(covers=[made], by=clinic.adam)
    data = {"colleague": clinic.olga.pk, "starts_on": TODAY(), "ends_on": TODAY(), "episodes": [row.code]}
    url = reverse("caseload:let_read", args=[row.code])
    assert sign_in(clinic.stefan).post(url, data).status_code == 404
    assert sign_in(clinic.sina).post(url, data).url == reverse("caseload:client", args=[row.code])
    assert row in Episode.objects.visible_to(clinic.olga)


def test_thirty_clients_cost_no_more_queries_than_three(clinic, sign_in):
    browser, counts = sign_in(clinic.olga), []
    for prefix, many in (("W", 1), ("X", 3), ("Y", 30)):
        Cover.objects.all().delete()
        arrange(clinic, *(cast.episode(clinic.olga, f"{prefix}-{n}") for n in range(many)))
        with CaptureQueriesContext(connection) as found:
            assert browser.get(page("covers")).text.count("/clients/") > many
        counts.append(len(found))
    assert counts[1] == counts[2]
