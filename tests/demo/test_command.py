from __future__ import annotations

import pytest

from demo import __main__ as command


@pytest.mark.parametrize(("argument", "status"), [("--help", 0), ("nonsense", 2)])
def test_what_the_command_accepts_is_said_rather_than_a_traceback(
    argument: str, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        command.main([argument])
    told = capsys.readouterr()
    assert ended.value.code == status
    assert "{run,up,down}" in told.out + told.err
