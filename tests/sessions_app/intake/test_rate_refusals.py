"""What the form answers to what no form of ours sends: a sentence or a refusal, and nothing is stored."""

import pytest

from alliance.models import AuditEvent
from sessions_app.courses.models import Rating
from sessions_app.intake import hand_over_actions
from tests import cast
from tests.sessions_app.intake.rate_form import FORM, NONE_STORED, marks, stored

pytestmark = pytest.mark.django_db

NOT_TENTHS = [
    "101",
    "-1",
    "-0",
    "+5",
    "5,5",
    "5.5",
    "5.0",
    "1e1",
    "1e309",
    "NaN",
    "Infinity",
    "0x10",
    "007",
    " 50",
    "50 ",
    "٥٠",
    "५०",
    "５０",
    "50\x00",
    "\u200f50",
    "\ufffd",
    "true",
    "null",
    "[]",
    "9" * 400,
    "<script>",
]


def test_a_form_that_is_taken_back_while_its_language_changes_is_closed(client, grant, clinic, monkeypatch):
    lock_episode = hand_over_actions.lock_episode

    def taken_back_first(episode):
        monkeypatch.setattr(hand_over_actions, "lock_episode", lock_episode)
        hand_over_actions.take_back(grant=grant, by=clinic.olga)
        return lock_episode(episode)

    monkeypatch.setattr(hand_over_actions, "lock_episode", taken_back_first)
    answer = client.post(FORM, {"language": "de"}, follow=True)
    assert (answer.redirect_chain, answer.status_code) == ([(FORM, 303)], 410)
    grant.refresh_from_db()
    assert grant.language == "en"
    assert not AuditEvent.objects.filter(action="language chosen").exists()


class TestHostileInput:
    @pytest.mark.parametrize("value", NOT_TENTHS)
    def test_what_is_not_whole_tenths_is_refused_with_a_sentence(self, client, grant, value):
        response = client.post(FORM, marks(goals=value))
        assert response.status_code == 422
        assert "Please mark this line again." in response.text
        assert stored() == NONE_STORED

    @pytest.mark.parametrize("name", [*cast.ITEMS, "mode", "step"])
    def test_a_missing_or_repeated_field_is_refused(self, client, grant, name):
        missing = {key: value for key, value in marks().items() if key != name}
        assert client.post(FORM, missing).status_code == 422
        if name != "step":
            assert client.post(FORM, marks(**{name: ["10", "20"]})).status_code == 422
        assert stored() == NONE_STORED

    @pytest.mark.parametrize("step", ["", "steal", "review\x00", "hand-in "])
    def test_an_unknown_step_is_refused(self, client, grant, step):
        assert client.post(FORM, marks(step=step)).status_code == 422
        assert stored() == NONE_STORED

    @pytest.mark.parametrize("mode", ["paper", "verbal", "", "LINE"])
    def test_a_way_of_marking_that_is_not_the_tablets_is_refused(self, client, grant, mode):
        assert client.post(FORM, marks(mode=mode)).status_code == 422

    def test_ten_megabytes_are_refused(self, client, grant):
        response = client.post(FORM, marks(comment="x" * 10_000_000))
        assert response.status_code == 400
        assert stored() == NONE_STORED

    def test_a_long_comment_is_refused_and_a_full_one_is_not(self, client, grant):
        assert "Please make your sentence shorter." in client.post(FORM, marks(comment="x" * 2001)).text
        assert client.post(FORM, marks(comment="\r\n".join(["x"] * 1000))).status_code == 303

    @pytest.mark.parametrize(
        ("sent", "kept"),
        [(b"a%00b", "ab"), (b"a%ED%A0%80b", "a\ufffd\ufffd\ufffdb"), (b"%FF", "\ufffd"), (b"%1B%7Fok", "ok")],
    )
    def test_a_comment_keeps_no_control_characters_and_no_broken_ones(self, client, grant, sent, kept):
        body = b"&".join(f"{name}={value}".encode() for name, value in marks().items() if name != "comment")
        body += b"&comment=" + sent
        response = client.post(FORM, body, content_type="application/x-www-form-urlencoded")
        assert response.status_code == 303
        assert Rating.objects.get().comment == kept

    @pytest.mark.parametrize(
        ("body", "kind"),
        [
            (b"{}", "application/json"),
            (b'{"goals": ' * 10_000, "application/json"),
            (b"\xff\xfe", "text/plain"),
            (b"", "multipart/form-data"),
            (b"--x", "multipart/form-data; boundary=x"),
            (b"goals=50", "application/x-www-form-urlencoded; charset=utf-16"),
            (b"&".join(b"k%d=1" % n for n in range(5000)), "application/x-www-form-urlencoded"),
        ],
    )
    def test_a_body_that_is_no_form_is_refused(self, client, grant, body, kind):
        assert client.post(FORM, body, content_type=kind).status_code in {400, 422}
        assert stored() == NONE_STORED

    @pytest.mark.parametrize("method", ["put", "patch", "delete"])
    def test_other_methods_are_refused(self, client, grant, method):
        assert getattr(client, method)(FORM).status_code == 405
