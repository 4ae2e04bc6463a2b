"""The memory of a process for finished pieces."""

import sys
import threading
from uuid import UUID

import pytest

from alliance.kept_values import Kept


def test_what_was_not_used_longest_goes_first():
    kept = Kept(2)
    kept.put("a", 1)
    kept.put("b", 2)
    assert kept.get("a") == 1
    kept.put("c", 3)
    assert (kept.get("a"), kept.get("b"), kept.get("c")) == (1, None, 3)


@pytest.fixture
def impatient():
    """Threads take turns as often as can be."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def test_threads_that_store_and_evict_the_same_keys_do_no_harm(impatient):
    """Without its lock an ordered dictionary raised KeyError here: UUIDs compare in Python code."""
    kept, errors = Kept(3), []

    def use():
        try:
            for number in range(3000):
                kept.put((UUID(int=number % 7), 1), number)
                kept.get((UUID(int=number % 5), 1))
        except KeyError as error:
            errors.append(error)

    threads = [threading.Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(kept.values()) == 3
