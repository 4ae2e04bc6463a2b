"""What the cast writes in few statements is what the doors write."""

from datetime import timedelta

import pytest
import time_machine
from django.db import models
from django.utils import timezone

from alliance.models import AuditEvent
from sessions_app.courses.grants import RatingGrant
from sessions_app.courses.models import Rating, TherapySession
from sessions_app.flags.episode_standing import EpisodeStanding
from sessions_app.flags.models import Flag
from sessions_app.flags.process_days import ProcessDay
from tests import cast

pytestmark = pytest.mark.django_db

COURSES = {
    "steady": [380, 375, 385],
    "falling": [380, 380, 300, 280],
    "low from the beginning": [300, 310],
    "with gaps": [None, 380, None, 300, None],
    "recovered": [380, 300, 390],
    "one": [380],
    "no rating": [None, None],
    "none": [],
}
# Which differ from row to row, and how often the standing was worked out on the way.
OF_EACH = {"id", "code", "token_hash", "form_set", "revision"}
OF_EACH |= {f"{of}_id" for of in ("grant", "session", "episode", "rating", "therapist", "made_by")}


def one_by_one(of, totals, *, last_ago):
    for place, total in enumerate(totals):
        session = cast.therapy_session(of, ago=last_ago + timedelta(weeks=len(totals) - 1 - place))
        if total is not None:
            cast.rating(session, total)


def rows_of(row: type[models.Model], **of) -> list[dict[str, object]]:
    names = [field.attname for field in row._meta.concrete_fields if field.attname not in OF_EACH]
    return list(row._default_manager.filter(**of).order_by("pk").values(*names))


def standing(episode):
    rows = rows_of(EpisodeStanding, episode=episode)
    for row in rows:
        for flag in row["course"]["flags"]:
            del flag["session"][0]  # the number of its row
    return rows


def everything(episode):
    of_the_session = {"session__episode": episode}
    return {
        "sessions": rows_of(TherapySession, episode=episode),
        "grants": rows_of(RatingGrant, **of_the_session),
        "ratings": rows_of(Rating, **of_the_session),
        "flags": sorted(
            # One that came and went on the way is not made.
            rows_of(Flag, **of_the_session, withdrawn_at__isnull=True),
            key=lambda flag: (flag["rule"], str(flag["evidence"])),
        ),
        "standing": standing(episode),
        "counts": rows_of(ProcessDay, therapist=episode.therapist),
        "log": list(
            AuditEvent.objects.filter(client=episode.client.code, action__in=("handed_over", "rated"))
            .order_by("pk")
            .values_list("action", "entity", "detail")
        ),
    }


@pytest.mark.parametrize("totals", COURSES.values(), ids=COURSES)
def test_a_course_is_the_same_as_one_that_came_through_the_doors(clinic, totals):
    with time_machine.travel(timezone.now(), tick=False):
        courses = []
        for make in (cast.rated_course, one_by_one):
            of = cast.episode(cast.people((f"{make.__name__} therapist", None))[0], make.__name__)
            make(of, totals, last_ago=timedelta(hours=1))
            courses.append(everything(of))
    in_bulk, through_the_doors = courses
    assert len(in_bulk["sessions"]) == len(totals)
    assert in_bulk == through_the_doors
