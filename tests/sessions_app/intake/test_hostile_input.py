"""Bodies that nobody's page sends, many of them: a clear error, nothing of ours breaks, no rating comes of it.

BODIES=10000 sends as many to each door; the same seed draws the same ones.
"""

import json
import os
from collections import Counter
from random import Random
from urllib.parse import quote, urlencode
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from sessions_app.courses.models import Rating, SetAsideRating
from sessions_app.intake import hand_over_actions, sealed_upload
from tests import cast
from tests.bench.sealed import parcel, seal

pytestmark = pytest.mark.django_db
BODIES = int(os.environ.get("BODIES", "300"))
OURS = {"Origin": "http://testserver", "Sec-Fetch-Site": "same-origin"}
# No mark of these is whole tenths from 0 to 100; each is text, and stands in a form or in JSON.
MARKS = (
    *(
        "NaN",
        "Infinity",
        "-Infinity",
        "1e309",
        "1e1",
        "-0",
        "-1",
        "101",
        "0101",
        "5,5",
        "5.5",
        "+5",
        " 5",
        "5 ",
    ),
    *(
        "٥٠",
        "५०",
        "５０",
        "50\x00",
        "\x0050",
        "\u202e05",
        "50\u200f",
        "\ufeff50",
        "0x32",
        "５",
        "true",
        "null",
        "[]",
    ),
    *("9" * 400, "50;50", "50&goals", "'; DROP TABLE x; --", "{{ 50 }}", "%s", "../../50", "<b>50</b>", "½"),
)
VALUES = (
    *(
        None,
        True,
        False,
        0,
        -0.0,
        1e308,
        10**400,
        -1,
        [],
        {},
        [[]],
        {"a": [None]},
        "",
        "\x00",
        "\ud800",
        "\udfff\ud800",
    ),
    *("\u202e\u2066", "é" * 2000, "A" * 20_000, "=" * 40, "AA", str(uuid4()), *MARKS[:12]),
    *(253_402_300_799_000, -62_135_596_800_000, "goals=50\x00", "\x00=50&mode=line"),
)
KINDS = (
    "application/json",
    "text/plain",
    "application/json; charset=utf-7",
    "application/json; charset=none-such",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "multipart/form-data",
    "",
)


@pytest.fixture
def locked(clinic, caplog):
    """Locked, with a form. It says 500 where a view fails, as the site itself would."""
    caplog.set_level("CRITICAL", logger="django")
    grant, token = hand_over_actions.hand_over(session=cast.therapy_session(clinic.olgas), by=clinic.olga)
    one = Client(raise_request_exception=False)
    session = one.session
    session["device_lock"] = {"token": token, "return_to": ""}
    session.save()
    one.cookies["session"] = session.session_key
    one.permission = sealed_upload.token_for(grant)
    one.another_form = lambda: sealed_upload.token_for(
        hand_over_actions.hand_over(session=grant.session, by=clinic.olga)[0]
    )
    return one


def bytes_of(rng):
    return rng.choice(
        (
            lambda: rng.randbytes(rng.randint(0, 300)),
            lambda: b"[" * rng.randint(1, 100_000),
            lambda: b'{"a":' * rng.randint(1, 40_000),
            lambda: b"9" * rng.randint(1, 9_000),
            lambda: b"x" * rng.choice((1, 262_144, 262_145, 3_000_000)),
            lambda: json.dumps(rng.choice(VALUES)).encode(),
            lambda: json.dumps({"goals": "é"}).encode(rng.choice(("utf-16", "utf-32", "latin-1"))),
            lambda: rng.choice((b"NaN", b"Infinity", b'{"delivery": 1e999}', b'{"key": "a", "key": "b"}')),
        )
    )()


