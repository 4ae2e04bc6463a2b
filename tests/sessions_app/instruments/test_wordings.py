"""Wording as data: what a client is given, in which words, and what a rating keeps of it."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from alliance.measurement import instruments
from alliance.models import AuditEvent
from alliance.refused import Refused
from clients import access_log
from sessions_app.courses import wordings
from sessions_app.courses.grants import Channel, RatingGrant
from sessions_app.courses.models import Mode, Rating, SetAsideRating
from sessions_app.instruments import actions, offers
from sessions_app.instruments.clinic_settings import ClinicSettings, Closing
from sessions_app.instruments.clinic_wording import ClinicWording, Licence
from sessions_app.intake import hand_over_actions, sending_actions
from sessions_app.intake.paper_entry import enter_rating
from sessions_app.intake.record_rating import NotStored, record_rating
from sessions_app.rulebook import settings_actions
from tests import cast
from tests.sessions_app.intake.rate_form import FORM, marks, put_lock

pytestmark = pytest.mark.django_db
SRS = instruments.get("srs")
QUESTION = "Invented question about goals"


def today():
    return timezone.localdate()


@pytest.fixture
def session(clinic):
    return cast.therapy_session(clinic.olgas)


@pytest.fixture
def srs(clinic):
    """The clinic uses the SRS, licensed and switched on in English and German."""
    cast.choose(clinic.adam, instrument="srs")
    cast.wording(clinic.adam, language="de", title="Auf Deutsch")
    return cast.wording(clinic.adam)


def reads(client, session):
    grant, token = hand_over_actions.hand_over(session=session, by=session.episode.therapist)
    put_lock(client, token)
    return grant, client.get(FORM).content.decode()


class TestWhatIsGiven:
    def test_our_own_form_unless_the_clinic_chose_another(self, clinic, client, session):
        cast.wording(clinic.adam)
        grant, page = reads(client, session)
        assert (grant.instrument, grant.wording) == ("session-rating", None)
        assert QUESTION not in page

    def test_the_clinics_wording_once_it_is_licensed_switched_on_and_chosen(self, client, session, srs):
        grant, page = reads(client, session)
        assert (grant.instrument, grant.instrument_version, grant.wording) == ("srs", "1", srs)
        assert QUESTION in page

    @pytest.mark.parametrize(
        ("spoken", "read"), [("de", "de"), ("en", "en"), ("fr", "en"), ("de-CH", "de"), ("xx", "en")]
    )
    def test_the_clients_language_where_there_is_one(self, session, srs, spoken, read):
        assert offers.offer(SRS, spoken, today()).language == read

    def test_a_language_that_is_there_where_even_english_is_not(self, clinic):
        cast.wording(clinic.adam, language="ar")
        assert offers.offer(SRS, "de", today()).language == "ar"

    def test_every_channel_asks_the_same_question(self, clinic, session, srs):
        link = sending_actions.make_link(episode=clinic.olgas, session=session, by=clinic.olga)
        assert link.grant.wording == srs

    def test_another_language_is_another_wording_of_the_same_edition(self, client, session, srs):
        _, page = reads(client, session)
        assert ['value="de"' in page, 'value="fr"' in page] == [True, False]
        client.post(FORM, {"language": "de", "mode": "number"})
        client.post(FORM, marks())
        rating = Rating.objects.get()
        assert (rating.language, rating.wording.language, rating.wording.edition) == ("de", "de", "2026")
        assert rating.series == "srs/1/2026"

    def test_a_delivery_that_names_its_language_keeps_what_was_read_in_it(self, session, srs):
        grant, _ = hand_over_actions.hand_over(session=session, by=session.episode.therapist)
        rating = record_rating(grant=grant, answers=cast.answers(), mode=Mode.LINE, language="de")
        assert rating.wording.language == "de"

    def test_a_rating_of_an_earlier_version_of_a_form_says_which(self, session, monkeypatch):
        rating, get = cast.rating(session), instruments.get
        assert wordings.name_of(rating) == "Session rating"
        newer = replace(get("session-rating"), version="3")
        monkeypatch.setattr(
            instruments, "get", lambda name, version=None: get(name, version) if version else newer
        )
        assert wordings.name_of(rating) == "Session rating, version 2"


class TestWhatStandsInTheWay:
    def refusal(self, session):
        with pytest.raises(Refused) as caught:
            hand_over_actions.hand_over(session=session, by=session.episode.therapist)
        assert not RatingGrant.objects.exists()
        return str(caught.value)

    def test_no_licence(self, clinic, session):
        cast.choose(clinic.adam, instrument="srs")
        assert self.refusal(session) == (
            "No licence to use SRS on screens is on record. "
            "Enter the marks from paper, or ask your administrator."
        )

    def test_a_licence_for_paper_only(self, clinic, session):
        cast.choose(clinic.adam, instrument="srs")
        cast.licence(clinic.adam, medium="paper")
        assert "on screens" in self.refusal(session)

    def test_a_licence_for_another_instrument(self, clinic, session):
        cast.choose(clinic.adam, instrument="srs")
        cast.licence(clinic.adam, instrument="group-srs")
        assert "on screens" in self.refusal(session)

    def test_no_wording(self, clinic, session):
        cast.choose(clinic.adam, instrument="srs")
        cast.licence(clinic.adam)
        cast.wording(clinic.adam, on=False)
        assert self.refusal(session).startswith("No wording of SRS is switched on.")

    def test_faces(self, clinic, session):
        cast.choose(clinic.adam, instrument="child-srs")
        cast.licence(clinic.adam, instrument="child-srs")
        assert "faces" in self.refusal(session)

    @pytest.mark.parametrize(("days", "given"), [(0, True), (-1, False), (1, True)])
    def test_a_licence_holds_to_and_including_its_last_day(self, clinic, session, srs, days, given):
        licence = Licence.objects.get()
        last_day = today() + timedelta(days=days)
        assert Licence.objects.standing(today()).exists()
        actions.end_licence(licence=licence, by=clinic.adam)
        Licence.objects.create(
            instrument="srs",
            holder="x",
            kind="x",
            medium="electronic",
            valid_to=last_day,
            accepted_by=clinic.adam,
        )
        if given:
            assert hand_over_actions.hand_over(session=session, by=clinic.olga)
        else:
            day = f"{last_day.day} {last_day:%B %Y}"
            assert self.refusal(session).startswith(f"The licence for SRS ended on {day}.")

    def test_what_was_handed_over_before_is_still_shown_and_taken(self, clinic, client, session, srs):
        reads(client, session)
        actions.end_licence(licence=Licence.objects.get(), by=clinic.adam)
        for one in ClinicWording.objects.all():
            actions.switch_off(wording=one, by=clinic.adam)
        cast.choose(clinic.adam)
        assert QUESTION in client.get(FORM).content.decode()
        client.post(FORM, marks())
        assert Rating.objects.get().wording == srs

    def test_the_page_says_so_and_offers_paper(self, clinic, session, sign_in):
        cast.choose(clinic.adam, instrument="srs")
        page = sign_in(clinic.olga).get(reverse("dashboard:hand_over", args=[clinic.olgas.code]))
        said = page.content.decode()
        assert "No licence to use SRS on screens is on record." in said
        assert "Send to the phone" not in said
        assert reverse("dashboard:on_paper", args=[clinic.olgas.code]) in said

    def test_the_page_of_a_form_that_can_be_given_names_edition_and_language(
        self, clinic, session, srs, sign_in
    ):
        page = sign_in(clinic.olga).get(reverse("dashboard:hand_over", args=[clinic.olgas.code]))
        assert "SRS, edition 2026, English" in page.content.decode()

    @pytest.mark.parametrize(
        ("instrument", "age_band", "warned"),
        [
            ("srs", "child", True),
            ("srs", "adult", False),
            ("child-srs", "child", False),
            ("child-srs", "adult", True),
        ],
    )
    def test_who_the_form_is_made_for_is_said(self, clinic, sign_in, instrument, age_band, warned):
        cast.choose(clinic.adam, instrument=instrument)
        type(clinic.olgas.client).objects.update(age_band=age_band)
        page = sign_in(clinic.olga).get(reverse("dashboard:hand_over", args=[clinic.olgas.code]))
        assert ("read the marks with care" in page.content.decode()) is warned


class TestPaper:
    def test_without_a_licence_marks_are_entered_and_none_of_its_words_is_shown(
        self, clinic, session, sign_in
    ):
        cast.choose(clinic.adam, instrument="srs")
        browser = sign_in(clinic.olga)
        address = reverse("dashboard:enter_rating", args=[session.code])
        assert "Goals and topics" in browser.get(address).content.decode()
        browser.post(address, {"channel": "paper", "relationship": "9.5", "goals": "8"})
        rating = Rating.objects.get()
        assert (rating.instrument, rating.wording, rating.series) == ("srs", None, "srs/1/")

    def test_is_of_the_edition_that_is_switched_on_also_when_the_licence_has_run_out(
        self, clinic, session, srs
    ):
        actions.end_licence(licence=Licence.objects.get(), by=clinic.adam)
        rating = enter_rating(session=session, answers=cast.answers(), channel=Channel.PAPER, by=clinic.olga)
        assert rating.series == "srs/1/2026"

    def test_the_page_says_which_edition_that_is(self, clinic, session, srs, sign_in):
        page = sign_in(clinic.olga).get(reverse("dashboard:enter_rating", args=[session.code]))
        assert "SRS, edition 2026" in page.content.decode()
        assert QUESTION not in page.content.decode()


class TestOneAllianceRatingASession:
    def test_a_second_of_another_instrument_is_refused_in_a_sentence(self, clinic, session, srs):
        cast.rating(session)
        cast.choose(clinic.adam)
        with pytest.raises(Refused, match="has its rating already"):
            hand_over_actions.hand_over(session=session, by=clinic.olga)
        with pytest.raises(Refused, match="has its rating already"):
            enter_rating(session=session, answers=cast.answers(), channel=Channel.PAPER, by=clinic.olga)

    def test_a_form_of_the_other_instrument_that_is_out_is_taken_back(self, clinic, session, srs):
        before, _ = hand_over_actions.hand_over(session=session, by=clinic.olga)
        cast.choose(clinic.adam)
        hand_over_actions.hand_over(session=session, by=clinic.olga)
        before.refresh_from_db()
        assert before.withdrawn_at is not None

    def test_marks_on_their_way_are_kept_aside_and_nothing_is_doubled(self, clinic, session, srs):
        grant, _ = hand_over_actions.hand_over(session=session, by=clinic.olga)
        cast.choose(clinic.adam)
        enter_rating(session=session, answers=cast.answers(400), channel=Channel.PAPER, by=clinic.olga)
        # As one of before, when a rating from paper left a form out.
        RatingGrant.objects.filter(pk=grant.pk).update(withdrawn_at=None, withdrawn_by=None)
        with pytest.raises(NotStored) as kept:
            record_rating(grant=grant, answers=cast.answers(300), mode=Mode.LINE)
        assert kept.value.reason == SetAsideRating.Reason.DISPUTED
        assert (Rating.objects.count(), SetAsideRating.objects.count()) == (1, 1)

    def test_the_database_has_the_last_word(self, clinic, session, srs):
        rating = cast.rating(session)
        other, _ = hand_over_actions.hand_over(session=cast.therapy_session(clinic.olgas), by=clinic.olga)
        fields = {"mode": "line", "answers": rating.answers, "sha256": "x", "language": "en"}
        with pytest.raises(IntegrityError), transaction.atomic():
            Rating.objects.create(
                grant=other, session=session, instrument="session-rating", instrument_version="1", **fields
            )


class TestSwitching:
    def on(self):
        rows = ClinicWording.objects.switched_on().order_by("edition", "language")
        return list(rows.values_list("edition", "language"))

    def test_a_loaded_wording_is_off_and_needs_a_licence_for_screens(self, clinic):
        loaded = cast.wording(clinic.adam, on=False)
        assert not loaded.is_on
        cast.licence(clinic.adam, medium="paper")
        with pytest.raises(Refused, match="Record a licence"):
            actions.switch_on(wording=loaded, by=clinic.adam)

    def test_one_edition_at_a_time_in_as_many_languages_as_there_are(self, clinic):
        for language in ("en", "de"):
            cast.wording(clinic.adam, edition="2024", language=language)
        assert self.on() == [("2024", "de"), ("2024", "en")]
        cast.wording(clinic.adam, edition="2026", language="en")
        assert self.on() == [("2026", "en")]

    def test_another_instrument_is_left_alone(self, clinic):
        cast.wording(clinic.adam)
        cast.licence(clinic.adam, instrument="group-srs")
        cast.wording(clinic.adam, instrument="group-srs", edition="1")
        assert self.on() == [("1", "en"), ("2026", "en")]

    def test_off_and_on_again_and_twice_the_same(self, clinic):
        loaded = cast.wording(clinic.adam)
        for _ in range(2):
            actions.switch_off(wording=loaded, by=clinic.adam)
        assert self.on() == []
        for _ in range(2):
            actions.switch_on(wording=loaded, by=clinic.adam)
        assert self.on() == [("2026", "en")]
        events = AuditEvent.objects.filter(action__startswith="wording switched").order_by("pk")
        assert [event.action[-3:].strip() for event in events] == ["on", "off", "on"]

    @pytest.mark.parametrize("title", ["Invented title", "Another title"])
    def test_one_text_an_edition_and_language(self, clinic, title):
        cast.wording(clinic.adam, on=False)
        with pytest.raises(Refused, match="is loaded in this language already"):
            cast.wording(clinic.adam, on=False, title=title)
        with pytest.raises(Refused, match="is loaded"):
            cast.wording(clinic.adam, on=False, edition="2026-B") and cast.wording(
                clinic.adam, on=False, edition="2026-b"
            )


@pytest.mark.usefixtures("as_owner")  # the site's role is refused before a trigger speaks
class TestTheDatabase:
    @pytest.mark.parametrize(
        "change",
        [
            lambda clinic: ClinicWording.objects.update(title="Another"),
            lambda clinic: ClinicWording.objects.update(items={}),
            lambda clinic: ClinicWording.objects.update(edition="1"),
            lambda clinic: ClinicWording.objects.all().delete(),
            lambda clinic: Licence.objects.update(valid_to=date(2030, 1, 1)),
            lambda clinic: Licence.objects.update(medium="electronic"),
            lambda clinic: Licence.objects.all().delete(),
            lambda clinic: ClinicSettings.objects.update(closing="marks"),
            lambda clinic: ClinicSettings.objects.all().delete(),
        ],
    )
    def test_refuses_to_change_what_was_loaded_accepted_or_chosen(self, clinic, srs, change):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            change(clinic)

    def test_still_refuses_to_change_a_rating(self, clinic, session, srs):
        cast.rating(session)
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            Rating.objects.update(wording=None)

    @pytest.mark.parametrize("name", ["switched_on_at", "switched_on_by"])
    def test_wants_both_or_neither_of_when_and_by_whom(self, srs, name):
        with pytest.raises(IntegrityError), transaction.atomic():
            ClinicWording.objects.update(**{name: None})

    def test_wants_one_wording_on_for_a_language(self, clinic, srs):
        other = cast.wording(clinic.adam, on=False, edition="2027")
        with pytest.raises(IntegrityError), transaction.atomic():
            ClinicWording.objects.filter(pk=other.pk).update(
                switched_on_at=timezone.now(), switched_on_by=clinic.adam
            )


class TestSettings:
    def test_are_the_defaults_until_somebody_chooses(self):
        now = ClinicSettings.objects.in_force()
        assert (now.version, now.instrument, now.closing) == (0, "session-rating", Closing.THANKS)

    def test_each_change_is_a_version_and_the_same_again_is_none(self, clinic):
        cast.choose(clinic.adam, closing="marks")
        cast.choose(clinic.adam, closing="marks")
        cast.choose(clinic.adam, instrument="srs", closing="marks")
        versions = ClinicSettings.objects.order_by("version").values_list("version", "instrument", "closing")
        assert list(versions) == [(1, "session-rating", "marks"), (2, "srs", "marks")]

    def test_whoever_is_overtaken_again_and_again_is_told(self, clinic, monkeypatch):
        stale = ClinicSettings.objects.in_force()
        cast.choose(clinic.adam, closing="marks")
        monkeypatch.setattr(type(ClinicSettings.objects), "in_force", lambda _: stale, raising=False)
        with pytest.raises(Refused, match="just now"):
            settings_actions.change_settings(instrument="srs", closing="thanks", by=clinic.adam)
        assert ClinicSettings.objects.count() == 1


def test_the_log_tells_each_of_it_in_words(clinic, srs):
    actions.switch_off(wording=srs, by=clinic.adam)
    actions.end_licence(licence=Licence.objects.get(), by=clinic.adam)
    events = AuditEvent.objects.filter(entity__in=("clinicwording", "licence", "clinicsettings")).order_by(
        "pk"
    )
    assert [line.sentence for line in access_log.lines(events)] == [
        "Adam saved version 1 of the settings: SRS, only thanks at the end",
        "Adam loaded a wording of SRS, German, edition 2026",
        "Adam recorded a licence for SRS",
        "Adam switched on the wording of SRS, German, edition 2026",
        "Adam loaded a wording of SRS, English, edition 2026",
        "Adam switched on the wording of SRS, English, edition 2026",
        "Adam switched off the wording of SRS, English, edition 2026",
        "Adam ended a licence for SRS",
    ]


def test_what_was_shipped_once_stays_readable():
    """Ratings name instrument and version: a definition that was released is never taken away or renamed."""
    released = {(one, "1") for one in ("session-rating", "srs", "group-srs", "child-srs", "group-child-srs")}
    released.add(("session-rating", "2"))
    assert released <= {(one.id, one.version) for one in instruments.all_instruments()}


def test_a_language_of_nobody_is_no_wording_of_the_edition(clinic, session, srs):
    grant, _ = hand_over_actions.hand_over(session=session, by=clinic.olga)
    assert wordings.translated(grant, "fr") == srs
    assert wordings.languages_of(grant) == ["en", "de"]
