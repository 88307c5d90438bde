import json
import tomllib

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from agenthpo.errors import TaskError
from agenthpo.taskfile.config_template import read_template
from agenthpo.taskfile.form import ConfigForm
from agenthpo.taskfile.reading import load_task
from calling import agenthpo

BASE = """\
# what the script reads
data: {path: /data, workers: 4}   # not tuned
optim:
  lr: 1e-3      # step size
  betas: [0.9, 0.999]
  nesterov: yes
model:
  - {units: 64, act: relu}
  - {units: 32, act: relu}
"""


def template(folder, text, names, *, file="base.yaml", to=None, required=None):
    (folder / file).write_text(text, encoding="utf-8")
    form = ConfigForm.model_validate({"from": file, "to": to})
    return read_template(
        form, names, required=set(names if required is None else required), folder=folder, where="c"
    )


def test_values_stand_in_the_file_and_all_else_stays_as_it_was(tmp_path):
    names = ["optim.lr", "model.0.units", "optim.betas.1"]
    found = template(tmp_path, BASE, names)
    text = found.text({"optim.lr": 2e-5, "model.0.units": 128, "optim.betas.1": 0.99})
    assert "# what the script reads" in text
    assert "# step size" in text
    assert "nesterov: yes" in text
    read = yaml.safe_load(text)
    assert read["optim"]["lr"] == 2e-5
    assert read["optim"]["betas"] == [0.9, 0.99]
    assert read["model"] == [{"units": 128, "act": "relu"}, {"units": 32, "act": "relu"}]
    assert read["data"] == {"path": "/data", "workers": 4}
    # an inactive parameter leaves what was there
    assert yaml.safe_load(found.text({}))["model"][0]["units"] == 64


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("a: &x 1   # one\nb: *x\n", {"a": 7, "b": 7}),
        ("a:\nb: 2\n", {"a": 7, "b": 2}),
        ("b: 2\na:   # one\n", {"a": 7, "b": 2}),
        ("a:  # one\n\nb: '#x'\n", {"a": 7, "b": "#x"}),
        ("a:\n  - 1\n  - 2\n# end\nb: 2\n", {"a": 7, "b": 2}),
        ("a: |\n  text\n  more\nb: 2\n", {"a": 7, "b": 2}),
        ("{a: 1, b: 2}", {"a": 7, "b": 2}),
        ("a: 'x'", {"a": 7}),
        ("b: 2\na: !!str 3", {"a": "7", "b": 2}),
    ],
)
def test_wherever_a_yaml_value_stands_it_alone_is_replaced(tmp_path, text, read):
    written = template(tmp_path, text, ["a"]).text({"a": 7})
    assert yaml.safe_load(written) == read
    assert ("# one" in written, "# end" in written) == ("# one" in text, "# end" in text)


def test_a_key_with_a_dot_in_it_comes_before_a_path(tmp_path):
    found = template(tmp_path, '{"a.b": 1, "a": {"b": 2}}', ["a.b"], file="base.json")
    assert json.loads(found.text({"a.b": 7})) == {"a.b": 7, "a": {"b": 2}}


LEAVES = (
    st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=8)
)
NAMES = st.sampled_from(["lr", "optim", "b", "weight-decay", "x_1"])
CONTENTS = st.dictionaries(
    NAMES, LEAVES | st.dictionaries(NAMES, LEAVES, min_size=1, max_size=3), min_size=1, max_size=4
)
READERS = {
    ".yaml": (lambda c: yaml.safe_dump(c, allow_unicode=True), yaml.safe_load),
    ".json": (json.dumps, json.loads),
    ".toml": (lambda c: __import__("tomlkit").dumps(c), tomllib.loads),
}


