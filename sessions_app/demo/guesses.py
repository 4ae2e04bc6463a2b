"""One therapist guesses what clients will mark, before seeing it, and is a little too hopeful."""

from collections.abc import Iterator
from datetime import datetime
from random import Random

from alliance.log_events import LogEvent
from alliance.measurement.instruments import SESSION_RATING
from alliance.models import AuditEvent, User
from sessions_app.courses.models import Rating
from sessions_app.demo.given import MINUTE
from sessions_app.demo.lines import line
from sessions_app.demo.staff import Team
from sessions_app.questionnaires.guesses import Guess

HOW_MANY = 16
TOO_HIGH, SPREAD = 3, 6  # of each line, in tenths


def write(team: Team, now: datetime) -> Iterator[AuditEvent]:
    """At the last sessions that were rated on every line."""
    therapist, rng = team.therapists[2], Random("guesses")
    rated = Rating.objects.complete().filter(session__episode__therapist=therapist, instrument=SESSION_RATING)
    open_ones = rated.filter(session__episode__closed_on=None, received_at__lt=now)
    found = list(
        open_ones.select_related("session__episode__client").order_by("-received_at", "-pk")[:HOW_MANY]
    )
    made = [_guess(one, therapist, rng) for one in reversed(found)]
    therapist.guesses_first = True
    therapist.save(update_fields=["guesses_first"])
    if made:
        yield line(LogEvent.GUESSING_CHOSEN, therapist, made[0].made_at - 3 * MINUTE, by=therapist)
    yield from (
        line(LogEvent.GUESS_MADE, one, one.made_at, by=therapist) for one in Guess.objects.bulk_create(made)
    )


def _guess(rating: Rating, therapist: User, rng: Random) -> Guess:
    answers = {
        item: max(0, min(100, (mark or 0) + round(rng.gauss(TOO_HIGH, SPREAD))))
        for item, mark in rating.marks.items()
    }
    return Guess(
        session=rating.session,
        therapist=therapist,
        instrument=rating.instrument,
        instrument_version=rating.instrument_version,
        answers=answers,
        total=sum(answers.values()),
        made_at=rating.received_at - 6 * MINUTE,
    )
