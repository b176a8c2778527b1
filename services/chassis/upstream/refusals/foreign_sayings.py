"""Words of refusals in other languages than English and Chinese: vendors and resellers translate their errors.

Read together with the table in sayings.py, after the common ones.
"""

from chassis.upstream.refusals.kinds import Kind, Saying

_ABROAD = "vendors and resellers who translate their errors"
_KEY = (
    r"schlüssel|sleutel|nyckel|nøgle|nøkkel|avain|klucz|klíč|ключ|clave|llave|chave|clé|clef|chiave|anahtar|khóa"
    "|kunci|คีย์|مفتاح|कुंजी|מפתח|キー|키"
)

FOREIGN_SAYINGS = (
    Saying(
        Kind.BLOCKED,
        _ABROAD,
        words="ポリシーに違反|コンテンツフィルター|модераци|不適切|부적절|정책.{0,4}위반|недопустим"
        "|contenu inapproprié|contenido inapropiado|unangemessene"
        r"|(?:verstößt|infringe|enfreint|viola|narusza|melanggar|vi phạm|ينتهك)\b.{0,40}"
        r"(?:richtlinie|polític|politic|règle|zasad|kebijakan|chính sách|السياسة)|politikası ihlali",
    ),
    Saying(
        Kind.TOO_LONG,
        _ABROAD,
        words=r"最大長|コンテキスト.{0,16}(?:超|長)|컨텍스트.{0,16}초과|トークン.{0,12}(?:超|上限)|토큰.{0,12}초과"
        r"|(?:dépass|supera|excede|excède|überschr|super)\w* .{0,60}(?:contexte|contexto|kontext|contesto)"
        r"|превы\w+ .{0,60}контекст|максимальн\w+ (?:количеств\w+ токен|длин)|長すぎ|너무 깁|너무 길"
        r"|слишком (?:длин|много токен)|trop longue?|demasiado larg|muito long|zu lang\b|troppo lung|te lang\b"
        "|çok uzun|quá dài|terlalu panjang|zbyt długi|ยาวเกินไป|طويل جدا",
    ),
    Saying(
        Kind.UNPAID,
        _ABROAD,
        words="利用枠|残高|(?:クレジット|残額).{0,6}不足|잔액|크레딧.{0,6}부족"
        r"|(?:недостат|закончил)\w* .{0,20}(?:средств|кредит|кошт)"
        r"|средств\w* .{0,30}закончил|баланс"
        r"|crédits? (?:épuisé|insuffisant)|saldo (?:insuficiente|tidak|niewystarcz)|créditos? insuficiente|guthaben"
        "|kontostand|credito (?:esaurito|insufficiente)|bakiye|số dư|niewystarczające środki"
        "|onvoldoende (?:tegoed|saldo)"
        "|ยอดเงิน|رصيد|शेष राशि",
    ),
    Saying(
        Kind.UNKNOWN_MODEL,
        _ABROAD,
        words=r"モデル.{0,40}(?:存在し|見つかり|利用でき|廃止|終了|サポートされて)|모델.{0,40}(?:찾을 수|존재하지|없)"
        "|지원되지 않는 모델"
        r"|модель .{0,60}(?:не (?:найден|существ|поддерж)|снята|недоступн)"
        r"|mod(?:ell?|èle|elo|ello|elu) .{0,60}(?:existiert nicht|nicht (?:gefunden|unterstützt)"
        r"|n'existe pas|introuvable"
        r"|n'est plus|no existe|não existe|no encontrado|non esiste|no está disponible|bestaat niet|tidak ditemukan"
        "|bulunamadı)|nie znaleziono modelu|không tìm thấy mô hình|ไม่พบโมเดล|النموذج غير",
    ),
    Saying(
        Kind.REFUSED,
        _ABROAD,
        words=rf"\bapi[- ]?(?:{_KEY})|(?:{_KEY})\w* (?:d['e] ?|de la )?(?:api|доступа)|認証に失敗|인증에 실패"
        r"|(?:неверн|недействит)\w+ (?:ключ|токен)|token (?:inválido|expirado|invalide|ungültig)",
    ),
    Saying(
        Kind.BUSY,
        _ABROAD,
        words="混み合って|лимит запросов|リクエストが多|요청이 (?:너무 )?많|слишком много запросов|trop de requêtes"
        "|demasiadas (?:solicitudes|peticiones)"
        "|muitas (?:solicitações|requisições)|zu viele anfragen|troppe richieste|te veel verzoeken|zbyt wiele żądań"
        "|çok fazla istek|quá nhiều yêu cầu|terlalu banyak permintaan|คำขอมากเกินไป|طلبات كثيرة",
    ),
)