def envelope(rng, permission):
    """A sealed delivery with one thing wrong: outside, damaged, or under the seal."""
    delivery = str(uuid4())
    marks = urlencode(form(rng))
    if rng.random() < 0.2:
        place = rng.randrange(len(marks))
        marks = marks[:place] + "\x00" + marks[place:]
    content = {"token": permission, "marks": marks, "at": 0}
    if rng.random() < 0.4:
        content[rng.choice(list(content))] = rng.choice(VALUES)
        # A moment that is none is no error, and marks are always wrong here.
    body = {"delivery": delivery, **seal(json.dumps(content).encode(), bound_to=delivery)}
    name = rng.choice(list(body))
    wrong = rng.random()
    if wrong < 0.3:
        body[name] = rng.choice(VALUES)
    elif wrong < 0.4:
        del body[name]
    elif wrong < 0.6:
        place = rng.randrange(len(body[name]))
        body[name] = body[name][:place] + rng.choice("Az09-_*") + body[name][place + 1 :]
    return json.dumps(body).encode()


def form(rng):
    """Marks of which at least one is none."""
    fields = {item: str(rng.randint(0, 100)) for item in cast.ITEMS}
    fields.update(mode=rng.choice(("line", "number", "paper", "\x00")), comment=rng.choice(("", *MARKS)))
    for item in rng.sample(cast.ITEMS, rng.randint(1, 4)):
        fields[item] = rng.choice(MARKS)
    return fields


def posted(rng):
    fields = form(rng)
    step = rng.choice(("hand-in", "review", "change", "none", "\x00", *MARKS[:5]))
    pairs = [("step", step), *fields.items()]
    if rng.random() < 0.3:
        pairs.append((rng.choice(cast.ITEMS), rng.choice(("50", *MARKS))))  # a name twice
    if rng.random() < 0.1:
        pairs.extend((f"x{number}", "1") for number in range(1_100))
    if rng.random() < 0.2:
        pairs.append(("language", rng.choice(("xx", "en\x00", "../en", *MARKS[:3]))))
    text = "&".join(f"{quote(name)}={quote(value)}" for name, value in pairs)
    return text.encode() if rng.random() < 0.8 else text.encode()[: rng.randint(0, 80)] + rng.randbytes(20)


def answer(locked, path, body, kind):
    # `generic`: the client's own `post` would read the kind, and the bytes would not go as they are.
    return locked.generic("POST", path, body, content_type=kind, headers=OURS).status_code


def test_no_body_breaks_the_upload_or_becomes_a_rating(locked):
    rng, path = Random(2026), reverse("rate:upload")
    statuses = Counter()
    for _ in range(BODIES):
        body = bytes_of(rng) if rng.random() < 0.5 else envelope(rng, locked.permission)
        status = answer(locked, path, body, rng.choice(KINDS))
        statuses[status] += 1
        if status == 422 and statuses[422] % 10 == 0:
            locked.permission = locked.another_form()  # the full one would refuse before it asks the database
    assert set(statuses) == {400, 401, 413, 422}  # each kind of refusal was reached, and no other
    assert not Rating.objects.exists()
    aside = SetAsideRating.objects.all()
    assert statuses[422] * 0.8 <= aside.count() <= statuses[422]
    assert any("\u2400" in row.raw for row in aside)
    assert not aside.exclude(reason=SetAsideRating.Reason.INVALID).exists()


def test_no_body_breaks_the_form_or_becomes_a_rating(locked):
    rng, path = Random(2026), reverse("rate:form")
    statuses = {}
    for _ in range(BODIES):
        body = posted(rng)
        kind = KINDS[4] if rng.random() < 0.7 else rng.choice(KINDS)
        statuses.setdefault(answer(locked, path, body, kind), body)
    assert set(statuses) <= {200, 400, 413, 422}, {status: body[:300] for status, body in statuses.items()}
    assert {400, 422} <= set(statuses)
    assert not Rating.objects.exists()
    assert not SetAsideRating.objects.exists()
    assert connection.is_usable()


def test_the_same_doors_take_what_a_page_sends(locked):
    """A door that refuses everything would pass the tests above."""
    good = {"mode": "line", **dict.fromkeys(cast.ITEMS, "50")}
    reviewed = urlencode({"step": "review", **good}).encode()
    assert answer(locked, reverse("rate:form"), reviewed, KINDS[4]) == 200
    sent = json.dumps(parcel(locked.permission, good)).encode()
    assert answer(locked, reverse("rate:upload"), sent, "application/json") == 201
    assert Rating.objects.count() == 1
