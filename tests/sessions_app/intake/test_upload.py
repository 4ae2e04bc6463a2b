"""Sealed deliveries: the reply table, what is kept, and who may deliver at all."""

import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from alliance import sealing
from alliance.models import AuditEvent
from sessions_app.courses.models import Rating, SetAsideRating
from sessions_app.flags import discussion_actions
from sessions_app.flags.episode_standing import EpisodeStanding
from sessions_app.flags.models import Flag
from sessions_app.intake import hand_over_actions, sealed_upload
from tests import cast
from tests.bench.sealed import parcel, seal

pytestmark = pytest.mark.django_db
UPLOAD = reverse("rate:upload")
OURS = {"Origin": "http://testserver", "Sec-Fetch-Site": "same-origin"}
Reason = SetAsideRating.Reason


def marks(**fields):
    given = dict(zip(cast.ITEMS, ("71", "82", "93", "100"), strict=True))
    return {"step": "hand-in", "mode": "line", "comment": "", **given, **fields}


@pytest.fixture
def grant(clinic):
    return hand_over_actions.hand_over(session=cast.therapy_session(clinic.olgas), by=clinic.olga)[0]


@pytest.fixture
def token(grant):
    return sealed_upload.token_for(grant)


def post(body, headers=OURS):
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Client().post(UPLOAD, text, content_type="application/json", headers=headers)


def stored():
    return Rating.objects.count(), SetAsideRating.objects.count()


@pytest.mark.django_db(transaction=True)
class TestWhatADeliveryCosts:
    """All statements of one request, with BEGIN and COMMIT."""

    def statements(self, episode, **lines):
        session = cast.therapy_session(episode)
        grant, _ = hand_over_actions.hand_over(session=session, by=episode.therapist)
        sent = parcel(sealed_upload.token_for(grant), marks(**lines))
        with CaptureQueriesContext(connection) as queries:
            assert post(sent).status_code == 201
        return len(queries)

    @pytest.mark.parametrize("many", [3, 30])
    def test_at_most_ten_however_long_the_course_is(self, clinic, many):
        """After 3 sessions and after 30: the rating, its line, what is read anew, and the standing and its counts."""
        cast.rated_course(clinic.olgas, [380] * many)
        assert self.statements(clinic.olgas, **dict.fromkeys(cast.ITEMS, "95")) == 10
        assert not Flag.objects.filter(session__number=many + 1).exists()

    @pytest.mark.parametrize("many", [3, 30])
    def test_one_more_where_it_raises_flags(self, clinic, many):
        cast.rated_course(clinic.olgas, [380] * many)
        low = dict(zip(cast.ITEMS, ("10", "20", "30", "40"), strict=True))
        assert self.statements(clinic.olgas, **low) == 11
        assert Flag.objects.filter(session__number=many + 1).exists()
        assert list(AuditEvent.objects.order_by("pk").values_list("action", flat=True))[-2:] == [
            "rated",
            "flags refreshed",
        ]

    def test_an_episode_without_a_standing_is_rated_too(self, clinic):
        EpisodeStanding.objects.all().delete()
        self.statements(clinic.olgas)
        assert EpisodeStanding.objects.filter(episode=clinic.olgas).exists()


