"""Whether what was agreed helped, as the invented therapists noted it after the next rating."""

from collections import defaultdict
from datetime import datetime, timedelta
from random import Random

from sessions_app.conversations.follow_ups import FollowUp
from sessions_app.courses.models import Rating
from sessions_app.demo.courses import STORY_LABEL
from sessions_app.flags.models import Discussion

ANSWERED, NOT_TRIED = 0.7, 0.1  # the others were asked and left it
MUCH, SOME = 30, 10  # tenths higher than the rating that was talked about


def write(rng: Random, now: datetime) -> None:
    """An answer to most agreements after which a rating came; the story's client has one in any case."""
    ratings = _ratings()
    talks = Discussion.objects.exclude(agreed="").select_related("session__episode__client").order_by("pk")
    answers = [
        answer
        for talk in talks
        if (answer := _answer(talk, ratings[talk.session.episode_id], rng))
        and answer.noted_at < now
        and (rng.random() < ANSWERED or talk.session.episode.client.label == STORY_LABEL)
    ]
    FollowUp.objects.bulk_create(answers, batch_size=500)


def _ratings() -> dict[int, list[Rating]]:
    found: dict[int, list[Rating]] = defaultdict(list)
    for rating in Rating.objects.complete().select_related("session").order_by("session__number"):
        found[rating.session.episode_id].append(rating)
    return found


def _answer(talk: Discussion, ratings: list[Rating], rng: Random) -> FollowUp | None:
    before = next((one for one in ratings if one.session_id == talk.session_id), None)
    later = (one for one in ratings if one.session.number > talk.session.number)
    after = next((one for one in later if one.received_at > talk.discussed_at), None)
    if after is None:
        return None
    return FollowUp(
        discussion=talk,
        session=after.session,
        answer=_helped((after.total or 0) - ((before.total or 0) if before else 0), rng),
        noted_at=after.received_at + timedelta(minutes=3),
        noted_by=talk.discussed_by,
    )


def _helped(rise: int, rng: Random) -> FollowUp.Answer:
    if rng.random() < NOT_TRIED and rise < MUCH:
        return FollowUp.Answer.NOT_TRIED
    if rise >= MUCH:
        return FollowUp.Answer.HELPED
    return FollowUp.Answer.PARTLY if rise >= SOME else FollowUp.Answer.NOT_YET
