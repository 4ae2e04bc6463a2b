"""Marks that do not count, for the tests about them, each through the doors that a client uses."""

import pytest

from sessions_app.corrections import actions as decide
from sessions_app.courses.models import Mode, Rating, SetAsideRating
from sessions_app.intake import hand_over_actions
from sessions_app.intake.record_rating import NotStored, record_rating
from tests import cast


def disputed(session, total=330, first=380, **lines):
    """Marks beside a rating that stands."""
    stands = Rating.objects.filter(session=session).first() or cast.rating(session, first)
    return arrive(stands.grant, total, **lines)


def withdrawn(session, total=330, **lines):
    """Marks of a hand-over that was taken back; no rating stands."""
    grant, _ = hand_over_actions.hand_over(session=session, by=session.episode.therapist)
    hand_over_actions.take_back(grant=grant, by=session.episode.therapist)
    return arrive(grant, total, **lines)


def arrive(grant, total, comment="", **lines):
    with pytest.raises(NotStored):
        record_rating(grant=grant, answers=cast.answers(total, **lines), mode=Mode.LINE, comment=comment)
    return SetAsideRating.objects.latest("pk")


def use(aside, **options):
    stands = Rating.objects.last_of(aside.session)
    seen = options.pop("seen", stands.code if stands else None)
    return decide.use(aside=aside, seen=seen, by=aside.session.episode.therapist, **options)


def rules(session):
    return sorted(session.flags.standing().values_list("rule", flat=True))
