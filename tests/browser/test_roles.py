"""The page reads a roles.json as `make roles` does, and hands out one that `make roles` finds nothing in."""

import copy
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from deploy.folotoy_facts import Facts
from deploy.folotoy_files import BrokenFile, read_json
from deploy.folotoy_rules import mistakes
from deploy.phrases import reads_chinese
from deploy.roles import line_of, lines_of, mended, new_roles, twice

from browser.console import Console
from e2e.installation import KEY, ROOT, Installation
from unit.deploy.test_roles import BROKEN, MISTAKES, roles
from unit.deploy.test_warm import BROKEN as MORE_BROKEN

Visit = Callable[..., Console]
PORT = 18080
VOICES = ["zh-CN-XiaoxiaoNeural", "en-US-AnaNeural", "slt"]
CHAINS = {"stt": "whisper,sphinx", "llm": "openai,companion", "tts": "edge,espeak"}
TALKBOX = Facts(port=PORT, keys=("k1",), chains=CHAINS, voices=tuple(VOICES))
READ = """async ([files, talkbox, language]) => {
    const { Rules } = await import("/roles_rules.js");
    const { lineOf, linesOf, parse, twice } = await import("/roles_text.js");
    const names = await (await fetch("/folotoy.json")).json();
    const filled = (text, values) => text.replace(/\\{(\\w+)\\}/g, (whole, name) => values[name] ?? whole);
    const told = (line, level, code, values) =>
        [line, level, ...names.sentences[language][code].map((text) => filled(text, values))];
    return files.map((text) => {
        try {
            const rules = new Rules(names, talkbox);
            const file = parse(text, names);
            const lines = linesOf(text);
            const found = [...twice(text), ...rules.mistakes(file)]
                .map(({ path, line, level, code, values }) => told(line ?? lineOf(path, lines), level, code, values));
            for (let round = 0; round < 4; round += 1) for (const one of rules.mistakes(file)) one.mend?.();
            return [found, file];
        } catch (exc) {
            if (!exc.code) throw exc;
            return [[told(exc.line, "error", exc.code, exc.values)], null];
        }
    });
}"""


def more_mistakes() -> list[Any]:
    """Mistakes beside those of the linter's own tests: keys, voices and engines that are not had, toys, odd types."""
    files = []
    for path, value in (
        (("tts_config", "voice_name"), "zh-CN-XiaoxiaNeural"),
        (("tts_config", "voice_name"), "zzz"),
        (("llm_config", "key"), "k2"),
        (("llm_config", "model"), "ollama/qwen3"),
        (("llm_config", "modle"), "x"),
        (("llm_config", "completely"), "x"),
        (("tts_config", "speed"), "1.5"),
        (("tts_config", "speed"), 9),
        (("max_message_count",), True),
        (("llm_config", "api_base"), "http://proxy:8083/v1"),
        (("llm_config", "api_base"), "http://[::1]:18080/v1"),
        (("llm_config", "api_base"), "http://host.docker.internal:9999/v1/"),
        (("llm_config",), []),
        (("prompt ",), "x"),
    ):
        file = roles()
        part: Any = file["1"]
        for key in path[:-1]:
            part = part[key]
        part[path[-1]] = value
        files.append(file)
    toys = {"0123456789AB": {"1": {"prompt": ""}, "9": {}}, "x": 3}
    return [*files, {**roles(), "toys": toys}, {**roles(), "toys": 3}, [], {**roles(), "1": 3}]


FILES = [
    json.dumps(file, ensure_ascii=False, indent=2)
    for file in (roles(), *(value for value, _, _ in MISTAKES), *more_mistakes())
]
EXAMPLES = [(ROOT / "deploy/folotoy/roles.json").read_text()]


def by_make(text: str, folder: Path) -> tuple[list[list[Any]], Any]:
    """What the rules of `make roles` find in a text, and what they mend it to; None where it is no JSON."""
    path = folder / "roles.json"
    path.write_text(text, encoding="utf-8")
    try:
        file = read_json(path)
    except BrokenFile as exc:
        return [[exc.line, "error", exc.cause, exc.cure]], None
    lines = lines_of(text)
    found = [[line_of(one, lines), one.level, one.cause, one.cure] for one in (*twice(text), *mistakes(file, TALKBOX))]
    return found, json.loads(mended(text, TALKBOX)[0])


