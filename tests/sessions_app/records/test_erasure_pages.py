"""The pages of erasure: asked for, looked at by somebody else, confirmed, called off; and who is due."""

from datetime import date

import pytest
from django.core import mail
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from alliance.erasures import Erasure
from alliance.models import AuditEvent
from alliance.refused import Refused
from clients import merge_actions
from clients.models import Client
from sessions_app.records import erasure_actions
from sessions_app.records.retention_rule import RetentionRule
from tests import cast
from tests.alliance.sign_in import just_asked
from tests.opened import opened
from tests.sessions_app.records.courses import full_course

pytestmark = pytest.mark.django_db
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


def page(name, *args):
    return reverse(f"erasures:{name}", args=args)


@pytest.fixture
def browsers(clinic):
    def of(person):
        browser = Browser()
        browser.force_login(person, backend=BACKEND)
        return just_asked(browser)

    return of


@pytest.fixture
def waiting(clinic):
    return erasure_actions.ask(
        client=clinic.olgas.client, reason="asked", note="In the folder.", by=clinic.adam
    )


def test_asked_for_by_one_and_confirmed_by_another(clinic, browsers):
    full_course(clinic.olgas, "seen")
    adam, olga = browsers(clinic.adam), browsers(clinic.olga)
    ask = page("ask", clinic.olgas.client.code)
    assert ask in adam.get(reverse("clients:client", args=[clinic.olgas.client.code])).text
    text = adam.get(ask).text
    assert "label-seen" in text
    assert "notes and conclusions" in text.lower()
    assert "canary" not in text
    answer = adam.post(ask, {"reason": "asked", "note": "In the folder."})
    one = Erasure.objects.get()
    assert answer.url == page("erasure", one.code)
    text = adam.get(answer.url).text
    assert "A second person has to confirm it: Olga" in text
    assert "for good</button>" not in text

    text = olga.get(reverse("clients:client", args=[clinic.olgas.client.code])).text
    assert answer.url in text
    assert answer.url in olga.get(reverse("records:client", args=[clinic.olgas.client.code])).text
    text = olga.get(answer.url).text
    assert "In the folder." in text
    assert "1 episode of this client is" in " ".join(text.split())
    assert olga.post(answer.url).url == reverse("home")
    assert not Client.objects.filter(pk=clinic.olgas.client_id).exists()
    assert olga.get(answer.url).status_code == 404  # nobody knows any more whose it was
    assert "This client is erased" in adam.get(answer.url).text
    assert str(one.client) in adam.get(page("list")).text


def test_the_form_says_what_is_wrong_and_keeps_what_was_typed(clinic, browsers):
    adam = browsers(clinic.adam)
    ask = page("ask", clinic.olgas.client.code)
    answer = adam.post(ask, {"reason": "", "note": "In the folder."})
    assert answer.status_code == 422
    assert "In the folder." in answer.text
    answer = adam.post(ask, {"reason": "asked", "note": "K-1 asked"})
    assert (answer.status_code, "names the client" in answer.text) == (422, True)
    assert not Erasure.objects.exists()


def test_who_asked_presses_confirm_all_the_same_and_is_refused(clinic, browsers, waiting):
    answer = browsers(clinic.adam).post(page("erasure", waiting.code))
    assert answer.status_code == 422
    assert "Another person" in answer.text
    assert Client.objects.filter(code=waiting.client).exists()


@pytest.mark.parametrize(("who", "status"), [("carl", 404), ("sina", 403), ("strange", 403)])
def test_others_neither_see_nor_decide(clinic, browsers, waiting, who, status):
    browser = browsers(getattr(clinic, who))
    for ask in (browser.get, browser.post):
        assert ask(page("erasure", waiting.code)).status_code == status
    assert browser.post(page("call_off", waiting.code)).status_code == status
    assert Erasure.objects.open().count() == 1


def test_called_off_by_the_therapist_it_says_so(clinic, browsers, waiting):
    olga = browsers(clinic.olga)
    text = olga.post(page("call_off", waiting.code), follow=True).text
    assert "Called off. Nothing was erased." in text
    assert "decided already" in olga.post(page("call_off", waiting.code), follow=True).text


def test_confirming_asks_whether_it_is_still_you(clinic, waiting):
    browser = Browser()
    browser.force_login(clinic.olga, backend=BACKEND)
    assert browser.get(page("erasure", waiting.code)).status_code == 200
    answer = browser.post(page("erasure", waiting.code))
    assert answer.url.startswith(reverse("account_reauthenticate"))
    assert Client.objects.filter(code=waiting.client).exists()
    answer = browser.post(answer.url, {"password": cast.PASSWORD})
    assert (answer.url, Client.objects.filter(code=waiting.client).exists()) == (
        page("erasure", waiting.code),
        True,
    )
    browser.post(answer.url)
    assert not Client.objects.filter(code=waiting.client).exists()


def test_a_mail_goes_to_those_who_can_confirm_and_names_no_client(clinic, browsers):
    agnes = cast.person("Agnes", "administrator")
    answer = browsers(clinic.adam).post(
        page("ask", clinic.olgas.client.code), {"reason": "asked", "note": ""}, follow=True
    )
    assert {address for sent in mail.outbox for address in sent.to} == {clinic.olga.email, agnes.email}
    link = page("erasure", Erasure.objects.get().code)
    assert all(link in sent.body and "K-1" not in sent.body + sent.subject for sent in mail.outbox)
    assert "A mail is on its way to Agnes, Olga" in answer.text