class TestTheReplyTable:
    def test_stored_and_the_same_again(self, token):
        sent = parcel(token, marks(comment="More about work."))
        first, second = post(sent), post(sent)
        rating = Rating.objects.get()
        assert (first.status_code, second.status_code) == (201, 200)
        assert first.json() == second.json()
        assert first.json() == {"stored": True, "sha256": rating.sha256, "delivery": sent["delivery"]}
        assert rating.answers == dict(zip(cast.ITEMS, (71, 82, 93, 100), strict=True))
        assert (str(rating.delivery), rating.comment) == (sent["delivery"], "More about work.")

    def test_the_same_marks_in_another_delivery_are_the_same_rating(self, token):
        assert [post(parcel(token, marks())).status_code for _ in range(2)] == [201, 200]
        assert stored() == (1, 0)

    def test_other_marks_are_disputed_and_the_first_stand(self, token):
        post(parcel(token, marks()))
        other = parcel(token, marks(goals="10"))
        assert [post(other).status_code for _ in range(2)] == [409, 409]
        aside = SetAsideRating.objects.get()
        assert (aside.reason, aside.answers["goals"], str(aside.delivery)) == (
            Reason.DISPUTED,
            10,
            other["delivery"],
        )
        assert Rating.objects.get().answers["goals"] == 82

    @pytest.mark.parametrize(("days", "status"), [(6, 201), (7, 410), (8, 410)])
    def test_seven_days_are_accepted(self, grant, token, time_machine, days, status):
        time_machine.move_to(grant.made_at + timedelta(days=days), tick=False)
        reply = post(parcel(token, marks()))
        assert (reply.status_code, reply.json()["stored"]) == (status, True)
        assert stored() == ((1, 0) if status == 201 else (0, 1))

    def test_taken_back_is_kept_aside(self, grant, token, clinic):
        hand_over_actions.take_back(grant=grant, by=clinic.olga)
        reply = post(parcel(token, marks()))
        assert (reply.status_code, reply.json()["stored"]) == (410, True)
        assert SetAsideRating.objects.get().reason == Reason.WITHDRAWN

    @pytest.mark.parametrize("sent", [marks(goals="101"), marks(mode="paper"), "", "goals=50&goals=60", "%"])
    def test_what_cannot_be_read_as_marks_is_kept_as_it_came(self, token, sent):
        body = parcel(token, sent)
        replies = [post(body) for _ in range(2)]
        assert [reply.status_code for reply in replies] == [422, 422]
        assert replies[0].json()["stored"] is True
        aside = SetAsideRating.objects.get()
        assert (aside.reason, aside.answers) == (Reason.INVALID, {})
        assert aside.raw == sealed_upload.read(json.dumps(body).encode()).marks
        assert not Rating.objects.exists()

    def test_nul_inside_is_kept_as_its_sign(self, token):
        body = parcel(token, "goals=5\x00&mode=line")
        assert [post(body).status_code for _ in range(2)] == [422, 422]
        assert SetAsideRating.objects.get().raw == "goals=5\u2400&mode=line"

    def test_the_eleventh_different_copy_stays_on_the_device(self, token):
        sent = [parcel(token, marks(goals=str(goals))) for goals in range(12)]
        replies = [post(body) for body in sent]
        assert [reply.status_code for reply in replies] == [201, *[409] * 10, 429]
        assert replies[-1].json()["stored"] is False
        assert [post(body).status_code for body in sent] == [200, *[409] * 10, 429]
        assert stored() == (1, 10)

    def test_from_then_on_no_guess_is_told_from_what_is_stored(self, token):
        for goals in range(11):
            post(parcel(token, marks(goals=str(goals))))
        replies = [post(parcel(token, marks(goals=str(goals)))) for goals in range(12)]
        assert {(reply.status_code, reply.text) for reply in replies} == {(429, replies[0].text)}
        unread = [post(parcel(token, "nothing")).status_code for _ in range(2)]
        assert unread == [429, 429]

    def test_a_token_of_nobody_and_one_that_was_changed(self, grant, token):
        for other in ("", "x", token[:-1] + ("A" if token[-1] != "A" else "B"), grant.code.hex):
            reply = post(parcel(other, marks()))
            assert (reply.status_code, reply.json()["stored"]) == (401, False)
        assert stored() == (0, 0)

    def test_a_delivery_of_another_grant_is_kept_aside(self, token, clinic):
        sent = parcel(token, marks())
        post(sent)
        episode = cast.episode(clinic.olga, "K-2")
        other, _ = hand_over_actions.hand_over(session=cast.therapy_session(episode), by=clinic.olga)
        reply = post(parcel(sealed_upload.token_for(other), marks(), delivery=sent["delivery"]))
        assert (reply.status_code, reply.json()["stored"]) == (409, True)
        assert SetAsideRating.objects.get().grant == other

    def test_the_log_names_the_client_and_nobody_who_did_it(self, token, clinic):
        post(parcel(token, marks()))
        event = AuditEvent.objects.get(action="rated")
        assert (event.actor, event.client) == (None, clinic.olgas.client_code)


