# %% [markdown]
# # An Optuna study that gives up on bad trials
#
# Optuna's TPE sampler chooses optimizer, rate, weight decay and schedule for a network on the
# handwritten digits. After every epoch a trial reports its validation loss, and the median pruner
# ends those that are worse than most others were at that point. It waits for half of the epochs,
# as a schedule that warms up is behind at first.

# %%
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import optuna
from matplotlib import pyplot as plt
from optuna.trial import TrialState
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import optcore as oc
from optcore.plot import style
from optcore.problems.network import Params

EPOCHS, TRIALS = 12, 60
optuna.logging.set_verbosity(optuna.logging.WARNING)

# %% [markdown]
# The validation digits choose the settings, so that the test digits stay unseen until the end.

# %%
X, y = load_digits(return_X_y=True)
X = (X - X.mean()) / X.std()
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
X_fit, X_val, y_fit, y_val = train_test_split(X_train, y_train, stratify=y_train, random_state=0)

SCHEDULES: dict[str, Callable[[float, int], oc.schedules.Schedule]] = {
    "constant": lambda lr, steps: oc.schedules.Constant(lr),
    "cosine": oc.schedules.Cosine,
    "one-cycle": oc.schedules.OneCycle,
}


fitting, testing = (
    oc.problems.Supervised(oc.problems.Data(*parts), hidden=(64,), batch_size=32)
    for parts in ((X_fit, y_fit, X_val, y_val), (X_train, y_train, X_test, y_test))
)


def trained(
    task: oc.problems.Supervised, settings: dict[str, Any], seed: int = 0
) -> Iterator[Params]:
    """The parameters after each epoch of training."""
    params, rng = task.initial(seed), np.random.default_rng(seed)
    rate = SCHEDULES[settings["schedule"]](settings["lr"], EPOCHS * task.steps_per_epoch)
    rule = getattr(oc, settings["optimizer"])
    optimizer = rule(params, lr=rate, weight_decay=settings["weight_decay"])
    for _ in range(EPOCHS):
        for batch in task.batches(rng):
            optimizer.step(task.loss_and_grads(params, batch)[1])
        yield params


def objective(trial: optuna.Trial) -> float:
    """The validation loss at the end of training with what the trial suggests."""
    trial.suggest_categorical("optimizer", ["SGD", "Momentum", "RMSprop", "AdamW"])
    trial.suggest_float("lr", 1e-4, 1.0, log=True)
    trial.suggest_float("weight_decay", 1e-5, 1e-1, log=True)
    trial.suggest_categorical("schedule", list(SCHEDULES))
    loss = np.inf
    with np.errstate(all="ignore"):  # a rate may be far too high; the loss tells
        for epoch, params in enumerate(trained(fitting, trial.params), start=1):
            loss = fitting.network.loss(params, X_val, y_val)
            trial.report(loss, epoch)
            if not np.isfinite(loss) or trial.should_prune():
                raise optuna.TrialPruned
    return loss


study = optuna.create_study(
    direction="minimize",
    sampler=optuna.samplers.TPESampler(seed=0),
    pruner=optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=EPOCHS // 2),
)
study.optimize(objective, n_trials=TRIALS)

# %% [markdown]
# What the study has found, and what pruning has saved of the epochs.

# %%
complete = study.get_trials(states=[TrialState.COMPLETE])
pruned = study.get_trials(states=[TrialState.PRUNED])
epochs = sum(len(trial.intermediate_values) for trial in study.trials)
print(f"{TRIALS} trials: {len(complete)} complete, {len(pruned)} pruned")
print(f"{epochs} epochs instead of {TRIALS * EPOCHS}\n")
print("The best five:")
print(f"{'optimizer':10}{'rate':>8}{'weight decay':>14}  {'schedule':10}{'validation loss':>16}")
for trial in sorted(complete, key=lambda trial: trial.value or 0.0)[:5]:
    p = trial.params
    print(
        f"{p['optimizer']:10}{p['lr']:8.2g}{p['weight_decay']:14.1e}  {p['schedule']:10}"
        f"{trial.value:16.3f}"
    )

# %% [markdown]
# With all digits but those of the test: the best settings, and AdamW as it comes, over ten seeds.

# %%
plain = {"optimizer": "AdamW", "lr": 1e-3, "weight_decay": 1e-2, "schedule": "constant"}
print("\nTest accuracy over ten seeds:")
for name, settings in (("best trial", study.best_params), ("AdamW's defaults", plain)):
    accuracy = []
    for seed in range(10):
        *_, params = trained(testing, settings, seed)
        accuracy.append(testing.metric(params))
    print(f"{name:18}{np.mean(accuracy):6.3f} ± {np.std(accuracy, ddof=1):.3f}")

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4), layout="constrained", sharey=True)
for trials, colour, kind in ((pruned, style.NEUTRAL, "pruned"), (complete, style.BLUE, "complete")):
    for trial in trials:
        curve = trial.intermediate_values
        left.plot(list(curve), list(curve.values()), color=colour, linewidth=1)
    last = [list(trial.intermediate_values.values())[-1] for trial in trials]
    numbers = [trial.number for trial in trials]
    right.plot(numbers, last, "x" if kind == "pruned" else "o", color=colour, label=kind)
values = {trial.number: trial.value for trial in complete if trial.value is not None}
best = np.minimum.accumulate([values.get(k, np.inf) for k in range(TRIALS)])
right.step(range(TRIALS), best, where="post", color=style.VERMILLION, label="best so far")
left.set(yscale="log", ylim=(0.07, 5))  # what is above has run away
for ax in (left, right):
    style.dress(ax)
style.words(left, "epoch", "validation loss (log scale)", "Every trial")
style.words(right, "trial", None, "Where it ended")
style.legend(right)
oc.plot.save(left, "optuna_study.png", dpi=85)
