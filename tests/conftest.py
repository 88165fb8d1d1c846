"""What holds for every test."""

import pytest

from rethink_keras import config


@pytest.fixture(autouse=True)
def no_configuration_left():
    """Gin's configuration is global: none of one test may reach another."""
    yield
    config.clear()


def pytest_collection_modifyitems(items):
    """The longest test comes first, so that another process can do all others meanwhile."""
    items.sort(key=lambda item: "kill_test" not in item.nodeid)
