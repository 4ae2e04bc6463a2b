"""Rows that several tests read and change: built once for a module or a class, and rolled back after each test."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import replace
from typing import Any, TypeVar

import pytest
from django.test import TestCase

from alliance.kept_values import forget_everything
from alliance.measurement import instruments
from alliance.measurement.parameters import ANY_CHANGE

Built = TypeVar("Built")


@contextmanager
def kept_open(blocker: Any) -> Iterator[None]:
    """A transaction around those tests: what is written at its beginning is there for each, and gone after the last.

    One like the tests' own, so that what asks for an outermost one gets it. Each test takes a `copy_of` the objects.
    Not for tests with `transaction=True`, which empty the tables, and not beside tests that begin with empty ones:
    these stand in another class or module.
    """
    with blocker.unblock():
        around = TestCase._enter_atomics()
        try:
            yield
        finally:
            TestCase._rollback_atomics(around)


def send_mails_at_once(patch: pytest.MonkeyPatch) -> None:
    """A mail sent beside the answer would fall into the next test's outbox."""
    for sender in ("alliance.accounts", "alliance.new_browsers", "clients.approval_notices"):
        patch.setattr(f"{sender}.send_later", lambda written: written().send())


@contextmanager
def built_once(blocker: Any, build: Callable[[], Built]) -> Iterator[Built]:
    """What `build` returns, in such a transaction; mails that it sends are not sent beside it."""
    with kept_open(blocker):
        with pytest.MonkeyPatch.context() as patch:
            send_mails_at_once(patch)
            made = build()
        yield made


def copy_of(built: Built) -> Built:
    """The objects for one test: what it changes in memory stays with it, as what it writes is rolled back.

    The process forgets the pieces of pages it keeps: they are found by the numbers of rows, which come again after a
    rollback.
    """
    forget_everything()
    return deepcopy(built)


class OnACopy:
    """The tests of a class whose fixture `built` gives a clinic and something of it: each has a copy of both."""

    @pytest.fixture
    def copied(self, built: tuple[Any, Any]) -> tuple[Any, Any]:
        return copy_of(built)

    @pytest.fixture
    def clinic(self, copied: tuple[Any, Any]) -> Any:
        return copied[0]


@contextmanager
def under_the_former_list() -> Iterator[None]:
    """As the fixture `former_list`, for what is built before a single test has its fixtures."""
    instruments.newest()  # kept for the whole run: as shipped, whoever asks first
    by_any_change = tuple(
        replace(one, parameters=replace(one.parameters, work_list=ANY_CHANGE))
        for one in instruments.all_instruments()
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(instruments, "all_instruments", lambda: by_any_change)
        yield
