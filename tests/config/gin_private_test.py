import contextlib
import io
import typing

import gin
from absl.testing import absltest

from rethink_keras.config import gin_private


@gin.configurable(module="gin_private_test")
def baked(minutes=40, filling=None):
    return minutes, filling


SELECTOR = "gin_private_test.baked"


class GinPrivateTest(absltest.TestCase):
    """What this project relies on of gin beyond its public interface: a new version of gin may break it."""

    def test_bindings_and_operative_values(self):
        gin.parse_config("baked.minutes = 50\na/baked.filling = %PLUM\nPLUM = 1")
        bindings = gin_private.bindings()
        self.assertEqual(bindings["", SELECTOR], {"minutes": 50})
        reference = bindings["a", SELECTOR]["filling"]
        self.assertIsInstance(reference, gin_private.Reference)
        self.assertEqual(reference.selector, gin_private.MACRO)
        self.assertEqual(bindings[reference.config_key], {"value": 1})
        baked()
        self.assertEqual(gin_private.operative(), {("", SELECTOR): {"minutes": 50, "filling": None}})

    def test_registry(self):
        self.assertEqual(gin_private.find("baked").wrapper, baked)
        self.assertIsNone(gin_private.find("grilled"))
        self.assertIn(SELECTOR, gin_private.selectors())
        self.assertEqual(gin_private.minimal_selector(SELECTOR), "baked")

    def test_saved_restores_everything(self):
        gin.parse_config("import math\nbaked.minutes = 50")
        baked()
        gin.finalize()
        before = gin.config_str(), gin.operative_config_str()
        with contextlib.suppress(ZeroDivisionError), gin_private.saved():
            gin.clear_config()
            gin.parse_config("import json\nbaked.minutes = 60\nbaked.filling = 1")
            baked()
            _ = 1 / 0
        self.assertEqual((gin.config_str(), gin.operative_config_str()), before)
        self.assertIn("import math", gin.config_str())
        self.assertTrue(gin.config_is_locked())

    def test_saved_copies_values(self):
        gin.parse_config("baked.minutes = 50")
        with gin_private.saved():
            gin.parse_config("baked.minutes = 60")  # without clearing first
        self.assertEqual(gin.query_parameter("baked.minutes"), 50)

    def test_files_are_read_by_a_function(self):
        texts = {"outer.gin": "include 'a/inner.gin'", "a/inner.gin": "baked.minutes = 70"}
        opened = []

        @contextlib.contextmanager
        def reader(name):
            opened.append(name)
            yield io.StringIO(texts[name])

        gin.add_config_file_search_path("/elsewhere")
        with gin_private.files_read_by(reader):
            gin.parse_config_file("outer.gin")
        self.assertEqual(gin.query_parameter("baked.minutes"), 70)
        self.assertEqual(opened, ["outer.gin", "a/inner.gin"])  # names as they are written
        with self.assertRaises(OSError):  # gin's own reader is back
            gin.parse_config_file("outer.gin")

    def test_protocols(self):
        class Oven(typing.Protocol):
            def __call__(self) -> int: ...

        self.assertTrue(gin_private.is_protocol(Oven))
        self.assertFalse(gin_private.is_protocol(int))


if __name__ == "__main__":
    absltest.main()
