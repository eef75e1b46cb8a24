"""ReLU networks with L trained layers, their tangent kernel of infinite width, and its decay under regularisation.

    h_0 = x,   h_l = sqrt(2 / m_l) sigma(W_l h_{l-1}),   f = W_L h_{L-1},   entries of every W_l ~ N(0, 1)

No biases, so f is 1-homogeneous in every layer: <df/dtheta, theta> = L f, and a regulariser (lam / L) ||theta||^2 / 2
pulls u = f(X) by exactly -lam u. But the tangent kernel is homogeneous of degree 2 L - 2 in theta, so in the limit of
infinite width the same regulariser shrinks it: du/dt = e^{-2 (L - 1) lam t / L} Theta (Y - u) - lam u. With L = 2 and
points x / sqrt 2 this is the network of `two_layer` with both layers trained, and Theta = K_ntk + K_nngp.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.integrate import solve_ivp

from reference.preconditions import Float64, gram, non_negative, one_each, points, positive, same_dimension
from reference.relu_tangent import angle


def deep_tangent_kernel(X: Any, L: int, Z: Any = None) -> Float64:
    """Give the tangent kernel of the infinitely wide network with all L layers trained.

    Theta_1 = S_1 = x.z,   Theta_{l+1} = Theta_l (pi - th_l) / pi + S_{l+1},
    S_{l+1} = |x||z| (sin th_l + (pi - th_l) cos th_l) / pi,   cos th_l = S_l / |x||z|

    Parameters
    ----------
    X : (n, d) float, no row zero
    L : number of trained layers, >= 1
    Z : (k, d) float, no row zero; None for X itself

    Returns
    -------
    Theta : (n, k); L ||x||^2 on the diagonal; exactly symmetric when Z is None

    Raises
    ------
    ValueError : a zero row has no angle; L < 1

    References
    ----------
    Jacot, Gabriel and Hongler, Neural Tangent Kernel, NeurIPS 2018, Theorem 1, for ReLU without biases
    """
    left = points(X, "deep_tangent_kernel: X")
    right = left if Z is None else points(Z, "deep_tangent_kernel: Z")
    same_dimension(left, right, "deep_tangent_kernel: Z")
    if L < 1:
        raise ValueError(f"deep_tangent_kernel: L must be at least 1, got L = {L}")
    theta = angle(left, right)
    size = np.outer(np.linalg.norm(left, axis=1), np.linalg.norm(right, axis=1))
    Theta: Float64 = size * np.cos(theta)
    for _ in range(L - 1):
        sine, rest = np.sin(theta), np.pi - theta
        covariance = (sine + rest * np.cos(theta)) / np.pi
        Theta = Theta * rest / np.pi + size * covariance
        # 1 - covariance without cancellation, since arccos near 1 would lose half the digits
        below_one = 2 * np.sin(theta / 2) ** 2 - (sine - theta * np.cos(theta)) / np.pi
        theta = 2 * np.arcsin(np.sqrt(np.clip(below_one / 2, 0, 1)))
    return np.tril(Theta) + np.tril(Theta, -1).T if Z is None else Theta


def deep_initialisation(d: int, width: int, L: int, rng: np.random.Generator) -> list[Float64]:
    """Draw the layers of a network: shapes (width, d), (width, width), ..., (1, width), entries N(0, 1).

    Parameters
    ----------
    d : dimension of the points
    width : width of all hidden layers
    L : number of layers, >= 1; without hidden layer the only shape is (1, d)
    rng : source of randomness
    """
    sizes = [d] + [width] * (L - 1) + [1]
    return [rng.standard_normal((sizes[k + 1], sizes[k])) for k in range(L)]


@dataclass(frozen=True, kw_only=True, eq=False)
class _Passes:
    """One pass forward and one back.

    inputs : per layer (n, fan in), h_{l-1}; outer : per layer (n, fan out), df / d(W_l h_{l-1})
    f : (n,)
    """

    inputs: list[Float64]
    outer: list[Float64]
    f: Float64


def _passes(layers: list[Float64], X: Float64) -> _Passes:
    inputs, slopes = [X], []
    for W in layers[:-1]:
        products, scale = inputs[-1] @ W.T, np.sqrt(2 / len(W))
        inputs.append(scale * np.maximum(products, 0))
        slopes.append(scale * (products >= 0))
    outer: list[Float64] = [np.ones((len(X), 1))]
    for W, slope in zip(layers[:0:-1], slopes[::-1], strict=True):
        outer.insert(0, outer[0] @ W * slope)
    return _Passes(inputs=inputs, outer=outer, f=(inputs[-1] @ layers[-1].T)[:, 0])


def _network(layers: list[Any], X: Any, where: str) -> tuple[list[Float64], Float64]:
    data, weights = points(X, f"{where}: X"), [points(W, f"{where}: layers") for W in layers]
    sizes = [data.shape[1]] + [len(W) for W in weights]
    if [W.shape[1] for W in weights] != sizes[:-1] or sizes[-1] != 1:
        shapes = [W.shape for W in weights]
        raise ValueError(f"{where}: layers must lead from {data.shape[1]} numbers to 1, got shapes {shapes}")
    return weights, data


def deep_outputs(layers: list[Any], X: Any) -> Float64:
    """Evaluate the network at the rows of X: (n, d) to (n,)."""
    return _passes(*_network(layers, X, "deep_outputs")).f


def deep_current_kernel(layers: list[Any], X: Any) -> Float64:
    """Give the tangent kernel of the finite network where it stands.

    H_ij = sum_l <df(x_i)/dW_l, df(x_j)/dW_l>

    Parameters
    ----------
    layers : as `deep_initialisation` draws them
    X : (n, d) float

    Returns
    -------
    H : (n, n), exactly symmetric; over the draw of the layers its diagonal has mean L ||x||^2
    """
    passes = _passes(*_network(layers, X, "deep_current_kernel"))
    pairs = zip(passes.inputs, passes.outer, strict=True)
    H: Float64 = np.sum([(h @ h.T) * (delta @ delta.T) for h, delta in pairs], axis=0)
    return H


def euler_products(layers: list[Any], X: Any) -> Float64:
    """Give <df(x_i)/dW_l, W_l> of every layer: (L, n); each row equals f, so their sum is L f.

    References
    ----------
    GLSS, Remark 4.2
    """
    weights, data = _network(layers, X, "euler_products")
    passes = _passes(weights, data)
    triples = zip(weights, passes.inputs, passes.outer, strict=True)
    return np.array([(delta * (h @ W.T)).sum(axis=1) for W, h, delta in triples])


@dataclass(frozen=True, kw_only=True, eq=False)
class DeepTrajectory:
    """What gradient descent did.

    Parameters
    ----------
    u : (steps + 1, n), outputs at the data
    layers : the layers at the end
    """

    u: Float64
    layers: list[Float64]


def deep_descend(layers: list[Any], X: Any, Y: Any, *, decay: Any, step: Any, steps: int) -> DeepTrajectory:
    """Train all layers by gradient descent with a constant step.

    L(theta) = ||Y - f(X)||^2 / 2 + decay ||theta||^2 / 2

    Parameters
    ----------
    layers : initial layers, as `deep_initialisation` draws them; left as they are
    X : (n, d) float
    Y : (n,) labels
    decay : positive float; lam / L makes the pull on u exactly -lam u
    step : positive float, step size
    steps : how many, >= 0

    Returns
    -------
    trajectory : `DeepTrajectory`
    """
    weights, data = _network(layers, X, "deep_descend")
    labels = one_each(Y, len(data), "deep_descend: Y")
    h, shrink = positive(step, "deep_descend: step"), positive(decay, "deep_descend: decay")
    if steps < 0:
        raise ValueError(f"deep_descend: steps must be at least 0, got steps = {steps}")
    u = np.empty((steps + 1, len(data)))
    for k in range(steps):
        passes = _passes(weights, data)
        u[k] = passes.f
        pulls = [
            (delta * (labels - u[k])[:, None]).T @ inputs
            for inputs, delta in zip(passes.inputs, passes.outer, strict=True)
        ]
        weights = [(1 - h * shrink) * W + h * pull for W, pull in zip(weights, pulls, strict=True)]
    u[steps] = _passes(weights, data).f
    return DeepTrajectory(u=u, layers=weights)


def decaying_flow(Theta: Any, Y: Any, times: Any, *, lam: Any, L: int, start: Any = None) -> Float64:
    """Follow the outputs of the infinitely wide network whose L layers carry the regulariser lam / L each.

    du/dt = e^{-2 (L - 1) lam t / L} Theta (Y - u) - lam u

    Parameters
    ----------
    Theta : (n, n) float, symmetric positive semidefinite
    Y : (n,) labels
    times : (k,) float >= 0, not decreasing
    lam : positive float
    L : number of trained layers, >= 1; the kernel is constant for L = 1 only
    start : (n,) float, u(0); None for 0

    Returns
    -------
    u : (k, n), integrated in the eigenbasis of Theta to 1e-11; as t grows it tends to 0 if L > 1

    References
    ----------
    GLSS, Remark 4.2, which leaves the exponential factor out
    """
    mu, Q = np.linalg.eigh(gram(Theta, "decaying_flow: Theta"))
    y = Q.T @ one_each(Y, len(mu), "decaying_flow: Y")
    first = np.zeros(len(mu)) if start is None else Q.T @ one_each(start, len(mu), "decaying_flow: start")
    t, ridge = (
        non_negative(times, len(np.atleast_1d(times)), "decaying_flow: times"),
        positive(lam, "decaying_flow: lam"),
    )
    if (np.diff(t) < 0).any() or L < 1:
        raise ValueError(f"decaying_flow: times must not decrease and L be at least 1, got {t.tolist()} and L = {L}")
    shrink = 2 * (L - 1) * ridge / L

    def velocity(now: float, u: Float64) -> Float64:
        change: Float64 = np.exp(-shrink * now) * mu * (y - u) - ridge * u
        return change

    # a last time 0 would be an empty interval
    path = solve_ivp(velocity, (0, max(t[-1], 1e-300)), first, "DOP853", t_eval=t, rtol=1e-12, atol=1e-12)
    result: Float64 = path.y.T @ Q.T
    return result
