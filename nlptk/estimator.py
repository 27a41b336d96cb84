"""Models that are used without a pipeline: settings in scikit-learn's manner."""

from __future__ import annotations

import inspect
from typing import Any, TypeVar

from nlptk.errors import ConfigError

E = TypeVar("E", bound="Estimator")


class Estimator:
    """Settings in scikit-learn's manner: the constructor only stores its keyword arguments."""

    @classmethod
    def _setting_names(cls) -> list[str]:
        return [name for name in inspect.signature(cls.__init__).parameters if name != "self"]

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Settings by name. `deep` is scikit-learn's; there are no estimators inside this one."""
        return {name: getattr(self, name) for name in self._setting_names()}

    def set_params(self: E, **params: Any) -> E:
        """Change settings. Raises ConfigError for a name that is not a setting."""
        names = self._setting_names()
        for name, value in params.items():
            if name not in names:
                raise ConfigError(f"{type(self).__name__} has no setting {name!r}; it has {', '.join(names)}")
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        settings = ", ".join(f"{name}={value!r}" for name, value in self.get_params().items())
        return f"{type(self).__name__}({settings})"
