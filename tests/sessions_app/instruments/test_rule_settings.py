"""The clinic's own parameters: laid over what is shipped, strict on the way in, harmless on the way out."""

from dataclasses import replace

import pytest
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from alliance.measurement import instruments
from alliance.measurement.parameters import ALL_RULES, Parameters
from sessions_app.flags.models import Flag
from sessions_app.instruments import rule_settings
from sessions_app.instruments.clinic_settings import ClinicSettings
from sessions_app.instruments.rule_settings import SETTABLE, RuleSettings, differences, laid_over
from sessions_app.rulebook.rule_fields import BY_NAME, changes
from tests import cast

OURS, SRS = instruments.get("session-rating"), instruments.get("srs")


def of(rules, version=1):
    return RuleSettings(version, rules)


def store(clinic, rules, version=1):
    return ClinicSettings.objects.create(version=version, rules=rules, made_by=clinic.adam)


class TestLayers:
    def test_as_shipped_where_nobody_chose(self):
        assert RuleSettings().parameters(OURS) == OURS.parameters
        assert RuleSettings().parameters(OURS, "de") == OURS.parameters
        assert (RuleSettings().name, of({}, 3).name) == ("defaults-1", "version-3")

    def test_a_language_lies_over_what_holds_for_all(self):
        rules = of({"session-rating": {"": {"cutoff": 350, "sudden_fall": 50}, "de": {"cutoff": 330}}})
        german, english = rules.parameters(OURS, "de"), rules.parameters(OURS, "en")
        assert (german.cutoff, german.sudden_fall) == (330, 50)
        assert (english.cutoff, english.sudden_fall) == (350, 50)

    def test_another_instrument_is_not_touched(self):
        assert of({"session-rating": {"": {"cutoff": 340}}}).parameters(SRS) == SRS.parameters

    def test_one_rule_switched_off_leaves_the_others_as_shipped(self):
        p = of({"srs": {"": {"enabled": {"F": False}}}}).parameters(SRS)
        assert p.enabled == SRS.parameters.enabled - {"F"}

    def test_only_what_differs_is_kept(self):
        chosen = replace(OURS.parameters, cutoff=340)
        rules = RuleSettings().with_values(OURS, "", chosen)
        assert rules.rules == {"session-rating": {"": {"cutoff": 340}}}
        assert rules.with_values(OURS, "", OURS.parameters).rules == {}

    def test_a_language_keeps_what_differs_from_the_clinics_own(self):
        rules = of({"srs": {"": {"cutoff": 340}}})
        same = rules.with_values(SRS, "fr", replace(SRS.parameters, cutoff=340))
        assert same.rules == rules.rules
        other = rules.with_values(SRS, "fr", SRS.parameters)
        assert other.rules["srs"]["fr"] == {"cutoff": 360}
        assert other.languages("srs") == ["fr"]


TENTHS = st.integers(1, 400)


@given(
    cutoff=st.none() | TENTHS,
    operator=st.sampled_from(["<", "<="]),
    fall=TENTHS,
    spread=TENTHS,
    enabled=st.frozensets(st.sampled_from(sorted(ALL_RULES))),
)
def test_what_is_stored_gives_the_same_parameters_again(cutoff, operator, fall, spread, enabled):
    chosen = Parameters(cutoff=cutoff, cutoff_operator=operator, sudden_fall=fall, s0=spread, enabled=enabled)
    values = differences(Parameters(), chosen)
    assert laid_over(Parameters(), values) == chosen
    assert of({"session-rating": {"": values}}).parameters(OURS) == chosen


class TestStrictOnTheWayIn:
    @pytest.mark.parametrize(
        "values",
        [
            {"cutoff": "340"},
            {"cutoff": 34.0},
            {"cutoff": True},
            {"sudden_fall": None},
            {"sudden_fall": 0},
            {"cutoff_operator": ">"},
            {"total_maximum": 100},
            {"mood": 1},
            {"enabled": ["A"]},
            {"enabled": {"Z": True}},
            {"enabled": {"A": 1}},
            {"own_range_window": 90},
        ],
    )
    def test_nonsense_raises_a_sentence(self, values):
        with pytest.raises(ValueError, match=r"\.$"):
            laid_over(Parameters(), values)


