"""Words that many vendors and resellers share, in several languages, for whoever is yet to come.

Read together with the table in sayings.py, after it: these words are in no vendor's documentation.
"""

from chassis.upstream.refusals.kinds import Kind, Saying

_MANY = "many vendors"
_ABROAD = "vendors and resellers who translate their errors"
_PART = (
    r"(?<![-\w/])(?:audio|image|file|tool|function|param\w*|field|argument|option|value|content|role|message)s?"
    r"(?! (?:api|endpoint))(?![-\w/])"
)
"""Parts that a question may do without. A sentence about one of them is not about the model as a whole."""
_ELSEWHERE = (
    r"(?:\bonly\b|\bmust\b|\bto\b|require|\buse\b|through|\bvia\b|仅|只|请).{0,60}"
    r"(?:v1/(?!chat)\w|/(?:responses|embeddings|realtime|rerank)\b|websocket"
    r"|\b(?:responses|realtime|live|completions|embeddings?|rerank|images?|audio|speech) ?(?:api|endpoint|接口))"
)
_NO_CHAT = (
    r"(?:\bnot|n't|cannot) .{0,60}(?:chat[ /.]?completion|chat (?:model|endpoint|api|interface)|(?:support|for) chat\b)"
    r"|chat/completions .{0,20}\bnot .{0,60}\bmodel"
)

