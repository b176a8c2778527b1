"""Guard models and moderation services: asked over HTTP what they think of a text, each as a row of settings."""

import msgspec

from chassis.errors import EngineFailed
from chassis.guard.model_dialects import DIALECTS, Dialect, SaidText
from chassis.guard.options import GuardRowOptions
from chassis.guard.rules import Finding, Side
from chassis.settings import SettingError, read
from chassis.upstream.client import Unusable, Upstream

MOST_BYTES = 2**18
KNOWN: dict[str, GuardRowOptions] = {
    "qwen3guard": GuardRowOptions(model="Qwen/Qwen3Guard-Gen-4B", dialect="qwen3guard"),
    "openai-moderation": GuardRowOptions(
        base_url="https://api.openai.com/v1", model="omni-moderation-latest", dialect="moderations"
    ),
    "azure": GuardRowOptions(dialect="azure"),
    "aliyun": GuardRowOptions(base_url="https://green-cip.cn-shanghai.aliyuncs.com", dialect="aliyun"),
}
"""Rows that are known by name; what the operator sets wins. None of them has met the real service yet."""


class GuardModel:
    """A judge that is asked over HTTP: a model or a service at an address of the operator's.

    Raises:
        SettingError: Its address, its key or its dialect is missing, or cannot be used.
    """

    def __init__(self, name: str) -> None:
        start = f"GUARD_{name.upper().replace('-', '_')}_"
        own, known = read(GuardRowOptions, prefix=start), KNOWN.get(name, GuardRowOptions())
        base, dialect = own.base_url or known.base_url, own.dialect or known.dialect
        if not base:
            raise SettingError(f"Set {start}BASE_URL: the address of {name!r} of GUARD_ENGINES.")
        if not dialect:
            raise SettingError(f"Set {start}DIALECT: {', '.join(DIALECTS)}.")
        self.name, self._dialect = name, DIALECTS[dialect]
        self._key, self._model = own.api_key, own.model or known.model
        if self._dialect.wants_key and not self._key:
            raise SettingError(f"Set {start}API_KEY.")
        try:
            headers = self._dialect.headers(self._key)
            self._upstream = Upstream(base.rstrip("/") + self._dialect.path, headers, setting=f"{start}BASE_URL")
        except SettingError as exc:
            raise SettingError(f"{start}API_KEY: {exc}.") from exc
        except Unusable as exc:
            raise SettingError(f"{start}BASE_URL: {exc}.") from exc

    @property
    def server(self) -> str:
        """Name of the server that is asked."""
        return self._upstream.shown

    async def ask(self, text: str, side: Side, child: str) -> Finding:
        """Return what it finds in a text; `child` is what the child said before an answer.

        Raises:
            EngineFailed: It could not be asked, or its answer cannot be understood.
        """
        body = self._dialect.body(SaidText(text, side, child), self._key, self._model)
        reply = await self._upstream.post(body, {})
        try:
            answer = await reply.read(MOST_BYTES)
        finally:
            await reply.aclose()
        if reply.status != 200:
            raise EngineFailed(f"answered {reply.status}")
        return finding_of(self._dialect, answer)

    async def aclose(self) -> None:
        """Close its connections."""
        await self._upstream.aclose()


def finding_of(dialect: Dialect, answer: bytes) -> Finding:
    """Return what the body of an answer says.

    Raises:
        EngineFailed: It cannot be understood.
    """
    try:
        return dialect.finding(msgspec.json.decode(answer))
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as exc:
        raise EngineFailed("answered something that cannot be understood") from exc
