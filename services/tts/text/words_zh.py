"""Words of Chinese readings: units, money, signs, measure words, and words beside which figures are read one by one.

To mend a reading, look here first. Add a unit to UNITS, a thing that is counted with 两 to COUNTED, a word such as 邮编
to CODES. How numbers are put together is in numbers_zh.py, the order of the rules in figures_zh.py. `make spoken
TEXT="…" LANGUAGE=zh` shows what comes of it, and readings_zh.tsv among the tests holds what was agreed on.
"""

UNITS = {
    "km/h": "公里每小时", "m/s": "米每秒", "m/s²": "米每二次方秒", "km²": "平方公里", "m²": "平方米",
    "m³": "立方米", "cm²": "平方厘米",
    "cm³": "立方厘米", "mm³": "立方毫米", "mm²": "平方毫米", "dm²": "平方分米", "dm³": "立方分米",
    "km2": "平方公里", "m2": "平方米",
    "m3": "立方米", "cm2": "平方厘米", "cm3": "立方厘米", "km": "公里", "cm": "厘米", "mm": "毫米", "dm": "分米",
    "nm": "纳米", "μm": "微米", "µm": "微米", "Mbps": "兆比特每秒",
    "m": "米", "kg": "公斤", "mg": "毫克", "g": "克", "t": "吨", "ml": "毫升", "mL": "毫升",
    "cc": "毫升", "L": "升", "l": "升", "GB": "G B", "MB": "M B", "TB": "T B", "KB": "K B", "Hz": "赫兹", "kHz": "千赫",
    "MHz": "兆赫", "GHz": "吉赫", "kW": "千瓦", "W": "瓦", "V": "伏", "Ω": "欧姆", "mAh": "毫安时",
    "kWh": "千瓦时", "kPa": "千帕", "Pa": "帕", "min": "分钟", "h": "小时", "s": "秒", "ms": "毫秒", "kcal": "千卡",
    "cal": "卡", "kJ": "千焦", "dB": "分贝", "rpm": "转每分", "mmHg": "毫米汞柱",
    "ppm": "百万分之一",
    "ft": "英尺", "in": "英寸", "lb": "磅", "lbs": "磅", "oz": "盎司", "mph": "英里每小时", "fps": "帧每秒",
    "N/kg": "牛每千克", "mol": "摩尔", "mpg": "英里每加仑",

    "px": "像素", "bpm": "拍每分",
}  # fmt: skip
MONEY = {
    "¥": "元", "￥": "元", "$": "美元", "€": "欧元", "£": "英镑", "￡": "英镑", "₹": "卢比", "₩": "韩元",
    "₽": "卢布", "฿": "泰铢",
    "₫": "越南盾", "₺": "里拉", "₴": "格里夫纳", "₪": "谢克尔", "₱": "比索", "₿": "比特币", "US$": "美元", "C$": "加元",
    "CA$": "加元", "A$": "澳元", "AU$": "澳元", "NZ$": "新西兰元", "HK$": "港元", "NT$": "新台币", "S$": "新加坡元",
    "R$": "雷亚尔", "MX$": "墨西哥比索", "CN¥": "元", "JP¥": "日元", "RMB¥": "元",
}  # fmt: skip
CODES_OF_MONEY = {
    "USD": "美元", "CNY": "元", "RMB": "元", "EUR": "欧元", "GBP": "英镑", "JPY": "日元", "HKD": "港元",
    "TWD": "新台币",
    "KRW": "韩元", "INR": "卢比", "RUB": "卢布", "CAD": "加元", "AUD": "澳元", "SGD": "新加坡元", "CHF": "瑞士法郎",
    "THB": "泰铢", "MOP": "澳门元", "NZD": "新西兰元", "VND": "越南盾", "BRL": "雷亚尔",
}  # fmt: skip
MONEY_WORDS = "元|块钱|块|美元|美金|欧元|英镑|日元|港元|港币|澳元|加元|人民币|卢比|韩元|卢布|泰铢|新台币"
"""A sign before the figures says no more than one of these after them."""

