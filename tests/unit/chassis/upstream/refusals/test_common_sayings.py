"""Words in which many say the same, in several languages, without a code: what they mean decides who is asked next."""

import pytest

from chassis.errors import ApiError, BadRequest, EngineBusy, EngineRefused, EngineUnpaid, EngineWithoutModel
from chassis.upstream.refusals.complaints import Complaint
from chassis.upstream.refusals.meaning import Circumstances, TooLong, refusal

SAID: dict[type[ApiError], list[str]] = {
    EngineRefused: [
        "Неверный ключ доступа",
        "无效的API Key",
        "Missing Authorization header",
        "header.authorization: field required",
        "The SecretId is not found",
        "Request had invalid authentication credentials",
        "Clé API invalide",
        "APIキーが無効です",
        "유효하지 않은 API 키입니다",
        "API-Schlüssel ungültig",
        "Неверный API-ключ",
        "JWT expired",
        "Your account has been deactivated",
        "账号已被封禁",
    ],
    EngineUnpaid: [
        "预扣费额度失败",
        "您的免费试用额度已用完",
        "Billing account is not active",
        "Your free trial has ended. Please upgrade your plan.",
        "Daily free quota exceeded, please upgrade",
        "利用枠を使い切りました",
        "账户已欠费停服",
        "Guthaben aufgebraucht",
        "Crédits épuisés",
        "クレジットが不足しています",
        "잔액이 부족합니다",
        "Saldo insuficiente",
        "Недостаточно средств на балансе",
        "Your subscription has expired",
        "套餐已到期，请续费",
        "Please add a payment method",
    ],
    EngineWithoutModel: [
        "Function 'a': Not found for account 'b'",
        "The model has reached its end of life on 2026-01-01",
        "this model requires more system memory (5 GiB) than is available (2 GiB)",
        "Model m is enabled only for api versions 2024-08-01-preview and later",
        "The resource does not support the API version '2023-03-15-preview'.",
        "指定されたモデルは廃止されました",
        "Модель снята с поддержки",
        "Unknown model: m",
        "Das Modell m existiert nicht",
        "Le modèle m n'existe pas",
        "モデル m は存在しません",
        "모델 m을(를) 찾을 수 없습니다",
        "Модель m не найдена",
        "El modelo m no existe",
        "model `m` has been sunset",
        "The requested model m was removed on 2026-08-31",
        "Model m is not enabled for this account",
        "Model m is end of life",
        "No endpoints available matching your guardrail restrictions",
        "该模型已停止服务",
        "您无权使用该模型",
        "无效的模型名称",
        "model_id 'm' is not in the list of supported models",
        "Could not find model 'm'",
        "Requested model was not found in our catalog",
    ],
    EngineBusy: [
        "Queue is full, please try again later",
        "We're currently at capacity. Try again later.",
        "当前并发数已达上限",
        "请求频率超限",
        "サーバーが混み合っています",
        "Превышен лимит запросов",
        "Trop de requêtes, réessayez plus tard",
        "リクエストが多すぎます",
        "系统繁忙，请稍后再试",
        "Concurrency limit reached for this key",
        "QPS limit exceeded",
    ],
    TooLong: [
        "This model's maximum prompt length is 131072 but the request contains 200000 tokens.",
        "Prompt length 9000 is greater than max_seq_len 4096",
        "Превышено максимальное количество токенов",
        "コンテキストの最大長を超えています",
        "Input is too long.",
        "The prompt exceeds the model's context",
        "L'invite est trop longue pour le contexte",
        "入力が長すぎます",
        "n_ctx exceeded: requested 9000 tokens, limit 4096",
        "Requested token count exceeds the model's maximum context length of 131072 tokens.",
        "请求的 token 数超过模型上限",
        "输入 tokens 超出限制",
        "ValueError: Requested tokens (5234) exceed context window of 4096",
        "max_seq_len exceeded",
        "The sum of prompt length (9000.0), query length (0) should not exceed max_num_tokens (8192)",
        "The decoder prompt (length 9000) is longer than the maximum model length of 4096.",
        "inputs too long",
    ],
    BadRequest: [
        "Content violates usage guidelines. Failed check: SAFETY_CHECK_TYPE",
        "The content you provided or machine outputted is blocked.",
        "输入内容违反平台规范",
        "内容被过滤",
        "Запрос нарушает правила модерации",
        "コンテンツポリシーに違反しています",
        "Your input was flagged by moderation",
        "内容涉嫌违法",
        "内容安全检测未通过",
        "审核不通过",
        "The content was blocked by our safety filters",
        "不適切な内容が含まれています",
        "Request rejected by content safety guardrails",
    ],
}


@pytest.mark.parametrize(("kind", "message"), [(kind, message) for kind in SAID for message in SAID[kind]])
def test_what_a_sentence_means(kind: type[ApiError], message: str) -> None:
    about = Circumstances("up", "LLM_UP_", "LLM_UP_API_KEY", secrets=("sk-secret-1",))

    assert type(refusal(400, Complaint(message), about=about)) is kind


@pytest.mark.parametrize(
    "message",
    [
        "`temperature` is deprecated for this model.",
        "This model does not support image input",
        "The last message must have the role user",
        "max_tokens must be at least 256",
        "temperature must be at most 1: see the usage of this field",
        "The maximum length of 'user' is 64",
    ],
)
def test_what_only_sounds_like_it(message: str) -> None:
    assert Complaint(message).kind is None
