import sys

import pytest

from stream.compiled import ensure


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
