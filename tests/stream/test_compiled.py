import os
import sys

import pytest

from stream.compiled import ensure, place_digest


def test_it_compiles_elsewhere_and_once(tmp_path):
    trace = tmp_path / "trace"
    stages = (("a", "b"), ("c",))

    def command(name):
        return (sys.executable, "-c", f"open({str(trace)!r}, 'a').write({name!r})")

    assert ensure(tmp_path / "kernels", stages, command)
    assert not ensure(tmp_path / "kernels", stages, command)
    assert sorted(trace.read_text()) == ["a", "b", "c"]
    assert trace.read_text()[-1] == "c", "the stages follow one another"


def test_a_compiler_that_fails_says_why_and_is_asked_again(tmp_path):
    for _ in range(2):
        with pytest.raises(RuntimeError, match="no compiler"):
            ensure(tmp_path, (("a",),), lambda _: (sys.executable, "-c", "raise SystemExit('no compiler')"))


def test_a_copy_or_a_touched_source_is_compiled_anew(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "fold.py").write_text("x = 1\n")
        os.utime(tmp_path / name / "fold.py", ns=(10**18, 10**18))
    first, copy = place_digest(tmp_path / "one"), place_digest(tmp_path / "two")
    again = place_digest(tmp_path / "one")
    os.utime(tmp_path / "one" / "fold.py", ns=(10**18, 10**18 + 1))

    assert first == again
    assert len({first, copy, place_digest(tmp_path / "one")}) == 3
