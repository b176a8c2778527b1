"""Take out of an answer for an ear what a model writes for machines: calls of tools, and tokens of templates."""

import re

_CALLS = (
    r"<(?:\w{1,20}:)?(?:tool_calls?|function_calls?|invoke|tool_code)\b",
    r"<function[=>]",
    r"\[TOOL_CALLS\]",
    r"<[|｜][^<>|｜\n]{0,40}(?:tool|function|python_tag|DSML)",
    r"(?<=\n)\s*[\[{][\s\[{]*\"(?:name|tool|tool_name|tool_calls|function|action|arguments|parameters)\"\s*:",
)
"""Beginnings of calls as text: Hermes and Qwen, Anthropic, MiniMax, GLM; Mistral; Llama, DeepSeek, Kimi; bare JSON."""
_TOKENS = (r"<[|｜][^<>|｜\n]{1,40}[|｜]>", r"</?s>", r"</?(?:end_of_turn|start_of_turn|eos|bos)>", r"\[/?INST\]")
"""Tokens around a turn, which a server without the right template passes on."""
_MARK = re.compile(rf"(?<![`'\"“「])(?:(?P<call>{'|'.join(_CALLS)})|{'|'.join(_TOKENS)})", re.IGNORECASE)
_PART = re.compile(
    r"(?:<[^<>\n\s]{0,60}|\[/?[A-Z_]{0,11}|(?<=\n)\s*[\[{][\s\[{]*(?:\"\w{0,12}\"?\s*)?)\Z", re.IGNORECASE
)
"""The end of a text that may become a mark when more comes."""


class ForMachines:
    """Take calls and tokens out of one answer, piece by piece: a call or the end of a turn ends what is to be heard."""

    def __init__(self) -> None:
        self._held, self._last = "", "\n"
        self._said = self._over = False

    def add(self, text: str) -> str:
        """Return what can be said by now."""
        if self._over:
            return ""
        if not self._held and not ("<" in text or "[" in text or "{" in text):
            return self._note(text)
        self._held += text
        said = self._words()
        if (part := _PART.search(self._last + self._held, 1)) is not None:
            at = part.start() - 1
            said, self._held = said + self._note(self._held[:at]), self._held[at:]
        else:
            said, self._held = said + self._note(self._held), ""
        return said

    def rest(self) -> str:
        """Return what is left when no more comes."""
        held, self._held = self._held, ""
        return held

    def _words(self) -> str:
        """Return the words before the last mark; what comes after it stays held, unless nothing more is for an ear."""
        out = ""
        while (mark := _MARK.search(self._last + self._held, 1)) is not None:
            out += self._note(self._held[: mark.start() - 1])
            self._held = self._held[mark.end() - 1 :]
            self._over = self._said or mark["call"] is not None
            if self._over:
                self._held = ""
                break
        return out

    def _note(self, said: str) -> str:
        self._last = said[-1:] or self._last
        self._said = self._said or bool(said and not said.isspace())
        return said


def without_marks(text: str) -> str:
    """Return a whole answer without what is for machines."""
    stage = ForMachines()
    return stage.add(text) + stage.rest()