def test_the_page_finds_and_mends_what_make_roles_finds_and_mends(visit: Visit, tmp_path: Path) -> None:
    texts = [*FILES, *EXAMPLES, *(text for text, _, _ in (*BROKEN, *MORE_BROKEN))]
    talkbox = {
        "port": PORT,
        "keys": ["k1"],
        "voices": VOICES,
        "chains": {name: text.split(",") for name, text in CHAINS.items()},
    }
    language = "zh" if reads_chinese(os.environ) else "en"
    on_the_page = visit().page.evaluate(READ, [texts, talkbox, language])
    different = [
        [one for one in zip([text, *there[0]], ["", *here[0]], strict=False) if one[0] != one[1]]
        for text, there in zip(texts, on_the_page, strict=True)
        if (here := list(by_make(text, tmp_path))) != there
    ]

    assert different == []
    assert sum(len(found) for found, _ in on_the_page) > 60


def test_the_roles_that_the_page_makes_are_those_of_make_roles_and_have_no_mistake(
    visit: Visit, talkbox: Installation, tmp_path: Path
) -> None:
    page = visit().page
    page.wait_for_selector("#voices [data-voice=slt]")  # the voices of this installation are known
    page.click("#roles-new")
    made = json.loads(page.input_value("#roles-text"))
    with page.expect_download() as saved:
        page.click("#roles-save")
    saved.value.save_as(tmp_path / "roles.json")
    voices = tuple(page.evaluate("fetch('/v1/audio/voices').then(r => r.json()).then(b => b.voices.map(v => v.id))"))
    facts = Facts(port=talkbox.port, keys=(KEY,), voices=voices)

    assert made == new_roles(facts, "host.docker.internal", KEY)
    assert json.loads((tmp_path / "roles.json").read_text()) == made
    assert saved.value.suggested_filename == "roles.json"
    assert page.inner_text("#roles-said") == "Nothing is wrong with it."


def test_a_file_is_brought_in_told_of_line_by_line_and_mended(visit: Visit, talkbox: Installation) -> None:
    base = f"http://192.168.1.20:{talkbox.port}"
    file = copy.deepcopy(roles())
    for role in file.values():
        for kind in ("stt", "llm", "tts"):
            role[f"{kind}_config"] |= {"api_base": f"{base}/v1", "key": KEY}
    file["1"]["sst_config"] = file["1"].pop("stt_config")
    file["1"]["llm_config"]["api_base"] = base
    page = visit(language="zh-CN").page
    content = json.dumps(file, indent=2).encode()
    page.set_input_files("#roles-file", {"name": "roles.json", "mimeType": "application/json", "buffer": content})
    page.wait_for_selector("#roles-found .error")
    told = page.inner_text("#roles-found")
    page.locator("#roles-found button").first.click()
    selected = "({ value, selectionStart, selectionEnd }) => value.slice(selectionStart, selectionEnd)"
    chosen = page.locator("#roles-text").evaluate(selected)
    page.click("#roles-mend")

    assert '"sst_config" 拼错了' in told
    assert "api_base 没有以 /v1 结尾" in told
    assert "api_base" in chosen or "sst_config" in chosen
    assert page.inner_text("#roles-said") == "没有发现问题。"
    assert json.loads(page.input_value("#roles-text"))["1"]["stt_config"]["language"] == "en"


NO_JSON = ['{"1": {"start_text": "你好"}}'.encode("gbk"), b'{\n"1": {},\n}', b'{"1": "a\nb"}', b'{"1": "a\\q"}']


@pytest.mark.parametrize("content", NO_JSON)
def test_a_broken_file_is_told_of_with_its_line(visit: Visit, content: bytes) -> None:
    page = visit().page
    page.set_input_files("#roles-file", {"name": "roles.json", "mimeType": "application/json", "buffer": content})
    page.wait_for_selector("#roles-found .error")

    assert "Line" in page.inner_text("#roles-found")
    assert page.is_hidden("#roles-mend")


def test_nothing_of_a_file_stays_in_the_browser(visit: Visit) -> None:
    page = visit().page
    page.fill("#roles-text", '{"1": {"llm_config": {"key": "sk-somebody"}}}')
    page.wait_for_selector("#roles-found .error")

    assert "sk-somebody" not in page.evaluate("JSON.stringify(localStorage) + JSON.stringify(sessionStorage)")
