"""What is used of edge-tts beside its public API: an upgrade that changes it fails here, by name."""

import ast
import inspect

import aiohttp
import edge_tts
import edge_tts.communicate
import edge_tts.constants
import edge_tts.voices

from tts.engines.edge.connections import Handshakes
from tts.engines.edge.engine import OWN_URL


def names_in(module: object) -> set[str]:
    return {node.id for node in ast.walk(ast.parse(inspect.getsource(module))) if isinstance(node, ast.Name)}  # type: ignore[arg-type]


def test_the_addresses_that_are_replaced_are_the_ones_that_it_reads() -> None:
    assert edge_tts.constants.WSS_URL.startswith(OWN_URL)
    assert edge_tts.constants.VOICE_LIST.startswith(OWN_URL.replace("wss", "https"))
    assert "WSS_URL" in names_in(edge_tts.communicate)
    assert "VOICE_LIST" in names_in(edge_tts.voices)


def test_it_opens_its_connections_through_the_name_that_is_lent() -> None:
    source = inspect.getsource(edge_tts.communicate)

    assert "aiohttp.ClientSession(" in source
    assert ".ws_connect(" in source


def test_it_counts_what_the_service_says_was_sent() -> None:
    spoken = edge_tts.Communicate("Hello.", "en-US-GuyNeural")

    assert "cumulative_audio_bytes" in spoken.state


async def test_outside_the_block_nothing_is_lent() -> None:
    open_session = vars(edge_tts.communicate)["aiohttp"].ClientSession
    with Handshakes().lent():
        assert not isinstance(open_session(), aiohttp.ClientSession)

    async with open_session() as session:
        assert isinstance(session, aiohttp.ClientSession)
