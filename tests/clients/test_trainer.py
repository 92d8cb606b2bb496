"""Hugging Face Trainer: a BERT of a few thousand weights on made-up sentences."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest
from trained import Weights, assert_close, assert_moved, assert_same_bits, weights

torch = pytest.importorskip("torch")

with warnings.catch_warnings():  # theirs
    warnings.simplefilter("ignore")
    transformers = pytest.importorskip("transformers")
    pytest.importorskip("accelerate")

    import optcore.torch as ot

pytestmark = pytest.mark.filterwarnings("ignore")

WORDS, LENGTH, STEPS, LR = 50, 8, 12, 1e-3


def model() -> Any:
    torch.manual_seed(0)
    return transformers.BertForSequenceClassification(
        transformers.BertConfig(
            vocab_size=WORDS,
            hidden_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=32,
            max_position_embeddings=LENGTH,
        )
    )


def sentences() -> list[dict[str, Any]]:
    """The label says whether the first word is one of the first half."""
    words = torch.randint(WORDS, (96, LENGTH), generator=torch.Generator().manual_seed(1))
    return [{"input_ids": s, "labels": int(s[0] < WORDS // 2)} for s in words]


def trainer(kind: Any, folder: Path, **options: Any) -> Any:
    arguments = transformers.TrainingArguments(
        output_dir=str(folder),
        max_steps=STEPS,
        per_device_train_batch_size=16,
        learning_rate=LR,
        weight_decay=0.1,
        max_grad_norm=0.5,
        save_steps=STEPS // 2,
        report_to=[],
        disable_tqdm=True,
        use_cpu=True,
        seed=3,
    )
    return transformers.Trainer(
        model=model(),
        args=arguments,
        train_dataset=sentences(),
        optimizer_cls_and_kwargs=(kind, {"lr": LR, **options}),
    )


def trained(kind: Any, folder: Path, **options: Any) -> Weights:
    client = trainer(kind, folder, **options)
    client.train()
    return weights(client.model)


def test_it_trains_as_with_torch(tmp_path: Path) -> None:
    """Float32 and 12 steps with dropout, warm up by nothing, linear decay, clipping, two groups."""
    ours = trained(ot.AdamW, tmp_path / "ours")
    theirs = trained(torch.optim.AdamW, tmp_path / "theirs")
    assert_moved(ours, weights(model()))
    assert_close(ours, theirs, 1e-7)


def test_it_decays_by_group_and_lowers_the_rate(tmp_path: Path) -> None:
    client = trainer(ot.AdamW, tmp_path)
    client.train()
    optimizer = client.optimizer.optimizer
    assert isinstance(optimizer, ot.AdamW)
    assert [group["weight_decay"] for group in optimizer.param_groups] == [0.1, 0.0]
    assert {group["lr"] for group in optimizer.param_groups} == {0.0}
    steps = {float(state["step"]) for state in optimizer.state.values()}
    assert steps == {STEPS}


@pytest.mark.parametrize("kind", [ot.AdamW, ot.Lion, ot.LAMB])
def test_it_resumes_with_the_bits_of_the_whole_run(tmp_path: Path, kind: Any) -> None:
    whole = trained(kind, tmp_path)
    client = trainer(kind, tmp_path)
    client.train(resume_from_checkpoint=str(tmp_path / f"checkpoint-{STEPS // 2}"))
    assert client.state.global_step == STEPS
    assert_same_bits(weights(client.model), whole)


def test_it_evaluates_the_average_of_a_schedule_free_rule(tmp_path: Path) -> None:
    """The Trainer calls `train` and `eval` of an optimizer that has them; it saves in eval mode."""
    modes = []

    class Look(transformers.TrainerCallback):
        def on_prediction_step(self, *args: Any, **kwargs: Any) -> None:
            modes.append(kwargs["optimizer"].optimizer.training)

    def evaluated() -> Any:
        client = trainer(ot.ScheduleFreeAdamW, tmp_path)
        client.add_callback(Look())
        client.args.eval_strategy = transformers.trainer_utils.IntervalStrategy.STEPS
        client.args.eval_steps = STEPS // 2
        client.eval_dataset = sentences()
        return client

    whole, half = evaluated(), evaluated()
    whole.train()
    half.train(resume_from_checkpoint=str(tmp_path / f"checkpoint-{STEPS // 2}"))
    assert modes
    assert not any(modes)
    assert_same_bits(weights(half.model), weights(whole.model))


def test_it_takes_an_optimizer_that_was_made_before(tmp_path: Path) -> None:
    network = model()
    optimizer = ot.AdamW(network.parameters(), lr=LR)
    client = transformers.Trainer(
        model=network,
        args=transformers.TrainingArguments(
            output_dir=str(tmp_path), max_steps=3, report_to=[], disable_tqdm=True, use_cpu=True
        ),
        train_dataset=sentences(),
        optimizers=(optimizer, None),
    )
    client.train()
    assert_moved(weights(network), weights(model()))
