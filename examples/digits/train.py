"""Train a small neural network on scikit-learn's handwritten digits and report its accuracy after
every epoch.
"""

import os

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

import agenthpo

config = agenthpo.config(
    learning_rate=0.001, hidden_size=64, activation="relu", batch_size=64, epochs=20
)
seed = int(os.environ.get("AGENTHPO_SEED", "0"))

images, labels = load_digits(return_X_y=True)
images = images / 16.0
rest, test, rest_labels, test_labels = train_test_split(
    images, labels, test_size=400, random_state=0, stratify=labels
)
train, val, train_labels, val_labels = train_test_split(
    rest, rest_labels, test_size=400, random_state=0, stratify=rest_labels
)

model = MLPClassifier(
    hidden_layer_sizes=(config["hidden_size"],),
    activation=config["activation"],
    learning_rate_init=config["learning_rate"],
    batch_size=config["batch_size"],
    random_state=seed,
)
for epoch in range(config["epochs"]):
    model.partial_fit(train, train_labels, classes=np.arange(10))
    agenthpo.report(
        step=epoch + 1,
        val_accuracy=model.score(val, val_labels),
        train_accuracy=model.score(train, train_labels),
        test_accuracy=model.score(test, test_labels),
    )
