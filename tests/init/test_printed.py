import ast

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agenthpo.init.metric_names import direction_of, split_of
from agenthpo.init.printed import told_metrics
from agenthpo.text.metric_pattern import compile_pattern
from agenthpo.training.metrics import MetricReader


def told(text):
    return told_metrics(ast.parse(text))


@pytest.mark.parametrize(
    ("text", "name", "line", "value"),
    [
        ("print(f'epoch {e} val acc {acc:.4f}')", "val_acc", "epoch 3 val acc 0.8123", 0.8123),
        ("print('Epoch %d | valid loss: %.3f' % (e, loss))", "valid_loss",
         "Epoch 3 | valid loss: 0.250", 0.25),
        ("print('Test set: Average loss: {:.4f}, Accuracy: {}/{} ({:.0f}%)'.format(a, b, c, d))",
         "test_accuracy", "Test set: Average loss: 0.1, Accuracy: 98/100 (98%)", 98.0),
        ("print('accuracy', acc)", "accuracy", "accuracy 0.5", 0.5),
        ("print('RMSE: ' + str(rmse))", "rmse", "RMSE: 1.5", 1.5),
        ("logger.info('dev f1=%.2f', f1)", "dev_f1", "INFO:root:dev f1=0.75", 0.75),
        ("print(f'[{e}/{n}] Train Loss: {a:.3f}, Val Loss: {b:.3f}')", "val_loss",
         "[1/2] Train Loss: 0.500, Val Loss: 0.400", 0.4),
        ("pbar.set_postfix(val_loss=loss)", "val_loss", "10%|# | 1/9 [00:01, val_loss=0.3]", 0.3),
        ("print(f'step {i}: train loss {a:.4f}, val loss {b:.4f}')", "val_loss",
         "step 10: train loss 1.5000, val loss 1.6000", 1.6),
        ("def test():\n  print('loss %.3f' % loss)", "test_loss", "loss 0.125", 0.125),
        ("print(\"DecisionTreeClassifier's misclassification_error: \" f'{e:.3f}')",
         "error", "DecisionTreeClassifier's misclassification_error: 0.475", 0.475),
        ("print(f'mean_reward:{r:.2f} +/- {s:.2f}')", "mean_reward",
         "mean_reward:12.50 +/- 1.00", 12.5),
    ],
)  # fmt: skip
def test_a_printed_metric_is_found_and_read_back_from_its_line(text, name, line, value):
    best = told(text)[0]
    assert best.name == name
    reader = MetricReader(frozenset([name]), {name: best.pattern})
    reader.read_output(line)
    assert reader.curve(name)[-1][1] == value


def test_what_is_not_printed_is_found_too_and_says_who_keeps_it():
    text = """
wandb.log({"val/acc": acc, "lr": lr})
writer.add_scalar("Loss/train", loss, step)
self.log("val_loss", loss)
print(json.dumps({"dev_f1": f1, "epoch": e}))
agenthpo.report(step=e, my_number=x)
"""
    found = {t.name: t for t in told(text)}
    assert {name: t.by for name, t in found.items()} == {
        "val/acc": "Weights & Biases",
        "Loss/train": "TensorBoard",
        "val_loss": "Lightning",
        "dev_f1": "json",
        "my_number": "report",
    }
    assert told(text)[0].name == "dev_f1"  # what can be read comes first


def test_a_validation_metric_comes_before_a_test_and_a_training_one():
    text = "\n".join(
        f"print(f'{words}: {{x}}')"
        for words in ("train acc", "test acc", "val loss", "val acc", "epoch", "lr", "time")
    )
    assert [t.name for t in told(text)] == ["val_acc", "val_loss", "test_acc", "train_acc"]


def test_keras_prints_by_itself():
    text = """
import keras
model.compile(loss="mse", metrics=["accuracy", keras.metrics.AUC()])
model.fit(x, y, validation_split=0.1)
"""
    assert [(t.name, t.pattern) for t in told(text)] == [
        ("val_accuracy", "val_accuracy: {number}"),
        ("val_auc", "val_auc: {number}"),
        ("val_loss", "val_loss: {number}"),
    ]


@pytest.mark.parametrize(
    ("name", "direction", "split"),
    [
        ("val_acc", "maximize", "validation"),
        ("Test RMSE", "minimize", "test"),
        ("eval/mean_reward", "maximize", "validation"),
        ("valLoss", "minimize", "validation"),
        ("dev ppl", "minimize", "validation"),
        ("log_loss", "minimize", ""),
        ("neg_log_loss", "maximize", ""),
        ("top1", "maximize", ""),
        ("error_rate", "minimize", ""),
        ("train_loss", "minimize", "train"),
        ("recall@20", "maximize", ""),
        ("nDCG@10", "maximize", ""),
        ("epoch", None, ""),
        ("lr", None, ""),
    ],
)
def test_a_metrics_name_says_direction_and_split(name, direction, split):
    assert direction_of(name) == direction
    assert split_of(name) == split


@given(st.text(max_size=40), st.sampled_from(["loss", "acc", "val f1"]))
@example("^)", "loss")
@example("^?", "loss")
@example(r"\d(.*", "acc")
def test_whatever_stands_before_a_value_makes_a_pattern_that_compiles(before, name):
    for quoted in (f"print({before + name + ' '!r} + str(x))", f"print({before!r}, {name!r}, x)"):
        for found in told(quoted):
            compile_pattern(found.pattern)


@pytest.mark.parametrize("before", ["^ best ", "^? ", r"\d ", "(?: ", ".* ", "[^ "])
def test_what_looks_like_a_regular_expression_is_read_as_it_is_printed(before):
    (found,) = told(f"print({before!r} + 'val_loss ' + str(x))")
    assert float(compile_pattern(found.pattern).search(f"{before}val_loss 0.25")[1]) == 0.25
