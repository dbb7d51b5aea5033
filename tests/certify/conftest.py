"""What tests of the certificate share."""

from pathlib import Path

import pytest


@pytest.fixture
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for temporary files with a name that leaves room for sockets below it."""
    return tmp_path_factory.mktemp("c")
