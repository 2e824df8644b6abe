import sys

import pytest

from stream.compiled import ensure


def test_it_compiles_elsewhere_and_once(tmp_path):
    trace = tmp_path / "trace"
    command = (sys.executable, "-c", f"import os; open({str(trace)!r}, 'a').write(str(os.getpid()))")

    assert ensure(tmp_path / "kernels", command)
    assert not ensure(tmp_path / "kernels", command)
    assert len(trace.read_text()) < 9, "one process id"


def test_a_compiler_that_fails_says_why_and_is_asked_again(tmp_path):
    command = (sys.executable, "-c", "raise SystemExit('no compiler')")
    for _ in range(2):
        with pytest.raises(RuntimeError, match="no compiler"):
            ensure(tmp_path, command)