def test_without_a_second_person_it_says_what_to_do(clinic, browsers):
    clinic.olga.is_therapist = False
    clinic.olga.save()
    adam = browsers(clinic.adam)
    answer = adam.post(page("ask", clinic.olgas.client.code), {"reason": "asked", "note": ""}, follow=True)
    assert "make another person an administrator first" in answer.text


def test_the_list_is_a_file_that_asks_who_you_are(clinic, browsers, waiting):
    erasure_actions.confirm(erasure=waiting, by=clinic.olga)
    answer = browsers(clinic.adam).post(page("file"))
    assert str(waiting.client) in answer.text
    assert AuditEvent.objects.filter(action="erasures exported").exists()
    other = Browser()
    other.force_login(clinic.adam, backend=BACKEND)
    assert other.post(page("file")).url.startswith(reverse("account_reauthenticate"))


def ended_long_ago(therapist, label):
    return cast.episode(
        therapist, label, opened_on=date(2010, 1, 1), closed_on=date(2011, 1, 1), ending="planned"
    )


@pytest.fixture
def old(clinic):
    for n in range(3):
        ended_long_ago(clinic.olga, f"Old {n}")


def test_the_rule_lists_and_erases_nobody_and_two_administrators_do(clinic, browsers, old):
    agnes = cast.person("Agnes", "administrator")
    adam = browsers(clinic.adam)
    assert "The rule is off" in adam.get(page("retention")).text
    answer = adam.post(page("retention"), {"years": 10, "years_young": 5})
    assert (answer.status_code, "as long as those of adults" in answer.text) == (422, True)
    form = opened(adam, page("retention"), years=10, years_young=28)
    text = adam.post(page("retention"), form, follow=True).text
    assert "Due now: 3" in text
    assert all(f"Old {n}" in text for n in range(3))
    assert RetentionRule.objects.in_force().years_young == 28
    batch = adam.post(page("ask_for_all_due"), {"seen": 3}).url
    assert "Another administrator has to confirm it" in adam.get(batch).text
    assert "3 clients who are due" in adam.get(page("list")).text
    assert adam.post(batch, {"step": "erase"}).status_code == 422
    assert Client.objects.filter(label__startswith="Old").count() == 3
    other = browsers(agnes)
    assert "Old 2" in other.get(batch).text
    assert "3 clients of this list are erased" in " ".join(
        other.post(batch, {"step": "erase"}, follow=True).text.split()
    )
    assert not Client.objects.filter(label__startswith="Old").exists()
    assert other.get(page("batch", clinic.olga.pk)).status_code == 404


def test_a_batch_is_called_off_on_its_page_and_can_be_asked_for_again(clinic, browsers, old):
    RetentionRule.objects.create(version=1, years=10, made_by=clinic.adam)
    adam = browsers(clinic.adam)
    assert "3 clients" in adam.get(page("ask_for_all_due")).text
    batch = adam.post(page("ask_for_all_due"), {"seen": 3}).url
    called_off = adam.post(batch, {"step": "call off"}, follow=True).text
    assert "3 called off. They were not erased." in called_off
    assert "Nothing waits any more" in called_off
    assert Client.objects.filter(label__startswith="Old").count() == 3
    assert "Due now: 3" in adam.get(page("retention")).text


def test_only_those_under_18_cannot_have_an_end(clinic, browsers):
    adam = browsers(clinic.adam)
    form = opened(adam, page("retention"), years="", years_young=28)
    answer = adam.post(page("retention"), form)
    assert answer.status_code == 422
    assert answer.context["form"].errors == {"years": ["Say for adults too, or leave both empty."]}
    assert 'value="28"' in answer.text
    assert not RetentionRule.objects.exists()


def test_to_ask_for_what_was_asked_for_leads_to_the_request(clinic, browsers, waiting):
    adam, ask = browsers(clinic.adam), page("ask", waiting.client)
    assert adam.get(ask).url == page("erasure", waiting.code)
    answer = adam.post(ask, {"reason": "asked", "note": ""})
    assert (answer.status_code, "was asked for already" in answer.text) == (422, True)
    assert Erasure.objects.count() == 1


def test_to_ask_for_a_record_that_was_merged_leads_to_the_one_it_is_in(clinic, browsers):
    again = cast.episode(clinic.carl, "K-1b")
    merge_actions.merge_clients(
        kept=clinic.olgas.client,
        merged=again.client,
        seen=[again.code, clinic.olgas.code],
        by=clinic.adam,
    )
    adam, leads = browsers(clinic.adam), page("ask", clinic.olgas.client.code)
    for press in (adam.get, adam.post):
        assert press(page("ask", again.client.code)).url == leads
    again.client.refresh_from_db()
    with pytest.raises(Refused, match=r"merged with another record\. Erase that one"):
        erasure_actions.ask(client=again.client, reason="asked", note="", by=clinic.adam)
    assert not Erasure.objects.exists()


def test_few_and_many_cost_the_same(clinic, browsers):
    RetentionRule.objects.create(version=1, years=1, made_by=clinic.adam)
    adam, counts = browsers(clinic.adam), []
    for n in (3, 27):
        asked = [ended_long_ago(clinic.olga, f"Asked {n} {place}") for place in range(n)]
        for episode in asked:
            erasure_actions.ask(client=episode.client, reason="other", note="", by=clinic.adam)
            ended_long_ago(clinic.olga, f"Due {episode.client}")
        with CaptureQueriesContext(connection) as queries:
            assert f"Asked {n} 0" in adam.get(page("list")).text
            assert f"Due Asked {n} 0" in adam.get(page("retention")).text
        counts.append(len(queries))
    assert counts[0] == counts[1]
