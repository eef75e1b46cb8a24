"""The two-layer ReLU network with a trained first and a frozen second layer.

    f(W, a, x) = m^-1/2 sum_r a_r omega_r sigma(w_r.x),   sigma(t) = max(t, 0),   sigma'(0) = 1
    u = kappa f(W, a, X) on the data,   rho = Y - u

a_r is a sign. omega_r is frozen: 1 for the network of GLSS Definition 3.5, sqrt(p/q)(w_r(0)) for the reweighed one of
Definition 3.8. It owns f, its covariance at the start, the losses (6) and (10), with the square that (10) lacks in
print, their gradient, and the current kernel H(t). The derivative of f is that of the active side on a kink. Over
neurons everything is streamed.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from reference.arc_cosine import arc_cosine_kernel
from reference.preconditions import Float64, non_negative, one_each, points, positive, same_dimension
from reference.relu_tangent import activations, chunks, tangent_gram


def patterns(W: Any, X: Any) -> npt.NDArray[np.bool_]:
    """Tell which data points each neuron sees.

    1_ir = 1[w_r.x_i >= 0]

    Parameters
    ----------
    W : (m, d) float, one neuron per row
    X : (n, d) float

    Returns
    -------
    patterns : (m, n) bool, the transpose of `relu_tangent.activations`
    """
    neurons, data = points(W, "patterns: W"), points(X, "patterns: X")
    seen = np.empty((len(neurons), len(data)), dtype=np.bool_)
    for block in chunks(len(neurons)):
        seen[block] = activations(data, neurons[block]).T
    return seen


def signs(a: Any, m: int, where: str) -> Float64:
    """Read the second layer: (m,) float64, each +1 or -1."""
    result = one_each(a, m, where)
    if (np.abs(result) != 1).any():
        r = int(np.flatnonzero(np.abs(result) != 1)[0])
        raise ValueError(f"{where} must be +1 or -1 (sizes belong into omega), got {result[r]} at {r}")
    return result


def frozen_weights(omega: Any, m: int, where: str) -> Float64:
    """Read the frozen weights: (m,) float64 >= 0, and ones for None."""
    return np.ones(m) if omega is None else non_negative(omega, m, where)


def outputs(W: Any, a: Any, X: Any, omega: Any = None) -> Float64:
    """Evaluate the network.

    f_i = m^-1/2 sum_r a_r omega_r sigma(w_r.x_i)

    Parameters
    ----------
    W : (m, d) float, first layer
    a : (m,) signs, second layer
    X : (n, d) float
    omega : (m,) float >= 0, frozen weights; None for ones

    Returns
    -------
    f : (n,), without kappa; 1-homogeneous in W and in every x_i

    References
    ----------
    GLSS, Definitions 3.5 and 3.8
    """
    neurons, data = points(W, "outputs: W"), points(X, "outputs: X")
    same_dimension(data, neurons, "outputs: W")
    m = len(neurons)
    top = signs(a, m, "outputs: a") * frozen_weights(omega, m, "outputs: omega")
    total = np.zeros(len(data))
    for block in chunks(m):
        total += np.maximum(data @ neurons[block].T, 0) @ top[block]
    result: Float64 = total / np.sqrt(m)
    return result


def network_covariance(X: Any, Z: Any = None) -> Float64:
    """Give the covariance of the outputs at the start, whose mean is 0, at any width.

    E f(x) f(z) = E sigma(w.x) sigma(w.z) = |x||z| (sin theta + (pi - theta) cos theta) / (2 pi) = K_nngp(x, z)

    Parameters
    ----------
    X : (n, d) float
    Z : (k, d) float; None for X itself

    Returns
    -------
    K_nngp : (n, k), without kappa^2, the arc-cosine kernel of order 1; ||x||^2 / 2 on the diagonal. The same for w ~ q
        with omega = sqrt(p/q), at points such that q charges every neuron that sees them.
    """
    return arc_cosine_kernel(X, 1, Z)


def loss(W: Any, a: Any, X: Any, Y: Any, *, kappa: Any, lam: Any, omega: Any = None) -> float:
    """Give the regularised squared loss.

    L(W) = ||Y - kappa f(W, a, X)||^2 / 2 + lam ||W||_F^2 / 2

    Parameters
    ----------
    W, a, X, omega : the network and the data, see `outputs`
    Y : (n,) labels
    kappa : positive float, multiplier of the network
    lam : positive float, ridge

    References
    ----------
    GLSS, equation (6), and (10) with the first norm squared
    """
    _, rho = _residual(W, a, X, Y, kappa, omega, "loss")
    ridge = positive(lam, "loss: lam")
    return float(rho @ rho + ridge * np.square(np.asarray(W, dtype=np.float64)).sum()) / 2


def gradient(W: Any, a: Any, X: Any, Y: Any, *, kappa: Any, lam: Any, omega: Any = None) -> Float64:
    """Give the gradient of the loss with respect to the first layer.

    dL/dw_r = -(kappa a_r omega_r / sqrt m) sum_i rho_i 1_ir x_i + lam w_r,   rho = Y - kappa f

    Parameters
    ----------
    W, a, X, Y, kappa, lam, omega : see `loss`

    Returns
    -------
    gradient : (m, d); on a kink, where L has none, the formula itself
    """
    top, rho = _residual(W, a, X, Y, kappa, omega, "gradient")
    neurons, data = points(W, "gradient: W"), points(X, "gradient: X")
    result: Float64 = positive(lam, "gradient: lam") * neurons
    push = float(kappa) / np.sqrt(len(neurons)) * top
    for block in chunks(len(neurons)):
        result[block] -= push[block, None] * (activations(data, neurons[block]).T @ (rho[:, None] * data))
    return result


def _residual(W: Any, a: Any, X: Any, Y: Any, kappa: Any, omega: Any, where: str) -> tuple[Float64, Float64]:
    """Give a_r omega_r and Y - u."""
    u = positive(kappa, f"{where}: kappa") * outputs(W, a, X, omega)
    labels = one_each(Y, len(u), f"{where}: Y")
    m = len(np.asarray(W))
    return signs(a, m, f"{where}: a") * frozen_weights(omega, m, f"{where}: omega"), labels - u


def current_kernel(W: Any, X: Any, Z: Any = None, omega: Any = None) -> Float64:
    """Give the tangent kernel of the finite network where it stands.

    H_ij = <df(x_i)/dW, df(z_j)/dW> = (x_i.z_j / m) sum_r omega_r^2 1[w_r.x_i >= 0] 1[w_r.z_j >= 0]

    Parameters
    ----------
    W : (m, d) float
    X : (n, d) float
    Z : (k, d) float; None for X itself
    omega : (m,) float >= 0, frozen weights; None for ones

    Returns
    -------
    H : (n, k), without kappa^2; exactly symmetric when Z is None; its mean over w ~ N(0, I) and omega = 1 is
        `relu_tangent.tangent_kernel`. It does not depend on the signs a.

    References
    ----------
    GLSS, Section 4, the dynamic kernel H(t), and K_t of equation (16)
    """
    neurons, data = points(W, "current_kernel: W"), points(X, "current_kernel: X")
    same_dimension(data, neurons, "current_kernel: W")
    weights = frozen_weights(omega, len(neurons), "current_kernel: omega") ** 2
    if Z is None:
        return tangent_gram(data, neurons, weights)
    others = points(Z, "current_kernel: Z")
    same_dimension(data, others, "current_kernel: Z")
    total = np.zeros((len(data), len(others)))
    for block in chunks(len(neurons)):
        total += (activations(data, neurons[block]) * weights[block]) @ activations(others, neurons[block]).T
    H: Float64 = (data @ others.T) * total / len(neurons)
    return H
