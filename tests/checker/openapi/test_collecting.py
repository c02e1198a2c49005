"""Collections are rare while documents are compared, and as before afterwards, whatever became of the comparison."""

from __future__ import annotations

import gc
import threading

import pytest
from deedbox.checker.collecting import rare_collections


def test_the_last_that_leaves_restores_what_was() -> None:
    before = gc.get_threshold()
    inside, leave = threading.Event(), threading.Event()

    def other() -> None:
        with rare_collections():
            inside.set()
            leave.wait(10)

    with rare_collections():
        assert gc.get_threshold()[0] > before[0]
        thread = threading.Thread(target=other)
        thread.start()
        assert inside.wait(10)
    assert gc.get_threshold()[0] > before[0]
    leave.set()
    thread.join()
    assert gc.get_threshold() == before


def test_an_error_restores_what_was() -> None:
    before = gc.get_threshold()
    with pytest.raises(KeyError), rare_collections():
        raise KeyError
    assert gc.get_threshold() == before
