"""Stories, rhymes, jokes and riddles of the companion: without markup, to be read aloud."""

import re
from re import Pattern

from msgspec import Struct

from llm.own_language import Language


class Riddle(Struct, frozen=True):
    question: str
    answer: str
    accepted: Pattern[str]
    """Answers that count as right."""


FALLBACK: dict[Language, tuple[str, ...]] = {
    "zh": (
        "我听到了。我是个没有大模型的小伙伴，只懂一些简单的话。你想听故事，还是猜谜语？",
        "真有意思，再多告诉我一点吧。难的问题，可以去问问大人。",
        "嗯，我在认真听。这个我还不太懂，不过我会讲故事，也会算数。",
    ),
    "en": (
        "I hear you. I am a companion without a model, and I know little. Would you like a story or a riddle?",
        "That is interesting, tell me more. For hard questions, a grown-up can help.",
        "I am listening. That one is too hard for me, but I can tell a story or do sums.",
    ),
}

NOTHING_SAID: dict[Language, str] = {"zh": "我在这里呢，你想说什么？", "en": "I am here. What would you like to say?"}

STORIES: dict[Language, tuple[str, ...]] = {
    "zh": (
        "从前有一只小熊，它很怕黑。一天晚上，一只萤火虫飞来说，我陪你。小熊看着那一点光，慢慢睡着了。"
        "第二天，小熊对朋友说，黑夜里也有小小的光。",
        "小兔子种了一颗种子，天天去看它。种子一直不发芽，小兔子有点着急。妈妈说，再等一等。"
        "春天来了，地里开出一朵黄色的小花。小兔子笑了，原来等待也很甜。",
        "有一只小船，想去看大海。它问小河，大海远吗？小河说，跟着我走就到了。小船走了很久，终于看见了蓝蓝的大海。"
        "它说，谢谢你，小河。",
        "小猫和小狗都想要同一个红气球。它们拉来拉去，气球飞走了。两个朋友看着天空，一起笑了起来。"
        "后来它们做了两个风筝，一个给你，一个给我。",
    ),
    "en": (
        "Once there was a little bear who feared the dark. One night a firefly came and said, I will stay with you. "
        "The bear watched the tiny light and fell asleep. Even in the dark there is a little light.",
        "A rabbit planted a seed and looked at it every day. Nothing happened, and the rabbit grew sad. Wait a little, "
        "said his mother. In spring there was a yellow flower. The rabbit smiled, for waiting can be sweet.",
        "A small boat wanted to see the ocean. Is it far, she asked the river. Just follow me, said the river. "
        "They went on for many days. At last there was the wide blue sea. Thank you, river, said the boat.",
        "A cat and a dog both wanted the same red balloon. They pulled and pulled, and it flew away. "
        "The two friends looked up and laughed. Then they made two kites, one for each.",
    ),
}

RHYMES: dict[Language, tuple[str, ...]] = {
    "zh": (
        "小雨滴，沙沙沙，落在小小的山坡上。花儿喝，草儿喝，大家一起快长大。",
        "月亮弯弯像小船，星星坐在船里边。小船摇，小船晃，摇到宝宝的梦乡。",
        "小蚂蚁，走一走，看见朋友拉拉手。小蜗牛，慢慢走，背着房子去旅游。",
    ),
    "en": (
        "Twinkle, twinkle, little star, how I wonder what you are. Up above the world so high, "
        "like a diamond in the sky.",
        "Row, row, row your boat, gently down the stream. Merrily, merrily, merrily, merrily, life is but a dream.",
        "Little raindrop, pitter pat, on my shoes and on my hat. Little sunbeam, warm and bright, "
        "dry the garden with your light.",
    ),
}

JOKES: dict[Language, tuple[str, ...]] = {
    "zh": (
        "小番茄和大番茄过马路，小番茄走得很慢。大番茄回头说，快点，不然就变成番茄酱啦。",
        "为什么数学书总是不开心？因为它的问题太多啦。",
        "小鱼问大鱼，你喜欢吃什么？大鱼说，我喜欢吃面。小鱼问，什么面？大鱼说，海面。",
    ),
    "en": (
        "Why did the teddy bear say no to dessert? Because she was stuffed.",
        "What do you call a sleeping dinosaur? A dino snore.",
        "Why was the maths book sad? It had too many problems.",
    ),
}

RIDDLES: dict[Language, tuple[Riddle, ...]] = {
    "zh": (
        Riddle("耳朵长长，尾巴短短，爱吃萝卜，蹦蹦跳跳。这是什么动物？", "兔子", re.compile("兔")),
        Riddle("白天看不见，晚上眨眼睛，挂在天空上，数也数不清。这是什么？", "星星", re.compile("星")),
        Riddle(
            "身穿黑白衣，爱吃绿竹子，圆圆滚滚真可爱。这是什么动物？", "熊猫", re.compile("熊猫|panda", re.IGNORECASE)
        ),
        Riddle("千条线，万条线，掉到水里看不见。这是什么？", "雨", re.compile("雨")),
    ),
    "en": (
        Riddle(
            "I have long ears and a short tail, I hop, and I love carrots. What am I?",
            "a rabbit",
            re.compile("rabbit|bunny|hare", re.IGNORECASE),
        ),
        Riddle(
            "You cannot see me by day, but at night I blink in the sky. What am I?",
            "a star",
            re.compile("star", re.IGNORECASE),
        ),
        Riddle(
            "I have hands and a face, but I cannot clap or smile. What am I?",
            "a clock",
            re.compile("clock|watch", re.IGNORECASE),
        ),
        Riddle("The more you dry with me, the wetter I get. What am I?", "a towel", re.compile("towel", re.IGNORECASE)),
    ),
}
