"""Every object of the papers, one definition per idea.

No bound, no verdict, no global state; randomness is an argument `rng`. Rows are points: of the data X, and of
the draws W. Everything is in float64 unless the name says exact (Fractions), balls or enclosure.

    X            (n, d)      data, rows x_i
    W            (m, d)      draws, rows w_r (GLSS prints the transpose)
    K            (n, n)      Gram matrix K_ij = E_w <phi(x_i, w), phi(x_j, w)>, not divided by n
    lam          > 0         the ridge added to K: K + lam I, never n lam
    phi(x, w)    (d2,)       feature of one point at one draw
    Phi(w)       (n, d2)     features of all points, rows phi(x_i, w); E_w Phi(w) Phi(w)^T = K for w ~ p
    p            density     the law of w in the definition of K
    tau(w)       >= 0        tr Phi(w)^T (K + lam I)^-1 Phi(w), the leverage of w
    q_lambda     density     p tau, the ridge leverage function; its integral is
    s_lambda     in (0, n)   tr (K + lam I)^-1 K, the statistical dimension
    q_tilde      >= q_lambda a dominating function, p tau_tilde with tau_tilde >= tau; its integral is s_q_tilde
    q_bar        density     q_tilde / s_q_tilde, what w is drawn from
    weights      (m,)        p / q_bar at the draws, = s_q_tilde / tau_tilde
    Psi Psi^T    (n, n)      (1/m) sum_r weights_r Phi(w_r) Phi(w_r)^T, the random Gram matrix
    Y            (n,)        labels
    H_cts        (n, n)      the tangent kernel matrix of infinite width, K of `relu_tangent`

A bound on floating-point error is proven for the float data as given, with unit roundoff u = 2^-53 and
gamma_k = k u / (1 - k u), for sums in any order. It assumes of the platform: IEEE rounding, and sqrt, exp, sin,
cos, atan2 of the C library within 4 units in the last place (8 u relative).
"""
