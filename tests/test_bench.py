"""What `make bench` multiplies still passes every constraint of the tables, however they have grown since."""

from uuid import uuid4

import pytest

from sessions_app.courses.models import Mode, Rating
from sessions_app.flags.models import Flag
from sessions_app.intake import hand_over_actions
from sessions_app.intake.record_rating import record_rating
from tests import cast
from tests.bench import recomputation


@pytest.mark.postgresql
def test_multiplies_a_course_with_everything_that_hangs_on_it(clinic):
    *_, last = cast.rated_course(clinic.olgas, [380, 380, None])
    grant, _ = hand_over_actions.hand_over(session=last, by=clinic.olga)
    record_rating(grant=grant, answers=cast.answers(200), mode=Mode.LINE, delivery=uuid4())
    flags = Flag.objects.count()

    recomputation.multiply(10)

    assert Rating.objects.count() == 12
    assert Flag.objects.count() == 4 * flags > 0
    assert Rating.objects.filter(delivery=None).count() == 8
    assert Rating.objects.values("session__episode").distinct().count() == 4
    later = cast.rating(cast.therapy_session(clinic.olgas), 300)
    assert later.pk == max(Rating.objects.values_list("pk", flat=True))
