"""Words in which many say the same, in several languages, without a code: what they mean decides who is asked next."""

import pytest

from chassis.errors import ApiError, BadRequest, EngineBusy, EngineRefused, EngineUnpaid, EngineWithoutModel
from chassis.upstream.complaints import Complaint
from chassis.upstream.refusals import Circumstances, TooLong, refusal

SAID: dict[type[ApiError], list[str]] = {
    EngineRefused: [
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
        "Trop de requêtes, réessayez plus tard",
        "リクエストが多すぎます",
        "系统繁忙，请稍后再试",
        "Concurrency limit reached for this key",
        "QPS limit exceeded",
    ],
    TooLong: [
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
    ],
)
def test_what_only_sounds_like_it(message: str) -> None:
    assert Complaint(message).kind is None
