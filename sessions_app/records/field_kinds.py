"""What the table of all fields can say of a field: whose it is, how secret, how exported, how erased."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Any

from django.apps import apps
from django.db import models

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
    for_people: bool = True


@dataclass(frozen=True)
class Table:
    """One model. sheet: its name in exports, if any; shared_if: whether the client agreed that `SAID` is shared.

    promise: of rows with marks, the way to what was promised about them.
    """

    model: str
    fields: Mapping[str, Field]
    whose: Whose = Whose.CLIENT
    about: tuple[str, ...] = ()
    sheet: str = ""
    says: str = ""
    title: str = ""  # of one row, for people
    computed: Mapping[str, Computed] = field(default_factory=dict)
    shared_if: str = ""
    promise: str = ""

    def rows(self) -> "models.QuerySet[Any]":
        rows: models.QuerySet[Any] = apps.get_model(self.model)._base_manager.all()  # voided sessions too
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
IN_SUPERVISION = Field(says="between a therapist and whoever supervises them: on their pages alone")
NOT_SHOWN = Field(says="of the site’s own working")


def not_shown(*names: str, erased: Erased | None = None) -> dict[str, Field]:
    return dict.fromkeys(names, Field(says="of the site’s own working", erased=erased))


IN_THE_CLINICS_TIME = "moment, in the clinic’s time zone"
LINES = "the lines, in tenths (0 to 100) and in points (0.0 to 10.0); empty: not answered"
