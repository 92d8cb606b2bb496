"""What the torch door says: errors and docstrings name things as torch's users know them."""

from __future__ import annotations

import inspect
import pickle
import re
from collections.abc import Callable
from typing import Any

import pytest
from torch_list import bits, ot, torch

import optcore as oc

docs = pytest.importorskip("optcore.torch.docs")

NUMPY = re.compile(
    r"\bnp\.|[Nn]um[Pp]y|\barrays?\b|astype|\boc\.|(?<!_)groups\[|\bgrads\b|params/|[Dd]ialect|`Rows`"
)
"""Words of the other door."""

CLASSES = [name for name in ot.__all__ if hasattr(getattr(ot, name), "_kind")]
STEPPED = [name for name in CLASSES if name != "TorchOptimizer"]


def param(*shape: int, dtype: Any = torch.float32) -> Any:
    random = torch.Generator().manual_seed(0)
    return torch.nn.Parameter(torch.randn(shape, generator=random).to(dtype))


def stepped(kind: str, params: Any, *grads: Any, **options: Any) -> Callable[[], None]:
    """A first step on these gradients."""

    def step() -> None:
        optimizer = getattr(ot, kind)(params, **options)
        every = [p for group in optimizer.param_groups for p in group["params"]]
        for p, grad in zip(every, grads, strict=True):
            p.grad = grad
        optimizer.step()

    return step


def changed(kind: str, change: Callable[[Any], None], count: int = 2) -> Callable[[], None]:
    """A second step, on a changed optimizer of two groups."""

    def step() -> None:
        params = [param(2) for _ in range(count)]
        optimizer = getattr(ot, kind)([{"params": [p]} for p in params])
        for p in params:
            p.grad = torch.ones(2)
        optimizer.step()
        before = bits(params[0])
        change(optimizer)
        try:
            optimizer.step()
        finally:
            assert bits(params[0]) == before

    return step


def set_in(group: int, name: str, value: Any) -> Callable[[Any], None]:
    return lambda optimizer: optimizer.param_groups[group].__setitem__(name, value)


def estimates(hessian: Any, **options: Any) -> Callable[[], None]:
    return lambda: ot.Sophia([param(2), param(2)], **options).update_hessian(hessian)


ONES, NAN = torch.ones(2), torch.tensor([1.0, float("nan")])
FIRST, SECOND = r"param_groups\[0\]\['params'\]\[0\]", r"param_groups\[0\]\['params'\]\[1\]"
FLOAT8 = torch.float8_e4m3fn
SHARED, TABLE = torch.zeros(3), torch.zeros(2, 3)


def first_of(optimizer: Any) -> Any:
    return optimizer.param_groups[0]["params"][0]


def row_of(index: int) -> Any:
    return torch.sparse_coo_tensor([[index]], [[1.0, 2.0]], (3, 2), check_invariants=False)


def frozen(dtype: Any) -> Any:
    return torch.nn.Parameter(torch.zeros(2).to(dtype), requires_grad=False)