class TestTheDevicesClock:
    @pytest.mark.parametrize(
        ("at", "claimed"),
        [
            (0, datetime(1970, 1, 1, tzinfo=UTC)),
            (4_102_444_800_000 - 1000, datetime(2099, 12, 31, 23, 59, 59, tzinfo=UTC)),
            (7_258_118_400_000 - 1000, datetime(2199, 12, 31, 23, 59, 59, tzinfo=UTC)),
            (7_258_118_400_000, None),
            (253_402_300_799_000, None),
            (-1000, None),
            (-62_135_596_800_000, None),
            (1e300, None),
            (-1e18, None),
            ("yesterday", None),
            (True, None),
            (None, None),
        ],
    )
    def test_is_kept_as_claimed_and_decides_nothing(self, token, at, claimed):
        assert post(parcel(token, marks(), at=at)).status_code == 201
        assert Rating.objects.get().claimed_at == claimed


class TestWhatArrivesLate:
    def test_lands_at_its_session_and_later_flags_are_computed_again(self, clinic):
        """28 after 38 was a sudden fall; with the 30 between them, that came late, it is none any more."""
        sessions = [
            cast.therapy_session(clinic.olgas, ago=timedelta(days=days), attendance="planned")
            for days in (15, 8, 1)
        ]
        cast.rating(sessions[0], 380)
        waiting, _ = hand_over_actions.hand_over(session=sessions[1], by=clinic.olga)
        cast.rating(sessions[2], 280)
        fallen = Flag.objects.get(session=sessions[2], rule="C")
        discussion = discussion_actions.discuss(
            flags=[fallen], said="We spoke.", agreed="Slower.", by=clinic.olga
        )
        low = {**marks(), **dict.fromkeys(cast.ITEMS, "75")}
        assert post(parcel(sealed_upload.token_for(waiting), low)).status_code == 201
        fallen.refresh_from_db()
        assert fallen.withdrawn_at is not None
        assert Flag.objects.filter(session=sessions[1], rule="C", withdrawn_at=None).exists()
        discussion.refresh_from_db()
        assert (discussion.withdrawn_at, list(discussion.flags.all())) == (None, [fallen])


class TestWhoMayDeliver:
    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"Origin": "https://elsewhere.example", "Sec-Fetch-Site": "cross-site"},
            {"Origin": "null"},
            {"Origin": "http://testserver", "Sec-Fetch-Site": "same-site"},
            {"Origin": "https://testserver"},
            {"Sec-Fetch-Site": "same-origin"},
        ],
    )
    def test_no_page_of_elsewhere(self, token, headers):
        assert post(parcel(token, marks()), headers=headers).status_code == 403
        assert stored() == (0, 0)

    def test_a_browser_too_old_to_say_more_than_its_origin(self, token):
        assert post(parcel(token, marks()), headers={"Origin": "http://testserver"}).status_code == 201

    def test_no_session_is_made_and_no_cookie_given(self, token):
        reply = post(parcel(token, marks()))
        assert not reply.cookies

    def test_it_is_the_one_view_without_a_csrf_token(self):
        exempt = {name for name, view in every_view(get_resolver()) if getattr(view, "csrf_exempt", False)}
        assert exempt == {"upload"}

    def test_the_token_opens_no_page(self, token, client):
        session = client.session
        session["device_lock"] = {"token": token, "return_to": "/"}
        session.save()
        client.cookies["session"] = session.session_key
        assert client.get(reverse("rate:form")).status_code == 410


def every_view(resolver):
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            yield from every_view(entry)
        elif isinstance(entry, URLPattern):
            yield entry.name, entry.callback


# Always the same: two processes that share the tests must name them alike.
GOOD = {
    "delivery": "5f1d9a52-3c61-4a0e-9d43-0c9f2a7f6b18",
    "key": "k",
    "sender": "AA",
    "nonce": "AA",
    "sealed": "AA",
}