SIGNS = {
    "+": "加", "−": "减", "×": "乘", "*": "乘", "÷": "除以", "=": "等于", "＜": "小于", "＞": "大于", "≤": "小于等于",
    "≥": "大于等于", "≠": "不等于", "±": "正负", "≈": "约等于", "∶": "比",
}  # fmt: skip
RELATIONS = {
    "∠": "角", "∆": "三角形", "∥": "平行于", "⊥": "垂直于", "∴": "所以", "∵": "因为", "∈": "属于", "∉": "不属于",
    "∝": "正比于", "≡": "恒等于", "∪": "并", "∩": "交",
}  # fmt: skip
GREEK = {
    "π": "派", "α": "阿尔法", "β": "贝塔", "γ": "伽马", "θ": "西塔", "λ": "兰姆达", "μ": "缪", "σ": "西格玛", "φ": "斐",
    "ω": "欧米伽", "Δ": "德尔塔", "Ω": "欧米伽", "∞": "无穷大",
}  # fmt: skip

COUNTED = (
    "球(?![员队迷场星馆类技门])|个|只|条|张|本|头|匹|位|名(?!次)|件|块|杯|瓶|辆|颗|朵|棵|首|句|岁|天|周(?![一二三四五六日])|次(?!元)|倍|种|"
    "年(?![级初])|点|元|米|升|克|斤|秒|小时|分|公斤|公里|公升|公顷|千克|厘米|毫米|毫升|平方|立方|英寸|英尺|英里|星期|"
    "礼拜|双|对(?![面0-9])|家|座|层|根|支|枝|把|盒|包|碗|遍|步|场|口|万|千|亿|度|人|台|部|架|艘|面|扇|题|道|节|顶|副|门|集|"
    "角|毛|枚|片|粒|滴|串|群|队|排|列|组|套|束|堆|团|阵|声|眼|拳|脚|刀|篇|页|幅|封|份|股|项|则|回|趟|顿|番|轮(?!车)|桶|"
    "盆|盘|锅|壶|罐|袋|箱|筐|篮|勺|匙|针|剂|味|档|届|代|者|边|旁|侧|岸|国|端|栋(?![0-9])|幢|间|所|户|桌|床|株|丛|"
    "缕|笔|通|起|晚|"
    "夜|季(?!度)|世纪|刻钟|钟头|吨|磅|亩|克拉|卡(?!通)|美元|欧元|英镑|日元|港元|成(?![为功员])|章|段|行|发|班次|"
    "艇|栏|架次|人次|伙|帮|拨|伏|瓦|辈|丈|尺|寸|里|站|圈|局|关|招|样|类|批|字|盏|下(?![午面周个半])"
)
"""Things that two of are 两: 两个, 两人, 两台. What is numbered (二年级, 二月, 二号, 二楼) is not among them."""

HEAVENLY = {"N": "北纬", "S": "南纬", "E": "东经", "W": "西经"}
EMERGENCY = "110|119|120|122|911|112|999|995|12110|12119"
CALLING = (
    "打|拨|呼叫|电话|热线|急救|火警|报警|匪警|盗警|求助|求救|救护|警察|消防|号码|紧急|着火|起火|失火|火灾|救命|救火|"
    "坏人|受伤"
)
"""A sentence with one of these speaks of telephone numbers."""
LINES = "电话|手机|座机|热线|客服|专线|传真|号码|致电|来电|拨打|拨通|拨|打|联系方式|短信"
"""Words before the digits of a telephone, in which one is 幺."""
ACCOUNTS = "微信号?|QQ群?号?|qq群?号?|车牌号?|航班号?|车次|公交"
"""Words before other digits that are said as on the telephone."""
CODES = (
    "邮编|邮政编码|编号|学号|卡号|账号|帐号|身份证号?码?|密码|验证码|口令|取件码|取餐码|提取码|邀请码|兑换码|代码|"
    "房间号?|房号|房|门牌号?|教室|宿舍|工号|订单号?|单号|快递号?|区号|代号|序列号|型号|座位号|档案号|批号|位是|条形码|"
    "尾号|[后末前][2-8四六八]位|单元|波音|空客|Room|room|PIN|Gate|Flight"
)
"""Words before digits that are a name, not an amount."""
ROOMS = "室|宿舍|号房间?|房间|房(?![子贷价屋租东产])|教室|病房|号病房|包厢|号楼\\d"
PLATES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"

