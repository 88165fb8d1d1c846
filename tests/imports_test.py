"""The order of the packages, from errors to commands: nothing imports anything to its right."""

from __future__ import annotations

import ast
import graphlib
from collections.abc import Iterator
from pathlib import Path

from absl.testing import absltest, parameterized

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = "rethink_keras"
ORDER = (
    "errors",
    "validation",
    "registry",
    "system",
    "config",
    "plotting",
    "data",
    "models",
    "workdir",
    "training",
    "theory",
    "experiments",
    "reports",
    "api",
    "commands",
)
WITHOUT_TENSORFLOW = ("errors", "validation", "registry", "system", "config", "plotting", "workdir")


def name_of(path: Path, root: Path) -> str:
    """'rethink_keras.data.sources' of its file, 'rethink_keras.data' of a package's `__init__.py`."""
    return ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")


def imported(tree: ast.AST, modules: set[str]) -> Iterator[tuple[int, str]]:
    """Line and name of each module that a file imports, at its top or inside of functions.

    `from package import name` imports the module package.name if there is one, else the package.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                within = f"{node.module}.{alias.name}"
                yield node.lineno, within if within in modules else str(node.module)


def layer(module: str) -> str:
    """The package or module directly below rethink_keras, such as 'data' or 'errors'."""
    return module.split(".")[1]


class WithoutTypes(ast.NodeTransformer):
    """Removes what is imported for type checkers alone."""

    def visit_If(self, node: ast.If) -> ast.AST | None:
        return None if ast.unparse(node.test) == "TYPE_CHECKING" else self.generic_visit(node)


class Sources:
    """The modules of a package and what each imports of it."""

    def __init__(self, root: Path):
        paths = {name_of(path, root): path for path in sorted((root / PACKAGE).rglob("*.py"))}
        del paths[PACKAGE]  # it holds the version, and imports lazily what it exports
        self.imports, self.run_time_imports = {}, {}
        for module, path in paths.items():
            tree = ast.parse(path.read_text())
            self.imports[module] = list(imported(tree, set(paths)))
            self.run_time_imports[module] = list(imported(WithoutTypes().visit(tree), set(paths)))

    def to_the_right(self) -> list[str]:
        """Imports that go against the order of the layers."""
        return [
            f"{module}, line {line}, imports {name}"
            for module, names in self.imports.items()
            for line, name in names
            if name.startswith(f"{PACKAGE}.") and ORDER.index(layer(name)) > ORDER.index(layer(module))
        ]

    def cycle(self) -> list[str]:
        """Modules that import each other in a circle at run time, or none."""
        graph = {
            module: {name for _, name in names if name in self.imports} - {module}
            for module, names in self.run_time_imports.items()
        }
        try:
            graphlib.TopologicalSorter(graph).prepare()
        except graphlib.CycleError as error:
            return error.args[1]
        return []


class LayersTest(parameterized.TestCase):
    def test_every_module_has_a_layer(self):
        self.assertContainsSubset({layer(module) for module in Sources(ROOT).imports}, set(ORDER))

    def test_nothing_imports_anything_to_its_right(self):
        violations = Sources(ROOT).to_the_right()
        self.assertEmpty(violations, "\n".join(["", *violations]))

    def test_no_circle(self):
        self.assertEmpty(Sources(ROOT).cycle())

    @parameterized.parameters(*WITHOUT_TENSORFLOW)
    def test_no_tensorflow(self, name):
        for module, names in Sources(ROOT).imports.items():
            if layer(module) == name:
                heavy = [
                    n for _, n in names if n.split(".")[0] in ("tensorflow", "keras", "tensorflow_datasets")
                ]
                self.assertEmpty(heavy, module)


class SourcesTest(parameterized.TestCase):
    """The checks find what they look for."""

    def sources(self, **texts):
        root = Path(self.create_tempdir())
        for module, text in {"__init__": "", "data.a": "", "training.b": "", **texts}.items():
            path = root / PACKAGE / f"{module.replace('.', '/')}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return Sources(root)

    @parameterized.parameters(
        "import rethink_keras.training.b",
        "from rethink_keras.training import b",
        "from rethink_keras.training.b import x",
        "def f():\n    from rethink_keras.training import b",
    )
    def test_imports_to_the_right(self, text):
        self.assertLen(self.sources(**{"data.a": text}).to_the_right(), 1)
        self.assertEmpty(self.sources(**{"training.c": text}).to_the_right())

    def test_circles(self):
        there, back = "from rethink_keras.data import c", "def f():\n    import rethink_keras.data.a"
        self.assertNotEmpty(self.sources(**{"data.a": there, "data.c": back}).cycle())
        self.assertEmpty(self.sources(**{"data.a": there, "data.c": ""}).cycle())
        for_types = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import rethink_keras.data.a"
        self.assertEmpty(self.sources(**{"data.a": there, "data.c": for_types}).cycle())


if __name__ == "__main__":
    absltest.main()