@pytest.mark.parametrize("ending", READERS)
@given(content=CONTENTS, data=st.data())
def test_every_format_reads_the_values_back(tmp_path_factory, ending, content, data):
    dump, load = READERS[ending]
    folder = tmp_path_factory.mktemp("config")
    paths = [
        (key, inner) for key, value in content.items() if isinstance(value, dict) for inner in value
    ] + [(key,) for key, value in content.items() if not isinstance(value, dict)]
    chosen = data.draw(st.lists(st.sampled_from(paths), unique=True, max_size=3))
    params = {".".join(path): data.draw(LEAVES) for path in chosen}
    found = template(folder, dump(content), list(params), file=f"base{ending}")
    expected = json.loads(json.dumps(content))
    for path, value in zip(chosen, params.values(), strict=True):
        holder = expected[path[0]] if len(path) == 2 else expected
        holder[path[-1]] = value
    text = found.text(params)
    assert load(text) == expected
    if ending == ".yaml":
        assert YAML(typ="safe", pure=True).load(text) == YAML(typ="safe", pure=True).load(
            yaml.safe_dump(expected, allow_unicode=True)
        )


@pytest.mark.parametrize(
    ("text", "file", "to", "names", "sentence"),
    [
        (BASE, "base.yaml", None, ["optim.rl"], "has no 'optim.rl'; did you mean 'optim.lr'"),
        (BASE, "base.yaml", "/etc/x.yaml", ["optim.lr"], "its own folder only"),
        (BASE, "base.yaml", "{trial_dir}/../x.yaml", ["optim.lr"], "its own folder only"),
        (BASE, "base.yaml", "{trial_dir}/params.yaml", ["optim.lr"], "its own folder only"),
        (BASE, "base.yaml", "{trial_dir}/x.json", ["optim.lr"], "the same ending"),
        ("a: &x 1\nb: *x\n", "base.yaml", None, ["b"], "the value of b is written somewhere else"),
        ("a: &x {c: 1}\nb:\n  <<: *x\n", "base.yaml", None, ["b.c"], "written somewhere else"),
        ("a: {b: 1}\n", "base.yaml", None, ["a", "a.b"], "stands within another"),
        ("a: [", "base.yaml", None, ["a"], "not valid YAML at line"),
        ("{", "base.json", None, ["a"], "not valid JSON"),
        ("a = ", "base.toml", None, ["a"], "not valid TOML"),
        ("3", "base.yaml", None, ["a"], "holds no mapping"),
        ("x", "base.cfg", None, ["a"], "is no .yaml"),
    ],
)
def test_what_is_wrong_with_it_is_said(tmp_path, text, file, to, names, sentence):
    with pytest.raises(TaskError, match=sentence):
        template(tmp_path, text, names, file=file, to=to)


TASK = """\
name: toy
objective: {metric: acc, direction: maximize}
train:
  command: "{python} train.py --config {trial_dir}/base.yaml"
  config: {from: base.yaml}
  metrics: {acc: "acc {number}"}
space:
  optim.lr: {type: float, low: 1e-6, high: 1.0, log: true, default: 1e-5}
  optim.nesterov: {type: bool, default: false}
"""
SCRIPT = """\
import sys, yaml
read = yaml.safe_load(open(sys.argv[2]))
print("acc", read["optim"]["lr"] + (1 if read["optim"]["nesterov"] else 2) + read["data"]["workers"])
"""


def test_a_script_trains_with_its_own_file(tmp_path):
    (tmp_path / "base.yaml").write_text(BASE)
    (tmp_path / "train.py").write_text(SCRIPT)
    (tmp_path / "task.yaml").write_text(TASK)
    ran = agenthpo("run", tmp_path, "--model", "none", "--trials", "3", "--json", code=0)
    ended = [json.loads(line) for line in ran.stdout.splitlines()]
    trials = [
        e["trial"] for e in ended if isinstance(e.get("trial"), dict) and e["trial"].get("value")
    ]
    assert trials
    for trial in trials:
        params = trial["params"]
        expected = params["optim.lr"] + (1 if params["optim.nesterov"] else 2) + 4
        assert trial["value"] == pytest.approx(expected)
    assert (tmp_path / "base.yaml").read_text() == BASE
    best = agenthpo("best", tmp_path, code=0)
    assert "base.yaml" in best.stdout


def test_a_file_that_no_script_is_given_is_refused(tmp_path):
    (tmp_path / "base.yaml").write_text(BASE)
    (tmp_path / "train.py").write_text(SCRIPT)
    (tmp_path / "task.yaml").write_text(TASK.replace("--config {trial_dir}/base.yaml", "{seed}"))
    with pytest.raises(TaskError, match="does not hand that to the script"):
        load_task(tmp_path / "task.yaml")
