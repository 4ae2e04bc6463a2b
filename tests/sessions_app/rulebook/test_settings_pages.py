"""The administrator's pages about the flag rules: filled in, looked at, saved, and read later."""

import html
import re
from datetime import timedelta

import pytest
from django.urls import reverse

from alliance.models import AuditEvent
from sessions_app.flags.models import Flag
from sessions_app.flags.recomputations import Recomputation
from sessions_app.groups import group_actions
from sessions_app.instruments import rule_settings
from sessions_app.instruments.clinic_settings import ClinicSettings
from tests import cast
from tests.opened import opened

pytestmark = pytest.mark.django_db
SETTINGS, RULES, EFFECT, SIMULATED, RUN, VERSIONS = (
    reverse(f"settings:{name}")
    for name in ("change", "rules", "effect", "simulated", "recomputation", "versions")
)
SHIPPED = {
    "cutoff": "36.0",
    "cutoff_operator": "<",
    "badge_fall": "2.0",
    "item_cutoff": "9.0",
    "sudden_fall": "4.0",
    "decline_fall": "2.0",
    "own_range_minimum": "4",
    "own_range_window": "8",
    "s0": "2.0",
    "nu0": "4",
    "flat_top": "39.8",
    "flat_top_sessions": "4",
    "missing_flag": "2",
    "missing_of": "3",
    "calls_from_fall": "6.0",
    "hold_within": "4.0",
    "lasting_fall": "1.0",
    "lasting_limit": "0.60",
    "quiet_rise": "4.0",
    "recovered_within": "1.0",
    **{f"rule_{letter}": "on" for letter in "ABCDEFGJL"},
}


@pytest.fixture
def adam(clinic, sign_in):
    browser = sign_in(clinic.adam)
    browser.post(reverse("account_reauthenticate"), {"password": cast.PASSWORD})
    return browser


def typed(step="preview", **changed):
    whole = {**SHIPPED, "step": step, **changed}
    return {name: value for name, value in whole.items() if value is not None}


def sent(adam, step="preview", address=RULES, **changed):
    """The page as it is drawn now, filled in."""
    return opened(adam, address, **typed(step, **changed))


def said(response):
    return " ".join(response.content.decode().split())


class TestFillingIn:
    def test_shows_points_with_one_decimal_and_what_is_shipped(self, adam, clinic):
        cast.choose_rules(clinic.adam, cutoff=345)
        page = said(adam.get(RULES))
        assert 'name="cutoff" value="34.5"' in page
        assert "As shipped: 36.0." in page
        for rule in ("Below cutoff", "Low line", "Lasting fall", "Repair"):
            assert f"<h2>{rule}</h2>" in page

    @pytest.mark.parametrize(
        ("changed", "sentence"),
        [
            ({"cutoff": "thirty"}, "Please give a number from 0 to 40."),
            ({"cutoff": "34.55"}, "at most one decimal"),
            ({"cutoff": "40.1"}, "from 0 to 40"),
            ({"cutoff": "-1"}, "Please give a number from 0 to 40."),
            ({"cutoff": ""}, "Give a figure, or switch the rule off."),
            ({"item_cutoff": "11"}, "from 0 to 10"),
            ({"sudden_fall": ""}, "This field is required."),
            ({"sudden_fall": "0"}, "from 0.1 to 40"),
            ({"nu0": "0"}, "greater than or equal to 1"),
            ({"nu0": "4.5"}, "Enter a whole number."),
            ({"own_range_minimum": "9"}, "More are needed than are remembered."),
            ({"missing_flag": "4"}, "More are needed than are looked at."),
            ({"lasting_limit": "6"}, "less than or equal to 5"),
            ({"cutoff_operator": ">"}, "Select a valid choice."),
        ],
    )
    def test_what_makes_no_sense_is_said_and_everything_typed_stays(self, adam, changed, sentence):
        for step in ("preview", "save"):
            answer = adam.post(RULES, sent(adam, step, **{"decline_fall": "2.7", "rule_F": None, **changed}))
            page = said(answer)
            assert answer.status_code == 422
            assert sentence in page
            assert 'name="decline_fall" value="2.7"' in page
            assert 'name="rule_F" id="id_rule_F">' in page.replace(' aria-invalid="true"', "")
        assert not ClinicSettings.objects.exists()

    def test_commas_and_other_digits_are_numbers_too(self, adam):
        adam.post(RULES, sent(adam, "save", cutoff="34,5"))
        assert ClinicSettings.objects.get().rules == {"session-rating": {"": {"cutoff": 345}}}

    def test_without_a_figure_a_rule_can_be_off(self, adam):
        adam.post(RULES, sent(adam, "save", cutoff="", rule_A=None))
        stored = ClinicSettings.objects.get().rules["session-rating"][""]
        assert stored == {"cutoff": None, "enabled": {"A": False}}

    def test_one_press_gives_the_shipped_values_and_stores_nothing(self, adam, clinic):
        cast.choose_rules(clinic.adam, cutoff=340, enabled={"F": False})
        page = said(adam.post(RULES, sent(adam, "shipped", cutoff="33")))
        assert 'name="cutoff" value="36.0"' in page
        assert 'id="id_rule_F" checked' in page
        assert "Nothing is saved yet." in page
        assert ClinicSettings.objects.count() == 1

    @pytest.mark.parametrize("query", ["instrument=ors", "instrument=wai", "language=xx", "instrument=../"])
    def test_what_is_not_there_is_not_there(self, adam, query):
        for address in (RULES, EFFECT, SIMULATED):
            assert adam.get(f"{address}?{query}").status_code == 404


