"""The modified random features, literally: the definition that the streamed Gram matrices must equal.

    psi_bar(x) = m^-1/2 [ sqrt(p(w_r) / q(w_r)) phi(x, w_r) ]_{r=1..m},   E_{w ~ q} Psi_bar Psi_bar^T = K

The law q must charge every w with p(w) Phi(w) != 0; where Phi(w) = 0 it need not.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from reference.preconditions import Float64, non_negative, real_array


def modified_features(phi: Any, ratio: Any) -> Float64:
    """Put m weighted draws side by side.

    Psi_bar = m^-1/2 [ sqrt(ratio_1) Phi(w_1), ..., sqrt(ratio_m) Phi(w_m) ]

    Parameters
    ----------
    phi : (n, m, d2) float, phi[i, r] = phi(x_i, w_r)
    ratio : (m,) float >= 0, p / q at the draws

    Returns
    -------
    Psi_bar : (n, m d2), draw by draw

    References
    ----------
    GLSS, Definition 3.2
    """
    features = real_array(phi, "modified_features: phi", ndim=3)
    n, m, d2 = features.shape
    root = np.sqrt(non_negative(ratio, m, "modified_features: ratio"))
    stacked: Float64 = (features * root[:, None]).reshape(n, m * d2) / np.sqrt(m)
    return stacked
