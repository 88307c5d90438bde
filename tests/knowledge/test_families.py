import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenthpo.bench.trainings.families import FAMILIES
from agenthpo.knowledge.families import families, family_of, imported

SCRIPT = """
import xgboost as xgb
from sklearn.model_selection import train_test_split
print("from sklearn.svm import SVC")
"""


@pytest.mark.parametrize("name", FAMILIES)
def test_a_recorded_family_is_recognised_by_what_its_background_says(name):
    assert family_of(f"{FAMILIES[name].about}, to predict a price").name == name


@pytest.mark.parametrize(
    ("said", "family"),
    [
        ("An XGBoost classifier on 30 columns", "xgboost"),
        ("a k-NN baseline", "neighbours"),
        ("an MLP on tabular data, 20 epochs", "network"),
        ("a convolutional network with a dense network as its head", None),
        ("a transformer that is fine-tuned", None),
        ("compares XGBoost and a random forest", None),
        ("the model", None),
        ("MLPs and svmlight files", None),
        ("", None),
    ],
)
def test_words_name_one_family_or_none(said, family):
    found = family_of(said)
    assert (found and found.name) == family


def test_imports_decide_where_the_words_say_nothing():
    assert family_of("predicts the price of a house", imported(SCRIPT)).name == "xgboost"
    assert family_of("a random forest", imported(SCRIPT)).name == "forest"
    assert family_of("x", {"SVC", "RandomForestClassifier"}) is None


def test_a_script_is_read_never_run_and_need_not_be_python(tmp_path):
    mark = tmp_path / "ran"
    assert imported(f"import os\nopen({str(mark)!r}, 'w')") == {"os"} and not mark.exists()
    assert imported("library(xgboost)\nfit <- function(x) {") == set()
    assert imported("\0") == set()


@given(st.text(max_size=200), st.lists(st.text(max_size=10), max_size=4))
def test_any_words_can_be_asked_for(said, imports):
    found = family_of(said, imports)
    assert found is None or found.name in families()
