# %% [markdown]
# # Adam and NAdam, ten steps
#
# f(x) = x² from x = 2. NAdam (Dozat, 2016) looks a step ahead: in the place of Adam's average of
# gradients it takes the share that the average will have in the next step, and this gradient.
# Three forms of it are in use, and one in print is not what its paper says.

# %%
from typing import Any

import numpy as np
from numpy.typing import NDArray

import optcore as oc

STEPS = 10


def path(kind: Any, **options: Any) -> NDArray[np.float64]:
    """Where an optimizer goes from x = 2, its start first."""
    x = np.array([2.0])
    opt = kind(x, **options)
    seen = [x[0]]
    for _ in range(STEPS):
        opt.step(2 * x)
        seen.append(x[0])
    return np.array(seen)


# %% [markdown]
# - Dozat's: m is divided by 1 - β₁ᵗ⁺¹, as it belongs to the next step, g by 1 - β₁ᵗ.
# - torch's: β₁ grows from half to its whole size, by `momentum_decay`, and the corrections with it.
# - Some texts divide m by 1 - β₁ᵗ, mix it with g, and divide the whole by 1 - β₁ᵗ once more. In the
#   first step that is a division by 0.1 too many, so the step is ten times as long as the rate.

# %%
TWICE: dict[str, Any] = {"momentum_decay": None, "lookahead": False, "double_correction": True}
FORMS: dict[str, tuple[Any, dict[str, Any]]] = {
    "Adam": (oc.Adam, {}),
    "NAdam, Dozat": (oc.NAdam, {"momentum_decay": None}),
    "NAdam, torch": (oc.NAdam, {}),
    "NAdam, divided twice": (oc.NAdam, TWICE),
}


def by_hand(rate: float) -> float:
    """x after ten steps of the last form, written out."""
    x, m, v = 2.0, 0.0, 0.0
    for t in range(1, STEPS + 1):
        g = 2 * x
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        m_hat, v_hat = m / (1 - 0.9**t), v / (1 - 0.999**t)
        m_bar = (0.9 * m_hat + 0.1 * g) / (1 - 0.9**t)
        x -= rate * m_bar / (v_hat**0.5 + 1e-8)
    return x


paths = {}
for rate in (0.001, 0.1):
    print(f"lr = {rate:<17}  first step   x after 10   sum of f")
    for name, (kind, options) in FORMS.items():
        x = path(kind, lr=rate, **options)
        print(f"  {name:20}{x[0] - x[1]:12.4f} {x[-1]:12.4f} {np.sum(x[1:] ** 2):10.2f}")
        paths[name] = x
    x = path(oc.Adam, lr=1.474 * rate)  # its first step is as long as Dozat's
    print(f"  {'Adam, 1.474 lr':20}{x[0] - x[1]:12.4f} {x[-1]:12.4f} {np.sum(x[1:] ** 2):10.2f}")
    assert abs(paths["NAdam, divided twice"][-1] - by_hand(rate)) < 1e-12

# %% [markdown]
# With 0.001, Adam's usual rate, ten steps go a hundredth of the way whatever the form. With 0.1
# Dozat's is ahead of Adam, as its first step is half as long again; Adam with a rate that makes its
# first step as long is ahead of both. torch's is behind, as its momentum begins at half. The form
# that divides twice is fastest, by a first step of ten times the rate, and runs past the minimum.

# %%
ax = oc.plot.curves(
    {name: x**2 for name, x in paths.items()}, ylabel="f(x)", title="lr = 0.1", log=False
)
oc.plot.save(ax, "nadam.png", dpi=110)
