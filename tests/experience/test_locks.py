"""Locks that one driver has at a time, and that end with it."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from agenthpo.errors import StudyError
from agenthpo.experience.locks import DatabaseLocks, FileLocks, holding
from postgres import postgres


@pytest.fixture(scope="module")
def server():
    with postgres() as begun:
        yield begun


def engine(url):
    import sqlalchemy

    return sqlalchemy.create_engine(url)


@pytest.fixture(params=["files", "database"])
def new_locks(request):
    made = []

    def new():
        if request.param == "files":
            made.append(FileLocks(Path("study")))
        else:
            url = request.getfixturevalue("server").url
            made.append(DatabaseLocks(engine(url), request.node.name))
        return made[-1]

    yield new
    for locks in made:
        locks.close()


def test_one_has_a_lock_at_a_time(new_locks):
    ours, theirs = new_locks(), new_locks()
    assert ours.take("turn") and not theirs.take("turn")
    assert theirs.take("write")
    ours.leave("turn")
    assert theirs.take("turn") and not ours.take("turn")


def test_it_is_waited_for_and_told(new_locks):
    ours, theirs, waited = new_locks(), new_locks(), []
    ours.take("turn")

    def told(seconds):
        waited.append(seconds)
        if len(waited) == 3:
            ours.leave("turn")

    with holding(lambda: theirs.take("turn"), lambda: theirs.leave("turn"), on_wait=told):
        assert not ours.take("turn")
    assert len(waited) == 3 and ours.take("turn")


HOLDS = """
import sys, time
from pathlib import Path
from agenthpo.experience.locks import DatabaseLocks, FileLocks
if sys.argv[1:]:
    import sqlalchemy
    locks = DatabaseLocks(sqlalchemy.create_engine(sys.argv[1]), "study")
else:
    locks = FileLocks(Path("study"))
print(locks.take("turn"), flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("kind", ["files", "database"])
def test_a_killed_holder_holds_nothing(kind, server):
    urls = [server.url] if kind == "database" else []
    process = subprocess.Popen([sys.executable, "-c", HOLDS, *urls], stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"True\n"
    locks = DatabaseLocks(engine(*urls), "study") if urls else FileLocks(Path("study"))
    assert not locks.take("turn")
    process.kill()
    process.communicate()
    deadline = time.monotonic() + 10
    while not locks.take("turn"):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    locks.close()


def test_locks_of_two_studies_are_two(server):
    both = [DatabaseLocks(engine(server.url), name) for name in ("a", "b")]
    assert [locks.take("turn") for locks in both] == [True, True]
    for locks in both:
        locks.close()


def test_a_server_that_begins_again_has_let_go(server):
    ours = DatabaseLocks(engine(server.url), "again")
    assert ours.take("turn")
    server.stop()
    with pytest.raises(Exception, match=r"(?i)terminat|connect|closed"):
        ours.take("write")
    server.start()
    theirs = DatabaseLocks(engine(server.url), "again")
    assert theirs.take("turn")
    ours.leave("turn")  # which is gone
    assert not ours.take("turn")
    ours.close()
    theirs.close()


def test_a_database_without_such_locks_is_a_sentence():
    with pytest.raises(StudyError, match="use a journal file, SQLite or PostgreSQL"):
        DatabaseLocks(engine("sqlite://"), "study")