class TestHarmlessOnTheWayOut:
    @pytest.mark.parametrize(
        "stored",
        [
            {"cutoff": "340"},
            {"sudden_fall": 0},
            {"own_range_window": 90},
            {"own_range_minimum": 2, "nu0": 0},
            {"enabled": {"Z": True}},
            {"of a later release": 1},
            [],
            "text",
            7,
        ],
    )
    def test_what_is_not_understood_is_as_shipped(self, stored):
        assert of({"session-rating": {"": stored}}).parameters(OURS) == OURS.parameters
        assert of({"session-rating": stored}).parameters(OURS) == OURS.parameters

    def test_the_rest_of_it_holds(self):
        stored = {"cutoff": 340, "mood": 1, "enabled": {"F": False, "Z": True}}
        p = of({"session-rating": {"": stored}}).parameters(OURS)
        assert (p.cutoff, "F" in p.enabled) == (340, False)

    @pytest.mark.django_db
    @pytest.mark.parametrize("stored", [[], "text", {"session-rating": {"": {"cutoff": "x"}}}, {"srs": []}])
    def test_no_page_fails_of_it(self, clinic, sign_in, stored):
        store(clinic, stored)
        cast.rated_course(clinic.olgas, [380, 330])
        assert sign_in(clinic.olga).get(reverse("dashboard:work_list")).status_code == 200
        client_page = reverse("dashboard:client", args=[clinic.olgas.code])
        assert sign_in(clinic.olga).get(client_page).status_code == 200
        assert sign_in(clinic.sina).get(reverse("caseload:overview")).status_code == 200


@pytest.mark.django_db
class TestInForce:
    def test_one_query_and_never_an_old_answer(self, clinic, django_assert_num_queries):
        assert rule_settings.in_force() == RuleSettings()
        store(clinic, {"srs": {"": {"cutoff": 340}}})
        with django_assert_num_queries(1):
            assert rule_settings.in_force().parameters(SRS).cutoff == 340
        store(clinic, None, version=2)
        assert rule_settings.in_force() == RuleSettings(2, {})

    def test_a_rating_is_judged_by_the_parameters_of_its_language(self, clinic):
        store(clinic, {"session-rating": {"": {"cutoff": 340}, "ar": {"cutoff": 300}}})
        in_english, in_arabic = cast.episode(clinic.olga, "E"), cast.episode(clinic.olga, "A")
        in_arabic.client.language = "ar"
        in_arabic.client.save()
        for episode in (in_english, in_arabic):
            cast.rated_course(episode, [330])
        (flag,) = Flag.objects.filter(rule="A")
        assert flag.session.episode == in_english
        assert flag.evidence["cutoff"] == 340
        assert flag.settings_version == "version-1"
        assert "level 34" in flag.sentence

    def test_pages_draw_the_cutoff_of_the_clinic(self, clinic, sign_in):
        cast.rated_course(clinic.olgas, [380, 370])
        pages = [
            (clinic.olga, reverse("dashboard:work_list")),
            (clinic.sina, reverse("caseload:overview")),
            (clinic.olga, reverse("dashboard:client", args=[clinic.olgas.code])),
        ]
        before = [sign_in(person).get(address).content.decode() for person, address in pages]
        store(clinic, {"session-rating": {"": {"cutoff": 250}}})
        cast.conclude_everything()  # as `recompute_flags` does after a change of rules
        after = [sign_in(person).get(address).content.decode() for person, address in pages]
        for place in (0, 1):
            height = before[place].split('class="cutoff" d="M0 ')[1].split("H")[0]
            assert f'class="cutoff" d="M0 {height}H' not in after[place]
        assert "Cutoff: 36." in before[2]
        assert "Cutoff: 25." in after[2]

    @pytest.mark.parametrize(("fall", "word"), [(10, " (1.5 points further down)"), (20, ", as before")])
    def test_a_continuing_level_is_told_by_the_settings_that_raised_it(self, clinic, fall, word):
        store(clinic, {"session-rating": {"": {"badge_fall": fall}}})
        *_, last = cast.rated_course(clinic.olgas, [350, 335])
        assert last.flags.get(rule="A").word == f"Below cutoff{word}"
        store(clinic, None, version=2)
        assert last.flags.get(rule="A").word == f"Below cutoff{word}"


def test_every_parameter_that_can_be_set_has_its_place_on_the_page():
    """A new one has to be given a label and a range, or be declared fixed; the list has a page of its own."""
    assert set(BY_NAME) | {"enabled", "work_list"} == set(SETTABLE)


def test_a_change_in_words():
    after = replace(
        OURS.parameters, cutoff=340, cutoff_operator="<=", enabled=OURS.parameters.enabled - {"F"}
    )
    assert changes(OURS.parameters, after) == [
        "Below cutoff: cutoff 34.0 (was 36.0)",
        "Below cutoff: raised when the total is at or below the cutoff (was below the cutoff)",
        "Flat at the top: off (was on)",
    ]
    assert changes(after, after) == []
