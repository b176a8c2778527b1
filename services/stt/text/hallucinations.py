"""Sentences that Whisper writes when nobody speaks: the last words of the videos it learned from.

After the collections in openai/whisper's discussions 679 and 928 and what its users report for Chinese. Somebody may
really say "thank you": a sentence of the list is dropped only where there is some other doubt.
"""

import re
import unicodedata

_WHOLE = frozenset(
    unicodedata.normalize("NFKC", sentence)
    for sentence in (
        # English
        "bye",
        "byebye",
        "thankyou",
        "thankyousomuch",
        "thankyouverymuch",
        "thankyouforwatching",
        "thankyouforlistening",
        "thankyousomuchforwatching",
        "thanksforwatching",
        "thanksforlistening",
        "pleasesubscribe",
        "pleasesubscribetomychannel",
        "likeandsubscribe",
        "dontforgettolikeandsubscribe",
        "seeyounexttime",
        "seeyouinthenextvideo",
        "illseeyouinthenextvideo",
        "you",
        "theend",
        "music",
        "applause",
        "silence",
        # Chinese
        "谢谢",
        "謝謝",
        "谢谢大家",
        "謝謝大家",
        "谢谢观看",
        "謝謝觀看",
        "谢谢收看",
        "謝謝收看",
        "感谢观看",
        "感謝觀看",
        "感谢收听",
        "感謝收聽",
        "谢谢您的观看",
        "謝謝您的觀看",
        "下期再见",
        "下期再見",
        "我们下期再见",
        "我們下次再見",
        "拜拜",
        "再见",
        "再見",
        "请订阅",
        "請訂閱",
        "请订阅我的频道",
        "字幕",
        "音乐",
        "音樂",
        "优优独播剧场yoyotelevisionseriesexclusive",
        "優優獨播劇場yoyotelevisionseriesexclusive",
    )
)
_WITHIN = re.compile(
    r"amaraorg|subtitlesby|transcribedby|captionsby|translatedby"
    r"|字幕(由|by|志愿者|志願者|组|組|制作|製作|提供)|(中文)?字幕[^,]{0,4}志愿者"
    r"|(请|請)不吝(点赞|點贊|點讚)|(点赞|點贊|點讚)(订阅|訂閱|转发|轉發|打赏|打賞)"
    r"|(订阅|訂閱)(转发|轉發|我的频道|我的頻道)|明镜与点点|明鏡與點點|(词曲|詞曲|作词|作詞|作曲).{0,4}李宗盛"
)


def is_invented(text: str) -> bool:
    """Return True for one of those sentences, however it is written."""
    plain = "".join(c for c in unicodedata.normalize("NFKC", text).casefold() if c.isalnum())
    return plain in _WHOLE or _WITHIN.search(plain) is not None
