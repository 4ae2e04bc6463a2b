"""Who else answers about a client: what was given to caregivers, and what they and the therapist answered."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Prefetch

from alliance.measurement import instruments, scoring
from alliance.measurement.instruments import Instrument
from alliance.measurement.scoring import points
from clients.models import AgeBand, Episode
from sessions_app.courses.grants import Purpose, RatingGrant, RatingGrantQuerySet
from sessions_app.courses.raters import Rater
from sessions_app.courses.rating_state import RatingState, how_far
from sessions_app.courses.responses import QuestionnaireResponse
from sessions_app.instruments.clinic_wording import ClinicWording, scored_by

OTHERS = (Rater.CAREGIVER, Rater.THERAPIST, Rater.OBSERVER)
# Whoever is of these ages has somebody who brings them up.
WITH_CAREGIVERS = {AgeBand.CHILD, AgeBand.ADOLESCENT}


@dataclass(frozen=True)
class Answered:
    """What one rater answered, that counts. lines: question by its short name, answer."""

    response: QuestionnaireResponse
    total: str
    of: str
    lines: list[tuple[str, str]]


@dataclass(frozen=True)
class Given:
    """One form that was given to somebody else. state: where it stands; answered: what came of it."""

    grant: RatingGrant
    name: str
    state: str
    is_out: bool
    answered: list[Answered]
    held: int  # answers that arrived and do not count


def may_have_caregivers(episode: Episode) -> bool:
    """Whether its page leads to the forms of caregivers by itself: else a clinic that asks none would see them."""
    return episode.client.age_band in WITH_CAREGIVERS


def is_used(episode: Episode) -> bool:
    """Whether the page that gives forms leads here: somebody else answers, or has something to answer."""
    if may_have_caregivers(episode):
        return True
    of_therapists = [one.id for one in instruments.questionnaires() if Rater.THERAPIST in one.raters]
    loaded = ClinicWording.objects.switched_on().filter(instrument__in=of_therapists)
    return loaded.exists() or _grants(episode).exists()


def _grants(episode: Episode) -> RatingGrantQuerySet:
    return RatingGrant.every.filter(
        session__episode=episode,
        session__voided_at__isnull=True,
        purpose=Purpose.QUESTIONNAIRE,
        rater__in=OTHERS,
    )


def given(episode: Episode, now: datetime) -> list[Given]:
    """Every form of somebody else, the newest first; three queries."""
    awaiting = set(_grants(episode).awaiting(now).values_list("pk", flat=True))
    counts = Prefetch("responses", QuestionnaireResponse.objects.with_decision().order_by("pk"))
    rows = _grants(episode).select_related("session", "made_by", "wording").prefetch_related(counts)
    found = []
    for grant in rows.order_by("-session__number", "-pk"):
        responses = list(grant.responses.all())
        counting = [one for one in responses if one.decided or (one.decided is None and not one.held)]
        held = sum(one.decided is None and bool(one.held) for one in responses)
        instrument = scored_by(grant.instrument, grant.instrument_version, grant.wording)
        answered = [_answered(one, instrument) for one in counting]
        state = _state(grant, is_out=grant.pk in awaiting, is_answered=bool(responses))
        found.append(Given(grant, instrument.name, state, grant.pk in awaiting, answered, held))
    return found


def _state(grant: RatingGrant, *, is_out: bool, is_answered: bool) -> str:
    if is_answered:
        return "answered"
    if is_out:
        return {RatingState.SENT: "sent, not opened", RatingState.OPENED: "opened"}.get(
            how_far(grant.channel, grant.opened_at), "handed over"
        )
    if grant.withdrawn_at is not None:
        return "given back without answers" if grant.declined else "taken back"
    return "past its time"


def _answered(response: QuestionnaireResponse, instrument: Instrument) -> Answered:
    return Answered(
        response,
        total="" if response.total is None else points(response.total),
        of=scoring.scale_end(instrument.total_maximum),
        lines=list(_lines(instrument, response.answers)),
    )


def _lines(instrument: Instrument, answers: dict[str, int | None]) -> Iterator[tuple[str, str]]:
    for item in instrument.items:
        tenths = answers.get(item.id)
        yield item.label[:1].upper() + item.label[1:], "not answered" if tenths is None else points(tenths)
