import argparse

from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

parser = argparse.ArgumentParser()
parser.add_argument("--learning_rate", type=float, default=1e-3)
parser.add_argument("--hidden_size", type=int, default=64)
args = parser.parse_args()

train, val, y_train, y_val = train_test_split(*load_digits(return_X_y=True), random_state=0)
model = MLPClassifier(args.hidden_size, learning_rate_init=args.learning_rate, random_state=0)
for epoch in range(10):
    model.partial_fit(train, y_train, classes=range(10))
    print(f"epoch {epoch + 1} val_accuracy {model.score(val, y_val):.4f}")