class TestLanguages:
    GERMAN = f"{RULES}?instrument=session-rating&language=de"

    def test_a_language_shows_what_holds_for_all_beside_its_own(self, adam, clinic):
        cast.choose_rules(clinic.adam, cutoff=350)
        page = said(adam.get(self.GERMAN))
        assert "forms in German only" in page
        assert "For all languages: 35.0." in page
        assert "<h2>Missing</h2>" not in page  # a gap has no language

    def test_only_its_difference_is_stored_and_the_page_says_where(self, adam, clinic):
        cast.choose_rules(clinic.adam, cutoff=350)
        adam.post(self.GERMAN, sent(adam, "save", self.GERMAN, cutoff="33"))
        assert rule_settings.in_force().rules == {
            "session-rating": {"": {"cutoff": 350}, "de": {"cutoff": 330}}
        }
        assert "In German: Below cutoff: cutoff 33.0 (was 35.0)" in said(adam.get(SETTINGS))
        assert "its own" in said(adam.get(RULES))


class TestImpactPreview:
    def test_a_look_stores_nothing_but_that_somebody_looked(self, adam, clinic):
        cast.rated_course(clinic.olgas, [380, 350])
        answer = adam.post(RULES, sent(adam, cutoff="34"))
        page = said(answer)
        assert answer.status_code == 200
        assert "Session rating: Below cutoff: cutoff 34.0 (was 36.0)" in page
        assert not ClinicSettings.objects.exists()
        assert not Recomputation.objects.exists()
        assert AuditEvent.objects.get(action="rules tried").actor == clinic.adam.pk

    def test_without_scripts_everything_is_on_the_page(self, adam):
        page = said(adam.post(RULES, sent(adam, cutoff="34")))
        assert "Too few to say" in page
        assert "Where nothing is wrong" in page
        assert "Where the total falls by 5 for three sessions" in page
        assert "hx-get" not in page.split("<main")[1]

    def test_with_scripts_the_page_comes_at_once_and_fetches_the_rest(self, adam):
        page = adam.post(RULES, sent(adam, cutoff="34", lazy="1")).content.decode()
        assert not AuditEvent.objects.filter(action="rules tried").exists()
        addresses = [
            part.split('"')[0].replace("&amp;", "&") for part in page.split("<main")[1].split('hx-get="')[1:]
        ]
        effect, simulated = addresses
        assert "Too few to say" in said(adam.get(effect, headers={"HX-Request": "true"}))
        pieces = []
        while 'hx-get="' in (piece := adam.get(simulated, headers={"HX-Request": "true"}).content.decode()):
            pieces.append(piece)
            simulated = piece.split('hx-get="')[1].split('"')[0].replace("&amp;", "&")
        pieces.append(piece)
        assert not any("<html" in piece for piece in pieces)
        titles = (
            "the same, not counting first ratings",
            "Where nothing is wrong",
            "Where the total falls by 5 for three sessions",
        )
        shown = [[title in piece for piece in pieces] for title in titles]
        assert shown == [[True, False, False], [False, True, False], [False, False, True]], (
            "one after the other"
        )
        assert "step 2 of 3" in pieces[0]
        whole = said(adam.get(simulated))
        assert "<title>What this would do" in whole
        assert "the same, not counting first ratings" in whole

    def test_what_is_in_force_already_needs_no_look(self, adam):
        answer = adam.post(RULES, sent(adam))
        assert (answer.status_code, "in force already" in said(answer)) == (422, True)

    def test_an_address_with_nonsense_is_a_sentence(self, adam):
        for address in (EFFECT, SIMULATED):
            assert "cannot be computed" in said(adam.get(address, {"cutoff": "x"}))

    def test_no_client_and_no_therapist_is_named(self, adam, clinic):
        for number in range(12):
            episode = cast.episode(clinic.olga, f"Zz-{number}")
            cast.rated_course(episode, [390, 352], last_ago=timedelta(days=40))
        page = said(adam.post(RULES, sent(adam, cutoff="34")))
        assert "From 24 rated sessions of 12 clients" in page
        assert "Zz-" not in page
        assert "Olga" not in page


