"""Draft and try public scripts: ``python benchmarks/public_scripts.py [--held-out] > table.md``.

Each comes out of its package's source archive on PyPI, is copied with the small files beside it,
drafted by ``agenthpo init`` and tried by ``agenthpo check --try``, with no line written by hand.
The packages that a script imports must be installed (``PYTHONPATH`` may name a folder with them).

How they were chosen: of the examples of some seventy source archives, those that run here by
themselves within 20 seconds (or are still running then), without a network, and print a number
beside a metric's name. At most eight of a package were drawn by seed; the others are held out.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.parse
import urllib.request
from functools import cache
from pathlib import Path

SKLEARN, FLAX, HMM, IGNITE = (
    ("scikit-learn", "1.9.1"),
    ("flax", "0.12.8"),
    ("hmmlearn", "0.3.3"),
    ("pytorch-ignite", "0.6.0.dev20261027"),
)
DRAWN = (
    *((SKLEARN, f"examples/{name}.py") for name in (
        "inspection/plot_permutation_importance_multicollinear",
        "bicluster/plot_spectral_coclustering",
        "linear_model/plot_nnls",
        "gaussian_process/plot_gpr_prior_posterior",
        "svm/plot_rbf_parameters",
        "semi_supervised/plot_label_propagation_digits_active_learning",
        "linear_model/plot_ols_ridge",
        "neural_networks/plot_rbm_logistic_classification",
    )),
    *((HMM, f"examples/plot_{name}.py") for name in (
        "casino", "poisson_hmm", "hmm_sampling_and_decoding",
    )),
    *((FLAX, f"examples/nnx_toy_examples/{name}.py") for name in (
        "02_lifted_transforms", "10_fsdp_and_optimizer", "07_array_leaves",
        "04_data_parallel_with_jit", "03_train_state",
    )),
    (FLAX, "benchmarks/nnx_simple_training.py"),
    *((IGNITE, f"examples/reinforcement_learning/{name}.py") for name in (
        "actor_critic", "reinforce",
    )),
)  # fmt: skip
HELD_OUT = tuple((SKLEARN, f"examples/{name}.py") for name in (
    "bicluster/plot_spectral_biclustering",
    "classification/plot_digits_classification",
    "compose/plot_feature_union",
    "cross_decomposition/plot_pcr_vs_pls",
    "ensemble/plot_adaboost_multiclass",
    "ensemble/plot_bias_variance",
    "ensemble/plot_forest_iris",
    "ensemble/plot_gradient_boosting_oob",
    "ensemble/plot_gradient_boosting_regression",
    "feature_selection/plot_feature_selection",
    "feature_selection/plot_feature_selection_pipeline",
    "gaussian_process/plot_gpc",
    "inspection/plot_causal_interpretation",
    "linear_model/plot_logistic_l1_l2_sparsity",
    "miscellaneous/plot_kernel_ridge_regression",
    "model_selection/plot_train_error_vs_test_error",
    "neural_networks/plot_mlp_training_curves",
    "preprocessing/plot_target_encoder_cross_val",
    "release_highlights/plot_release_highlights_1_5_0",
    "semi_supervised/plot_label_propagation_digits",
))  # fmt: skip
_SMALL = 2_000_000


@cache
def archive(package: str, version: str) -> bytes:
    """Return a package's source archive."""
    index = f"https://pypi.org/simple/{package}/"
    pages = urllib.request.urlopen(index, timeout=60).read().decode()
    name = re.escape(package).replace(r"\-", "[-_]")
    found = re.search(rf'href="([^"#]*{name}-{re.escape(version)}\.tar\.gz)', pages)
    if found is None:
        raise SystemExit(f"PyPI has no source archive of {package} {version}")
    data: bytes = urllib.request.urlopen(urllib.parse.urljoin(index, found[1]), timeout=300).read()
    return data


def fetched(package: str, version: str, path: str, folder: Path) -> Path:
    """Put a script of an archive, and the small files beside it, into ``folder``; return its
    path.
    """
    with tarfile.open(fileobj=io.BytesIO(archive(package, version))) as files:
        for member in files:
            own = Path(*Path(member.name).parts[1:])
            if own.parent != Path(path).parent or not member.isfile() or member.size > _SMALL:
                continue
            content = files.extractfile(member)
            if content is not None:
                (folder / own.name).write_bytes(content.read())
    return folder / Path(path).name


def tried(script: Path) -> dict[str, object]:
    """Return what ``init`` and ``check --try`` say of a script."""
    env = {**os.environ, "MPLBACKEND": "agg", "JAX_PLATFORMS": "cpu"}
    agenthpo = [sys.executable, "-m", "agenthpo"]

    def said(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*agenthpo, *words], capture_output=True, text=True, env=env)

    began = time.monotonic()
    drafted = said("init", str(script), "--json")
    task = script.with_name("task.yaml")
    if drafted.returncode:
        return {"wrong": drafted.stderr.strip().splitlines()[-1]}
    lines = [line for line in task.read_text().splitlines() if line.strip(" #")]
    lines = [line for line in lines if not line.lstrip().startswith("#")]
    found = json.loads(drafted.stdout)
    done = said("check", str(task), "--try", "--json")
    took = time.monotonic() - began
    try:
        trial = json.loads(done.stdout)["try"]
    except ValueError:
        trial = {"ok": False, "error": done.stderr.strip()}
    wrong = "" if trial["ok"] else str(trial["error"])
    told = {"metric": found["metric"], "tuned": len(found["tuned"]), "lines": len(lines)}
    return {**told, "seconds": round(took), "wrong": wrong}


def main() -> None:
    """Print a row of a Markdown table for each script."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--held-out", action="store_true", help="those that nothing was fixed by")
    scripts = HELD_OUT if parser.parse_args().held_out else DRAWN
    print("| script | metric | parameters | lines by hand | seconds | |")
    print("|---|---|---|---|---|---|")
    for (package, version), path in scripts:
        folder = Path(tempfile.mkdtemp(prefix="agenthpo-script-"))
        try:
            row = tried(fetched(package, version, path, folder))
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        hand = f"{row['lines']} → 0" if "lines" in row else ""
        cells = [f"{package}: {Path(path).name}", row.get("metric", ""), row.get("tuned", ""), hand,
                 row.get("seconds", ""), row["wrong"] or "works"]  # fmt: skip
        print(f"| {' | '.join(map(str, cells))} |", flush=True)


if __name__ == "__main__":
    main()
