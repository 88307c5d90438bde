import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenthpo.command.option import Option
from agenthpo.init.ranges import chosen
from agenthpo.knowledge.names import known_names
from agenthpo.taskfile.space import parse_space


def fields(name, default, kind="", **more):
    choices, _ = chosen([Option(name, default, kind=kind, spelling=f"--{name}", **more)])
    return dict(choices[0].fields) if choices else None


@pytest.mark.parametrize(
    ("name", "default", "expected"),
    [
        ("lr", 1e-3, {"type": "float", "low": 1e-4, "high": 0.1, "log": True, "default": 1e-3}),
        ("dropout", 0.1, {"type": "float", "low": 0.0, "high": 0.5, "default": 0.1}),
        ("batch-size", 64, {"type": "int", "values": [16, 32, 64, 128, 256], "default": 64}),
        ("max_depth", 6, {"type": "int", "low": 3, "high": 12, "default": 6}),
        ("hidden", 300, {"type": "int", "low": 75, "high": 1200, "log": True, "default": 300}),
    ],
)
def test_a_known_hyperparameter_has_its_usual_range_about_the_default(name, default, expected):
    assert fields(name, default) == expected


def test_a_default_of_zero_on_a_logarithmic_scale_stays_one_of_the_values():
    found = fields("weight_decay", 0.0)
    assert found["values"][0] == found["default"] == 0.0
    assert found["values"][-1] == 0.1


@pytest.mark.parametrize(
    "name",
    ["seed", "num-workers", "log-interval", "test-batch-size", "epochs", "gpu", "save_every",
     "val_size", "local_rank", "data_dir", "max_len", "image_size", "n_folds", "port"],
)  # fmt: skip
def test_what_is_no_hyperparameter_is_left_as_it_is(name):
    choices, left = chosen([Option(name, 3)])
    assert choices == []
    assert left[0].why


def test_the_help_says_which_gamma_it_is():
    assert fields("gamma", 0.7, about="Learning rate step gamma")["low"] == 0.1
    assert fields("gamma", 0.99, about="discount factor")["high"] == 0.999
    assert fields("gamma", 0.1)["log"]


def test_choices_and_switches():
    assert fields("optimizer", "sgd", choices=("adam", "sgd")) == {
        "type": "categorical",
        "values": ["adam", "sgd"],
        "default": "sgd",
    }
    assert fields("dataset", "mnist", choices=("mnist", "cifar")) is None
    assert fields("nesterov", False, kind="bool", style="--name")["type"] == "bool"
    assert fields("nesterov", True, kind="bool", problem="no way to say false") is None
    assert fields("download", False, kind="bool", style="--name") is None


def test_at_most_eight_are_tuned_the_most_telling_first():
    names = ["lr", "batch_size", "hidden_size", "layers", "dropout", "weight_decay", "subsample",
             "momentum", "max_features", "colsample_bytree"]  # fmt: skip
    choices, left = chosen([Option(n, 2 if n == "layers" else 0.5 if n not in (
        "batch_size", "hidden_size") else 64) for n in names])  # fmt: skip
    assert len(choices) == 8
    assert {"lr", "batch_size", "hidden_size"} <= {c.option.name for c in choices}
    assert {item.why for item in left} == {"others come first"}


NAMES = st.sampled_from(
    sorted({a for known in known_names().values() for a in (known.name, *known.aliases)})
) | st.sampled_from(["my_rate", "kl_weight", "beta", "size", "n_blocks", "aux_coef"])
DEFAULTS = (
    st.none()
    | st.booleans()
    | st.integers(-3, 10**6)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=3)
)


@given(st.lists(st.tuples(NAMES, DEFAULTS, st.sampled_from(["", "int", "float", "bool", "str"])),
                min_size=1, max_size=12, unique_by=lambda each: each[0]))  # fmt: skip
def test_every_range_is_one_that_a_task_file_takes(each):
    options = [Option(n, d, kind=k, style="--name", spelling=f"--{n}") for n, d, k in each]
    choices, left = chosen(options)
    assert len(choices) + len(left) == len(options)
    if choices:
        space = parse_space({c.option.name: c.fields for c in choices})
        assert all(p.has_default for p in space if p.kind != "categorical")
