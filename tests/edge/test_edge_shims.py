from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import pytest
from hypercorn.protocol.ws_stream import WSStream

import quartchat.server
from quartchat.server import hypercorn_shims


def test_the_hypercorn_that_is_installed_has_all_that_is_replaced() -> None:
    hypercorn_shims.check()


@pytest.mark.parametrize("method", [{"handle": "event more"}, {"no_such_method": ""}])
def test_another_hypercorn_is_refused_by_its_version_and_what_it_lacks(
    method: dict[str, str],
) -> None:
    with pytest.raises(hypercorn_shims.HypercornMismatch) as caught:
        hypercorn_shims.check({WSStream: method})
    assert version("hypercorn") in str(caught.value)
    assert f"WSStream.{next(iter(method))}" in str(caught.value)


def test_only_the_shims_and_the_multiplexer_import_hypercorn() -> None:
    folder = Path(quartchat.server.__file__).parent
    users = {
        path.name
        for path in folder.glob("*.py")
        if "import hypercorn" in (text := path.read_text()) or "from hypercorn" in text
    }
    assert users == {"hypercorn_shims.py", "multiplex.py"}
