"""Unique words, planted in the rows of one therapist and her clients, to be looked for where they must not be."""

from dataclasses import dataclass
from datetime import timedelta

from sessions_app.conversations import question_actions
from sessions_app.flags import deferral_actions, discussion_actions
from sessions_app.flags.models import Flag
from tests import cast


@dataclass(frozen=True)
class Canaries:
    """Words that stand nowhere but in one person's rows. `figures` are too short to look for in raw bytes."""

    words: dict[str, str]
    figures: dict[str, str]

    def in_text(self, text: str) -> set[str]:
        """The kinds of canaries that `text` holds; empty is what a test of a protection wants."""
        return {kind for kind, word in {**self.words, **self.figures}.items() if word in text}

    def in_bytes(self, dump: str) -> set[str]:
        return {kind for kind, word in self.words.items() if word in dump}


CANARIES = Canaries(
    words={
        "label": "Quetzal-4417",
        "other label": "Axolotl-5528",
        "therapist": "Olga Wombatova",
        "said": "Numbatsaid: the pace was too fast.",
        "agreed": "Okapiagreed: ten minutes of silence.",
        "comment": "Kakapocomment: I did not feel heard.",
        "reason": "Pademelonreason: the divorce comes first.",
        "question": "Potooquestion: what would have been too soon?",
    },
    figures={"total": "27.3"},
)


def planted(clinic: cast.Clinic) -> None:
    """Olga's client with a course, a flag, a conversation about it and a sentence of their own; a session today.

    Another client of hers is put off with a reason, and the clinic asks a question of its own.
    """
    words = CANARIES.words
    clinic.olga.name = words["therapist"]
    clinic.olga.save()
    clinic.olgas.client.label = words["label"]
    clinic.olgas.client.save()
    cast.rated_course(clinic.olgas, [380, 380], last_ago=timedelta(days=14))
    low = cast.therapy_session(clinic.olgas, ago=timedelta(days=7))
    cast.rating(low, 273, comment=words["comment"])
    discussion_actions.discuss(
        flags=low.flags.all(), said=words["said"], agreed=words["agreed"], by=clinic.olga
    )
    cast.therapy_session(clinic.olgas)
    cast.rated_course(cast.episode(clinic.olga, words["other label"]), [380, 270])
    later = cast.episode(clinic.olga, "K-later")
    cast.rated_course(later, [380, 270])
    calling = Flag.objects.filter(session__episode=later)
    deferral_actions.defer(episode=later, flags=calling, kind="later", why=words["reason"], by=clinic.olga)
    question_actions.add_question(rule="A", item="", language="en", text=words["question"], by=clinic.adam)
