"""Made-up secrets as they stand in logs, exceptions and settings, and ordinary lines that hold
none.
"""

import random
import string

LETTERS, ALNUM, HEX = (
    string.ascii_letters,
    string.ascii_letters + string.digits,
    string.hexdigits.lower()[:16],
)
_rng = random.Random(2026)


def _text(alphabet, length):
    return "".join(_rng.choice(alphabet) for _ in range(length))


def _mixed(length):
    return (
        _text(string.ascii_lowercase, 3)
        + _text(ALNUM, length - 6)
        + _text(string.ascii_uppercase, 2)
        + _rng.choice("0123456789")
    )


# (how it stands in text, with S for the secret; how the secret is made)
SHAPES = [
    ("DB_PASS=S", lambda: _text(LETTERS, 10)),
    ("export MYSQL_PASSWORD='S'", lambda: _text(ALNUM, 9)),
    ("PGPASSWORD=S psql", lambda: _text(ALNUM, 8)),
    (
        "postgresql://app:S@db.example.com:5432/prod",
        lambda: _text(ALNUM, 6) + "@" + _text(ALNUM, 4),
    ),
    ("mysql://root:S@127.0.0.1/x", lambda: _text(ALNUM, 4) + "/" + _text(ALNUM, 5)),
    ("amqp://guest:S@mq:5672//", lambda: _text(ALNUM, 11)),
    ("https://S@github.com/me/repo.git", lambda: _text(ALNUM, 20) + "7"),
    ("https://x-access-token:S@github.com/me/repo.git", lambda: _text(ALNUM, 24)),
    ("wandb login --token S", lambda: _text(LETTERS, 12)),
    ("['curl', '--token', 'S', 'https://h/x']", lambda: _text(ALNUM, 14)),
    (
        "Command '['git', 'push', '--password', 'S']' returned non-zero exit status 1.",
        lambda: _text(LETTERS, 10),
    ),
    ("train.py --api-key=S --lr 0.1", lambda: _text(ALNUM, 18)),
    ("Cookie: session=S; theme=dark", lambda: _text(ALNUM, 22)),
    ("set-cookie: csrftoken=S; Path=/", lambda: _text(ALNUM, 20)),
    ("https://hooks.slack.com/services/T0ABC1234/B0ABC1234/S", lambda: _text(ALNUM, 24)),
    ("https://discord.com/api/webhooks/123456789012345678/S", lambda: _text(ALNUM, 40)),
    ("https://api.telegram.org/bot123456789:S/sendMessage", lambda: _text(ALNUM, 35)),
    ("api_token: S", lambda: _text(LETTERS, 24)),
    ("'access_token': 'S'", lambda: _text(LETTERS, 18)),
    ("MIIEvQIBADANBgkqhkiG9w0BAQEFAASC\nS\nq8Zk", lambda: _mixed(64)),
    ("sk-S", lambda: _text(ALNUM, 40)),
    ("hf_S", lambda: _text(ALNUM, 34)),
    ("Authorization: Bearer S", lambda: _text(ALNUM, 32)),
    ("Authorization: S", lambda: _text(ALNUM, 30)),
    ("AccountName=me;AccountKey=S==;EndpointSuffix=core.windows.net", lambda: _text(ALNUM, 86)),
    ("AZURE_STORAGE_CONNECTION_STRING=S", lambda: "Endpoint=sb://x/;Key=" + _text(ALNUM, 30)),
    ("SENTRY_DSN=https://S@o1.ingest.sentry.io/2", lambda: _text(HEX, 32)),
    ("https://api.example.com/v1/x?api_key=S&n=1", lambda: _text(LETTERS, 16)),
    ("aws_secret_access_key = S", lambda: _mixed(40)),
    ("machine api.wandb.ai login user password S", lambda: _text(HEX, 40)),
]
SECRETS = [(shape, make()) for shape, make in SHAPES for _ in range(5)]
SETTINGS = [
    "{}",
    "Traceback (most recent call last): {}",
    "2026-11-28 12:00:01,123 INFO trainer: {}",
    "HTTPError: 401 Client Error for {} (retrying)",
    "  env: {}\n  next: 1",
    "subprocess.CalledProcessError: {}",
    "step 10 loss 0.5 {}",
    "config = {{ {} }}",
    "\t{} # do not commit",
    "warning: {}",
]

ORDINARY = [
    *(
        f"Epoch {e}/20 - loss: {1 / (e + 1):.4f} - val_acc: {1 - 1 / (e + 2):.4f} - lr: "
        f"{10**-e:.0e}"
        for e in range(20)
    ),
    *(
        f"trial {n} ({s}): lr={10**-n} opt=adam -> acc 0.9{n}, plateau."
        for n in range(5)
        for s in ("creator", "classical")
    ),
    *(
        f"tokens/s: {n * 1000} max_tokens=512 num_tokens: {n} token_dropout=0.{n} pad_token_id: 0"
        for n in range(10)
    ),
    *(
        f"{t}: pass {n}, bypass=1, passes: {n}, pass=True"
        for n in range(5)
        for t in ("forward", "backward")
    ),
    *(
        f"tokenizer: {t}, special_token: [CLS], key: attention_mask"
        for t in ("bert-base-uncased", "gpt2", "sentencepiece", "wordpiece", "bpe")
    ),
    *(
        f"Saving checkpoint to /data/runs/exp{n}/checkpoint-{n}000/pytorch_model.bin"
        for n in range(10)
    ),
    *(f"sha256 {''.join(random.Random(n).choice(HEX) for _ in range(64))}" for n in range(10)),
    *(
        "run id "
        f"{''.join(random.Random(n).choice(HEX[:16]) for _ in range(8))}-1234-4abc-8def-0123456789ab"
        for n in range(5)
    ),
    *(f"https://huggingface.co/bert-base/resolve/main/config.json?download={n}" for n in range(5)),
    *(f"http://localhost:{6000 + n}/#scalars and https://user@example.com/x" for n in range(5)),
    *(
        f"KeyError: 'layer{n}.weight' in state_dict; missing key(s): decoder.bias"
        for n in range(10)
    ),
    *(
        f"RuntimeError: mat1 and mat2 shapes cannot be multiplied ({n}x512 and 256x10)"
        for n in range(10)
    ),
    *(
        f"--lr 0.00{n} --batch-size {2**n} --optimizer sgd --num-tokens 128 "
        "--token-type word --auth none"
        for n in range(10)
    ),
    *(
        f"DistributedDataParallelForSequenceClassificationWithLabelSmoothing{n} built"
        for n in range(10)
    ),
    *(
        f"{name}: 0.{n}"
        for n in range(5)
        for name in (
            "val_accuracy",
            "train/loss",
            "secret ratio",
            "keypoint_ap",
            "signature_auc",
            "author_f1",
        )
    ),
    *(f"key_size={2**n} secret_dim={n} n_keys: {n} query_key_norm: true" for n in range(10)),
    *(f"[{n:02d}:00] GPU {n}: 1.95 GiB total; util {n}%; pid {n}234" for n in range(10)),
    *(
        f"model.layers.{n}.self_attn.q_proj.weight torch.Size([4096, 4096]) torch.bfloat16"
        for n in range(10)
    ),
    *(
        f"Loaded dataset cifar10 ({n} shards) from ~/.cache/torch/data in {n}.3 s"
        for n in range(10)
    ),
]
