"""The supervisor's page: who sees whom on it, what it says, what is written to the log."""

from itertools import pairwise

import pytest
from django.urls import reverse

from alliance.models import AuditEvent, User
from clients.models import Client, Supervision
from sessions_app.courses.models import Mode
from sessions_app.intake import hand_over_actions
from sessions_app.intake.record_rating import record_rating
from tests import cast
from tests.sessions_app.caseloads import DAY, NOW, fallen, labels, read, talk

pytestmark = pytest.mark.usefixtures("today", "former_list")

# --- Who sees whom ---------------------------------------------------------------------------------------


def test_a_supervisor_sees_their_supervisees_clients_and_nobody_elses(clinic, overview):
    fallen(clinic.olgas)
    fallen(clinic.carls)
    assert b"K-1" in overview(clinic.sina).content
    assert b"K-2" not in overview(clinic.sina).content
    assert b"K-2" in overview(clinic.stefan).content
    assert b"K-1" not in overview(clinic.stefan).content


def test_the_end_of_a_supervision_ends_the_sight_of_it(clinic, overview):
    fallen(clinic.olgas)
    supervision = Supervision.objects.get(supervisor=clinic.sina)
    supervision.ends_on = NOW.date()  # the last day counts
    supervision.save()
    assert b"K-1" in overview(clinic.sina).content
    supervision.ends_on = NOW.date() - DAY
    supervision.save()
    gone = overview(clinic.sina)
    assert b"K-1" not in gone.content
    assert b"Olga" not in gone.content
    assert b"An administrator can assign" in gone.content


def test_a_supervision_that_starts_tomorrow_shows_nothing_yet(clinic):
    Supervision.objects.filter(supervisor=clinic.sina).update(starts_on=NOW.date() + DAY)
    assert (read(clinic).supervisees, read(clinic).clients) == ((), 0)


@pytest.mark.parametrize("who", ["olga", "adam", "strange"])
def test_others_may_not_open_the_page(clinic, overview, who):
    assert overview(getattr(clinic, who)).status_code == 403
    assert not AuditEvent.objects.filter(action="viewed caseload").exists()


def test_a_supervisor_who_treats_clients_does_not_find_them_here(clinic):
    User.objects.filter(pk=clinic.sina.pk).update(is_therapist=True)
    clinic.sina.refresh_from_db()
    fallen(cast.episode(clinic.sina, "K-own"))
    shown = read(clinic)
    assert (shown.clients, [row.name for row in shown.measures]) == (1, ["Olga"])
    assert labels(shown.others) == ["K-1"]


def test_the_page_can_show_one_supervisee(clinic, overview):
    Supervision.objects.create(supervisor=clinic.sina, therapist=clinic.carl, starts_on=cast.STARTED)
    shown = read(clinic, therapist=str(clinic.carl.pk))
    assert (shown.chosen, labels(shown.others), [row.name for row in shown.measures]) == (
        clinic.carl,
        ["K-2"],
        ["Carl"],
    )
    assert len(shown.supervisees) == 2
    assert b"Caseload of Carl" in overview(clinic.sina, therapist=str(clinic.carl.pk)).content


@pytest.mark.parametrize("text", [None, "", "1", "Carl", "' or 1=1", "not-a-uuid\x00"])
def test_a_malformed_choice_is_ignored(clinic, overview, text):
    assert read(clinic, therapist=text).chosen is None
    assert overview(clinic.sina, therapist=text or "").status_code == 200


def test_somebody_elses_supervisee_cannot_be_chosen(clinic):
    shown = read(clinic, therapist=str(clinic.carl.pk))
    assert (shown.chosen, labels(shown.others)) == (None, ["K-1"])


# --- The page --------------------------------------------------------------------------------------------


def test_the_page_says_why_since_when_and_what_was_agreed(clinic, overview):
    fallen(clinic.olgas)
    html = overview(clinic.sina).content.decode()
    for words in (
        "Needs a talk",
        "Sudden fall",
        "waiting since session 3, 12 days",
        "5.0 points lower than the rating before.",
        "nothing agreed yet",
        'class="sparkline"',
        reverse("caseload:client", args=[clinic.olgas.code]),
        "not for pay, discipline or comparing people",
    ):
        assert words in html


def test_every_part_of_the_page_renders(clinic, overview):
    talk(fallen(clinic.olgas)[-1], by=clinic.olga)
    cast.therapy_session(cast.episode(clinic.olga, "K-gap"), ago=2 * DAY)
    cast.episode(clinic.olga, "K-other")
    html = overview(clinic.sina).content.decode()
    assert "Nobody is waiting for a talk." in html
    parts = ["Talked about, waiting", "K-1", "Ratings missing", "K-gap", "Everyone else (1)", "K-other"]
    assert all(one < after for one, after in pairwise(html.index(part) for part in parts))


@pytest.mark.parametrize("share", [False, True])
def test_clients_words_appear_only_where_the_client_ticked_it(clinic, overview, share):
    session = cast.therapy_session(clinic.olgas)
    grant, _ = hand_over_actions.hand_over(session=session, by=clinic.olga)
    record_rating(
        grant=grant, answers=cast.answers(340), mode=Mode.LINE, comment="We spoke of X.", share_comment=share
    )
    assert (b"We spoke of X." in overview(clinic.sina).content) is share
    talk(session, by=clinic.olga)
    assert b"It was too much." not in overview(clinic.sina).content


def test_each_view_is_written_to_the_log_once(clinic, overview):
    overview(clinic.sina)
    overview(clinic.sina, therapist=str(clinic.olga.pk))
    events = AuditEvent.objects.filter(action="viewed caseload")
    assert {(one.actor, one.entity, one.entity_code, one.client) for one in events} == {
        (clinic.sina.pk, "user", clinic.sina.pk, None)
    }
    assert events.count() == 2


def test_a_label_is_escaped(clinic, overview):
    Client.objects.filter(label="K-1").update(label="<b>K</b>")
    assert b"&lt;b&gt;K&lt;/b&gt;" in overview(clinic.sina).content
