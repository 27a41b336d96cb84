"""Custom attributes: ``Doc.set_extension("name", ...)`` and then ``doc._.name``, on Doc, Token and Span.

The manner and the names are spaCy's. Values live in ``doc.user_data`` under ``("._.", name, start, end)``
with character offsets (both None for the Doc, end None for a Token), so they are saved with the Doc and
pickle well.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from nlptk.errors import ConfigError

if TYPE_CHECKING:
    from nlptk.doc import Doc

Key = tuple[str, str, int | None, int | None]


class Extension(NamedTuple):
    """What one custom attribute is: a default value, a method, or a getter with perhaps a setter."""

    default: Any
    method: Callable[..., Any] | None
    getter: Callable[[Any], Any] | None
    setter: Callable[[Any, Any], None] | None


class Extensible:
    """Base of Doc, Token and Span: holds the class's extensions and gives ``._``."""

    __slots__ = ()
    _extensions: ClassVar[dict[str, Extension]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if Extensible in cls.__bases__:  # a subclass of Doc has the extensions of Doc
            cls._extensions = {}

    def _extension_place(self) -> tuple[Doc, int | None, int | None]:
        raise NotImplementedError

    @property
    def _(self) -> Underscore:
        """Custom attributes set with `set_extension`."""
        return Underscore(self)

    @classmethod
    def set_extension(
        cls,
        name: str,
        *,
        default: Any = None,
        method: Callable[..., Any] | None = None,
        getter: Callable[[Any], Any] | None = None,
        setter: Callable[[Any, Any], None] | None = None,
        force: bool = False,
    ) -> None:
        """Declare the attribute ``._.name``: a `default`, a `method(obj, ...)`, or a `getter(obj)` (and
        `setter`).

        Raises ConfigError if the name is taken (pass ``force=True`` to replace it), is not an identifier, or
        if the settings contradict one another.
        """
        if not name.isidentifier() or hasattr(Underscore, name):
            raise ConfigError(f"extension name {name!r} is not usable: choose another Python identifier")
        if name in cls._extensions and not force:
            raise ConfigError(
                f"{cls.__name__} already has the extension {name!r}: pass force=True to replace it"
            )
        if (default is not None) + (method is not None) + (getter is not None) > 1:
            raise ConfigError(f"extension {name!r}: give only one of default, method and getter")
        if setter is not None and getter is None:
            raise ConfigError(f"extension {name!r}: a setter needs a getter beside it")
        cls._extensions[name] = Extension(default, method, getter, setter)

    @classmethod
    def get_extension(cls, name: str) -> Extension:
        """The extension's (default, method, getter, setter); ConfigError if there is none."""
        try:
            return cls._extensions[name]
        except KeyError:
            raise ConfigError(
                f"{cls.__name__} has no extension {name!r}: declare it with {cls.__name__}.set_extension"
            ) from None

    @classmethod
    def has_extension(cls, name: str) -> bool:
        """Whether `name` is declared for this class."""
        return name in cls._extensions

    @classmethod
    def remove_extension(cls, name: str) -> Extension:
        """Undeclare `name` and return what it was; ConfigError if there is none."""
        extension = cls.get_extension(name)
        del cls._extensions[name]
        return extension


class Underscore:
    """``obj._``: reads and writes the custom attributes of one Doc, Token or Span."""

    __slots__ = ("_obj",)
    _obj: Extensible

    def __init__(self, obj: Extensible) -> None:
        object.__setattr__(self, "_obj", obj)

    def _key(self, name: str) -> tuple[Doc, Key]:
        doc, start, end = self._obj._extension_place()
        return doc, ("._.", name, start, end)

    def _find(self, name: str) -> Extension:
        extension = type(self._obj)._extensions.get(name)
        if extension is None:
            owner = type(self._obj).__name__
            # An AttributeError too, so that hasattr() and getattr(default) behave.
            raise ExtensionError(
                f"{owner} has no extension {name!r}: declare it with {owner}.set_extension", name=name
            )
        return extension

    def __getattr__(self, name: str) -> Any:
        extension = self._find(name)
        if extension.getter is not None:
            return extension.getter(self._obj)
        if extension.method is not None:
            return _bind(extension.method, self._obj)
        doc, key = self._key(name)
        if key in doc.user_data:
            return doc.user_data[key]
        if isinstance(extension.default, (list, dict, set)):
            # A mutable default must not be shared between Docs: the first reader gets a copy of its own.
            doc.user_data[key] = copy.copy(extension.default)
            return doc.user_data[key]
        return extension.default

    def __setattr__(self, name: str, value: Any) -> None:
        extension = self._find(name)
        if extension.setter is not None:
            extension.setter(self._obj, value)
        elif extension.getter is not None or extension.method is not None:
            raise ExtensionError(f"extension {name!r} has no setter, so it cannot be assigned to", name=name)
        else:
            doc, key = self._key(name)
            doc.user_data[key] = value

    def has(self, name: str) -> bool:
        """Whether the extension is declared."""
        return name in type(self._obj)._extensions

    def get(self, name: str) -> Any:
        """The value of the extension `name`."""
        return getattr(self, name)

    def set(self, name: str, value: Any) -> None:
        """Set the extension `name`."""
        setattr(self, name, value)


class ExtensionError(ConfigError, AttributeError):
    """An extension is not declared, or cannot be assigned to."""

    def __init__(self, message: str, *, name: str = "") -> None:
        super().__init__(message)
        self.name = name


def _bind(method: Callable[..., Any], obj: Extensible) -> Callable[..., Any]:
    def bound(*args: Any, **kwargs: Any) -> Any:
        return method(obj, *args, **kwargs)

    return bound