SAID: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "not finite": (
        stepped("Adam", [param(2), param(2)], ONES, NAN, nonfinite="raise"),
        oc.NonFiniteError,
        rf"^{SECOND}\.grad\[1\]: expected finite",
    ),
    "not finite, named": (
        stepped("Adam", [("a", param(2)), ("a.b", param(2))], ONES, NAN, nonfinite="raise"),
        oc.NonFiniteError,
        r"^a\.b\.grad\[1\]: expected finite",
    ),
    "not finite, another group": (
        stepped(
            "Muon",
            [{"params": [param(2, 2)]}, {"params": [param(1, 2)]}],
            torch.ones(2, 2),
            NAN[None],
            nonfinite="raise",
        ),
        oc.NonFiniteError,
        r"^param_groups\[1\]\['params'\]\[0\]\.grad\[0, 1\]: expected finite",
    ),
    "not finite, one number": (
        stepped("Adam", [param()], torch.tensor(float("nan")), nonfinite="raise"),
        oc.NonFiniteError,
        rf"^{FIRST}\.grad: expected finite",
    ),
    "whole numbers": (
        stepped("Adam", [frozen(torch.int64)], torch.zeros(2, dtype=torch.int64)),
        TypeError,
        rf"^{FIRST}: expected float32, .*got torch.int64; convert it with .float\(\)$",
    ),
    "float8": (
        stepped("Adam", [("w", frozen(FLOAT8))], torch.zeros(2).to(FLOAT8)),
        TypeError,
        r"^w: expected float32, .*got torch.float8_e4m3fn; convert it with .float\(\)$",
    ),
    "no memory": (
        stepped("Adam", [param(2), torch.nn.Parameter(torch.empty(2, device="meta"))],
                ONES, torch.empty(2, device="meta")),
        ValueError,
        rf"^{SECOND}: expected a tensor in the CPU's memory, got one on meta",
    ),
    "expanded": (
        stepped("Adam", [torch.nn.Parameter(torch.ones(1, 2).expand(3, 2))], torch.ones(3, 2)),
        ValueError,
        rf"^{FIRST}: expected memory of its own",
    ),
    "shared columns": (
        stepped("Adam", [torch.nn.Parameter(TABLE[:, :2]), torch.nn.Parameter(TABLE[:, 1:])],
                torch.ones(2, 2), torch.ones(2, 2)),
        ValueError,
        rf"^{SECOND}: expected memory of its own, got some that {FIRST} uses as well",
    ),
    "complex numbers": (
        stepped("LAMB", [param(2, dtype=torch.complex64)], ONES.to(torch.complex64)),
        RuntimeError,
        rf"^LAMB does not support complex parameters: {FIRST}: expected a real tensor",
    ),
    "state of another shape": (
        changed("Adam", lambda o: o.state[first_of(o)].update(exp_avg=torch.zeros(3))),
        ValueError,
        rf"^state\[{FIRST}\]\['exp_avg'\]: expected shape \(2,\), got \(3,\)",
    ),
    "a step number that is none": (
        changed("Adam", lambda o: o.state[first_of(o)].update(step=-1)),
        ValueError,
        rf"^state\[{FIRST}\]\['step'\]: expected a whole number",
    ),
    "shared memory": (
        stepped("Adam", [torch.nn.Parameter(SHARED[:2]), torch.nn.Parameter(SHARED[1:])],
                ONES, ONES),
        ValueError,
        rf"^{FIRST} and {SECOND} overlap in memory; expected tensors that share no memory",
    ),
    "shared memory, named": (
        stepped("Adam", [("x", torch.nn.Parameter(SHARED[:2])),
                         ("y", torch.nn.Parameter(SHARED[1:]))], ONES, ONES),
        ValueError,
        r"^x and y overlap in memory",
    ),
    "a gradient in the parameter's memory": (
        lambda: stepped("Adam", [p := param(2)], p.detach())(),
        ValueError,
        rf"^{FIRST}\.grad and {FIRST} overlap in memory",
    ),
    "rows for a rule of whole tensors": (
        stepped("LAMB", [param(3, 2)], row_of(0)),
        TypeError,
        rf"^{FIRST}\.grad: expected a dense gradient.*got a sparse one; use \.to_dense\(\)",
    ),
    "rows that are not there": (
        stepped("Adam", [param(3, 2)], row_of(5)),
        ValueError,
        rf"^{FIRST}\.grad\.indices: expected rows of {FIRST}, 0 to 2, got 5",
    ),
    "a format of no such state": (
        lambda: ot.Adam([param(2)], state_dtype={"exp": "float32"}),
        KeyError,
        r"expected slots among exp_avg, exp_avg_sq, got \['exp'\]; a parameter has no others",
    ),
    "a format for float64": (
        stepped("Adam", [param(2, dtype=torch.float64)], ONES.double(), state_dtype="bfloat16"),
        TypeError,
        rf"^state_dtype: expected None for {FIRST}, which is float64",
    ),
    "split float16": (
        stepped("Adam", [param(2, dtype=torch.float16)], ONES.half(), low_precision="split"),
        TypeError,
        rf"^low_precision: .* but {FIRST} is float16",
    ),
    "what groups share": (
        stepped("Prodigy", [{"params": [param(2)]}, {"params": [param(2)], "d0": 1e-3}],
                ONES, ONES),
        ValueError,
        r"^param_groups\[1\]\['d0'\]: expected 1e-06, as in param_groups\[0\], got 0.001",
    ),
    "a rate that is no number": (
        lambda: ot.Adam([param(2)], lr="x"),
        TypeError,
        r"^lr: expected a number, got 'x' \(str\); pass e\.g\. 1e-3$",
    ),
    "a rate that is none, later": (
        changed("Adam", set_in(1, "lr", "x")),
        TypeError,
        r"^lr: expected a number, got 'x' \(str\); pass e\.g\. 1e-3$",
    ),
    "no rate": (
        changed("Adam", lambda optimizer: optimizer.param_groups[0].pop("lr")),
        KeyError,
        r"param_groups: expected 'lr' in every group, got one without; set it",
    ),
    "one beta": (
        lambda: ot.Adam([param(2)], betas=0.9),
        TypeError,
        r"^betas: expected two values, got 0\.9; pass e\.g\. \(0\.9, 0\.999\)$",
    ),
    "no betas": (
        lambda: ot.AdamW([param(2)], betas=None, foreach=True),
        TypeError,
        r"^betas: expected two values, got None",
    ),
    "a tensor for betas": (
        lambda: ot.Adam([param(2)], betas=torch.tensor(0.5)),
        TypeError,
        r"^betas: expected two values, got 0\.5",
    ),
    "one beta in a group": (
        lambda: ot.Adam([{"params": [param(2)], "betas": 1}]),
        TypeError,
        r"^betas: expected two values, got 1",
    ),
    "a slip": (
        lambda: ot.Adam([param(2)], lrr=1),
        TypeError,
        r"^Adam\.__init__\(\) got an unexpected keyword argument 'lrr'; did you mean lr\?$",
    ),
    "another slip": (
        lambda: ot.SGD([param(2)], weight_decai=1),
        TypeError,
        r"^SGD\.__init__\(\) got .* 'weight_decai'; did you mean .*weight_decay.*\?$",
    ),
    "no such argument": (
        lambda: ot.Lion([param(2)], qqq=1),
        TypeError,
        r"^Lion\.__init__\(\) got an .* 'qqq'; see help\(optcore\.torch\.Lion\)$",
    ),
    "no parameters": (
        lambda: ot.Adam(),
        TypeError,
        r"^Adam\.__init__\(\) missing a required argument: 'params'; see help\(",
    ),
    "no average": (
        lambda: ot.Adam([param(2)], ema=1),
        TypeError,
        r"^ema: expected an EMA or None, got 1; pass optcore\.EMA\(0\.999\)$",
    ),
    "too few estimates": (
        estimates([ONES]),
        ValueError,
        r"^hessian: expected 2 estimates, .*got 1; pass None",
    ),
    "one tensor as estimates": (
        estimates(ONES),
        TypeError,
        r"^hessian: expected a list .*got Tensor",
    ),
    "no estimates": (estimates(None), TypeError, r"^hessian: expected a list .*got NoneType"),
    "numbers as estimates": (
        estimates([1.0, 2.0]),
        TypeError,
        r"^hessian\[0\]: expected a tensor or None, got 1\.0",
    ),
    "sparse estimates": (
        estimates([None, ONES.to_sparse()]),
        TypeError,
        r"^hessian\[1\]: expected a dense tensor, .*\.to_dense\(\)",
    ),
    "whole numbers as estimates": (
        estimates([ONES.long(), None]),
        TypeError,
        r"^hessian\[0\]: expected real or complex floats, got torch\.int64",
    ),
    "float8 as estimates": (
        estimates([ONES.to(FLOAT8), None]),
        TypeError,
        r"^hessian\[0\]: expected real or complex floats, got torch\.float8_e4m3fn",
    ),
    "estimates of another shape": (
        estimates([None, torch.ones(3)]),
        ValueError,
        r"^hessian\[1\]: expected shape \(2,\), as its parameter, got \(3,\)",
    ),
    "estimates that are not finite": (
        estimates([ONES, NAN], nonfinite="raise"),
        oc.NonFiniteError,
        r"^hessian\[1\]\[1\]: expected finite",
    ),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:Sparse invariant checks")
