"""What of the questionnaires waits for somebody: answers about self-harm, and answers that were held.

Lists and the client's page ask this at each opening, in clinics that give no questionnaire too. So whether there is
anything at all comes along with a query that is asked anyway.
"""

from collections.abc import Collection, Mapping
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.expressions import Combinable

from alliance.models import User
from clients.models import Ending, Episode, EpisodeQuerySet
from sessions_app.courses.raters import Rater
from sessions_app.courses.responses import QuestionnaireResponse
from sessions_app.questionnaires.risk_answers import RiskAnswer
from sessions_app.questionnaires.series import companion_ids

ANY_RISK, ANY_HELD, ANY_OUTCOME = "any_risk", "any_held", "any_outcome"


def in_the_clinic() -> dict[str, Combinable]:
    """Columns for a list of episodes, the same in each row: whether anywhere in the clinic something waits, or is used.

    The database works each out once, for it asks nothing of the row.
    """
    outcomes = QuestionnaireResponse.objects.filter(instrument__in=companion_ids(), rater=Rater.CLIENT)
    return {
        ANY_RISK: Exists(RiskAnswer.objects.open()),
        ANY_HELD: Exists(QuestionnaireResponse.objects.to_settle()),
        ANY_OUTCOME: Exists(outcomes),
    }


def is_any(rows: Collection[Mapping[str, Any]], name: str) -> bool:
    """rows: of a list with those columns. Where nobody is on it, it has to be asked."""
    return next((bool(row[name]) for row in rows), True)


def risk_answers(reader: User) -> list[RiskAnswer]:
    """Those that the reader has to look at, the oldest first; one query."""
    return list(_to_show(RiskAnswer.objects.looked_at_by(reader).open()))


def held(reader: User) -> list[QuestionnaireResponse]:
    """Those about which the reader has to decide, the oldest first; one query."""
    rows = QuestionnaireResponse.objects.own(reader).to_settle()
    rows = rows.exclude(session__episode__ending=Ending.TRANSFERRED)
    return list(rows.select_related("session__episode__client", "wording").order_by("received_at"))


def with_responses(episodes: EpisodeQuerySet) -> EpisodeQuerySet:
    """Each with `has_responses`: whether a questionnaire was ever answered."""
    responses = QuestionnaireResponse.objects.filter(session__episode=OuterRef("pk"))
    return episodes.annotate(has_responses=Exists(responses))


def has_responses(episode: Episode) -> bool:
    """As it came `with_responses`; else as it is now."""
    known: bool | None = getattr(episode, "has_responses", None)
    if known is None:
        return QuestionnaireResponse.objects.filter(session__episode=episode).exists()
    return known


def risk_answers_of(episode: Episode, reader: User) -> list[RiskAnswer]:
    """Those about which nobody has written anything, and that the reader may see; one query."""
    of_episode = RiskAnswer.objects.visible_to(reader).filter(response__session__episode=episode)
    return list(_to_show(of_episode.open()))


def _to_show(rows: "QuerySet[RiskAnswer]") -> "QuerySet[RiskAnswer]":
    return rows.select_related(
        "response__session__episode__client", "response__session__episode__therapist", "response__wording"
    )
