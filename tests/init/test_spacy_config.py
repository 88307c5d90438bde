"""A task drafted from spaCy's configuration. The text is a part of what ``spacy init config``
writes, and the lines of output are spaCy's own.
"""

import json
from itertools import pairwise

import pytest

from agenthpo.errors import TaskError
from agenthpo.init.draft import draft
from agenthpo.taskfile.reading import load_task
from agenthpo.training.metrics import MetricReader
from calling import agenthpo

CONFIG = """\
[paths]
train = null
dev = null

[nlp]
lang = "en"
pipeline = ["tok2vec","tagger"]
batch_size = 1000

[training]
seed = ${system.seed}
dropout = 0.1
patience = 1600
max_steps = 20000
before_update = null

[training.optimizer]
@optimizers = "Adam.v1"
L2_is_weight_decay = true
grad_clip = 1.0
learn_rate = 0.001

[training.score_weights]
tag_acc = 1.0
pos_acc = 0.0

[components.tok2vec.model.encode]
@architectures = "spacy.MaxoutWindowEncoder.v2"
width = 96
depth = 4
"""
OUTPUT = """\
E    #       LOSS TOK2VEC  LOSS TAGGER  TAG_ACC  SCORE
---  ------  ------------  -----------  -------  ------
  0       0          0.00         8.30    30.83    0.31
  5      20          0.36       121.34    87.50    0.88
"""


def test_what_spacy_trains_with_is_tuned_by_its_overrides(tmp_path):
    (tmp_path / "config.cfg").write_text(CONFIG)
    done = agenthpo("init", tmp_path / "config.cfg", "--json")
    drafted = json.loads(done.stdout)
    assert drafted["metric"] == "SCORE" and drafted["to_fill"] == ["PATHS_TRAIN", "PATHS_DEV"]
    assert set(drafted["tuned"]) == {
        "training.dropout",
        "training.optimizer.grad_clip",
        "training.optimizer.learn_rate",
        "components.tok2vec.model.encode.width",
        "components.tok2vec.model.encode.depth",
    }
    task = load_task(tmp_path / "task.yaml")
    command = task.spec(0, task.space.default(), seed=0, workdir=tmp_path).command
    assert command[1:8] == (
        "-m", "spacy", "train", "config.cfg", "--paths.train", "PATHS_TRAIN", "--paths.dev",
    )  # fmt: skip
    assert ("--training.optimizer.learn_rate", "0.001") in pairwise(command)
    assert task.background.model == "spaCy: tok2vec, tagger"
    assert task.objective.direction == "maximize"


def test_its_table_is_read():
    reader = MetricReader(frozenset(["SCORE", "TAG_ACC"]))
    for line in OUTPUT.splitlines():
        reader.read_output(line)
    assert [value for _, value in reader.curve("SCORE")] == [0.31, 0.88]
    assert [value for _, value in reader.curve("TAG_ACC")] == [30.83, 87.5]


@pytest.mark.parametrize("text", ["", "[tool]\na = 1\n", "a = 1\n", "\xff[nlp"])
def test_another_configuration_is_refused_in_a_sentence(text, tmp_path):
    (tmp_path / "setup.cfg").write_bytes(text.encode("latin-1"))
    with pytest.raises(TaskError, match=r"setup.cfg (is no|cannot be read as a) configuration"):
        draft(tmp_path / "setup.cfg")
