import hashlib
import time
from contextlib import contextmanager
from dataclasses import replace

import pytest

from agenthpo.errors import ModelError
from agenthpo.llm.catalogue import CATALOGUE, Entry, find, locate, pull
from agenthpo.llm.sources import SourceFailure, Url
from calling import agenthpo
from loopback import QuietHandler, serving

CONTENT = bytes(range(256)) * 5000


@pytest.fixture(autouse=True)
def _cache(tmp_path, monkeypatch):
    monkeypatch.setenv("AGENTHPO_CACHE", str(tmp_path / "cache"))


@contextmanager
def server(mode="good", asked=None):
    """A loopback web server that gives CONTENT, refuses, crawls, breaks off, has no ranges, or
    gives something else.
    """

    class Handler(QuietHandler):
        def do_GET(self):
            begin = int(self.headers["Range"].removeprefix("bytes=").removesuffix("-"))
            if asked is not None:
                asked.append(begin)
            if mode == "refuse":
                self.send_error(403)
                return
            content = CONTENT[::-1] if mode == "other" else CONTENT
            ranges = mode != "no ranges"
            body = content[begin:] if ranges else content
            self.send_response(206 if ranges else 200)
            self.end_headers()
            if mode == "crawl":
                for i in range(100):
                    self.wfile.write(body[i : i + 1])
                    self.wfile.flush()
                    time.sleep(0.05)
            self.wfile.write(body[: len(body) // 2] if mode == "break" else body)

    with serving(Handler) as address:
        yield Url(f"{address}/x.gguf", patience_s=1.0)


class Parts:
    """A source that can go on at multiples of 1000 only, as wheels can."""

    name = "parts"

    def __init__(self, fail_after=None):
        self.fail_after, self.asked = fail_after, []

    def start(self, offset):
        return offset // 1000 * 1000

    def read(self, offset):
        self.asked.append(offset)
        for begin in range(offset, len(CONTENT), 1000):
            if self.fail_after is not None and begin >= self.fail_after:
                raise SourceFailure("no more")
            yield CONTENT[begin : begin + 1000]


def entry(*sources):
    return Entry(
        "local:toy", "a toy", len(CONTENT), hashlib.sha256(CONTENT).hexdigest(), "MIT", sources
    )


def test_a_file_is_fetched_checked_and_not_fetched_again():
    asked, progress = [], []
    with server(asked=asked) as url:
        path = pull(entry(url), lambda done, total: progress.append(done / total))
        pull(entry(url))
    assert path.read_bytes() == CONTENT
    assert asked == [0]
    assert progress[0] == 0
    assert progress[-1] == 1


@pytest.mark.parametrize("mode", ["refuse", "crawl", "break", "other"])
def test_a_source_that_fails_gives_way_to_the_next(mode):
    with server(mode) as url:
        assert pull(entry(url, Parts())).read_bytes() == CONTENT


def test_a_download_goes_on_where_it_ended_from_another_source_too():
    asked, parts = [], Parts()
    with pytest.raises(ModelError, match=r"parts: no more.*what arrived is kept"):
        pull(entry(Parts(fail_after=5000)))
    with server("break", asked) as url:
        pull(entry(url, parts))
    assert asked == [5000]
    half = 5000 + (len(CONTENT) - 5000) // 2
    assert parts.asked == [half // 1000 * 1000]


def test_a_server_without_ranges_is_read_from_its_beginning():
    with pytest.raises(ModelError):
        pull(entry(Parts(fail_after=5000)))
    with server("no ranges") as url:
        assert pull(entry(url)).read_bytes() == CONTENT


def test_a_wrong_checksum_is_refused_and_nothing_of_it_kept():
    with server("other") as url:
        with pytest.raises(ModelError, match="its checksum is"):
            pull(entry(url))
        assert not list(entry(url).path.parent.glob("*.part"))


def test_nobody_there_is_said_in_one_sentence():
    with pytest.raises(ModelError, match=r"could not be fetched \(127.0.0.1:9: .*refused"):
        pull(entry(Url("http://127.0.0.1:9/x.gguf")))


def test_names_are_found_and_their_absence_says_what_to_do(tmp_path):
    assert find("smollm2") is find("local:smollm2")
    with pytest.raises(
        ModelError, match=r"there is no embedded model 'gpt'; there are local:qwen2.5"
    ):
        find("gpt")
    with pytest.raises(
        ModelError, match=r"get it \(98 MB\) by: agenthpo models pull local:smollm2"
    ):
        locate("local:smollm2")
    with pytest.raises(ModelError, match=r"nothing.gguf does not exist"):
        locate("local:/nothing.gguf")
    (tmp_path / "own.gguf").touch()
    assert locate(f"local:{tmp_path}/own.gguf") == tmp_path / "own.gguf"


def test_every_entry_has_an_official_source_first_and_a_licence():
    for e in CATALOGUE:
        assert e.sources[0].name == "huggingface.co"
        assert e.licence == "Apache-2.0"
        assert len(e.sha256) == 64
        assert replace(e, size=1).path.name.endswith(".gguf")


def test_an_altered_file_is_fetched_anew():
    toy, asked = entry(Parts()), Parts()
    path = pull(toy)
    assert toy.is_downloaded
    time.sleep(0.02)
    path.write_bytes(CONTENT[::-1])
    assert not toy.is_downloaded
    assert not toy.verify()
    assert pull(entry(asked)).read_bytes() == CONTENT
    assert asked.asked == [0]
    path.touch()
    assert toy.is_downloaded, "touched, and still the same"
    path.with_suffix(".checked").write_text("[")
    assert toy.is_downloaded


def test_the_models_that_are_here_can_be_verified():
    assert agenthpo("models", "verify", code=0).stdout == "No model is downloaded.\n"
    smallest = find("smollm2")
    smallest.path.parent.mkdir(parents=True)
    smallest.path.write_bytes(b"GGUF")
    assert (
        "local:smollm2: not the file of the catalogue; get it anew by: agenthpo models pull"
        in agenthpo("models", "verify", code=2).stdout
    )


def test_a_file_that_was_never_checked_is_checked_before_it_is_used(monkeypatch):
    toy = find("smollm2")
    toy.path.parent.mkdir(parents=True)
    with toy.path.open("wb") as file:
        file.truncate(toy.size)
    with pytest.raises(
        ModelError,
        match=r"is not the catalogue's local:smollm2; get it anew by: agenthpo models pull "
        r"local:smollm2",
    ):
        locate("local:smollm2")
    assert not toy.is_downloaded