NAMED = "事件|晚会|大促|购物节|中学|小学|医院|艺术区|浏览器|杀毒|安全卫士|小游戏|国道|省道|县道|高地|工厂|公交车|路公交"
"""After three or four digits that are a name: 101中学, 318国道."""
COUNTED_ONLINE = "粉丝|关注|点赞|赞|阅读|播放|浏览|收藏|评论|转发|下载|人|元|块|步|次|多|字|件|单"
"""After the w (万) and k (千) of numbers online: 10w粉丝."""
DIAGRAMS = "图|表|附图|附表|例题?|习题|练习|公式"
"""Before the number of a chapter and that of a figure in it: 图1-2."""

SPANS = (
    "了|过|约|近|距今|达|超过|大约|差不多|已经|已有|整整|足足|至少|不到|多达|经过|几乎|将近|每|"
    "再过|需要?|等|活|有|用|花"
)
"""Words before a number of years that passed."""
SPANNED = "前|以前|之前|多|来|的历史|历史|的时间|时间|寿命|之久|之后|以后|后|古树|老树|以上|以下|以来|左右|的"
"""Words after a round number of years that passed."""
HOLIDAYS = "放假|休息|假期|放暑假|放寒假|活动|促销|开放|期间|去|出发|举行|旅行"
"""Words after days such as 5.1-5.7."""
DATES = "日期|时间|截止|生日|开学|放假|考试|今天|明天|暑假|寒假"
"""Words before a day such as 5/1."""
FEASTS = "节|晚会|事件|假期|小长假|黄金周|大促|购物|国庆|地震|劳动|妇女|儿童|消费者|大减价"
"""Words after days that are names: 3.8, 6.1, 3·15."""
ASKED = "等于|是多少|等於|得多少|得几|得(?=[0-9])|是几|为多少|差是"
ASKING = "算一算|算算|计算|口算|心算|求|算式[是为]?|列式|题目[是为]?|请问"
SCORES = "比分|大比分|战绩|以"
SCORED = "战胜|击败|战平|领先|落后|取胜|获胜|赢|输|大胜|险胜|惜败|逆转|平局|打败|的比分"
RATIOS = "比例|比率|配比|比值|按|按照|兑|之比|比分|大比分"
NEGATIVE = "的示成是为得于到至有比和与或加减乘除达约降升从在值数余温低额润长率"
"""Words before a minus that is one; after other words a dash joins a name and its number (歼-20)."""

SOUNDS = {
    "h+m+": "嗯", "m{2,}": "嗯", "s+h+": "嘘", "p+s+t+": "嘘", "a+h{1,}": "啊", "o+h{1,}": "哦", "a+w{2,}": "噢",
    "e+w{2,}": "咦", "u+h{1,}": "呃", "u+m{2,}": "嗯", "e+r{2,}": "呃", "w+o+w+": "哇", "y+a+y+": "耶",
    "h[ae]h[ae]+h?": "哈哈",
    "o{2,}h*": "哦", "u+g+h+": "唉", "z{3,}": "", "b+r{2,}": "", "g+r{2,}": "", "t+s+k+": "啧", "oops": "哎呀",
}  # fmt: skip
"""Interjections, as a Chinese sentence borrows them; what has no word is left out."""