@pytest.mark.parametrize("case", SAID)
def test_errors(case):
    attempt, kind, said = SAID[case]
    with pytest.raises(kind) as error:
        attempt()
    text = str(error.value.args[0])
    assert re.search(said, text), text
    assert not NUMPY.search(text), text


def test_what_is_not_finite_survives_pickle():
    """Words, path and index."""
    with pytest.raises(oc.NonFiniteError) as caught:
        stepped("Adam", [("a", param(2)), ("b", param(2))], ONES, NAN, nonfinite="raise")()
    for error in (caught.value, pickle.loads(pickle.dumps(caught.value))):
        assert str(error).startswith("b.grad[1]: expected finite")
        assert (error.path, error.index) == ("b", (1,))


def test_a_name_that_begins_as_another():
    """The longest is meant."""
    named = [(name, param(2)) for name in ("a", "a.b", "a.b_c")]
    for i, (name, _) in enumerate(named):
        grads = [NAN if k == i else ONES for k in range(3)]
        with pytest.raises(oc.NonFiniteError, match=rf"^{re.escape(name)}\.grad\[1\]: "):
            stepped("SGD", named, *grads, nonfinite="raise")()


# Docstrings. -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", STEPPED)
def test_docstrings_say_what_is_true_here(name):
    kind = getattr(ot, name)
    doc = kind.__doc__.partition("Example:")[0]
    found = {match for match in NUMPY.findall(doc)} - {
        "NumPy",
        "np.",
    }  # BLAS and LAPACK are NumPy's
    assert not found
    assert "be a schedule" not in doc
    assert "`Optimizer`" not in doc
    assert '"optax"' not in doc
    listed = doc.partition("Args:\n")[2].partition("\n\n")[0]
    arguments = set(re.findall(r"^    (\w+): ", listed, re.M)) - {"common"}
    assert len(arguments) > 1
    assert arguments <= {*inspect.signature(kind.__init__).parameters, *kind._always}
    for attribute in re.findall(r"`opt\.(\w+)`", doc):
        assert hasattr(kind, attribute)


def test_every_replacement_in_docstrings_is_needed():
    numpy_docs = [inspect.cleandoc(getattr(ot, name)._kind.__doc__) for name in STEPPED]
    tensors = [re.sub(r"\barray(s?)\b", r"tensor\1", doc) for doc in numpy_docs]
    for pattern, _ in docs.HERE:
        assert any(re.search(pattern, doc, re.DOTALL) for doc in [*numpy_docs, *tensors]), pattern


@pytest.mark.parametrize("name", ["Prodigy", "DAdaptAdam", "DAdaptSGD"])
def test_the_distance_that_is_estimated(name):
    p = param(3)
    optimizer = getattr(ot, name)([{"params": [p], "d0": 1e-4}])
    assert optimizer.d == 1e-4
    for t in range(1, 40):
        p.grad = p.detach() * (1 + 1 / t)
        optimizer.step()
    assert optimizer.d == float(optimizer.state[p]["d"]) > 1e-4
