"""What `make bench` multiplies still passes every constraint of the tables, however they have grown since."""

from uuid import uuid4

import pytest

from bench import recomputation
from sessions_app import actions
from sessions_app.models import Flag, Mode, Rating
from tests import cast


@pytest.mark.postgresql
def test_multiplies_a_course_with_everything_that_hangs_on_it(clinic):
    *_, last = cast.rated_course(clinic.olgas, [380, 380, None])
    grant, _ = actions.hand_over(session=last, by=clinic.olga)
    actions.record_rating(grant=grant, answers=cast.answers(200), mode=Mode.LINE, delivery=uuid4())
    flags = Flag.objects.count()

    recomputation.multiply(10)

    assert Rating.objects.count() == 12
    assert Flag.objects.count() == 4 * flags > 0
    assert Rating.objects.filter(delivery=None).count() == 8
    assert Rating.objects.values("session__episode").distinct().count() == 4
    later = cast.rating(cast.therapy_session(clinic.olgas), 300)
    assert later.pk == max(Rating.objects.values_list("pk", flat=True))
