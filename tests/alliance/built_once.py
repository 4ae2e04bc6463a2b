"""Rows that take long to make: once for a module. Each test begins with them and takes back what it did."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.test import TestCase


@contextmanager
def built_once(blocker: Any, build: Callable[[], Any]) -> Iterator[Any]:
    """What `build` returns; hand each test a deep copy: the objects do not go back to what they were by themselves.

    In a transaction as the tests' own are, around all of theirs, so that what asks for an outermost one gets it.
    """
    with blocker.unblock():
        around = TestCase._enter_atomics()
        try:
            with pytest.MonkeyPatch.context() as patch:
                # As in each test: a mail sent beside the answer would come at any time.
                for sender in ("alliance.accounts", "alliance.new_browsers", "clients.approval_notices"):
                    patch.setattr(f"{sender}.send_later", lambda written: written().send())
                made = build()
            yield made
        finally:
            TestCase._rollback_atomics(around)
