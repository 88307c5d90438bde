"""The metrics that a script tells of, found in its text: what it prints and logs, with a pattern
that reads each from its output.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from agenthpo.command.python_text import constant, imports, keywords, name_of
from agenthpo.init.metric_names import Split, is_metric, split_of, suited
from agenthpo.init.words import words
from agenthpo.text.metric_pattern import is_regular

__all__ = ["Told", "returned_metrics", "told_metrics"]

_PRINTERS = words("printers")
_MODIFIERS = words("modifiers")
_ALARMS = frozenset({"error", "errors", "cost", "return", "win", "success", "lift", "hit", "exact"})
"""Metrics that are words of every day, too: they count right before their value only."""
_LOGGED = {"log": 0, "log_metrics": 0, "log_dict": 0, "add_scalars": 1, "set_postfix": 0,
           "report": 0}  # fmt: skip
"""What is called with a mapping of metrics, by its place."""
_NAMED = {"add_scalar", "log_metric", "log", "scalar", "log_value", "record", "track"}
"""What is called with a metric's name first."""
_PERCENT = re.compile(r"%[-+ #0]*(?:\d+|\*)?(?:\.(?:\d+|\*))?([diouxXeEfFgGrsac%])")
_FIELD = re.compile(r"\{([^{}]*)\}")
_KEEPERS = ("Lightning", "MLflow", "TensorBoard", "Weights & Biases")
_LONGEST = 40
_MOST_WORDS = 8
"""Words of a label that ends in a colon and may name a metric anywhere."""
_OF_OTHERS = frozenset(
    {
        "time",
        "seconds",
        "elapsed",
        "number",
        "count",
        "size",
        "epoch",
        "epochs",
        "samples",
        "memory",
    }
)
"""Words that say that the value is none of the metric that stands beside them."""
_Value = ast.expr | None


@dataclass(frozen=True)
class Told:
    """One metric that a script tells of."""

    name: str
    pattern: str = ""
    """How it is read from a line of output; empty for one that is reported, or that never reaches
    the output.
    """
    line: int = 0
    split: Split = ""
    by: str = "print"
    """What tells it: print, json, report, return, or a library that keeps it to itself."""

    @property
    def is_read(self) -> bool:
        """Whether a run's output or its report has it."""
        return self.by in ("print", "json", "report", "return")

    @property
    def is_kept(self) -> bool:
        """Whether the library that it is given to keeps it in files that can be read."""
        return self.by in _KEEPERS


def told_metrics(tree: ast.Module) -> list[Told]:
    """Return the metrics that a script tells of, those first that are best suited to tune by; of
    equals the last, since what a script prints at its end sums it up.
    """
    found = dict[str, Told]()
    for told in [*_told(tree), *_of_libraries(tree)]:
        known = found.get(told.name)
        if known is None or told.is_read >= known.is_read:
            found[told.name] = told
    return sorted(
        found.values(), key=lambda t: (t.is_read, suited(t.name, t.split), t.line), reverse=True
    )


def returned_metrics(function: ast.FunctionDef) -> list[Told]:
    """Return the metrics that a function returns: the keys of a mapping, or a single one, by the
    name of what is returned where that says so.
    """
    found = list[Told]()
    for node in ast.walk(function):
        if not isinstance(node, ast.Return) or node.value is None:
            continue
        labels = [label for label in _keys(node.value) if is_metric(label)]
        if not labels and not _keys(node.value):
            name = _variable(node.value)
            labels = [name if is_metric(name) else "value"]
        found += [_made(label, "", node.lineno, by="return") for label in labels]
    return sorted(found, key=lambda t: suited(t.name, t.split), reverse=True)


