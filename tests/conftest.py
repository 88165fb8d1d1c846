"""What holds for every test."""

import pytest
from absl import flags
from absl.testing import absltest  # noqa: F401  (defines the flag --test_tmpdir)

from rethink_keras import config


@pytest.fixture(scope="session", autouse=True)
def absl_temporary_folder(tmp_path_factory):
    """Lets `create_tempdir` work under pytest, in a folder of this session."""
    flags.FLAGS.mark_as_parsed()
    flags.FLAGS.test_tmpdir = str(tmp_path_factory.mktemp("absl"))


@pytest.fixture(autouse=True)
def no_configuration_left():
    """Clears the configuration after each test, since a process has one for all."""
    yield
    config.clear()


def pytest_collection_modifyitems(items):
    """Begins with the longest test, so that another process can do all others meanwhile."""
    items.sort(key=lambda item: "kill_and_resume_test" not in item.nodeid)