class TestSaving:
    def test_the_look_carries_everything_on_to_the_save(self, adam, clinic):
        cast.rated_course(clinic.olgas, [380, 350])
        page = adam.post(RULES, sent(adam, cutoff="34", rule_F=None, rule_L=None)).content.decode()
        carried = re.findall(
            r'<input type="hidden" name="(\w+)"(?: value="([^"]*)")?', page.split("<main")[1]
        )
        answer = adam.post(RULES, {**{name: html.unescape(value) for name, value in carried}, "step": "save"})
        assert answer.url == RUN
        stored = ClinicSettings.objects.get()
        assert stored.rules == {"session-rating": {"": {"cutoff": 340, "enabled": {"F": False, "L": False}}}}
        assert stored.made_by == clinic.adam

    def test_of_somebody_else_meanwhile_are_not_overwritten_unseen(self, adam, clinic):
        form = sent(adam, cutoff="34")
        cast.choose_rules(clinic.adam, cutoff=350, sudden_fall=57)
        for step in ("preview", "save"):
            answer = adam.post(RULES, {**form, "step": step})
            page = said(answer)
            assert (answer.status_code, "changed since you opened the page" in page) == (409, True)
        assert "Below cutoff: Cutoff" in page
        assert 'name="cutoff" value="34"' in page  # nothing typed is lost
        assert 'name="sudden_fall" value="5.7"' in page  # and nothing of theirs
        again = answer.context["form"]
        shown = said(adam.post(RULES, sent(adam, **{name: again[name].value() for name in SHIPPED})))
        assert "cutoff 34.0 (was 35.0)" in shown
        assert "sudden" not in shown.split("What would this do?")[1].split("</ul>")[0]
        assert ClinicSettings.objects.count() == 1


class TestComputingAgain:
    @pytest.fixture
    def waiting(self, clinic, monkeypatch):
        monkeypatch.setattr(
            "sessions_app.rulebook.views.settings.SECONDS_A_STEP", 600
        )  # on a busy machine too
        cast.rated_course(clinic.olgas, [380, 350])
        cast.choose_rules(clinic.adam, cutoff=340)

    def test_the_page_shows_how_far_it_is_and_goes_on(self, adam, waiting):
        page = said(adam.get(RUN))
        assert '<progress max="2" value="0"' in page
        assert f'hx-post="{RUN}"' in page
        assert "Watch it" in said(adam.get(SETTINGS))
        piece = said(adam.post(RUN, headers={"HX-Request": "true"}))
        assert "hx-post" not in piece
        assert "The flags of all 2 courses follow the rules" in piece
        assert not Flag.objects.standing().filter(rule="A").exists()
        assert "Watch it" not in said(adam.get(SETTINGS))

    def test_in_the_demo_no_clock_goes_on_with_it(self, adam, waiting, settings):
        assert "on its own" in said(adam.get(RUN))
        settings.DEMO = True
        for page in (said(adam.get(RUN)), said(adam.get(SETTINGS))):
            assert "on its own" not in page
            assert "In the demo" in page

    def test_without_scripts_a_button_does(self, adam, waiting):
        assert adam.post(RUN).url == RUN
        assert "<strong>Yes.</strong>" in said(adam.get(RUN))

    def test_a_piece_at_a_time(self, adam, waiting, monkeypatch):
        monkeypatch.setattr("sessions_app.rulebook.views.settings.SECONDS_A_STEP", 0)
        monkeypatch.setattr("sessions_app.flags.recompute.EPISODES_A_PIECE", 1)
        piece = said(adam.post(RUN, headers={"HX-Request": "true"}))
        assert '<progress max="2" value="1"' in piece

    def test_how_many_flags_changed_is_not_for_administrators(self, adam, waiting):
        piece = said(adam.post(RUN, headers={"HX-Request": "true"}))
        assert Recomputation.objects.get().changed == 2
        assert "flags changed" not in piece

    def test_nothing_was_to_be_done(self, adam):
        assert "have not been changed" in said(adam.get(RUN))
        assert "have not been changed" in said(adam.post(RUN, headers={"HX-Request": "true"}))


