"""How vendors of speech say what is wrong; the table is read together with that in sayings.py."""

from chassis.upstream.refusals.kinds import Kind, Saying

_ELEVENLABS = "ElevenLabs: help articles 19572237925521 (400 or 401) and 19571824571921 (429)"
_NLS = "Aliyun NLS: help.aliyun.com/zh/isi (error codes, document_detail/459864)"
_VOLCENGINE = "Volcengine speech, unconfirmed, as widely reported: volcengine.com/docs/6561"
_DIFY = "Dify: docs.dify.ai (text-to-audio, audio-to-text)"

SPEECH_SAYINGS = (
    Saying(Kind.BLOCKED, "ElevenLabs, as widely reported", "detected_unusual_content content_against_policy"),
    Saying(Kind.UNPAID, _ELEVENLABS, "quota_exceeded"),
    Saying(Kind.UNPAID, _NLS, "40000010"),
    Saying(Kind.UNPAID, _VOLCENGINE, words=r"quota exceeded for types: \w*lifetime"),
    Saying(Kind.UNPAID, _DIFY, "provider_quota_exceeded"),
    Saying(Kind.UNPAID, "Cloudflare: developers.cloudflare.com/workers-ai (errors)", words="daily free allocation"),
    Saying(Kind.UNKNOWN_MODEL, _ELEVENLABS, "voice_not_found"),
    Saying(
        Kind.UNKNOWN_MODEL,
        _DIFY,
        "app_unavailable provider_not_initialize model_currently_not_support "
        "speech_to_text_disabled provider_not_support_speech_to_text",
    ),
    Saying(Kind.REFUSED, _NLS, "40000001 40020105 40020503"),
    Saying(
        Kind.REFUSED,
        _VOLCENGINE,
        words="requested (?:grant|resource) not (?:found|granted)|resource id: access denied",
    ),
    Saying(
        Kind.REFUSED,
        "Aliyun's gateway of keys: help.aliyun.com (common errors of the OpenAPI)",
        "signaturedoesnotmatch incompletesignature invalidaccesskeyid invalidtimestamp",
    ),
    Saying(Kind.BUSY, _ELEVENLABS, "too_many_concurrent_requests system_busy"),
    Saying(Kind.BUSY, _NLS, "40000005"),
    Saying(Kind.BUSY, "Volcengine: 55000031 busy", "55000031", r"quota exceeded for types: \w*(?:concurrency|qps)"),
)
