"""Imports go down the page only: each room may import those below it, never one above, and the
outside rooms never each other.
"""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import agenthpo

ROOT = Path(agenthpo.__file__).parent
FACES, BENCH, PYTHON, OPERATIONS, SESSION, ASSEMBLY, SPINE, DECIDE, OUTSIDE, VALUES = range(
    10, 0, -1
)
LAYER = {
    "cli": FACES,
    "bench": BENCH,
    "api": PYTHON,
    "study": PYTHON,
    "operations": OPERATIONS,
    "optimizer": PYTHON,
    "sklearn": FACES,
    "mcp": BENCH,
    "testing": PYTHON,
    "session": SESSION,
    "assembly": ASSEMBLY,
    "known": ASSEMBLY,
    "studies": SPINE,
    "audit": PYTHON,
    "certify": PYTHON,
    "winner": PYTHON,
    "reporting": BENCH,
    "loop": SPINE,
    "rounds": SPINE,
    "trying": SPINE,
    "search": DECIDE,
    "agents": DECIDE,
    "llm": OUTSIDE,
    "training": OUTSIDE,
    "experience": OUTSIDE,
}
"""Every other room holds values, which know of no room but each other."""
FENCES = {
    "optuna": {"experience", "search", "optuna_space", "foreign_space", "bench"},
    "sklearn": {"sklearn", "bench"},
    "numpy": {"search", "bench", "sklearn"},
    "scipy": {"search", "bench"},
    "typer": {"cli"},
    "rich": {"cli", "text"},
    "pydantic_ai": {"llm"},
    "xllamacpp": {"llm"},
    "psutil": {"training", "llm"},
    "mcp": {"mcp", "cli"},
    "mcp_types": {"mcp"},
    "anyio": {"mcp"},
    "uvicorn": {"mcp"},
    "ruamel": {"taskfile", "cli", "training"},
}
"""Who may import a package that others make."""


def room(module: str) -> str:
    return module.split(".")[1] if "." in module else "agenthpo"


def imports_of(file: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found |= {
                f"{node.module}.{alias.name}" if node.module == "agenthpo" else node.module
                for alias in node.names
            }
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return {name for name in found if name.startswith("agenthpo.")}


def test_imports_go_down_only():
    wrong = []
    for file in ROOT.rglob("*.py"):
        parts = file.relative_to(ROOT).with_suffix("").parts
        here = parts[0]
        if here in ("__init__", "__main__"):
            continue  # the lazy public names
        for target in imports_of(file):
            there = room(target)
            same_room = here == there
            down = LAYER.get(here, VALUES) > LAYER.get(there, VALUES)
            beside = LAYER.get(here, VALUES) == LAYER.get(there, VALUES) == VALUES
            if not (same_room or down or beside):
                wrong.append(f"{'/'.join(parts)} imports {target}")
    assert wrong == []


def test_no_modules_import_each_other_in_a_circle():
    modules = {
        ".".join(("agenthpo", *file.relative_to(ROOT).with_suffix("").parts)).removesuffix(
            ".__init__"
        ): file
        for file in ROOT.rglob("*.py")
    }
    graph = {
        name: {target for target in imports_of(file) if target in modules} - {name}
        for name, file in modules.items()
    }
    TopologicalSorter(graph).prepare()  # raises CycleError, which names the circle


def test_packages_of_others_stay_behind_their_fences():
    wrong = []
    for file in ROOT.rglob("*.py"):
        here = file.relative_to(ROOT).with_suffix("").parts[0]
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = (
                [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else [a.name for a in node.names]
                if isinstance(node, ast.Import)
                else []
            )
            wrong += [
                f"{file} imports {name}"
                for name in names
                if here not in FENCES.get(name.partition(".")[0], {here})
            ]
    assert wrong == []


def test_no_room_is_named_after_nothing():
    forbidden = {"utils", "helpers", "common", "base", "manager"}
    assert not forbidden & {file.stem for file in ROOT.rglob("*.py")}


def test_what_every_command_waits_for_is_not_heavy():
    """scipy.stats takes half a second, which every start would pay for."""
    wrong = [
        str(file)
        for file in ROOT.rglob("*.py")
        for node in ast.parse(file.read_text(encoding="utf-8")).body
        if (isinstance(node, ast.ImportFrom) and (node.module or "").startswith("scipy.stats"))
        or (isinstance(node, ast.Import) and any(a.name == "scipy.stats" for a in node.names))
    ]
    assert wrong == []