class TestVersions:
    def test_each_says_who_when_and_what(self, adam, clinic):
        assert "Nothing was changed yet" in said(adam.get(VERSIONS))
        cast.choose_rules(clinic.adam, cutoff=340)
        cast.choose(clinic.adam, closing="marks", instrument="srs")
        cast.choose_rules(clinic.adam, instrument="srs", language="de", enabled={"F": False})
        page = said(adam.get(VERSIONS))
        for sentence in (
            "Session rating: Below cutoff: cutoff 34.0 (was 36.0)",
            "Form of every session: SRS (was Session rating)",
            "After a rating the client sees: Thanks, and the marks of today",
            "SRS in German: Flat at the top: off (was on)",
        ):
            assert sentence in page
        assert page.index("Version 3") < page.index("Version 2") < page.index("Version 1")
        assert page.count("Use these again") == 2

    def test_an_earlier_one_becomes_a_new_one(self, adam, clinic):
        first = cast.choose_rules(clinic.adam, cutoff=340)
        cast.choose_rules(clinic.adam, cutoff=330)
        address = reverse("settings:use_again", args=[first.code])
        assert "cutoff 34.0 (was 33.0)" in said(adam.get(address))
        form = opened(adam, address)
        assert adam.post(address, form).url == RUN
        newest = ClinicSettings.objects.in_force()
        assert (newest.version, newest.rules) == (3, first.rules)
        assert adam.post(address, form).status_code == 302  # pressed twice: it is so already
        cast.choose_rules(clinic.adam, cutoff=320)
        refused = adam.post(address, form)
        assert (refused.status_code, "cutoff 34.0 (was 32.0)" in said(refused)) == (409, True)
        assert ClinicSettings.objects.in_force().version == 4

    def test_the_log_tells_it_in_words(self, adam, clinic):
        first = cast.choose_rules(clinic.adam, cutoff=340)
        cast.choose_rules(clinic.adam, cutoff=330)
        address = reverse("settings:use_again", args=[first.code])
        adam.post(address, opened(adam, address))
        log = said(adam.get(reverse("clinic:log")))
        assert "Adam saved version 1 of the settings: flag rules of Session rating" in log
        assert "Adam saved version 3 of the settings: as version 1" in log

    def test_pages_ask_the_same_number_of_queries_however_many_there_are(
        self, adam, clinic, django_assert_max_num_queries
    ):
        counts = []
        for _ in range(2):
            for cutoff in (340, 330, 320):
                cast.choose_rules(clinic.adam, cutoff=cutoff)
            with django_assert_max_num_queries(40) as queries:
                adam.get(VERSIONS)
                adam.get(SETTINGS)
                adam.get(RULES)
            counts.append(len(queries))
        assert counts[0] == counts[1]


def test_changing_asks_again_who_it_is_and_looking_does_not(clinic, sign_in):
    browser = sign_in(clinic.adam)
    code = cast.choose_rules(clinic.adam, cutoff=340).code
    for address in (RULES, reverse("settings:use_again", args=[code])):
        assert browser.get(address).status_code == 200
        assert browser.post(address, {"step": "save"}).url.startswith(reverse("account_reauthenticate"))
    for address in (RUN, VERSIONS):
        assert browser.get(address).status_code == 200


def test_the_page_of_a_rule_speaks_of_the_settings_in_force(clinic, sign_in):
    cast.choose_rules(clinic.adam, sudden_fall=57)
    assert "5.7" in said(sign_in(clinic.olga).get(reverse("rules:rule", args=["sudden-fall"])))


def test_our_further_forms_are_folded_away_until_one_is_in_use(clinic, sign_in):
    def listed():
        page = sign_in(clinic.adam).get(reverse("settings:change")).text
        shown, _, folded = page.partition('id="rules-title"')[2].partition("<details>")
        return "Child session rating" in shown, "Child session rating" in folded

    assert listed() == (False, True)
    cast.choose(clinic.adam, instrument="child-session-rating")
    assert listed() == (True, False)


def test_the_forms_to_choose_from_begin_with_ours(clinic, sign_in):
    page = sign_in(clinic.adam).get(reverse("settings:change"))
    offered = [value for value, _label in page.context["form"].fields["instrument"].choices]
    assert offered[:2] == ["session-rating", "child-session-rating"]
    assert not {"couple-family-session-rating", "group-session-rating", "group-srs"} & set(offered)
    group_actions.make_group(
        name="Thursday", kind="group", leader=clinic.olga, co_leader=None, by=clinic.adam
    )
    page = sign_in(clinic.adam).get(reverse("settings:change"))
    offered = [value for value, _label in page.context["form"].fields["instrument"].choices]
    ours = ["session-rating", "child-session-rating", "couple-family-session-rating", "group-session-rating"]
    assert offered[:4] == ours
    assert not {"life-lines", "caregiver-session-rating"} & set(offered)


def test_a_list_without_a_cutoff_names_no_low_start(clinic, sign_in):
    def words():
        return sign_in(clinic.adam).get(reverse("settings:change")).text

    assert "Three things: a low start" in words()
    cast.choose(clinic.adam, instrument="group-session-rating")
    assert "Two things: a lasting fall, or a sudden fall of 6.0 points or more." in words()
    assert "(a smaller fall, a decline, below own range)" in words()
