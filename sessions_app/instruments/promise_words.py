"""The words of a promise, made of its flags: nothing can be written that is not so, nor kept back that is."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from sessions_app.instruments.nearest_language import nearest
from sessions_app.instruments.promises import Promised


@dataclass(frozen=True)
class OwnSentence:
    """The clinic's own words, and the language they are in."""

    language: str
    text: str


@dataclass(frozen=True)
class PromiseWords:
    """What a page says of a promise, in the language that is spoken.

    who: who sees the marks. comment: who reads what was written. may_share: the words beside the box that lets the
    supervisor read it too; empty where no such box is offered. shared, not_shared: the same once more, before it is
    handed in. again: what the rater can do when the form is over.
    """

    who: str
    comment: str
    may_share: str
    shared: str
    not_shared: str
    again: str
    own: OwnSentence | None


def words(
    promised: Promised, *, of_answers: bool = False, has_comment: bool = True, together: bool = False
) -> PromiseWords:
    """In the language that is spoken now. of_answers: what is given are answers to choose, and no marks on lines.

    has_comment: whether the form asks for a sentence; else nothing is said of one. together: the session is one of
    several people, who may have two therapists.
    """
    of_rater = _BY_RATER.get(promised.rater, _Client)
    say = (_Together if together and of_rater is _Client else of_rater)(promised, of_answers=of_answers)
    return PromiseWords(
        who=" ".join(say.who()),
        comment=say.comment() if has_comment else "",
        may_share=say.may_share() if promised.supervisor_comment else "",
        shared=say.shared(),
        not_shared=say.not_shared(),
        again=say.again(),
        own=_own(promised),
    )


def _own(promised: Promised) -> OwnSentence | None:
    texts = dict(promised.own)
    if not texts:
        return None
    tag = nearest(texts, get_language() or "")
    return OwnSentence(tag, texts[tag])


class _Says(Protocol):
    def __init__(self, promised: Promised, *, of_answers: bool) -> None: ...
    def who(self) -> Iterator[str]: ...
    def comment(self) -> str: ...
    def may_share(self) -> str: ...
    def shared(self) -> str: ...
    def not_shared(self) -> str: ...
    def again(self) -> str: ...


class _Client:
    def __init__(self, promised: Promised, *, of_answers: bool) -> None:
        self.promised, self.of_answers = promised, of_answers

    def who(self) -> Iterator[str]:
        of = self.promised
        yield self._who()
        if of.family:
            yield _("Whoever looks after you may see them too, together with your therapist.")
        if of.record_system:
            yield _(
                "They are also kept in the clinic’s record of you, where others who treat you can read them."
            )
        if of.research:
            yield _("They may be used for research, without your name.")
        # "Does" goes on from "sees"; after another sentence it would go on from that one.
        yield _("Nobody else sees them.") if _is_seen_otherwise(of) else _("Nobody else does.")
        if not of.export:
            yield _("They are not copied into files.")
        if not of.record:
            yield _("They are not printed with the record of your therapy.")

    def _who(self) -> str:
        if self.of_answers and self.promised.supervisor:
            return _(
                "Your therapist sees your answers, and so does the person who supervises your therapist."
            )
        if self.of_answers:
            return _("Your therapist sees your answers.")
        if self.promised.supervisor:
            return _("Your therapist sees your marks, and so does the person who supervises your therapist.")
        return _("Your therapist sees your marks.")

    def comment(self) -> str:
        if self.promised.supervisor_comment:
            return _(
                "Only your therapist reads your sentence, unless you allow the supervisor to read it too."
            )
        return _("Only your therapist reads your sentence.")

    def may_share(self) -> str:
        return _("My therapist's supervisor may read this sentence too")

    def shared(self) -> str:
        return _("Your therapist and their supervisor may read it.")

    def not_shared(self) -> str:
        return _("Only your therapist may read it.")

    def again(self) -> str:
        return _("Nothing is lost: your therapist can start it again.")