def _told(tree: ast.Module) -> Iterator[Told]:
    for scope, node in _calls(tree):
        name = name_of(node.func)
        owner = name_of(node.func.value) if isinstance(node.func, ast.Attribute) else ""
        is_mapped = name in _LOGGED and len(node.args) > _LOGGED[name]
        if is_mapped or name in ("report", "set_postfix"):
            yield from _of_mapping(node, name, owner)
        if name in _NAMED and node.args and isinstance(node.args[0], ast.Constant):
            label = node.args[0].value
            if isinstance(label, str) and len(node.args) > 1 and is_metric(label):
                by = {"self": "Lightning", "mlflow": "MLflow", "wandb": "Weights & Biases"}.get(
                    owner, "TensorBoard"
                )
                if not (_PERCENT.search(label) or "{" in label):
                    yield _made(label, "", node.lineno, by=by)
                    continue
        if name in _PRINTERS:
            yield from _of_print(node, scope)


def _calls(tree: ast.Module) -> Iterator[tuple[str, ast.Call]]:
    """Yield every call with the name of the function that it stands in, in the text's order."""

    def walk(node: ast.AST, scope: str) -> Iterator[tuple[str, ast.Call]]:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            scope = node.name
        if isinstance(node, ast.Call):
            yield scope, node
        for child in ast.iter_child_nodes(node):
            yield from walk(child, scope)

    yield from walk(tree, "")


def _of_mapping(call: ast.Call, name: str, owner: str) -> Iterator[Told]:
    given = call.args[_LOGGED[name]] if len(call.args) > _LOGGED[name] else None
    labels = _keys(given)
    if name in ("report", "set_postfix"):
        labels += [label for label in keywords(call) if label not in ("step", "refresh")]
    for label in labels:
        if name == "report" and owner in ("agenthpo", ""):
            yield _made(label, "", call.lineno, by="report")
        elif name == "set_postfix" and is_metric(label):
            yield _made(label, f"{label}={{number}}", call.lineno)
        elif is_metric(label):
            by = {"wandb": "Weights & Biases", "run": "Weights & Biases", "mlflow": "MLflow",
                  "self": "Lightning"}.get(owner, owner or name)  # fmt: skip
            yield _made(label, "", call.lineno, by=by)


def _keys(node: _Value) -> list[str]:
    if isinstance(node, ast.Call) and name_of(node.func) == "dict":
        return list(keywords(node))
    if not isinstance(node, ast.Dict):
        return []
    labels = [constant(key) for key in node.keys]
    return [label for label in labels if isinstance(label, str)]


def _of_print(call: ast.Call, scope: str) -> Iterator[Told]:
    """Yield what one call that prints tells of."""
    first = call.args[0] if call.args else None
    if isinstance(first, ast.Call) and name_of(first.func) == "dumps" and first.args:
        for label in _keys(first.args[0]):
            if is_metric(label):
                yield _made(label, "", call.lineno, by="json")
        return
    pieces = _pieces_of_all(call)
    yield from _of_pieces(pieces, call.lineno, scope)


def _of_pieces(pieces: Sequence[str | ast.expr], line: int, scope: str) -> Iterator[Told]:
    """Yield the metrics of a line of output, given what is printed: texts, and values between."""
    title = ""
    for place, piece in enumerate(pieces):
        if isinstance(piece, str):
            continue
        text = pieces[place - 1] if place else ""
        before = text if isinstance(text, str) else ""
        lines = before.split("\n")
        if len(lines) > 1:  # only what stands on the value's own line can be told from it
            title = ""
        label = _end_of(lines[-1]).lstrip(" ,;|-–—/()[]%*#>\t")
        label = re.split(r"[|,;\t]\s*|\)\s+|%\s+|\s{2,}", label)[-1] if _letters(label) else label
        variable = _variable(piece)
        name = _named_in(label)
        if not name and not _letters(label):
            continue
        if not name and is_metric(variable) and _letters(label):
            name = variable
        if not name:
            title = label.strip(" :") or title
            continue
        split = split_of(name) or split_of(title) or split_of(variable) or split_of(scope)
        title = label if split_of(label) else title
        own = "_".join(re.findall(r"[A-Za-z0-9@]+", name)).lower()
        if split and not split_of(own):
            short = {"validation": "val", "test": "test", "train": "train"}[split]
            own = f"{short}_{own}"
        share = _share(pieces[place + 1 : place + 6])
        plain = f"{label}{{number}}"
        # what a script prints is text, even where it looks like a regular expression
        pattern = f"{re.escape(label)}{{number}}" if is_regular(plain) else plain
        pattern = f"{re.escape(label)}{share}" if share else pattern
        yield Told(own, pattern, line, split)


