"""Packs that lie on the server: read, confirmed by an administrator, switched off."""

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from alliance.measurement.instruments import get
from alliance.measurement.pack_file import read_pack
from alliance.models import AuditEvent
from alliance.refused import Refused
from clients import access_log
from sessions_app.instruments import actions, offers, packs
from sessions_app.instruments.clinic_wording import ClinicWording
from sessions_app.instruments.packs import InstrumentPack
from tests import cast
from tests.measurement.wording_files import a_form, a_pack

pytestmark = pytest.mark.django_db
CORE = get("core-10")
LIST, ON = reverse("instruments:list"), reverse("instruments:switch_on_pack")


def pack(**changes):
    return read_pack(a_pack(**changes), ("en", "de"))


def switch_on(by, of=None):
    of = of or pack()
    return actions.switch_on_pack(pack=of, read_sha256=of.sha256, by=by)


@pytest.fixture
def lying(settings, tmp_path):
    """A pack in its folder on the server, and a folder that is none."""
    settings.INSTRUMENT_PACKS = str(tmp_path)
    for name, files in {"core": a_pack(), "empty": {}}.items():
        (tmp_path / name).mkdir()
        for file, raw in files.items():
            (tmp_path / name / file).write_bytes(raw)
    return tmp_path


@pytest.fixture
def adam(clinic, sign_in):
    browser = sign_in(clinic.adam)
    browser.post(reverse("account_reauthenticate"), {"password": cast.PASSWORD})
    return browser


class TestSwitching:
    def test_its_words_are_given_once_its_terms_are_confirmed(self, clinic):
        today = timezone.localdate()
        assert offers.obstacle(CORE, today) == "The pack of CORE-10 is not switched on."
        made = switch_on(clinic.adam)
        offer = offers.offer(CORE, "fr", today)
        assert (offer.language, offer.wording.wording.copyright) == ("en", "© Invented owner")
        assert (made.owner, made.licence, made.accepted_by) == (
            "Invented owner",
            "CC BY-NC-ND 4.0",
            clinic.adam,
        )
        actions.switch_off_pack(pack=made, by=clinic.adam)
        with pytest.raises(Refused, match="not switched on"):
            offers.offer(CORE, "en", today)
        assert ClinicWording.objects.get().wording.items["item-1"].question  # what was read stays readable

    def test_twice_is_once_and_on_again_is_a_new_line(self, clinic):
        first = switch_on(clinic.adam)
        assert switch_on(clinic.adam) == first
        actions.switch_off_pack(pack=first, by=clinic.adam)
        with pytest.raises(Refused, match="switched off already"):
            actions.switch_off_pack(pack=first, by=clinic.adam)
        assert switch_on(clinic.adam) != first
        assert ClinicWording.objects.count() == 1

    def test_another_pack_takes_the_place_of_the_one_before(self, clinic):
        first, second = switch_on(clinic.adam), switch_on(clinic.adam, pack(terms="Others."))
        first.refresh_from_db()
        assert (first.stands, second.stands) == (False, True)

    def test_terms_that_were_changed_after_they_were_read_are_not_confirmed(self, clinic):
        with pytest.raises(Refused, match="Read its terms again"):
            actions.switch_on_pack(pack=pack(), read_sha256=pack(terms="Others.").sha256, by=clinic.adam)
        assert not InstrumentPack.objects.exists()

    def test_another_text_under_an_edition_that_is_loaded_is_refused_as_a_whole(self, clinic):
        switch_on(clinic.adam)
        other = read_pack(a_pack() | {"en.toml": a_form("core-10", title="Another").encode()}, ("en",))
        with pytest.raises(Refused, match="give it an edition of its own"):
            switch_on(clinic.adam, other)
        assert InstrumentPack.objects.get().stands

    def test_the_log_names_who_confirmed(self, clinic):
        actions.switch_off_pack(pack=switch_on(clinic.adam), by=clinic.adam)
        said = [line.sentence for line in access_log.lines(AuditEvent.objects.order_by("pk"))]
        assert "Adam confirmed the terms of the pack of CORE-10, and switched it on" in said
        assert "Adam switched off the pack of CORE-10" in said


@pytest.mark.usefixtures("as_owner")  # the site's role is refused before a trigger speaks
@pytest.mark.parametrize("field", ["terms", "owner", "line", "sha256", "accepted_by"])
def test_what_was_confirmed_never_changes(clinic, field):
    made = switch_on(clinic.adam)
    value = clinic.olga.pk if field == "accepted_by" else "other"
    with pytest.raises(IntegrityError), transaction.atomic():
        InstrumentPack.objects.filter(pk=made.pk).update(**{field: value})
    with pytest.raises(IntegrityError), transaction.atomic():
        InstrumentPack.objects.all().delete()
    with pytest.raises(IntegrityError), transaction.atomic():  # two at a time
        InstrumentPack.objects.create(instrument="core-10", dated="2026-01-31", accepted_by=clinic.adam)


class TestPages:
    def test_the_way_from_a_folder_to_a_form(self, adam, lying):
        page = adam.get(LIST).content.decode()
        assert "Invented pack" in page
        assert "pack.toml: this file is missing." in page
        terms = adam.get(ON, {"folder": "core"})
        assert "Invented terms." in terms.content.decode()
        address, sha256 = f"{ON}?folder=core", terms.context["pack"].sha256
        refused = adam.post(address, {"read_sha256": sha256})
        assert (refused.status_code, "Say that you have read the terms." in refused.content.decode()) == (
            422,
            True,
        )
        assert adam.post(address, {"read_sha256": sha256, "accepted": "on"}).url == LIST
        made = InstrumentPack.objects.get()
        page = adam.get(LIST).content.decode()
        assert "Can be given on tablets and phones in English." in page[page.index('id="scale-core-10"') :]
        adam.post(reverse("instruments:switch_off_pack", args=[made.code]))
        assert "The pack of CORE-10 is not switched on." in adam.get(LIST).content.decode()

    def test_a_folder_that_was_changed_meanwhile_is_read_again(self, adam, lying):
        sha256 = adam.get(ON, {"folder": "core"}).context["pack"].sha256
        (lying / "core" / "pack.toml").write_bytes(a_pack(terms="Others.")["pack.toml"])
        answer = adam.post(f"{ON}?folder=core", {"read_sha256": sha256, "accepted": "on"})
        assert (answer.status_code, "Read its terms again" in answer.content.decode()) == (422, True)

    @pytest.mark.parametrize("name", ["", "empty", "nowhere", "..", "../core", "core/pack.toml", "link"])
    def test_nothing_but_a_whole_pack_in_its_own_folder_is_opened(self, adam, lying, name):
        (lying / "link").symlink_to(lying / "core")
        assert adam.get(ON, {"folder": name}).status_code == 404

    def test_a_link_to_another_file_is_not_followed(self, adam, lying, tmp_path):
        (lying / "core" / "en.toml").unlink()
        (lying / "core" / "en.toml").symlink_to(tmp_path / "empty")
        assert packs.folder("core").faults == ("The pack has no wording file beside pack.toml.",)

    def test_a_clinic_without_packs_reads_nothing_of_them(self, adam, settings, tmp_path):
        settings.INSTRUMENT_PACKS = str(tmp_path / "nowhere")
        assert "Packs" not in adam.get(LIST).content.decode()
