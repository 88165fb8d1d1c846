"""Registries: what a word in a gin file stands for, such as `randomization.labels = 'random'`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Generic, TypeVar

from rethink_keras.errors import UserError

T = TypeVar("T")


class Registry(Mapping[str, T], Generic[T]):
    """Implementations of one extension point by name, in the order of their registration.

    The module that defines an extension point has its registry. An implementation registers itself:

        @LABEL_RANDOMIZATIONS.register("random")
        class RandomLabels(LabelRandomization): ...

    Args:
        what: The extension point in words, such as 'label randomization', for messages.
        check: Raises TypeError for an object that does not implement the extension point. It is called when the
            object is registered, so that a mistake shows when the module is imported.
    """

    def __init__(self, what: str, check: Callable[[T], object]):
        self._what = what
        self._check = check
        self._registered: dict[str, T] = {}

    def register(self, name: str) -> Callable[[T], T]:
        """Returns a decorator that registers an implementation under a name, and returns it unchanged.

        Raises:
            TypeError: The object does not implement the extension point.
            ValueError: The name is taken by another object.
        """

        def decorator(registered: T) -> T:
            self._check(registered)
            taken = self._registered.get(name)
            if taken is not None and _origin(taken) != _origin(registered):
                raise ValueError(f"There are two implementations of the {self._what} {name!r}.")
            self._registered[name] = registered
            return registered

        return decorator

    def find(self, parameter: str, name: object) -> T:
        """Returns the implementation that a gin parameter names.

        Raises:
            UserError: There is none of that name.
        """
        if not isinstance(name, str) or name not in self._registered:
            known = ", ".join(map(repr, self._registered))
            raise UserError(f"{parameter} is {name!r}, which is no {self._what}. Choose one of {known}.")
        return self._registered[name]

    def __getitem__(self, name: str) -> T:
        return self._registered[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._registered)

    def __len__(self) -> int:
        return len(self._registered)


def subclass_of(base: type) -> Callable[[object], None]:
    """Returns a check for `Registry`: that a class derives from a base class and leaves nothing abstract."""

    def check(registered: object) -> None:
        if not isinstance(registered, type) or not issubclass(registered, base):
            raise TypeError(f"{registered!r} is no subclass of {base.__name__}.")
        if missing := sorted(getattr(registered, "__abstractmethods__", ())):
            raise TypeError(f"{registered.__name__} does not define {', '.join(missing)} of {base.__name__}.")

    return check


def _origin(registered: object) -> tuple[str | None, str | None]:
    """Returns module and name, which stay the same when a module is reloaded and registers its objects again."""
    return getattr(registered, "__module__", None), getattr(registered, "__qualname__", None)
