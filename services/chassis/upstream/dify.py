"""An app of Dify, which the ears, the mind and the mouth ask alike.

Source: docs.dify.ai (API reference: chat, audio, errors).
"""

from collections.abc import Sequence

from chassis.upstream.refusals.complaints import Complaint
from chassis.upstream.reply import Reply
from chassis.upstream.vendor import Vendor

_QUOTA = "rate_limit_error"
"""Code of a quota that is used up; one that asks too fast is told `too_many_requests`."""


class DifyApp(Vendor):
    """The API of one app of Dify's.

    Args:
        api_base: Its address, with or without `/v1`.
    """

    def __init__(
        self, name: str, prefix: str, keys: Sequence[str], key_variable: str, api_base: str, *, model: str = ""
    ) -> None:
        super().__init__(name, prefix, keys, key_variable, model_variable=model)
        self._base = f"{api_base.rstrip('/').removesuffix('/v1')}/v1"

    def url(self, path: str) -> str:
        return f"{self._base}/{path}"

    def complaint(self, reply: Reply, body: bytes) -> Complaint:
        found = super().complaint(reply, body)
        if found.code == _QUOTA:
            found.words |= {"provider_quota_exceeded"}
        return found