COMMON_SAYINGS = (
    Saying(
        Kind.BLOCKED,
        _MANY,
        words=r"content (?:management|filter(?:ing)?) polic|(?:content|moderation) polic|safety (?:system|filter"
        r"|guardrail)|content safety"
        r"|(?:input|prompt|content|text|output)\b.{0,30}\bflagged|(?:usage|content|community) (?:guideline|polic)"
        r"|censorship"
        r"|(?:content|text|response|prompt|output)\b.{0,40} (?:is|was|has been) (?:blocked|filtered|censored)"
        r"|敏感|违规|违反.{0,8}(?:规|政策|法)|不合规|违法|审核|安全检测|内容安全|被过滤",
    ),
    Saying(
        Kind.TOO_LONG,
        _MANY,
        words=r"context (?:length|window|size)|exceeds? the model'?s context|\bn_ctx\b|max(?:imum)?_(?:seq_len"
        r"|num_tokens)"
        r"|longer than the (?:maximum )?model|less than \d+ tokens|only supports up to \d+|message size exceeds"
        r"|(?:prompt|input|messages?|conversation)\b.{0,40}\btoo (?:long|large)|\binputs too long"
        r"|too many (?:input )?tokens(?!.{0,20}(?:wait|per (?:minute|day|hour)))|exceed\w* .{0,40}(?:token limit"
        r"|maximum (?:allowed )?(?:input|prompt|length"
        r"|number of tokens))"
        r"|tokens \+ `max_new_tokens`|maximum (?:prompt|input|context) length|greater than max_seq"
        r"|(?:输入|上下文|提示词|对话|历史|轮|token).{0,12}(?:过长|过多|超长|超过|超出|超限|大于)(?!.{0,8}(?:每|分钟))",
    ),
    Saying(
        Kind.UNPAID,
        _MANY,
        words=r"(?:insufficient|not enough|out of|no|any|zero) (?:\w+ ){0,2}(?:credits?|balance|funds)\b"
        r"|credits? .{0,30}(?:exhausted|depleted|used up)|spending limit|arrears|payment required|(?:top up"
        r"|recharge) "
        r"|subscription has (?:expired|ended)|payment method|exceeded your monthly"
        r"|(?:free )?(?:trial|plan|subscription) (?:has |is )?(?:ended|expired|over|not active)|unpaid users"
        r"|billing (?:account )?.{0,20}(?:not active|inactive|disabled|closed)|requires billing|upgrade to a paid"
        r"|free (?:allocated )?(?:quota|allocation).{0,20}(?:exceeded|exhausted|used up)"
        r"|budget has been exceeded|over budget"
        r"|quota is not enough|key limit exceeded|充值|储值|续费|套餐.{0,6}到期"
        r"|(?:免费|次数|点数|积分).{0,8}(?:用完|用尽|耗尽)"
        r"|额度.{0,6}(?:不足|用尽|耗尽|失败|已?用完)|欠费",
    ),
    Saying(
        Kind.UNKNOWN_MODEL,
        _MANY,
        words=r"\bmodel(?: (?:name|id|identifier))?[ :=]{0,2}(?:[`'\"“][^`'\"”]{1,120}[`'\"”]|[\w./:@-]{1,80})?,? ?"
        r"(?:is |was |has been |does )?(?:currently |now )?(?:not (?:exist|found|supported|available|valid"
        r"|deployed|enabled|allowed)"
        r"|unavailable|unsupported|invalid|unknown|deprecated|retired|discontinued|offline|sunset|removed"
        r"|(?:reached its |at its )?end of life|no longer|enabled only for)"
        r"|(?:no such|unknown|unsupported|unable to access|(?:could not|cannot|can't) find|access to) (?:the "
        r"|this |that )?model"
        r"|list of supported models|requires more system memory|not found for account|end of (?:service|support)"
        r"|(?:not allowed|no access|no permission) to (?:access |use )?(?:the |this |that )?model|only access models"
        r"|\bmodel\b.{0,80} (?:is blocked|requires terms)|unexpected model|模型.{0,20}未配置"
        r"|(?:missing|invalid|unknown|unsupported|not support) .{0,24}api[- ]version"
        r"|no endpoints available|模型.{0,20}(?:不存在|不支持|已下线|下架|停止|停用"
        r"|未找到)|无效的模型",
    ),
    Saying(
        Kind.UNKNOWN_MODEL,
        "OpenAI and resellers, of a model that chat completions do not reach: cannot be asked is as good as unknown",
        "unsupported_api_for_model",
        words=rf"^(?!.{{0,200}}{_PART}).{{0,200}}?(?:{_ELSEWHERE}|{_NO_CHAT})|not support http call",
    ),
    Saying(
        Kind.REFUSED,
        _MANY,
        words=r"api[ _-]?key.{0,30}(?:invalid|incorrect|expired|disabled|revoked|missing|required|unknown)"
        r"|(?:invalid|incorrect|wrong|expired|unknown|missing|no) (?:\w+ )?api[ _-]?(?:key|token)|unauthori[sz]ed"
        r"|authentication (?:error|fail|required)|invalid (?:access|auth\w*) token|security token"
        r"|(?:missing|invalid|no|malformed|wrong) (?:\w+ )?(?:authorization|credential)"
        r"|authorization: field required|secretid"
        r"|\b(?:jwt|token) (?:has )?expired|access (?:was|has been) terminated"
        r"|account (?:has been |is )(?:deactivated|disabled|suspended|banned|locked)"
        r"|(?:账号|账户|帐号).{0,8}(?:封禁|停用|禁用|冻结)|白名单"
        r"|无效的? ?(?:api|令牌|token|密钥)|密钥.{0,8}(?:无效|错误)"
        r"|(?:鉴权|认证|签名|验证).{0,4}(?:失败|错误|无效)|密钥|金钥|实名|(?:地区|区域|国家).{0,8}(?:不支持|限制|不可用)",
    ),
    Saying(
        Kind.BUSY,
        _MANY,
        words=r"rate[ _-]?limit|too many (?:concurrent )?(?:requests|connections)"
        r"|(?:concurrency|qps|rpm|tpm) limit|queue is full|at capacity"
        r"|(?:系统|服务|请求|人数|访问量).{0,8}(?:繁忙|过多|过大)|请求过于频繁|限流|速率限制|流量受限"
        r"|please wait .{0,20}(?:before|and try|then try)"
        r"|频率.{0,6}(?:超|过)|并发.{0,6}(?:超|过高|上限)",
    ),
    Saying(
        Kind.BLOCKED,
        _ABROAD,
        words="ポリシーに違反|модераци|不適切|부적절|недопустим"
        "|contenu inapproprié|contenido inapropiado|unangemessene",
    ),
    Saying(
        Kind.TOO_LONG,
        _ABROAD,
        words=r"最大長|コンテキスト.{0,16}(?:超|長)|컨텍스트.{0,16}초과"
        r"|(?:dépass|supera|excede|excède|überschr|super)\w* .{0,60}(?:contexte|contexto|kontext|contesto)"
        r"|превы\w+ .{0,60}контекст|максимальн\w+ (?:количеств\w+ токен|длин)|長すぎ|너무 깁|너무 길"
        r"|слишком длин|trop longue?|demasiado larg|muito long|zu lang\b|troppo lung",
    ),
    Saying(
        Kind.UNPAID,
        _ABROAD,
        words="利用枠|残高|(?:クレジット|残額).{0,6}不足|잔액|크레딧.{0,6}부족|недостаточно средств|баланс"
        "|crédits? (?:épuisé|insuffisant)|saldo insuficiente|créditos? insuficiente|guthaben|credito (?:esaurito"
        "|insufficiente)",
    ),
    Saying(
        Kind.UNKNOWN_MODEL,
        _ABROAD,
        words=r"モデル.{0,40}(?:存在し|見つかり|利用でき|廃止|終了)|모델.{0,40}(?:찾을 수|존재하지|없)"
        r"|модель .{0,60}(?:не (?:найден|существ|поддерж)|снята)"
        r"|mod(?:ell|èle|elo|ello) .{0,60}(?:existiert nicht|nicht gefunden|n'existe pas|introuvable|no existe"
        r"|não existe"
        r"|no encontrado|non esiste)",
    ),
    Saying(
        Kind.REFUSED,
        _ABROAD,
        words=r"(?:неверн|недействит)\w+ (?:ключ|токен)|apiキー|api ?키|api[- ]?ключ"
        r"|(?:clé|clave|chave|chiave) (?:d['e] ?|de la )?api|api[- ]?schlüssel"
        r"|token (?:inválido|expirado|invalide|ungültig)",
    ),
    Saying(
        Kind.BUSY,
        _ABROAD,
        words="混み合って|лимит запросов|リクエストが多|요청이 (?:너무 )?많|слишком много запросов|trop de requêtes"
        "|demasiadas (?:solicitudes|peticiones)"
        "|muitas (?:solicitações|requisições)|zu viele anfragen|troppe richieste",
    ),
)
