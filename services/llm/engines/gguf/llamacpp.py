"""llama.cpp, as far as it is needed to converse: a model's file, its template, and one token after another.

Its package is an extra, and imported where a model is loaded.
"""

import ctypes
import logging
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import redirect_stderr
from importlib import import_module
from io import StringIO
from pathlib import Path
from random import getrandbits
from threading import Event
from typing import Any, TypeAlias

import msgspec

from chassis.errors import Declined, EngineUnavailable

PACKAGE = "`pip install llama-cpp-python` (it is built for some minutes, by a C++ compiler)"
PIECE_TOKENS = 64
"""Of a prompt, read between two looks at whether its caller is still there."""
JINJA = re.compile(r"\{[{%]")
THOUGHT_OPENED = b"<think>"
HELLO = [{"role": "user", "content": "Hello"}]
ERROR = 4
"""llama.cpp's level of it."""

log = logging.getLogger("talkbox.llm")

Messages: TypeAlias = Sequence[Mapping[str, Any]]
Render: TypeAlias = Callable[[Messages, Any, Mapping[str, Any]], str]
"""A prompt from messages, tools and what else a template may want to know."""


class Gone(Exception):
    """The caller has left."""


class Model:
    """A file that was loaded. One thread at a time.

    Args:
        context: Tokens of a conversation and its answer.
        threads: None: all cores but one.
        gpu_layers: Where the package was built for a GPU; -1: all.
        template: Instead of the file's: a name that llama.cpp knows, a Jinja template, or a file with one.

    Raises:
        EngineUnavailable: The package is missing, the file cannot be loaded, or is not made for conversation.
    """

    def __init__(
        self, path: Path, *, context: int, threads: int | None = None, gpu_layers: int = 0, template: str = ""
    ) -> None:
        self.name = path.stem
        self._library = library = package()
        threads = threads or max(1, len(os.sched_getaffinity(0)) - 1)
        try:
            with redirect_stderr(StringIO()):  # asked for silence, it closes stdout for everybody
                self._llama = library.Llama(
                    str(path),
                    n_ctx=context,
                    n_threads=threads,
                    n_threads_batch=threads,
                    n_gpu_layers=gpu_layers,
                    no_perf=True,
                    verbose=True,
                )
        except (ValueError, RuntimeError, OSError) as exc:
            raise EngineUnavailable(f"GGUF_MODEL: {path} cannot be loaded by llama.cpp ({exc}).") from exc
        except Exception as exc:  # Jinja's, of a template that is none; it is not imported here
            raise EngineUnavailable(f"GGUF_MODEL: the chat template of {path.name} cannot be read ({exc}).") from exc
        self._llama.verbose = False
        self.context = min(self._llama.n_ctx(), library.llama_model_n_ctx_train(self._llama.model))
        self._vocabulary = library.llama_model_get_vocab(self._llama.model)
        self._left = Event()
        self._llama.eval = self._in_pieces(self._llama.eval)
        self._render = self._template(template)
        try:
            self._llama.eval(self.prompt(HELLO, None, {}))  # its pages are in memory now
        except RuntimeError as exc:
            raise EngineUnavailable(f"GGUF_MODEL: llama.cpp cannot run {path.name} ({exc}).") from exc

    def close(self) -> None:
        self._llama.close()

    def prompt(self, messages: Messages, tools: Any, extra: Mapping[str, Any]) -> list[int]:
        """The tokens of a conversation.

        Raises:
            Declined: Not a conversation that the model's template allows.
        """
        try:
            text = self._render(messages, tools, extra)
        except Exception as exc:  # whatever a template from the internet does; what it raises itself is a ValueError
            raise Declined(f"{self.name} cannot be told this conversation: {exc}.", param="messages") from exc
        tokens: list[int] = self._llama.tokenize(text.encode(), add_bos=False, special=True)
        bos = self._llama.token_bos()
        adds = self._library.llama_vocab_get_add_bos(self._vocabulary)
        return [bos, *tokens] if adds and bos != -1 and tokens[:1] != [bos] else tokens

    def opens_thoughts(self, extra: Mapping[str, Any]) -> bool:
        """Whether the template itself begins a thought, so that an answer only ends it."""
        tokens = self.prompt(HELLO, None, extra)[-8:]
        return b"".join(map(self._bytes, tokens)).rstrip().endswith(THOUGHT_OPENED)

    def tokens(
        self, prompt: Sequence[int], sampling: Mapping[str, float], grammar: Any, seed: int | None, left: Event
    ) -> Iterator[int]:
        """One after another, to the answer's end; what is known of the last prompt is not read again.

        Raises:
            Gone: `left` was set.
        """
        self._left = left
        self._llama.set_seed(getrandbits(32) if seed is None else seed & 0xFFFFFFFF)
        for token in self._llama.generate(prompt, grammar=grammar, **sampling):
            if left.is_set():
                raise Gone
            if self._library.llama_vocab_is_eog(self._vocabulary, token):
                return
            yield token

    def text(self, token: int) -> bytes:
        piece: bytes = self._llama.detokenize([token])
        return piece

    def grammar(self, schema: dict[str, Any] | None) -> Any:
        """Raises:
        Declined: There is no grammar for such a schema.
        """
        if schema is None:
            return None
        try:
            return self._library.LlamaGrammar.from_json_schema(msgspec.json.encode(schema).decode(), verbose=False)
        except Exception as exc:  # it has no errors of its own
            raise Declined(f"{self.name} cannot keep to this schema: {exc}.", param="response_format") from exc

    def _in_pieces(self, evaluate: Callable[[Sequence[int]], None]) -> Callable[[Sequence[int]], None]:
        """A long prompt takes seconds; who leaves meanwhile is noticed."""

        def evaluate_in_pieces(tokens: Sequence[int]) -> None:
            for at in range(0, len(tokens), PIECE_TOKENS):
                if self._left.is_set():
                    raise Gone
                evaluate(tokens[at : at + PIECE_TOKENS])

        return evaluate_in_pieces

    def _template(self, wanted: str) -> Render:
        text = wanted or self._llama.metadata.get("tokenizer.chat_template", "")
        if wanted and (file := Path(wanted).expanduser()).is_file():
            text = file.read_text()
        if not text:
            raise EngineUnavailable(
                f"{self.name} has no chat template. Set GGUF_TEMPLATE, or take a model for conversation."
            )
        if not JINJA.search(text):
            return self._built_in(text)
        words = [
            self._bytes(token).decode("utf-8", "replace")
            for token in (self._llama.token_eos(), self._llama.token_bos())
        ]
        formatter = import_module("llama_cpp.llama_chat_format").Jinja2ChatFormatter(text, *words)

        def render(messages: Messages, tools: Any, extra: Mapping[str, Any]) -> str:
            prompt: str = formatter(messages=messages, tools=tools, **extra).prompt
            return prompt

        return render

    def _built_in(self, name: str) -> Render:
        """One that llama.cpp knows by name, as the files of ChatGLM have it."""
        library = self._library

        def render(messages: Messages, tools: Any, extra: Mapping[str, Any]) -> str:
            said = [(str(each["role"]).encode(), (each.get("content") or "").encode()) for each in messages]
            chat = (library.llama_chat_message * len(said))(*(library.llama_chat_message(*each) for each in said))
            size = 256 + 2 * sum(len(content) for _, content in said) + 64 * len(said)
            buffer = ctypes.create_string_buffer(size)
            length = library.llama_chat_apply_template(name.encode(), chat, len(said), True, buffer, size)
            if length < 0:
                raise ValueError(f"llama.cpp knows no template {name!r}")
            return buffer.raw[:length].decode("utf-8", "replace")

        try:
            render(HELLO, None, {})
        except ValueError as exc:
            raise EngineUnavailable(f"GGUF_TEMPLATE: {exc}.") from exc
        return render

    def _bytes(self, token: int) -> bytes:
        """Of any token, marks too."""
        piece: bytes = self._llama.detokenize([token], special=True) if token != -1 else b""
        return piece


def package() -> Any:
    """Raises:
    EngineUnavailable: The extra is not installed.
    """
    try:
        library: Any = import_module("llama_cpp")
    except ImportError as exc:
        raise EngineUnavailable(f"llama-cpp-python is missing: {PACKAGE}.") from exc
    global _logged
    _logged = library.llama_log_callback(_note)
    library.llama_log_set(_logged, ctypes.c_void_p(0))
    return library


_logged: Any = None
"""llama.cpp calls it as long as the process lives."""


def _note(level: int, text: bytes, _: Any) -> None:
    if level == ERROR:
        log.warning("llama.cpp: %s", text.decode("utf-8", "replace").strip())
