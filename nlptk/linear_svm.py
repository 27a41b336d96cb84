"""A linear support vector machine on sparse features: scikit-learn's ``LinearSVC``, the solver in C++."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.svm import LinearSVC as SklearnLinearSVC
from sklearn.utils import check_random_state, check_X_y, compute_class_weight
from sklearn.utils.multiclass import check_classification_targets

from nlptk import _core

if TYPE_CHECKING:
    from typing_extensions import Self


class LinearSVC(SklearnLinearSVC):  # type: ignore[misc]
    """``sklearn.svm.LinearSVC``, trained in C++ where features are sparse.

    Settings, attributes and warnings are scikit-learn's. The solver is LIBLINEAR's (dual coordinate descent,
    Hsieh et al. 2008) to the same tolerance, over features in float32; classes are trained in threads. It is
    taken for sparse features with penalty "l2" and `dual` True or "auto"; all else is left to scikit-learn,
    also weights of samples and `multi_class` "crammer_singer".
    """

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train on features [samples, features] and labels [samples]. Raises scikit-learn's ValueErrors."""
        ours = sparse.issparse(X) and self.penalty == "l2" and self.multi_class == "ovr"
        if not ours or sample_weight is not None or self.dual not in (True, "auto"):
            return super().fit(X, y, sample_weight)  # type: ignore[no-any-return]
        self._validate_params()
        X, y = check_X_y(X, y, accept_sparse="csr", dtype=np.float64, accept_large_sparse=False)
        check_classification_targets(y)
        classes, numbers = np.unique(y, return_inverse=True)
        if len(classes) < 2:
            return super().fit(X, y)  # type: ignore[no-any-return] # says what is wrong
        weights = compute_class_weight(self.class_weight, classes=classes, y=y)
        if len(classes) == 2:
            positive = numbers[None] == 1
            costs = self.C * weights[numbers][None]
        else:  # each class against all others; theirs is no weight, as LIBLINEAR has it
            positive = numbers == np.arange(len(classes))[:, None]
            costs = self.C * np.where(positive, weights[:, None], 1.0)
        bias = float(self.intercept_scaling) if self.fit_intercept else 0.0
        found, passes = _core.fit_linear_svm(
            X.indptr,
            X.indices,
            X.data,
            X.shape[1],
            np.where(positive, 1, -1).astype(np.int8),
            costs,
            squared=self.loss == "squared_hinge",
            bias=bias,
            tolerance=self.tol,
            most_passes=self.max_iter,
            seed=int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max)),
        )
        self.classes_, self.n_features_in_ = classes, X.shape[1]
        self.coef_, self.n_iter_ = found[:, :-1].copy(), int(passes.max())
        self.intercept_ = bias * found[:, -1] if self.fit_intercept else 0.0
        if self.n_iter_ >= self.max_iter:
            message = "Liblinear failed to converge, increase the number of iterations."
            warnings.warn(message, ConvergenceWarning, stacklevel=2)
        return self
