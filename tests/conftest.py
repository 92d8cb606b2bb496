"""What tests share that pytest hands out."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import optcore
from optcore import _core


@pytest.fixture
def restored_runtime() -> Iterator[None]:
    """Puts back the ISA level and the number of threads that a test chooses."""
    isa, threads = optcore.isa(), optcore.get_num_threads()
    yield
    _core.use_isa(isa)
    optcore.set_num_threads(threads)