def _share(after: Sequence[str | ast.expr]) -> str:
    """Return how the percentage is read where a count, its total and a percentage are printed, as
    in ``98/100 (98%)``; empty for anything else.
    """
    if len(after) < 5 or after[0] != "/" or isinstance(after[3], str):
        return ""
    between, end = after[2], after[4]
    if not (isinstance(between, str) and isinstance(end, str) and end.lstrip().startswith("%")):
        return ""
    return rf"\d+/\d+{re.escape(between)}([-+.\deE]+)"


def _end_of(text: str) -> str:
    """Return the last words of a text, none of them cut."""
    return text if len(text) <= _LONGEST else text[-_LONGEST:].partition(" ")[2]


def _letters(text: str) -> bool:
    return re.search(r"[A-Za-z]", text) is not None


def _made(name: str, pattern: str, line: int, by: str = "print") -> Told:
    return Told(name, pattern, line, split_of(name), by)


def _named_in(label: str) -> str:
    """Return the metric that the words right before a value name, with what belongs to its name;
    empty where they name none.

    >>> _named_in("Test set: Average loss: "), _named_in("has a score of ")
    ('Test set Average loss', 'score')
    >>> _named_in("Accuracy without any selection made: "), _named_in("Loss, epochs so far, of 9: ")
    ('Accuracy', '')
    """
    found = re.findall(r"[A-Za-z0-9@]+", label)
    end = len(found) - 1
    nearest = end - (3 if re.search(r"[:=]\s*$", label) else 2)
    at = next((i for i in range(end, max(nearest, -1), -1) if is_metric(found[i])), None)
    if at is None and [word.lower() for word in found[-2:]] == ["cross", "entropy"]:
        at = end
    if at is None and re.search(r"[:=]\s*$", label) and end < _MOST_WORDS:
        words = {word.lower() for word in found}
        plain = [i for i in range(end) if is_metric(found[i]) and found[i].lower() not in _ALARMS]
        at = plain[-1] if plain and not words & _OF_OTHERS else None
    if at is None or (found[at].lower() in _ALARMS and at < end):
        return ""
    start = at
    while start and (
        found[start - 1].lower() in _MODIFIERS
        or is_metric(found[start - 1])
        or split_of(found[start - 1])
        or (found[start - 1].lower() == "set" and start > 1 and split_of(found[start - 2]))
    ):
        start -= 1
    return " ".join(found[start : at + 1])


def _variable(node: ast.expr) -> str:
    """Return the name behind a printed value: of a variable, a field, a key, or what is rounded."""
    while True:
        if isinstance(node, ast.Call):
            inner = node.args[0] if node.args else None
            if isinstance(node.func, ast.Attribute) and not node.args:
                inner = node.func.value
            if inner is None:
                return name_of(node.func)
            node = inner
        elif isinstance(node, ast.BinOp):
            node = node.right if isinstance(node.left, ast.Constant) else node.left
        elif isinstance(node, ast.Subscript):
            key = constant(node.slice)
            if isinstance(key, str):
                return key
            node = node.value
        else:
            return name_of(node)


def _pieces_of_all(call: ast.Call) -> list[str | ast.expr]:
    """Return what a call prints: texts and values in turn."""
    between = constant(keywords(call).get("sep"), " ")
    args = list(call.args)
    if len(args) > 1 and isinstance(args[0], ast.Constant) and _PERCENT.search(str(args[0].value)):
        return _joined(_percent(str(args[0].value), args[1:]))  # logger.info("acc %f", acc)
    pieces: list[str | ast.expr] = []
    for place, arg in enumerate(args):
        if place:
            pieces.append(between if isinstance(between, str) else " ")
        pieces += _pieces(arg)
    return _joined(pieces)


