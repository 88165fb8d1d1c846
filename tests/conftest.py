"""What holds for every test."""

import pytest

from rethink_keras import config


@pytest.fixture(autouse=True)
def no_configuration_left():
    """Gin's configuration is global: none of one test may reach another."""
    yield
    config.clear()
