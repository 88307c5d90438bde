"""A task that trains in no time, and a study of it that an agent worked in."""

TASK = """\
name: toy
background: {task: A toy., goal: High acc.}
objective: {metric: acc, direction: maximize, test_metric: test_acc}
train:
  command: "{python} train.py {flags}"
space:
  x: {type: float, low: 0.0, high: 1.0, default: 0.5}
  y: {type: int, low: 1, high: 9, default: 5}
  z: {type: categorical, values: [a, b], default: a}
  w: {type: float, low: 0.0, high: 1.0, default: 0.5}
budget: {trials: 40}
"""
SCRIPT = """\
import argparse, os, time
parser = argparse.ArgumentParser()
for name, kind in (("x", float), ("y", int), ("z", str), ("w", float)):
    parser.add_argument("--" + name, type=kind)
args = parser.parse_args()
with open("ran", "a") as ran:
    ran.write(f"{args.x} {args.y} {args.z}\\n")
for step in range(int(os.environ.get("STEPS", 3))):
    print(f"acc: {0.5 + args.x / 4 + args.y / 100 - 0.1 / (step + 1)}", flush=True)
    time.sleep(float(os.environ.get("PAUSE", 0)))
print("test_acc:", 0.1234567)
"""
