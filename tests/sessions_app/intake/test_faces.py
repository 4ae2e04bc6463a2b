"""A child's form: faces at both ends of every line, wherever the line is drawn, and on no other form."""

import re

import pytest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags

from alliance.measurement import instruments
from sessions_app.conversations import together
from sessions_app.courses.grants import RatingGrant
from sessions_app.courses.models import Rating
from sessions_app.instruments.lines import lines_to_read
from sessions_app.intake.rate_forms import lines_of
from sessions_app.intake.session_forms import PaperRatingForm
from tests import cast
from tests.sessions_app.intake.rate_form import FORM, marks

pytestmark = pytest.mark.django_db
CHILD = "child-session-rating"
FACES = ("Sad face", "Glad face")


@pytest.fixture
def of_a_child(clinic):
    """The clinic gives the form for children; before any form is handed over."""
    cast.choose(clinic.adam, instrument=CHILD)


def faces(text):
    return tuple(text.count(f'aria-label="{face}"') for face in FACES)


def test_each_line_has_one_at_each_end_of_the_line_of_the_numbers_and_of_the_review(
    of_a_child, grant, client
):
    form = client.get(FORM).text
    assert faces(form) == (12, 12)
    assert form.index("Sad face") < form.index("Glad face")
    assert instruments.get(CHILD).wordings["en"].items["goals"].question in form
    review = client.post(FORM, marks(step="review")).text
    assert faces(review) == (4, 4)


def test_their_names_are_in_the_language_of_the_form(of_a_child, grant, client):
    RatingGrant.objects.update(language="ar")
    form = client.get(FORM).text
    assert form.count('aria-label="وجه حزين"') == form.count('aria-label="وجه سعيد"') == 12
    assert faces(form) == (0, 0)


# "Sie" alone is also "they", of marks.
FORMAL = re.compile(
    r"\b(Ihre?[nmrs]?\b|Ihnen\b|Sie (können|haben|möchten)|(Sehen|Tippen|Drücken|geben|lassen) Sie)"
)


def test_a_child_who_reads_german_is_not_addressed_as_an_adult(of_a_child, grant, client):
    RatingGrant.objects.update(language="de")
    pages = [client.get(FORM), client.get("/rate/help/"), client.post(FORM, marks(step="review"))]
    pages += [
        client.post(FORM, {**marks(step="review"), "relationship": "x"}),
        client.post(FORM, {"step": "?"}),
    ]
    client.post(FORM, marks(step="hand-in"))
    pages.append(client.get("/rate/done/"))
    for page in pages:
        assert '<html lang="de"' in page.text
        said = strip_tags(page.text)
        found = FORMAL.search(said)
        assert not found, said[found.start() - 60 : found.end() + 60]
    assert "Möchtest du noch etwas sagen?" in pages[0].text
    assert "Danke. Bitte gib das Tablet zurück." in pages[-1].text


def test_control_an_adult_who_reads_german_is(grant, client):
    RatingGrant.objects.update(language="de")
    form = client.get(FORM).text
    assert "Möchten Sie noch etwas sagen?" in form
    assert FORMAL.search(strip_tags(form))


def test_a_child_who_changes_the_language_is_spoken_to_as_a_child_in_the_new_one(of_a_child, grant, client):
    page = client.post(FORM, {"language": "fr"})
    assert '<html lang="fr"' in page.text
    assert "Veux-tu ajouter quelque chose" in page.text
    assert "Veux-tu ajouter quelque chose" in client.get(FORM).text


def test_control_a_form_for_adults_has_none(grant, client):
    form = client.get(FORM).text
    assert faces(form) == (0, 0)
    assert "drawn--faces" not in form


@pytest.mark.parametrize("form", ["child-session-rating", "life-lines", "caregiver-session-rating"])
def test_every_form_of_four_lines_can_be_drawn(form):
    instrument = instruments.get(form)
    for language, wording in instrument.wordings.items():
        drawn = "".join(
            render_to_string("rate/_line.html", {"line": line}) for line in lines_to_read(instrument, wording)
        )
        assert faces(drawn) == ((8, 8) if instrument.format == "faces" else (0, 0))
        assert all(line.question in drawn for line in wording.items.values()), language


def test_the_marks_are_a_rating_on_a_series_of_its_own(of_a_child, grant, client, clinic):
    client.post(FORM, marks())
    rating = Rating.objects.get()
    assert (rating.instrument, rating.total) == (CHILD, 346)
    adult = cast.choose(clinic.adam) and cast.rating(cast.therapy_session(clinic.olgas), 380)
    assert rating.series != adult.series
    assert all(line.faces for line in lines_of(rating))
    assert not any(line.faces for line in lines_of(adult))


def test_what_is_looked_at_together_is_in_the_words_and_with_the_faces_of_the_child(
    of_a_child, grant, client, clinic, sign_in
):
    client.post(FORM, marks())
    page = sign_in(clinic.olga).get(reverse("together:show", args=[clinic.olgas.code]), {"chosen": "1"})
    assert "How did you and your therapist get on?" in page.text
    assert faces(page.text) == (4, 4)


def test_control_without_a_rating_the_words_are_those_of_the_session_rating(clinic):
    assert together._wording([]).title == "How was this session?"


def test_who_enters_it_from_paper_reads_which_end_is_which(of_a_child, clinic, sign_in):
    form = PaperRatingForm(instrument=instruments.get(CHILD))
    assert form.fields["overall"].help_text == (
        "All in all, how was your time here? 0 is at the sad face, 10 at the glad one."
    )
    assert (
        "face"
        not in PaperRatingForm(instrument=instruments.get("session-rating")).fields["overall"].help_text
    )
    session = cast.therapy_session(clinic.olgas, held_at=timezone.now())
    page = sign_in(clinic.olga).get(reverse("dashboard:enter_rating", args=[session.code]))
    assert "10 at the glad one" in page.text
    assert "Points from 0 to 10, with one decimal at most." in page.text