class _Together(_Client):
    """A member of a group, a couple or a family: all who lead the session see the marks."""

    def _who(self) -> str:
        if self.promised.supervisor:
            return _("The therapists of this session see your marks, and so does whoever supervises them.")
        return _("The therapists of this session see your marks.")


class _Caregiver:
    """Somebody who answers about another: the therapist is not theirs, and the other does not see it."""

    def __init__(self, promised: Promised, *, of_answers: bool) -> None:
        self.promised, self.of_answers = promised, of_answers

    def who(self) -> Iterator[str]:
        of = self.promised
        yield self._who()
        if of.family:
            yield _("The person you answer about may see them too, together with the therapist.")
        if of.record_system:
            yield _(
                "They are also kept in the clinic’s record, where others who treat the person you answer about can "
                "read them."
            )
        if of.research:
            yield _("They may be used for research, without your name.")
        yield _("Nobody else sees them.") if _is_seen_otherwise(of) else _("Nobody else does.")
        if not of.family:
            yield _("The person you answer about does not see them here.")
        if not of.export:
            yield _("They are not copied into files.")
        if not of.record:
            yield _("They are not printed with the record of the therapy.")

    def _who(self) -> str:
        if self.of_answers and self.promised.supervisor:
            return _("The therapist sees your answers, and so does the person who supervises the therapist.")
        if self.of_answers:
            return _("The therapist sees your answers.")
        if self.promised.supervisor:
            return _("The therapist sees your marks, and so does the person who supervises the therapist.")
        return _("The therapist sees your marks.")

    def comment(self) -> str:
        if self.promised.supervisor_comment:
            return _(
                "Only the therapist reads your sentence, unless you allow the supervisor to read it too."
            )
        return _("Only the therapist reads your sentence.")

    def may_share(self) -> str:
        return _("The therapist’s supervisor may read this sentence too")

    def shared(self) -> str:
        return _("The therapist and their supervisor may read it.")

    def not_shared(self) -> str:
        return _("Only the therapist may read it.")

    def again(self) -> str:
        return _("Nothing is lost: the therapist can start it again.")


class _Staff:
    """A therapist or an observer, who reads it on a page of staff: in English, as those are."""

    def __init__(self, promised: Promised, *, of_answers: bool) -> None:
        self.promised = promised

    def who(self) -> Iterator[str]:
        of = self.promised
        if of.supervisor:
            yield "The therapist of this client sees what you mark, and so does whoever supervises them."
        else:
            yield "The therapist of this client sees what you mark, and whoever supervises them does not."
        yield "The client may see it too." if of.family else "The client does not see it here."
        if of.record_system:
            yield "It is also kept in the clinic’s other system."
        if of.research:
            yield "It may be used for research, without names."
        yield "Nobody else sees it."
        if not of.export:
            yield "It is not copied into files of many clients."
        if not of.record:
            yield "It is not part of the record of the client."

    def comment(self) -> str:
        if self.promised.supervisor_comment:
            return "Your note is for the therapist, unless you allow whoever supervises them to read it too."
        return "Your note is for the therapist alone."

    def may_share(self) -> str:
        return "Whoever supervises may read this note too"

    def shared(self) -> str:
        return ""

    def not_shared(self) -> str:
        return ""

    def again(self) -> str:
        return ""


class _Therapist(_Staff):
    """Who treats the client, and answers a questionnaire of their own."""

    def who(self) -> Iterator[str]:
        yield "You read it again with the course."
        if self.promised.supervisor:
            yield "So does whoever supervises you."
        yield from list(super().who())[1:]

    def comment(self) -> str:
        if self.promised.supervisor_comment:
            return "Your note is for you, unless you let whoever supervises you read it too."
        return "Your note is for you alone."

    def may_share(self) -> str:
        return "Whoever supervises me may read this note too"


def _is_seen_otherwise(of: Promised) -> bool:
    return of.family or of.record_system or of.research


_BY_RATER: dict[str, type[_Says]] = {
    "client": _Client,
    "caregiver": _Caregiver,
    "therapist": _Therapist,
    "observer": _Staff,
}
