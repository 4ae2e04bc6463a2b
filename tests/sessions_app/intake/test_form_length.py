"""How long a form takes, as the page that a link opens says it: from the definition, and nothing else of the form."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from alliance.measurement import instruments
from sessions_app.intake import form_length, form_sets
from sessions_app.intake.form_sets import ToFillIn
from tests import cast

GO = reverse("go:start")
RATING, LIFE = (instruments.get(one) for one in ("session-rating", "life-lines"))


def test_a_session_rating_alone_says_nothing_in_its_link():
    assert form_length.address_part([RATING]) == ""
    assert form_length.address_part([instruments.get("child-session-rating")]) == ""


def test_other_forms_say_their_minutes_together():
    wai = instruments.get("wai")
    assert form_length.address_part([LIFE]) == "?minutes=1"
    assert form_length.address_part([LIFE, RATING, wai]) == f"?minutes={2 + wai.minutes}"


@pytest.mark.django_db
def test_the_link_to_several_forms_says_how_long_they_take_together(clinic):
    link = cast.link(cast.therapy_session(clinic.olgas), by=clinic.olga)
    assert form_length.of_link(link.grant) == ""
    form_sets.add_to_set(link.grant, [ToFillIn(LIFE)], clinic.olga)
    assert form_length.of_link(link.grant) == "?minutes=2"


@pytest.mark.parametrize(
    ("said", "sentence"),
    [("", "Four lines, about one minute."), ("1", "About one minute."), ("12", "About 12 minutes."),
     *[(nonsense, "Four lines, about one minute.") for nonsense in ("0", "100", "-3", "٤", "4<b>", "x" * 999)]],
)  # fmt: skip
@pytest.mark.django_db
def test_the_page_says_what_the_link_says_and_no_nonsense(said, sentence):
    page = Client().get(GO, {"minutes": said} if said else {})
    assert page.status_code == 200
    assert f"<p>{sentence}</p>" in page.text


@pytest.mark.django_db
def test_in_arabic_the_number_is_written_as_arabic_writes_it():
    assert (
        "<p>المدة بالدقائق: نحو ١٢.</p>" in Client(HTTP_ACCEPT_LANGUAGE="ar").get(GO, {"minutes": "12"}).text
    )


def test_the_sentence_of_the_session_rating_is_true_of_its_definition():
    with translation.override("en"):
        assert form_length.sentence("") == "Four lines, about one minute."
    assert (len(RATING.items), RATING.minutes) == (4, 1)
