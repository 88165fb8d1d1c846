from __future__ import annotations

import abc

from absl.testing import absltest

from rethink_keras.errors import UserError
from rethink_keras.registry import Registry, subclass_of


class Shape(abc.ABC):
    @abc.abstractmethod
    def area(self) -> float: ...


class RegistryTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.shapes: Registry[type[Shape]] = Registry("shape", subclass_of(Shape))

    def test_finds_what_was_registered(self):
        @self.shapes.register("square")
        class Square(Shape):
            def area(self):
                return 1.0

        self.assertIs(self.shapes.find("figure.shape", "square"), Square)
        self.assertEqual(list(self.shapes), ["square"])

    def test_names_what_there_is_when_a_name_is_unknown(self):
        self.test_finds_what_was_registered()
        for name in ("circle", None, ["square"]):
            with self.assertRaisesRegex(UserError, r"figure\.shape.*'square'"):
                self.shapes.find("figure.shape", name)

    def test_refuses_what_does_not_implement_the_extension_point(self):
        class Incomplete(Shape):
            pass

        for wrong, missing in ((Incomplete, "area"), (int, "Shape"), ("square", "Shape")):
            with self.assertRaisesRegex(TypeError, missing):
                self.shapes.register("wrong")(wrong)
        self.assertEmpty(self.shapes)

    def test_refuses_a_second_implementation_of_a_name(self):
        self.test_finds_what_was_registered()

        class Another(Shape):
            def area(self):
                return 2.0

        with self.assertRaisesRegex(ValueError, "square"):
            self.shapes.register("square")(Another)


if __name__ == "__main__":
    absltest.main()
