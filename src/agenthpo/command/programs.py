"""What a command would run, looked at before anything runs: its program, its script, its function,
and whether the script asks for values.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import inspect
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from agenthpo.command.resolve import fill, placeholders
from agenthpo.errors import TaskError
from agenthpo.files import OF_TOOLS

__all__ = [
    "asks_for_config",
    "check_function",
    "check_program",
    "digest_of",
    "named_below",
    "named_sources",
    "programs",
    "script_of",
    "sources_of",
]

_INTERPRETERS = re.compile(
    r"(python|pypy|ruby|perl|node|julia|Rscript|lua|php|sh|bash|dash|zsh)[0-9.]*"
)
_OPTION_WITH_VALUE = {"-W", "-X"}
_SOURCES = {".py", ".sh", ".R", ".r", ".jl", ".pl", ".rb", ".lua", ".js", ".php", ".m"}
_MOST_FILES, _LONGEST_FILE = 500, 1_000_000


def check_program(command: tuple[str, ...], folder: Path, where: str) -> None:
    """Refuse a command whose program or script is not there; ``folder`` is where it would run.

    :raises TaskError: naming the fix.
    """
    program = _program(command)
    if shutil.which(str(folder / program) if "/" in program else program) is None:
        hint = (
            "use {python} for the interpreter that runs agenthpo"
            if program.startswith("python")
            else "install it, or fix its name"
        )
        if (folder / program).is_file():
            hint = (
                f"make it executable (chmod +x {program})"
                if "/" in program
                else f"write ./{program}"
            )
        raise TaskError(f"{where}: the program '{program}' cannot be found or run; {hint}")
    script = script_of(command, folder)
    for file in (folder / program, script):
        if file is not None and file.is_file() and _has_windows_ends(file):
            raise TaskError(
                f"{where}: {file.name} has Windows line ends (CRLF), which its interpreter takes "
                f"for a part of each line; remove them by sed -i 's/\\r$//' {file.name}"
            )
    if script is not None and not script.is_file():
        raise TaskError(
            f"{where}: the script '{script.name}' does not exist in {script.parent}; "
            "paths are relative to the task file's folder"
        )


def _has_windows_ends(file: Path) -> bool:
    """Return whether a script's first line would be read wrongly: by the kernel, or by a shell."""
    with contextlib.suppress(OSError), file.open("rb") as opened:
        first = opened.readline(1000)
        return first.endswith(b"\r\n") and (first.startswith(b"#!") or file.suffix == ".sh")
    return False


def programs(command: tuple[str, ...], folder: Path) -> dict[str, str]:
    """Return the command's program and script with the files they resolve to."""
    program = _program(command)
    script = script_of(command, folder)
    found = {
        program: shutil.which(str(folder / program) if "/" in program else program) or "not found"
    }
    return found | ({} if script is None else {script.name: str(script)})


def script_of(command: tuple[str, ...], folder: Path) -> Path | None:
    """Return the script that an interpreter would run, where the command names one in plain
    words.
    """
    if not _INTERPRETERS.fullmatch(Path(_program(command)).name):
        return None
    words = iter(command[1:])
    for word in words:
        if word in _OPTION_WITH_VALUE:
            next(words, None)
        elif not word.startswith("-"):
            return None if placeholders(word) else folder / word
        elif word in ("-m", "-c", "-e", "-"):
            return None
    return None


def asks_for_config(script: Path) -> bool:
    """Return whether ``script``, or a module in its folder, mentions agenthpo, and so may read the
    values by itself.
    """
    return any(b"agenthpo" in file.read_bytes().lower() for file in _sources(script))


def digest_of(
    command: tuple[str, ...], folder: Path, function: Callable[..., Any] | None = None
) -> str:
    """Return a digest of what trains: the command as it is written and the text of the files in
    ``folder`` that it names.

    For a ``function`` in this process, of its source, or of its code where the source is not to be
    had.
    """
    digest = hashlib.sha256(repr(command).encode("utf-8", "surrogatepass"))
    for file in named_sources(command, folder):
        with contextlib.suppress(OSError):
            digest.update(file.read_bytes())
    if function is not None:
        digest.update(_source(function))
    return digest.hexdigest()[:32]


def sources_of(command: tuple[str, ...], folder: Path) -> Iterator[Path]:
    """Yield the sources that a command names, then those beside them, which they may import."""
    named = list(named_sources(command, folder))
    yield from named
    for file in named:
        yield from (source for source in _sources(file) if source not in named)


def named_sources(command: tuple[str, ...], folder: Path) -> Iterator[Path]:
    """Yield the sources that a command names, by file or by module."""
    for word in (part for text in command for part in re.split(r"[\s;&|]+", text)):
        module = word.partition(":")[0].replace(".", "/")
        for name in (word, f"{module}.py", f"{module}/__main__.py"):
            # a word may be anything, also no name of a file
            with contextlib.suppress(OSError, ValueError):
                file = folder / name
                # Only sources: a log that the command writes would make each trial another
                # training.
                if (
                    file.suffix in _SOURCES
                    and file.is_file()
                    and file.stat().st_size < _LONGEST_FILE
                ):
                    yield file


def named_below(words: tuple[str, ...], folder: Path) -> tuple[str, ...]:
    """Return the files, folders and modules in ``folder`` that ``words`` name, by their paths below
    it.
    """
    found = dict[str, None]()
    for part in (part for word in words for part in re.split(r"[\s;&|=,]+", word)):
        module = part.partition(":")[0]
        for name in (part, f"{module.replace('.', '/')}.py", module.split(".")[0]):
            with contextlib.suppress(OSError, ValueError):  # a word may be anything
                path = (folder / name).resolve()
                if path != folder.resolve() and path.exists() and not Path(name).is_absolute():
                    found[str(Path(name))] = None
    return tuple(name for name in sorted(found) if ".." not in Path(name).parts)


def _source(function: Callable[..., Any]) -> bytes:
    while isinstance(function, functools.partial):
        function = function.func
    try:
        return inspect.getsource(function).encode()
    except (OSError, TypeError):
        code = getattr(function, "__code__", None)
        return code.co_code if code else type(function).__qualname__.encode()


def check_function(text: str, folder: Path, where: str) -> None:
    """Refuse what is not ``module:function`` with a module in ``folder`` (or an installed one).

    :raises TaskError: naming the fix.
    """
    module, colon, function = text.partition(":")
    if not colon or not all(
        part.isidentifier() for part in (*module.split("."), *function.split("."))
    ):
        raise TaskError(
            f"{where} is '{text}', but must be module:function, such as train:main for "
            "main() in train.py"
        )
    file = folder.joinpath(*module.split("."))
    if file.is_dir() or file.with_suffix(".py").is_file() or _is_installed(module.split(".")[0]):
        return
    raise TaskError(f"{where}: there is no module '{module}' in {folder}; fix its name")


def _program(command: tuple[str, ...]) -> str:
    return fill(
        command[0], dict.fromkeys(placeholders(command[0]), "0") | {"python": sys.executable}
    )


def _sources(script: Path) -> Iterator[Path]:
    yield script
    pattern = f"**/*{script.suffix or '.py'}"
    for i, file in enumerate(script.parent.glob(pattern)):
        if i >= _MOST_FILES:
            return
        if any(
            part.startswith(".") or part in OF_TOOLS
            for part in file.relative_to(script.parent).parts[:-1]
        ):
            continue
        if file.is_file() and file.stat().st_size < _LONGEST_FILE:
            yield file


def _is_installed(package: str) -> bool:
    from importlib.util import find_spec

    return find_spec(package) is not None
