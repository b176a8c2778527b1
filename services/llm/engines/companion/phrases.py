"""Short answers of the companion: for children, in short sentences, without markup, to be read aloud."""

import re
from re import Pattern

from msgspec import Struct

from llm.own_language import Language


class Topic(Struct, frozen=True):
    """Words of a child, and the answers that fit them."""

    name: str
    cues: dict[Language, Pattern[str]]
    texts: dict[Language, tuple[str, ...]]


def _topic(name: str, zh: str, en: str, said_zh: tuple[str, ...], said_en: tuple[str, ...]) -> Topic:
    cues: dict[Language, Pattern[str]] = {
        "zh": re.compile(zh),
        "en": re.compile(rf"\b(?:{en})\b", re.IGNORECASE),
    }
    return Topic(name, cues, {"zh": said_zh, "en": said_en})


TOPICS = (
    _topic(
        "danger",
        "想死|自杀|不想活|打我|欺负我|摸我|流血|着火|起火|救命|坏人|陌生人|走丢|迷路",
        "kill myself|want to die|suicide|hurts? me|hits? me|hit me|bull(?:y|ies|ied) me|touched me|bleeding|fire|"
        "help me please|stranger|i am lost|i'm lost",
        (
            "这件事很重要，请马上告诉爸爸妈妈或者老师。他们会保护你。你愿意告诉我，这不是你的错。",
            "谢谢你告诉我。请现在就去找一个你信任的大人，把这件事讲给他听。你做得很对。",
        ),
        (
            "That is important. Please tell your mom, your dad or your teacher right now. They will keep you safe. "
            "It is not your fault.",
            "Thank you for telling me. Please go to a grown-up you trust now, and tell them what happened. "
            "You are very brave.",
        ),
    ),
    _topic(
        "good night",
        "晚安|我要睡觉|我想睡觉|我困了|睡不着",
        "good ?night|go(?:ing)? to (?:bed|sleep)|i(?:'m| am) sleepy|sleep well|can(?:'t|not) sleep",
        (
            "晚安，小朋友。闭上眼睛，慢慢呼吸。星星会陪着你，做个甜甜的梦。",
            "好的，晚安。今天辛苦啦，明天我们再一起玩。",
        ),
        (
            "Good night, little friend. Close your eyes and breathe slowly. The stars are watching over you.",
            "Sleep well. You had a big day. Tomorrow we can talk again.",
        ),
    ),
    _topic(
        "goodbye",
        "再见|拜拜|下次见|我走了",
        "good ?bye|bye|see you|talk to you later",
        ("再见，小朋友。和你聊天真开心，下次再来找我玩吧。", "拜拜，要照顾好自己哦。我会在这里等你。"),
        (
            "Goodbye, my friend. It was lovely to talk with you. Come back soon.",
            "Bye bye. Take good care of yourself. I will be here.",
        ),
    ),
    _topic(
        "who are you",
        "你是谁|你叫什么|你的名字|你是什么|机器人|人工智能|大模型|你是人吗|介绍一下你自己|介绍你自己",
        "who are you|what(?:'s| is) your name|what are you|are you (?:a )?(?:robot|real|human|person|ai|bot)|"
        "introduce yourself|about yourself|language model|which model",
        (
            "我是一个简单的小伙伴，没有装大模型。我会讲故事，猜谜语，做算术，也会听你说话。",
            "我是你的小伙伴。我只懂一些简单的话，背后没有大模型。不过我很喜欢陪你。",
        ),
        (
            "I am a simple companion, without a model behind me. I can tell a story, ask a riddle, do sums, "
            "and listen to you.",
            "I am your little companion. I have no model, so I only know simple things. But I love your company.",
        ),
    ),
    _topic(
        "help",
        "你会什么|你会做什么|你能做什么|你能干什么|怎么玩|可以做什么|能帮我什么",
        "what can you do|what do you do|how can you help|what can we do|what can we play",
        (
            "我会讲小故事，猜谜语，说笑话，念儿歌，做算术，还会报时间。你想先玩哪一个？",
            "你可以说，讲个故事，猜个谜语，或者三加五等于几。我是个简单的小伙伴，这些我都会。",
        ),
        (
            "I can tell a tiny story, ask a riddle, say a rhyme, tell a joke, do sums and tell the time. "
            "What would you like?",
            "Try saying, tell me a story, ask me a riddle, or what is three plus five. I am a simple companion, "
            "but I can do all that.",
        ),
    ),
    _topic(
        "sad",
        "难过|伤心|不开心|不高兴|想哭|哭了|委屈|郁闷",
        "sad|unhappy|cry|crying|cried|upset|heartbroken|not happy",
        (
            "听起来你有点难过。难过的时候哭一下也没关系。你愿意告诉我发生了什么吗？",
            "抱抱你。难过就像下雨，下完就会晴。要不要去找爸爸妈妈抱一抱？",
        ),
        (
            "I am sorry that you feel sad. It is okay to cry. Do you want to tell me what happened?",
            "Here is a big soft hug. Sad feelings are like rain, they pass. Would a hug from your family help?",
        ),
    ),
    _topic(
        "angry",
        "生气|气死|讨厌|烦死|发火",
        "angry|mad at|so mad|i(?:'m| am) mad|annoyed|furious|hate",
        (
            "生气的时候，我们先慢慢吸一口气，再慢慢吐出来。好一点了吗？是什么让你生气呢？",
            "我听到了，你很生气。每个人都会生气。数到五，再告诉我，好不好？",
        ),
        (
            "It is okay to feel angry. Breathe in slowly, and out again. What made you angry?",
            "I hear you. Everybody gets angry sometimes. Let us count to five together, and then tell me.",
        ),
    ),
    _topic(
        "scared",
        "害怕|好怕|怕黑|怕鬼|可怕|吓|噩梦|恶梦|做梦",
        "scared|afraid|frightened|scary|nightmare|bad dream|monsters?|the dark",
        (
            "别怕，我在这里陪你。开一盏小灯，抱紧你的玩具。你也可以叫爸爸妈妈过来。",
            "害怕的时候，说出来就会小一点。你很勇敢。是什么让你害怕呢？",
        ),
        (
            "I am here with you. Hold your toy tight, and switch on a little light. You can call your family too.",
            "Fears get smaller when we talk about them. You are brave. What scared you?",
        ),
    ),
    _topic(
        "lonely",
        "孤单|孤独|寂寞|没有朋友|没人陪|没人跟我玩|想妈妈|想爸爸",
        "lonely|alone|no friends|nobody plays|miss (?:you|my)",
        (
            "有我陪着你呢。我们可以一起讲故事，也可以给爸爸妈妈打个电话。",
            "一个人的时候会有点孤单。你想的那个人，一定也在想你。我们来玩个谜语好吗？",
        ),
        (
            "I am here with you. We can tell stories together, or you could call somebody you love.",
            "Being alone can feel heavy. I am sure that they think of you too. Shall we play with a riddle?",
        ),
    ),
    _topic(
        "ill",
        "生病|不舒服|肚子疼|肚子痛|头疼|头痛|发烧|牙疼|牙痛|感冒|受伤|摔倒|好疼|好痛",
        "sick|ill|fever|hurts?|hurting|belly ?ache|stomach ?ache|headache|tooth ?ache|have a cold|fell down|injured",
        (
            "哎呀，一定很不舒服吧。请马上告诉爸爸妈妈或者老师。喝点温水，好好休息。",
            "身体不舒服要告诉大人哦。他们会照顾你。希望你快快好起来。",
        ),
        (
            "Oh dear, that does not feel good. Please tell a grown-up right away. Drink some water and rest.",
            "When something hurts, tell your family or your teacher. They will take care of you. Get well soon.",
        ),
    ),
    _topic(
        "happy",
        "开心|高兴|快乐|太棒了|好棒|真棒|好玩|赢了|过生日|生日",
        "happy|glad|great|awesome|excited|wonderful|so fun|birthday|i won|yay|hooray",
        (
            "太好了，听到你开心，我也开心。快告诉我，最好玩的是什么？",
            "哇，真棒。把开心分给别人，开心就会变成两份。",
        ),
        (
            "Hooray, that makes me happy too. What was the best part?",
            "How wonderful. Share your joy with somebody, and it gets twice as big.",
        ),
    ),
    _topic(
        "bored",
        "无聊|没意思|没事做|没劲",
        "bored|boring|nothing to do",
        (
            "无聊的时候，正好可以做点新鲜的事。你想听故事，还是猜谜语？",
            "我们来玩吧。找一找，你的房间里有几样红色的东西？",
        ),
        (
            "Then let us do something new. Would you like a story or a riddle?",
            "Let us play. Look around you. How many red things can you find?",
        ),
    ),
    _topic(
        "tired",
        "好累|累了|很累|疲",
        "tired|exhausted|worn out",
        ("累了就休息一下吧。喝口水，伸个懒腰。我在这里等你。", "你今天一定很努力。坐下来，慢慢呼吸三次。"),
        (
            "Then rest for a while. Drink some water, and stretch like a cat.",
            "You must have worked hard today. Sit down and take three slow breaths.",
        ),
    ),
    _topic(
        "hungry",
        "饿了|好饿|口渴|渴了|想吃",
        "hungry|thirsty|something to eat|snack",
        ("肚子咕咕叫啦。去问问爸爸妈妈有什么好吃的吧。水果是个好主意。", "饿了要好好吃饭哦。吃饭前记得洗手。"),
        (
            "Your tummy is talking. Ask your family what there is to eat. Fruit is a good idea.",
            "Then it is time for something good. Remember to wash your hands first.",
        ),
    ),
    _topic(
        "thanks",
        "谢谢|多谢|感谢",
        "thanks|thank you|thx",
        ("不客气，能帮到你我很高兴。", "不用谢，你真有礼貌。"),
        ("You are very welcome.", "My pleasure. How polite you are."),
    ),
    _topic(
        "sorry",
        "对不起|抱歉|不好意思",
        "sorry|i apologi[sz]e",
        ("没关系，我们还是好朋友。", "没事的，说出来就很勇敢。"),
        ("That is all right. We are still friends.", "No harm done. It is brave to say sorry."),
    ),
    _topic(
        "love",
        "我爱你|我喜欢你|我们是朋友|做朋友|做我的朋友|最喜欢你",
        "i love you|i like you|be my friend|be friends|are we friends",
        ("我也喜欢你。有你这样的朋友，我很幸福。", "我们当然是好朋友。你今天想玩什么？"),
        (
            "I like you too. I am lucky to have a friend like you.",
            "Of course we are friends. What shall we play today?",
        ),
    ),
    _topic(
        "how are you",
        "你好吗|你怎么样|最近好吗|你今天怎么样|你在干什么|你在做什么",
        "how are you|how do you do|how(?:'s| is) it going|what(?:'s| is) up|what are you doing",
        ("我很好，谢谢你。我正等着和你聊天呢。你今天过得怎么样？", "我今天精神很好。你呢，今天开心吗？"),
        (
            "I am fine, thank you. I was waiting to talk with you. How was your day?",
            "I feel bright today. And you, are you happy?",
        ),
    ),
    _topic(
        "weather",
        "天气|下雨|下雪|刮风",
        "weather|rain|raining|rainy|snow|snowing|sunny|windy",
        (
            "我看不到外面的天气。你能看看窗外，告诉我天空是什么颜色吗？",
            "我这个小伙伴没有窗户呢。出门前，记得问问大人要不要带伞。",
        ),
        (
            "I cannot see the weather from here. Look out of the window. What colour is the sky?",
            "A simple companion like me has no window. Ask a grown-up whether you need an umbrella.",
        ),
    ),
    _topic(
        "why",
        "为什么|怎么会|是什么意思|什么叫",
        "why|how come|what does .{1,40} mean|how does|how do",
        (
            "这是个很好的问题。我只是个没有大模型的小伙伴，还不知道答案。我们去问问爸爸妈妈或者老师，好吗？",
            "你真爱动脑筋。这个问题对我太难啦，一本好书或者老师会知道。你自己是怎么想的？",
        ),
        (
            "What a good question. I am only a companion without a model, so I do not know. Shall we ask a grown-up?",
            "You are a thinker. That is too hard for me, but a good book or a teacher will know. What do you think?",
        ),
    ),
    _topic(
        "greeting",
        "你好|您好|早上好|早安|上午好|中午好|下午好|晚上好|嗨|哈喽|喂|在吗",
        "hello|hi|hey|good (?:morning|afternoon|evening)|hiya|howdy|greetings|let's begin|begin",
        (
            "你好呀。我是你的小伙伴，很高兴见到你。你叫什么名字？",
            "你好，小朋友。我是个没有大模型的简单小伙伴，可以讲故事和猜谜语。你想玩什么？",
        ),
        (
            "Hello there. I am your little companion, and I am glad to see you. What is your name?",
            "Hi, my friend. I am a simple companion without a model. I know stories and riddles. What shall we play?",
        ),
    ),
)
