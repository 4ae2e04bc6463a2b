"""Inventories in invented words, as long as real ones: loaded, switched on, and handed over."""

from itertools import cycle, islice
from typing import Any

from django.conf import settings

from alliance.measurement import instruments
from alliance.measurement.wording_file import read_wording
from alliance.models import User
from sessions_app.courses.grants import RatingGrant
from sessions_app.courses.models import TherapySession
from sessions_app.courses.raters import Rater
from sessions_app.instruments import actions
from sessions_app.instruments.clinic_wording import ClinicWording, Licence
from sessions_app.intake import hand_over_actions
from sessions_app.intake.form_sets import Forms, ToFillIn
from sessions_app.questionnaires import risk_confirmations
from tests import cast
from tests.measurement.wording_files import as_it_is
from tests.sessions_app.questionnaires.answering import confirm

TITLE = {"en": "Invented inventory", "de": "Erfundener Fragebogen", "ar": "استبيان مخترع"}
INTRODUCTION = {
    "en": "These sentences are invented. Think of the work with {therapist}, and choose how often each one is true.",
    "de": "Diese Sätze sind erfunden. Denken Sie an die Arbeit mit {therapist} und wählen Sie, wie oft jeder zutrifft.",
    "ar": "هذه الجمل مخترعة. فكّر في العمل مع {therapist}، واختر كم مرة تنطبق كل جملة.",
}
QUESTIONS = {
    "en": (
        "The garden of {therapist} has room for every kind of tree.",
        "I sometimes count the clouds that go by while we talk about the weather of last week.",
        "Our boat is slower than the others.",
        "We agree on which of the mountains in the picture is the highest one, and on the way that leads up to it.",
        "I never found the second key.",
    ),
    "de": (
        "Im Garten von {therapist} ist Platz für jede Art von Baum.",
        "Manchmal zähle ich die Wolken, während wir über das Wetter der vergangenen Woche sprechen.",
        "Unser Boot ist langsamer als die anderen.",
        "Wir sind uns einig, welcher der Berge auf dem Bild der höchste ist und welcher Weg hinaufführt.",
        "Den zweiten Schlüssel habe ich nie gefunden.",
    ),
    "ar": (
        "في حديقة {therapist} مكان لكل نوع من الأشجار.",
        "أحيانًا أعدّ الغيوم التي تمرّ ونحن نتحدث عن طقس الأسبوع الماضي.",
        "قاربنا أبطأ من القوارب الأخرى.",
        "نتفق على أيّ الجبال في الصورة هو الأعلى وعلى الطريق المؤدي إليه.",
        "لم أجد المفتاح الثاني قط.",
    ),
}
LABELS = {
    "en": (
        "Never",
        "Rarely",
        "Occasionally",
        "Sometimes",
        "Often",
        "Very often",
        "Always, without exception",
    ),
    "de": (
        "Nie",
        "Selten",
        "Gelegentlich",
        "Manchmal",
        "Häufig",
        "Außergewöhnlich häufig",
        "Immer, ohne Ausnahme",
    ),
    "ar": ("أبدًا", "نادرًا", "من حين لآخر", "أحيانًا", "غالبًا", "في أغلب الأحيان", "دائمًا بلا استثناء"),
}
COPYRIGHT = "© 2026 An invented owner. Used with permission."


def a_file(instrument: str, language: str = "en", more: str = "", **head: str) -> str:
    """A whole file with questions and labels of the length that real ones have."""
    definition = instruments.get(instrument)
    low, high = definition.items[0].minimum // 10, definition.items[0].maximum // 10
    parts = {
        "instrument": instrument,
        "language": language,
        "edition": "2026",
        "title": TITLE[language],
        "introduction": INTRODUCTION[language],
        "copyright": COPYRIGHT,
        **head,
    }
    labels = [*LABELS[language][: high - low], LABELS[language][-1]]
    questions = islice(cycle(QUESTIONS[language]), len(definition.items))
    return "\n".join(
        [
            *(f'{name} = "{said}"' for name, said in parts.items()),
            "[points]",
            *(f'{number} = "{said}"' for number, said in zip(range(low, high + 1), labels, strict=True)),
            "[items]",
            *(f'item-{number} = "{said}"' for number, said in enumerate(questions, 1)),
            as_it_is(instrument),
            more,
        ]
    )


def loaded(
    by: User, instrument: str = "wai-sr", language: str = "en", *, text: str = "", **head: str
) -> ClinicWording:
    """The wording, switched on under a licence. text: of another file than `a_file`."""
    definition = instruments.get(instrument)
    if definition.licence == "licensed" and not Licence.objects.of(definition).exists():
        cast.licence(by, instrument=instrument)
    read = read_wording(text or a_file(instrument, language, **head), [tag for tag, _ in settings.LANGUAGES])
    return actions.switch_on(wording=actions.load_wording(read=read, by=by), by=by)


def given(
    session: TherapySession,
    *named: str,
    by: User,
    rating: bool = False,
    rater: Rater = Rater.CLIENT,
    **of: Any,
) -> tuple[RatingGrant, str]:
    """The first grant of a hand-over with these questionnaires, and its token."""
    for name in named:
        # Forms that ask about self-harm are given to nobody before.
        if not risk_confirmations.is_confirmed(instruments.get(name)):
            confirm(name, looks=by, by=by)
    questionnaires = tuple(ToFillIn(instruments.get(name), rater) for name in named)
    return hand_over_actions.hand_over(session=session, by=by, forms=Forms(rating, questionnaires), **of)
