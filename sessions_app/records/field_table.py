"""Every field that is stored: whose it is, who may read it, under which name it leaves, and what an erasure does to it.

One table, from which exports, the record of a client and erasure are made. **A new model or field needs a line here**,
else tests/sessions_app/records/test_field_table.py fails and says so:

* `row(...)` for what is in files: `column(secrecy, name, what it says)`, in the order of the columns;
* ROW_NUMBER, LINK, SECRET, COMPUTED, NOT_SHOWN for what leaves in no file;
* `about`: every way from the model to a client. Its rows go with that client. Without it they stay for ever, so a field
  that could hold something about a client must then say what an erasure does to it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from functools import cache
from typing import Any

from django.apps import apps
from django.db import models

from alliance.measurement import flag_rules, instruments

CLIENT, SESSION = "clients.Client", "sessions_app.TherapySession"


class Whose(StrEnum):
    CLIENT = "a client’s"
    STAFF = "a member of staff’s"
    CLINIC = "the clinic’s"
    SITE = "nobody’s: the site’s own"


class Secrecy(IntEnum):
    """Who may read it in a file; each as those after it."""

    OFFICE = 1  # administrators: people and dates
    CLINICAL = 2  # whoever supervises the therapist
    SAID = 3  # the client's own words: the therapist; who supervises them where the client agreed
    THERAPIST = 4  # the client's therapist alone
    NOBODY = 5


class Erased(StrEnum):
    WITH_THE_CLIENT = "its row goes with the client"
    EMPTIED = "it is emptied"
    TAKEN_OUT = "what the client added to it is taken out"
    PSEUDONYM = "it stays: a random code that nothing leads back from"
    STAYS = "it stays: it says nothing about a client"


OFFICE, CLINICAL, SAID, THERAPIST, NOBODY = Secrecy


@dataclass(frozen=True)
class Field:
    """One line of the table. name: of the column in files; empty where it leaves in none."""

    secrecy: Secrecy = NOBODY
    name: str = ""
    says: str = ""
    erased: Erased | None = None  # None: as the rows of its model


@dataclass(frozen=True)
class Computed:
    """A column that is made of others when it is written."""

    secrecy: Secrecy
    says: str
    of: tuple[str, ...]
    value: Callable[..., Any]


@dataclass(frozen=True)
class Table:
    """One model. sheet: its name in exports, if any; shared_if: whether the client agreed that `SAID` is shared."""

    model: str
    fields: Mapping[str, Field]
    whose: Whose = Whose.CLIENT
    about: tuple[str, ...] = ()
    sheet: str = ""
    says: str = ""
    title: str = ""  # of one row, for people
    computed: Mapping[str, Computed] = field(default_factory=dict)
    shared_if: str = ""

    def rows(self) -> "models.QuerySet[Any]":
        rows: models.QuerySet[Any] = apps.get_model(self.model)._default_manager.all()
        return rows

    @property
    def session(self) -> str | None:
        """The way to the session it hangs on; empty for the session itself, None where it hangs on none."""
        if self.model == SESSION:
            return ""
        way, found, _ = self.about[0].partition("__episode__client") if self.about else ("", "", "")
        return way if found else None

    @property
    def episode(self) -> str | None:
        """The way to the episode; empty for the episode itself, None where there is none."""
        if not self.about or self.model == CLIENT:
            return None
        return self.about[0].removesuffix("client").removesuffix("__")

    def erased(self, name: str) -> Erased:
        own = self.fields[name].erased
        return own or (Erased.WITH_THE_CLIENT if self.about else Erased.STAYS)


def column(secrecy: Secrecy, name: str, says: str, erased: Erased | None = None) -> Field:
    return Field(secrecy, name, says, erased)


ROW_NUMBER = Field(says="a number of the database")
LINK = Field(says="to another row, which the first columns name")
SECRET = Field(says="a key, a password, or a hash of one")
COMPUTED = Field(says="computed again from what is in the files")
NOT_SHOWN = Field(says="of the site’s own working")


def not_shown(*names: str, erased: Erased | None = None) -> dict[str, Field]:
    return dict.fromkeys(names, Field(says="of the site’s own working", erased=erased))


def _sentence(rule: str, is_new: bool, on_work_list: bool, evidence: dict[str, Any], instrument: str) -> str:
    finding = flag_rules.Finding(rule, is_new, on_work_list, evidence)
    return flag_rules.sentence(finding, instruments.get(instrument))


def _rule(rule: str) -> str:
    return flag_rules.RULES[rule].name if rule in flag_rules.RULES else rule


IN_THE_CLINICS_TIME = "moment, in the clinic’s time zone"
LINES = "the lines, in tenths (0 to 100) and in points (0.0 to 10.0); empty: not answered"

# The order of the sheets in files, and of what hangs on a session in a record.
TABLES = (
    # --- Whose clients, in the files of the office ---
    Table(
        "alliance.User",
        whose=Whose.STAFF,
        sheet="people",
        says="Members of staff.",
        fields={
            "id": ROW_NUMBER,
            "name": column(OFFICE, "name", "as it stands on pages"),
            "email": column(OFFICE, "email", "address of the sign-in"),
            "is_therapist": column(OFFICE, "is_therapist", "yes or no"),
            "is_supervisor": column(OFFICE, "is_supervisor", "yes or no"),
            "is_administrator": column(OFFICE, "is_administrator", "yes or no"),
            "is_active": column(OFFICE, "may_sign_in", "yes or no"),
            "joined_at": column(OFFICE, "joined_at", IN_THE_CLINICS_TIME),
            "question_language": NOT_SHOWN,
            "last_login": NOT_SHOWN,
            "password": SECRET,
        },
    ),
    Table(
        "clients.Supervision",
        whose=Whose.STAFF,
        sheet="supervisions",
        says="Who supervises whom, from when to when.",
        fields={
            "id": ROW_NUMBER,
            "code": column(OFFICE, "supervision_code", "random; the same in every file"),
            "supervisor": column(OFFICE, "supervisor", "name"),
            "therapist": column(OFFICE, "therapist", "name"),
            "starts_on": column(OFFICE, "starts_on", "first day"),
            "ends_on": column(OFFICE, "ends_on", "last day; empty: in force"),
        },
    ),
    # --- A client ---
    Table(
        "clients.Client",
        about=("pk",),
        sheet="clients",
        title="Client",
        says="One row for each client.",
        fields={
            "id": ROW_NUMBER,
            "code": column(OFFICE, "client_code", "random; the same in every file and in the access log"),
            "label": column(OFFICE, "client_label", "as the clinic wrote it"),
            "language": column(OFFICE, "form_language", "of the form: en, de ..."),
            "age_band": column(OFFICE, "age_band", "adult, adolescent, child, young_child"),
            "registered_at": column(OFFICE, "registered_at", IN_THE_CLINICS_TIME),
        },
    ),
    Table(
        "clients.Episode",
        about=("client",),
        sheet="episodes",
        title="Episode",
        says="One row for each course of therapy of a client with a therapist.",
        fields={
            "id": ROW_NUMBER,
            "client": LINK,
            "code": column(OFFICE, "episode_code", "random; the same in every file"),
            "therapist": column(OFFICE, "therapist", "name"),
            "opened_on": column(OFFICE, "opened_on", "day"),
            "closed_on": column(OFFICE, "closed_on", "day; empty: open"),
            "ending": column(OFFICE, "ending", "planned, unplanned, transferred; empty: open"),
        },
    ),
    Table(
        "sessions_app.TherapySession",
        about=("episode__client",),
        sheet="sessions",
        title="Session",
        says="One row for each session, planned or held.",
        fields={
            "id": ROW_NUMBER,
            "episode": LINK,
            "code": column(OFFICE, "session_code", "random; the same in every file"),
            "number": column(OFFICE, "session_number", "its place in the course"),
            "held_at": column(OFFICE, "starts_at", IN_THE_CLINICS_TIME),
            "ends_at": column(OFFICE, "ends_at", IN_THE_CLINICS_TIME),
            "modality": column(OFFICE, "modality", "in_person, video, phone"),
            "attendance": column(OFFICE, "attendance", "planned, attended, cancelled, did_not_attend"),
        },
    ),
    # --- What a client marked ---
    Table(
        "sessions_app.Rating",
        about=("session__episode__client",),
        sheet="ratings",
        title="Rating",
        says="One row for each rating, corrected ones too; `counts` tells which one is in the course.",
        shared_if="share_comment",
        computed={
            "counts": Computed(
                CLINICAL,
                "yes; no where a later rating took its place",
                ("replaced_by__pk",),
                lambda later: later is None,
            )
        },
        fields={
            "id": ROW_NUMBER,
            "session": LINK,
            "code": column(CLINICAL, "rating_code", "random; the same in every file"),
            "instrument": column(CLINICAL, "instrument", "the form that was marked"),
            "instrument_version": column(CLINICAL, "instrument_version", "of the form"),
            "answers": column(CLINICAL, "answers", LINES),
            "total": column(CLINICAL, "total", "sum of the lines; empty where one is missing"),
            "comment": column(SAID, "comment", "the client’s own words"),
            "share_comment": column(
                CLINICAL, "comment_is_shared", "the client agreed that it is read in supervision"
            ),
            "language": column(CLINICAL, "language", "in which the client read the form"),
            "mode": column(CLINICAL, "mode", "line, number, paper, verbal: how the marks were made"),
            "received_at": column(CLINICAL, "received_at", IN_THE_CLINICS_TIME),
            "replaces": column(CLINICAL, "replaces_rating_code", "the rating in whose place it stands"),
            "claimed_at": column(
                THERAPIST, "device_clock", "what the device’s own clock said; may be wrong by years"
            ),
            "wording": column(CLINICAL, "wording_code", "edition of the clinic’s own wording, if any"),
            "grant": LINK,
            "sha256": SECRET,
            "delivery": NOT_SHOWN,
        },
    ),
    Table(
        "sessions_app.Correction",
        about=("rating__session__episode__client",),
        sheet="corrections",
        title="Why the rating was corrected",
        says="Why a rating took the place of another.",
        fields={
            "id": ROW_NUMBER,
            "code": column(CLINICAL, "correction_code", "random; the same in every file"),
            "rating": column(CLINICAL, "rating_code", "the later of the two"),
            "why": column(CLINICAL, "why", "in the therapist’s words"),
            "corrected_at": column(CLINICAL, "corrected_at", IN_THE_CLINICS_TIME),
            "corrected_by": column(CLINICAL, "corrected_by", "name"),
        },
    ),
    Table(
        "sessions_app.SetAsideRating",
        about=("session__episode__client",),
        sheet="set_aside",
        title="Marks that were set aside",
        says="Marks that arrived and could not stand as the rating.",
        fields={
            "id": ROW_NUMBER,
            "session": LINK,
            "grant": LINK,
            "code": column(THERAPIST, "set_aside_code", "random; the same in every file"),
            "reason": column(THERAPIST, "reason", "disputed, withdrawn, late, invalid"),
            "answers": column(THERAPIST, "answers", LINES),
            "comment": column(THERAPIST, "comment", "the client’s own words"),
            "share_comment": column(THERAPIST, "comment_is_shared", "yes or no"),
            "language": column(THERAPIST, "language", "in which the client read the form"),
            "mode": column(THERAPIST, "mode", "line, number, paper, verbal"),
            "received_at": column(THERAPIST, "received_at", IN_THE_CLINICS_TIME),
            "claimed_at": column(THERAPIST, "device_clock", "what the device’s own clock said"),
            "raw": column(THERAPIST, "as_it_came", "where no marks could be read"),
            "sha256": SECRET,
            "delivery": NOT_SHOWN,
        },
    ),
    Table(
        "sessions_app.Settlement",
        about=("set_aside__session__episode__client",),
        sheet="set_aside_decisions",
        title="Decision about marks that were set aside",
        says="What the therapist decided about marks that were set aside.",
        fields={
            "id": ROW_NUMBER,
            "code": column(THERAPIST, "decision_code", "random; the same in every file"),
            "set_aside": column(THERAPIST, "set_aside_code", "the marks"),
            "outcome": column(THERAPIST, "outcome", "used, left"),
            "rating": column(THERAPIST, "rating_code", "what they became"),
            "why": column(THERAPIST, "why", "in the therapist’s words"),
            "settled_at": column(THERAPIST, "decided_at", IN_THE_CLINICS_TIME),
            "settled_by": column(THERAPIST, "decided_by", "name"),
            "undone_at": column(THERAPIST, "undone_at", "moment; empty: it stands"),
            "undone_by": column(THERAPIST, "undone_by", "name"),
        },
    ),
    Table(
        "sessions_app.RatingGrant",
        about=("session__episode__client",),
        sheet="forms",
        title="Form that was given",
        says="One row for each time a form was handed over, sent, or entered from paper.",
        fields={
            "id": ROW_NUMBER,
            "session": LINK,
            "code": column(CLINICAL, "form_code", "random; the same in every file"),
            "instrument": column(CLINICAL, "instrument", "the form"),
            "instrument_version": column(CLINICAL, "instrument_version", "of the form"),
            "channel": column(CLINICAL, "channel", "tablet, phone, paired (tablet of a room), paper, verbal"),
            "language": column(CLINICAL, "language", "of the form"),
            "made_at": column(CLINICAL, "made_at", IN_THE_CLINICS_TIME),
            "made_by": column(CLINICAL, "made_by", "name"),
            "opened_at": column(CLINICAL, "opened_at", "moment; empty: not sent, or not opened"),
            "open_until": column(CLINICAL, "open_until", "until then it could be opened"),
            "accept_until": column(CLINICAL, "accept_until", "until then marks were taken"),
            "declined": column(CLINICAL, "declined", "the client chose not to rate"),
            "withdrawn_at": column(CLINICAL, "taken_back_at", "moment; empty: it was not"),
            "withdrawn_by": column(CLINICAL, "taken_back_by", "name"),
            "paired_tablet": NOT_SHOWN,
            "wording": column(CLINICAL, "wording_code", "edition of the clinic’s own wording, if any"),
            "token_hash": SECRET,
            "link_hash": SECRET,
            "short_code_hash": SECRET,
            "short_code_until": NOT_SHOWN,
        },
    ),
    # --- What the rules concluded, and what was said about it ---
    Table(
        "sessions_app.Flag",
        about=("session__episode__client",),
        sheet="flags",
        title="Flag",
        says="One row for each finding of a rule, withdrawn ones too.",
        computed={
            "rule_name": Computed(CLINICAL, "the rule in words", ("rule",), _rule),
            "sentence": Computed(
                CLINICAL,
                "as it stood on the page",
                ("rule", "is_new", "on_work_list", "evidence", "instrument"),
                _sentence,
            ),
        },
        fields={
            "id": ROW_NUMBER,
            "session": LINK,
            "code": column(CLINICAL, "flag_code", "random; the same in every file"),
            "rating": column(CLINICAL, "rating_code", "on which it rests"),
            "instrument": column(CLINICAL, "instrument", "the form"),
            "rule": column(CLINICAL, "rule", "letter of the rule (docs/clinical-rules.md)"),
            "is_new": column(CLINICAL, "is_new", "yes; no where it goes on"),
            "on_work_list": column(CLINICAL, "is_reason_to_talk", "yes or no"),
            "evidence": column(CLINICAL, "evidence", "the figures behind it, in tenths; JSON"),
            "settings_version": column(CLINICAL, "settings_version", "of the rules that raised it"),
            "raised_at": column(CLINICAL, "raised_at", IN_THE_CLINICS_TIME),
            "withdrawn_at": column(CLINICAL, "withdrawn_at", "moment; empty: it stands"),
        },
    ),
    Table(
        "sessions_app.Discussion",
        about=("session__episode__client",),
        sheet="talks",
        title="Conversation",
        says="One row for each conversation about flags, taken-back ones too.",
        fields={
            "id": ROW_NUMBER,
            "session": LINK,
            "code": column(CLINICAL, "talk_code", "random; the same in every file"),
            "said": column(CLINICAL, "said", "what the client said, in the therapist’s words"),
            "agreed": column(CLINICAL, "agreed", "what was agreed to change"),
            "discussed_at": column(CLINICAL, "noted_at", IN_THE_CLINICS_TIME),
            "discussed_by": column(CLINICAL, "noted_by", "name"),
            "withdrawn_at": column(CLINICAL, "taken_back_at", "moment; empty: it stands"),
            "withdrawn_by": column(CLINICAL, "taken_back_by", "name"),
        },
    ),
    Table(
        "sessions_app.Discussion_flags",
        about=("discussion__session__episode__client",),
        sheet="flags_of_talks",
        says="Which flags a conversation was about.",
        fields={
            "id": ROW_NUMBER,
            "discussion": column(CLINICAL, "talk_code", "the conversation"),
            "flag": column(CLINICAL, "flag_code", "the flag"),
        },
    ),
    Table(
        "sessions_app.FollowUp",
        about=("session__episode__client",),
        sheet="follow_ups",
        title="Did it help?",
        says="The answers to “did it help?”.",
        fields={
            "id": ROW_NUMBER,
            "session": LINK,
            "code": column(CLINICAL, "follow_up_code", "random; the same in every file"),
            "discussion": column(CLINICAL, "talk_code", "the conversation it is about"),
            "answer": column(CLINICAL, "answer", "helped, partly, not_yet, not_tried"),
            "noted_at": column(CLINICAL, "noted_at", IN_THE_CLINICS_TIME),
            "noted_by": column(CLINICAL, "noted_by", "name"),
            "undone_at": column(CLINICAL, "undone_at", "moment; empty: it stands"),
            "undone_by": column(CLINICAL, "undone_by", "name"),
        },
    ),
    Table(
        "sessions_app.Deferral",
        about=("session__episode__client",),
        sheet="deferrals",
        title="Not talked about",
        says="Decisions not to talk about flags now, or at all.",
        fields={
            "id": ROW_NUMBER,
            "session": LINK,
            "code": column(CLINICAL, "deferral_code", "random; the same in every file"),
            "kind": column(CLINICAL, "kind", "later, not_needed"),
            "why": column(CLINICAL, "why", "in the therapist’s words"),
            "deferred_at": column(CLINICAL, "decided_at", IN_THE_CLINICS_TIME),
            "deferred_by": column(CLINICAL, "decided_by", "name"),
            "undone_at": column(CLINICAL, "undone_at", "moment; empty: it stands"),
            "undone_by": column(CLINICAL, "undone_by", "name"),
        },
    ),
    Table(
        "sessions_app.Deferral_flags",
        about=("deferral__session__episode__client",),
        sheet="flags_of_deferrals",
        says="Which flags such a decision was about.",
        fields={
            "id": ROW_NUMBER,
            "deferral": column(CLINICAL, "deferral_code", "the decision"),
            "flag": column(CLINICAL, "flag_code", "the flag"),
        },
    ),
    Table(
        "sessions_app.EpisodeStanding",
        about=("episode__client",),
        fields=dict.fromkeys(
            [
                *("episode", "revision", "settings_version", "calls_from", "talk", "agreement"),
                *("deferral", "put_off", "put_off_until", "course", "process"),
            ],
            COMPUTED,
        ),
    ),
    # --- Of the clinic: nothing of a client ---
    Table(
        "sessions_app.ProcessDay",
        whose=Whose.STAFF,
        fields={
            **not_shown("id", "therapist", "day"),
            **not_shown(
                *("attended", "rated", "missed", "flags", "talked", "not_needed", "low_points", "back"),
                erased=Erased.TAKEN_OUT,
            ),
        },
    ),
    Table(
        "sessions_app.Recomputation",
        whose=Whose.SITE,
        fields=not_shown(
            *("id", "settings_version", "episodes", "done", "last_episode", "changed"),
            *("started_at", "started_by", "finished_at"),
        ),
    ),
    Table(
        "sessions_app.OwnQuestion",
        whose=Whose.CLINIC,
        fields=not_shown(
            *(
                "id",
                "code",
                "rule",
                "item",
                "language",
                "text",
                "added_at",
                "added_by",
                "removed_at",
                "removed_by",
            )
        ),
    ),
    Table(
        "sessions_app.PairedTablet",
        whose=Whose.CLINIC,
        fields={
            **not_shown("id", "code", "name", "pairing_until", "paired_at", "paired_by"),
            **not_shown("last_seen_at", "revoked_at", "revoked_by"),
            "key_hash": SECRET,
            "pairing_hash": SECRET,
        },
    ),
    Table(
        "sessions_app.ClinicSettings",
        whose=Whose.CLINIC,
        fields=not_shown("id", "code", "version", "instrument", "closing", "rules", "made_at", "made_by"),
    ),
    Table(
        "sessions_app.ClinicWording",
        whose=Whose.CLINIC,
        fields=not_shown(
            *(
                "id",
                "code",
                "instrument",
                "instrument_version",
                "language",
                "edition",
                "title",
                "introduction",
            ),
            *("items", "loaded_at", "loaded_by", "switched_on_at", "switched_on_by"),
        ),
    ),
    Table(
        "sessions_app.Licence",
        whose=Whose.CLINIC,
        fields=not_shown(
            *("id", "code", "instrument", "holder", "kind", "number", "medium", "valid_to"),
            *("accepted_at", "accepted_by", "ended_at", "ended_by"),
        ),
    ),
    Table(
        "sessions_app.RetentionRule",
        whose=Whose.CLINIC,
        fields=not_shown("id", "code", "version", "years", "years_young", "made_at", "made_by"),
    ),
    # --- What is kept of what was done ---
    Table(
        "alliance.AuditEvent",
        whose=Whose.CLINIC,
        fields={
            **not_shown("id", "at", "actor", "action", "entity", "address"),
            **not_shown("entity_code", "client", "clients", "detail", erased=Erased.PSEUDONYM),
        },
    ),
    Table(
        "alliance.Erasure",
        whose=Whose.CLINIC,
        fields={
            **not_shown("id", "code", "batch", "reason", "asked_at", "asked_by", "counts"),
            **not_shown("confirmed_at", "confirmed_by", "called_off_at", "called_off_by"),
            **not_shown("client", erased=Erased.PSEUDONYM),
            **not_shown("note", erased=Erased.EMPTIED),
        },
    ),
    Table("alliance.ErasurePermit", whose=Whose.SITE, fields=not_shown("id", "erasure", "never")),
    Table(
        "sessions_app.ErasedGrant",
        whose=Whose.SITE,
        fields={**not_shown("code", erased=Erased.PSEUDONYM), **not_shown("erasure")},
    ),
    Table(
        "alliance.BrowserSession",
        whose=Whose.STAFF,
        fields={
            "session_key": SECRET,
            **not_shown("expire_date", "person"),
            # A message that was not shown yet may name the client; a locked tablet holds a grant.
            "session_data": Field(says="what the server keeps for a browser", erased=Erased.TAKEN_OUT),
        },
    ),
    # --- Of Django and allauth ---
    Table(
        "account.EmailAddress",
        whose=Whose.STAFF,
        fields=not_shown("id", "user", "email", "verified", "primary"),
    ),
    Table(
        "account.EmailConfirmation",
        whose=Whose.STAFF,
        fields={**not_shown("id", "email_address", "created", "sent"), "key": SECRET},
    ),
    Table(
        "mfa.Authenticator",
        whose=Whose.STAFF,
        fields={**not_shown("id", "user", "type", "created_at", "last_used_at"), "data": SECRET},
    ),
    Table(
        "usersessions.UserSession",
        whose=Whose.STAFF,
        fields={
            **not_shown("id", "user", "created_at", "ip", "last_seen_at", "user_agent", "data"),
            "session_key": SECRET,
        },
    ),
    Table("auth.Permission", whose=Whose.SITE, fields=not_shown("id", "name", "content_type", "codename")),
    Table("auth.Group", whose=Whose.SITE, fields=not_shown("id", "name")),
    Table("auth.Group_permissions", whose=Whose.SITE, fields=not_shown("id", "group", "permission")),
    Table("contenttypes.ContentType", whose=Whose.SITE, fields=not_shown("id", "app_label", "model")),
    # Never written: `alliance.BrowserSession` takes its place.
    Table(
        "sessions.Session", whose=Whose.SITE, fields=not_shown("session_key", "session_data", "expire_date")
    ),
)
# Tables of no model, with what an erasure does to them.
TABLES_WITHOUT_A_MODEL = {
    "cache": "tries of sign-in, by address and person: nothing of a client",
    "django_migrations": "which migrations ran",
}


@cache
def by_model() -> Mapping[str, Table]:
    return {table.model: table for table in TABLES}


@cache
def going_with_the_client() -> tuple[Table, ...]:
    """Those whose rows go, in an order in which none goes before what refers to it."""
    waiting = {apps.get_model(table.model): table for table in TABLES if table.about}
    order: list[Table] = []
    while waiting:
        free = [model for model in waiting if not _referred_to(model, waiting)]
        if not free:
            raise RuntimeError(f"These models refer to each other in a ring: {list(waiting)}")
        order += [waiting.pop(model) for model in free]
    return tuple(order)


def _referred_to(model: type[models.Model], by: Mapping[type[models.Model], Table]) -> bool:
    """Whether a row of another of these models refers to `model`."""
    return any(
        field.related_model is model
        for other in by
        if other is not model
        for field in other._meta.concrete_fields
        if field.is_relation
    )