def _pieces(node: ast.expr) -> list[str | ast.expr]:
    if isinstance(node, ast.Constant):
        return [str(node.value)]
    if isinstance(node, ast.JoinedStr):
        return [piece for value in node.values for piece in _pieces(value)]
    if isinstance(node, ast.FormattedValue):
        return _pieces(node.value) if isinstance(node.value, ast.Constant) else [node.value]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return [*_pieces(node.left), *_pieces(node.right)]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        text = constant(node.left)
        if isinstance(text, str):
            right = node.right
            return _percent(text, right.elts if isinstance(right, ast.Tuple) else [right])
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        text = constant(node.func.value)
        if node.func.attr == "format" and isinstance(text, str):
            return _formatted(text, node)
    if isinstance(node, ast.Call) and name_of(node.func) == "str" and node.args:
        return [node.args[0]]
    return [node]


def _percent(text: str, values: Iterable[ast.expr]) -> list[str | ast.expr]:
    left = iter(values)
    pieces: list[str | ast.expr] = []
    end = 0
    for match in _PERCENT.finditer(text):
        pieces.append(text[end : match.start()])
        end = match.end()
        value: Any = "%" if match[1] == "%" else next(left, None)
        pieces.append("?" if value is None else value)
    return [*pieces, text[end:]]


def _formatted(text: str, call: ast.Call) -> list[str | ast.expr]:
    given = keywords(call)
    text = text.replace("{{", "(").replace("}}", ")")
    pieces: list[str | ast.expr] = []
    end = count = 0
    for match in _FIELD.finditer(text):
        pieces.append(text[end : match.start()])
        end = match.end()
        key = re.split(r"[:!.\[]", match[1])[0]
        place = int(key) if key.isdigit() else count
        count += not key
        value = given.get(key) or (call.args[place] if place < len(call.args) else None)
        pieces.append(ast.Name(key or "value") if value is None else value)
    return [*pieces, text[end:]]


def _joined(pieces: Iterable[str | ast.expr]) -> list[str | ast.expr]:
    """Return the pieces with neighbouring texts as one."""
    found: list[str | ast.expr] = []
    for piece in pieces:
        if isinstance(piece, str) and found and isinstance(found[-1], str):
            found[-1] += piece
        else:
            found.append(piece)
    return found


def _of_libraries(tree: ast.Module) -> Iterator[Told]:
    """Yield what libraries print by themselves while they train."""
    present = imports(tree)
    called = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    if present & {"keras", "tensorflow"}:
        names = ["loss", *(name for call in called for name in _compiled(call))]
        for call in called:
            if name_of(call.func) == "fit" and any("validation" in k for k in keywords(call)):
                for name in filter(is_metric, names):
                    pattern = f"val_{name}: {{number}}"
                    yield Told(f"val_{name}", pattern, call.lineno, "validation")
    for call in called:
        if name_of(call.func) == "classification_report" and not keywords(call).get("output_dict"):
            yield Told("accuracy", "accuracy {number}", call.lineno)
    if "transformers" in present and any(name_of(c.func).endswith("Trainer") for c in called):
        yield Told("eval_loss", "'eval_loss': {number}", 0, "validation")


def _compiled(call: ast.Call) -> Iterator[str]:
    """Yield the names of the metrics that a Keras model is compiled with."""
    given = keywords(call).get("metrics")
    if name_of(call.func) != "compile" or not isinstance(given, ast.List):
        return
    for each in given.elts:
        name = constant(each)
        if not isinstance(name, str):
            name = name_of(each.func if isinstance(each, ast.Call) else each)
        name = "accuracy" if name == "acc" else name
        yield re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