class TestWhatIsNoDelivery:
    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"[]",
            b"null",
            b"NaN",
            b'{"delivery": NaN}',
            b"\xff\xfe",
            b'{"a":' * 50_000,
            b"[" * 100_000,
            b'{"delivery": 1e309}',
            json.dumps({**GOOD, "delivery": "5"}).encode(),
            json.dumps({**GOOD, "sender": "****"}).encode(),
            json.dumps({**GOOD, "nonce": "\u0665"}).encode(),
            json.dumps({**GOOD, "key": "\ud800"}).encode(),
            json.dumps({**GOOD, "sealed": None}).encode(),
            json.dumps({name: GOOD[name] for name in GOOD if name != "key"}).encode(),
            b'{"key": "a", "key": "b"}',
            b"1" * 5000,
        ],
    )
    def test_is_refused_and_kept_by_the_device(self, grant, body):
        reply = post(body)
        assert (reply.status_code, reply.json()["stored"]) == (400, False)
        assert stored() == (0, 0)

    @pytest.mark.parametrize(
        "kind", ["text/plain", "multipart/form-data; boundary=x", "application/json; charset=utf-7"]
    )
    def test_the_kind_it_calls_itself_changes_nothing(self, token, kind):
        body = json.dumps(parcel(token, marks()))
        reply = Client().post(UPLOAD, body, content_type=kind, headers=OURS)
        assert reply.status_code in {201, 400}

    def test_ten_megabytes_are_refused(self):
        assert post(b"x" * 10_000_000).status_code == 413

    @pytest.mark.parametrize("method", ["get", "put", "patch", "delete", "head"])
    def test_other_methods_are_refused(self, method):
        assert getattr(Client(), method)(UPLOAD).status_code == 405

    @pytest.mark.parametrize("inside", [b"", b"[]", b'{"token": 5}', b'{"token": "x"}', b"\xff"])
    def test_nonsense_under_the_seal(self, inside):
        delivery = str(uuid4())
        assert post({"delivery": delivery, **seal(inside, bound_to=delivery)}).status_code == 400

    def test_more_fields_than_any_form_has_are_refused_and_kept_by_the_device(self, token):
        many = marks(**{f"field-{number}": "1" for number in range(1001)})
        reply = post(parcel(token, many))
        assert (reply.status_code, reply.json()["stored"]) == (400, False)
        assert stored() == (0, 0)
        assert post(parcel(token, marks())).status_code == 201


class TestTheSeal:
    def test_what_was_damaged_or_moved_to_another_delivery_does_not_open(self, token):
        sent = parcel(token, marks())
        for change in (
            {"delivery": str(uuid4())},
            {"nonce": sent["nonce"][:-2] + ("AA" if sent["nonce"][-2:] != "AA" else "BB")},
            {"sealed": "A" + sent["sealed"][1:] if sent["sealed"][0] != "A" else "B" + sent["sealed"][1:]},
            {"sender": sealing.public_key()[1]},
            {"key": "0" * 16},
        ):
            reply = post({**sent, **change})
            assert (reply.status_code, reply.json()["stored"]) == (401, False), change
        assert stored() == (0, 0)
        assert post(sent).status_code == 201

    def test_the_key_was_changed_while_marks_waited(self, settings, grant):
        token, to = sealed_upload.token_for(grant), sealing.public_key()
        sent, before = parcel(token, marks(), to=to), settings.SECRET_KEY
        with override_settings(SECRET_KEY="n" * 64, SECRET_KEY_FALLBACKS=[before]):
            assert sealing.public_key() != to
            assert post(sent).status_code == 201
        with override_settings(SECRET_KEY="n" * 64, SECRET_KEY_FALLBACKS=[]):
            assert post(sent).status_code == 401

    def test_two_envelopes_of_the_same_marks_have_nothing_in_common(self, token):
        one, two = parcel(token, marks()), parcel(token, marks())
        assert not {one[name] for name in ("sender", "nonce", "sealed")} & {
            two[name] for name in ("sender", "nonce", "sealed")
        }

    def test_nothing_of_the_marks_can_be_read_outside(self, token):
        text = json.dumps(parcel(token, marks(comment="canary")))
        assert "canary" not in text
        assert token not in text
