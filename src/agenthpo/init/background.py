"""The background of a task, drafted from what a script says of itself: docstring, description,
README, and the names of data sets and models in its calls.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from agenthpo.command.option import Option
from agenthpo.command.python_text import constant, keywords, name_of, texts
from agenthpo.text.cleaning import clean_line

__all__ = ["drafted"]

_LONGEST = 300
_LOADERS = re.compile(
    r"^(?:load|fetch)_[a-z0-9_]+$"
    r"|^make_(?:classification|regression|blobs|moons|circles|friedman\d|hastie_10_2|swiss_roll)$"
)
_NO_DATA = {"load_model", "load_state_dict", "load_weights", "load_checkpoint", "load_config",
            "load_tokenizer", "load_data", "load_dataset", "load_args"}  # fmt: skip
_NAMED = {"load_dataset", "fetch_openml", "read_csv", "read_parquet", "make", "ImageFolder",
          "loadtxt", "load_from_disk", "tfds_load", "Planetoid", "TUDataset"}  # fmt: skip
_DATA_CLASSES = re.compile(
    r"^(?:Fashion|K|E|Q)?MNIST$|^CIFAR100?$|^ImageNet|^SVHN$|^STL10$|^CelebA$|^VOC\w+$|^Coco\w+$"
    r"|^IMDB$|^AG_NEWS$|^WikiText\w*$|^PennTreebank$|^Multi30k$|^SST2?$|^MovieLens\w*$|^Food101$"
    r"|^OxfordIIITPet$|^Flowers102$|^Cora$|^(?:cifar100?|mnist|fashion_mnist|imdb|reuters"
    r"|boston_housing|california_housing)$"
)
_MODELS = re.compile(
    r"(?:Classifier|Regressor|Net|Model|LM|SVC|SVR|Regression|Transformer|VAE|GAN)$"
)
_BASES = {"Module", "LightningModule", "Model", "Sequential", "PreTrainedModel"}
_DATA_OPTIONS = ("dataset", "data", "env", "env_id", "env-id", "task", "corpus", "dataset_name")


def drafted(
    tree: ast.Module, script: Path, options: Sequence[Option], *, goal: str
) -> dict[str, str]:
    """Return the parts of the background that could be found, and the ``goal``."""
    data = dict.fromkeys([*_data(tree), *_from_options(options)])
    models = dict.fromkeys(_models(tree))
    parts = {
        "task": _purpose(tree) or _readme(script.parent) or f"Train by {script.name}.",
        "dataset": ", ".join(list(data)[:4]),
        "model": ", ".join(list(models)[:4]),
        "goal": goal,
    }
    return {key: text for key, text in parts.items() if text}


def _purpose(tree: ast.Module) -> str:
    """Return what the script's docstring or its parser says it is for."""
    if text := _first(ast.get_docstring(tree) or ""):
        return text
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and name_of(node.func) == "ArgumentParser":
            text = constant(keywords(node).get("description"), "")
            if isinstance(text, str) and (found := _first(text)):
                return found
    return ""


def _first(text: str) -> str:
    """Return the first paragraph that is one, on one line and not too long."""
    for paragraph in re.split(r"\n\s*\n", text):
        line = clean_line(" ".join(paragraph.split()))
        if len(line) > 8 and not re.match(r"[-=#*`<!\[|]|https?:|usage", line, re.IGNORECASE):
            whole = re.findall(r"[^.!?]+[.!?](?=\s|$)", line)
            kept = ""
            for sentence in whole:
                if len(kept) + len(sentence) <= _LONGEST:
                    kept += sentence
            return kept.strip() or line[:_LONGEST]
    return ""


def _readme(folder: Path) -> str:
    for file in sorted(folder.glob("README*"))[:3]:
        try:
            found = _first(file.read_text("utf-8", "replace")[:20_000])
        except OSError:
            continue
        if found:
            return found
    return ""


def _data(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = name_of(node.func)
        given = [t for t in texts(node) if len(t) < 80]
        if name in _NAMED and given and not (name == "make" and "-" not in given[-1]):
            yield Path(given[0]).name if name.startswith("read") else given[-1]
        elif _LOADERS.match(name) and name not in _NO_DATA:
            yield name.split("_", 1)[1].replace("_", " ")
        elif _DATA_CLASSES.match(name):
            yield name
        elif name == "load_data" and isinstance(node.func, ast.Attribute):  # as Keras has them
            yield name_of(node.func.value)


def _from_options(options: Sequence[Option]) -> Iterator[str]:
    for option in options:
        if option.name.lower() in _DATA_OPTIONS and isinstance(option.default, str):
            yield option.default


def _models(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            if any(name_of(base) in _BASES for base in node.bases):
                yield node.name
        elif isinstance(node, ast.Call):
            name = name_of(node.func)
            if _MODELS.search(name) and name[0].isupper():
                yield name
