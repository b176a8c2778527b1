"""Words of English readings: units, money, signs, months, abbreviations, and the words beside which digits are spelt.

Add a unit to UNITS, an abbreviation to SHORT, a word such as "extension" to CODES. Where another reading is mended:
ARCHITECTURE.md, Mouth. `make spoken TEXT="…"` shows what comes of it, and readings_en.tsv among the tests holds what
was agreed on.
"""

MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
MONTH_OF = {name[:3]: name for name in MONTHS} | {name: name for name in MONTHS} | {"Sept": "September"}
DAY_OF = {
    "Mon": "Monday", "Tue": "Tuesday", "Tues": "Tuesday", "Wed": "Wednesday", "Thu": "Thursday", "Thur": "Thursday",
    "Thurs": "Thursday", "Fri": "Friday", "Sat": "Saturday", "Sun": "Sunday",
}  # fmt: skip

UNITS = {
    "km/h": "kilometer per hour", "kph": "kilometer per hour", "mph": "mile per hour", "m/s": "meter per second",
    "m/s²": "meter per second squared",
    "km²": "square kilometer", "m²": "square meter", "m³": "cubic meter", "mm³": "cubic millimeter",
    "cm²": "square centimeter",
    "cm³": "cubic centimeter", "m2": "square meter", "m3": "cubic meter", "km2": "square kilometer",
    "cm2": "square centimeter", "cm3": "cubic centimeter", "ft²": "square foot", "in²": "square inch",
    "km": "kilometer",
    "cm": "centimeter", "mm": "millimeter", "nm": "nanometer", "μm": "micrometer", "µm": "micrometer",
    "Mbps": "megabit per second", "Gbps": "gigabit per second",
    "m": "meter", "kg": "kilogram", "mg": "milligram",
    "g": "gram", "lb": "pound", "lbs": "pound", "oz": "ounce", "ml": "milliliter", "mL": "milliliter", "L": "liter",
    "cc": "cubic centimeter", "ft": "foot", "mi": "mile", "yd": "yard", "GB": "gigabyte", "MB": "megabyte",
    "TB": "terabyte", "KB": "kilobyte", "kB": "kilobyte", "Hz": "hertz", "kHz": "kilohertz", "MHz": "megahertz",
    "GHz": "gigahertz", "kW": "kilowatt", "W": "watt", "V": "volt", "mAh": "milliamp hour", "kWh": "kilowatt hour",
    "mmHg": "millimeter of mercury",
    "hrs": "hour", "hr": "hour", "min": "minute", "mins": "minute", "sec": "second", "secs": "second",
    "ms": "millisecond", "kcal": "kilocalorie", "kJ": "kilojoule", "dB": "decibel", "rpm": "revolution per minute",
    "tsp": "teaspoon", "tbsp": "tablespoon", "Tbsp": "tablespoon", "h": "hour", "bpm": "beat per minute",
    "fps": "frame per second", "px": "pixel", "pts": "point", "yrs": "year", "wks": "week",
    "mos": "month", "gal": "gallon", "mpg": "mile per gallon", "fl oz": "fluid ounce", "fl. oz.": "fluid ounce",
    "sq ft": "square foot", "cu ft": "cubic foot", "t": "ton", "mol": "mole", "N/kg": "newton per kilogram",
    "km/s": "kilometer per second", "g/cm³": "gram per cubic centimeter",
    "€": "euro", "$": "dollar", "£": "pound", "¢": "cent", "¥": "yuan",
    "￥": "yuan", "₹": "rupee", "₩": "won", "₽": "ruble", "元": "yuan",
}  # fmt: skip
PLURALS = {
    "millimeter of mercury": "millimeters of mercury",
    "foot": "feet", "square foot": "square feet", "inch": "inches", "square inch": "square inches", "hertz": "hertz",
    "kilohertz": "kilohertz", "megahertz": "megahertz", "gigahertz": "gigahertz", "yuan": "yuan", "won": "won",
    "yen": "yen", "baht": "baht", "dong": "dong", "Swiss franc": "Swiss francs",
}  # fmt: skip
PER = {
    "h": "hour", "hr": "hour", "s": "second", "sec": "second", "min": "minute", "day": "day", "week": "week",
    "wk": "week",
    "month": "month", "mo": "month", "year": "year", "yr": "year", "kg": "kilogram", "lb": "pound", "g": "gram",
    "L": "liter", "l": "liter", "km": "kilometer", "m": "meter", "person": "person", "hour": "hour", "minute": "minute",
    "second": "second", "night": "night", "piece": "piece", "dozen": "dozen", "gallon": "gallon", "gal": "gallon",
    "ml": "milliliter", "cup": "cup", "kid": "kid", "child": "child", "pound": "pound", "mile": "mile",
    "meter": "meter",
    "m²": "square meter", "m³": "cubic meter", "bag": "bag", "box": "box", "bottle": "bottle", "item": "item",
    "ticket": "ticket", "100km": "hundred kilometers", "100 km": "hundred kilometers",
}  # fmt: skip
MONEY = {
    "$": ("dollar", "cent"), "€": ("euro", "cent"), "£": ("pound", "pence"), "￡": ("pound", "pence"), "¥": ("yuan",
    ""), "￥": ("yuan", ""),
    "US$": ("dollar", "cent"), "C$": ("Canadian dollar", "cent"), "CA$": ("Canadian dollar", "cent"),
    "A$": ("Australian dollar", "cent"), "AU$": ("Australian dollar", "cent"), "NZ$": ("New Zealand dollar", "cent"),
    "HK$": ("Hong Kong dollar", "cent"), "NT$": ("Taiwan dollar", "cent"), "S$": ("Singapore dollar", "cent"),
    "R$": ("real", ""), "MX$": ("Mexican peso", ""), "₹": ("rupee", ""), "₩": ("won", ""), "₽": ("ruble", ""),
    "฿": ("baht", ""), "₫": ("dong", ""), "₺": ("lira", ""), "₴": ("hryvnia", ""), "₪": ("shekel", ""),
    "₱": ("peso", ""),
    "₿": ("bitcoin", ""),
}  # fmt: skip
CODES_OF_MONEY = {
    "USD": "US dollar", "EUR": "euro", "GBP": "pound", "JPY": "yen", "CNY": "yuan", "RMB": "yuan",
    "HKD": "Hong Kong dollar", "TWD": "Taiwan dollar", "KRW": "won", "INR": "rupee", "RUB": "ruble",
    "CAD": "Canadian dollar", "AUD": "Australian dollar", "NZD": "New Zealand dollar", "SGD": "Singapore dollar",
    "CHF": "Swiss franc", "THB": "baht", "BRL": "real", "MXN": "Mexican peso",
}  # fmt: skip
MAGNITUDE = {
    "k": "thousand",
    "K": "thousand",
    "m": "million",
    "M": "million",
    "bn": "billion",
    "mn": "million",
    "tn": "trillion",
    "B": "billion",
}

SIGNS = {
    "+": "plus", "−": "minus", "×": "times", "*": "times", "÷": "divided by", "=": "equals", "＜": "is less than",
    "＞": "is greater than", "≤": "is at most", "≥": "is at least", "≠": "is not equal to", "±": "plus or minus",
    "≈": "is about", "∶": "to",
}  # fmt: skip
RELATIONS = {
    "∠": "angle", "∆": "triangle", "∥": "is parallel to", "⊥": "is perpendicular to", "∴": "therefore", "∵": "because",
    "∈": "is in", "∉": "is not in", "∝": "is proportional to", "≡": "is identical to", "∪": "union", "∩": "and",
    "⊂": "is a subset of", "⊆": "is a subset of", "⊃": "contains", "⊇": "contains", "∅": "the empty set",
    "∀": "for all", "∃": "there exists", "∂": "partial", "∇": "nabla", "≅": "is congruent to", "≌": "is congruent to",
    "∼": "is similar to", "∽": "is similar to", "∧": "and", "∨": "or", "¬": "not", "∣": "divides",
}  # fmt: skip
OPERATORS = {
    "∑": ("the sum", "over"), "∏": ("the product", "over"), "∫": ("the integral", "over"),
    "∬": ("the double integral", "over"), "∭": ("the triple integral", "over"), "∮": ("the closed integral", "over"),
    "lim": ("the limit", "as"),
}  # fmt: skip
"""Names of signs that stand over a range, each with the word before what it ranges over."""
FUNCTIONS = {"sin": "sine", "cos": "cosine", "tan": "tangent", "log": "log", "ln": "natural log of"}
"""Names before an angle or a number: sin30°, log 100."""
GREEK = {
    "π": "pi", "α": "alpha", "β": "beta", "γ": "gamma", "θ": "theta", "λ": "lambda", "μ": "mu", "σ": "sigma",
    "φ": "phi",
    "ω": "omega", "Δ": "delta", "Ω": "omega", "∞": "infinity", "δ": "delta", "ε": "epsilon", "ζ": "zeta", "η": "eta",
    "κ": "kappa", "ν": "nu", "ξ": "xi", "ρ": "rho", "τ": "tau", "χ": "chi", "ψ": "psi", "Σ": "sigma", "Π": "pi",
    "Θ": "theta", "Λ": "lambda", "Φ": "phi", "Ψ": "psi", "Γ": "gamma",
}  # fmt: skip

_SAINTS = (
    "Patrick|Louis|Paul|Petersburg|Nicholas|Nick|Clair|Helens|John|George|Andrew|Francis|Mary|Peter|Lucia|Bernard|"
    "Valentine|Augustine|Joseph|James|Thomas|Michael|Martin|Basil|Moritz|Lawrence|Kitts|Croix|Jude|Elmo|Ives|Stephen|"
    "David|Anne|Anthony|Catherine|Cloud|Charles|Pancras|Vincent|Albans|Germain|Tropez|Lucy|Catharines|Teresa"
)
"""Names before which St. is a saint and no street."""
STATES = (
    "A[KLRZ]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|PA|RI|S[CD]|T[NX]|UT|V[AT]|W[AIVY]"
)
"""States, as they are written before a ZIP code."""
DIAGRAMS = "Figure|Fig|Table|Section|Exercise|Problem|Chart|Example|Diagram"
"""Words before the number of a chapter and that of a figure in it: Figure 1-2."""
SHORT = {
    r"Mr\.": "Mister", r"Mrs\.": "Missus", r"Dr\.(?= ?[A-Z])": "Doctor", r"Prof\.": "Professor",
    r"(?:vs\.?|v\.s\.)": "versus",
    r"Ph\.? ?D\.?": "P H D", r"e\.g\.": "for example", r"i\.e\.": "that is", r"etc\.(?=\s*$|\s+[A-Z])": "et cetera.",
    r"etc\.?": "et cetera", r"approx\.": "approximately", r"Jr\.": "Junior", r"Sr\.": "Senior", r"Mt\.": "Mount",
    r"Ave\.": "Avenue", r"Blvd\.": "Boulevard", r"Rd\.": "Road", rf"St\.(?= (?:{_SAINTS})\b)": "Saint",
    r"(?<=[a-z] )St\.": "Street", r"St\.": "Saint",
    r"Capt\.": "Captain", r"Lt\.": "Lieutenant", r"Gen\.": "General", r"Sgt\.": "Sergeant", r"Col\.": "Colonel",
    r"Rev\.": "Reverend", r"Gov\.": "Governor", r"Sen\.": "Senator", r"Dept\.": "Department", r"dept\.": "department",
    r"Fig\. ?(?=[0-9])": "Figure ", r"fig\. ?(?=[0-9])": "figure ", r"Vol\. ?(?=[0-9])": "Volume ",
    r"vol\. ?(?=[0-9])": "volume ", r"pp\. ?(?=[0-9])": "pages ", r"p\. ?(?=[0-9])": "page ",
    r"ch\. ?(?=[0-9])": "chapter ", r"Ch\. ?(?=[0-9])": "Chapter ", r"CO2": "C O two",
    r"Lv\. ?(?=[0-9])": "Level ", r"lv\. ?(?=[0-9])": "level ",
    r"pg\. ?(?=[0-9])": "page ", r"Sec\. ?(?=[0-9])": "Section ", r"Bldg\.": "Building", r"Op\. ?(?=[0-9])": "Opus ",
    r"a\.k\.a\.": "also known as", r"WWII": "World War Two",
    r"WWI": "World War One", r"Ste\. ?(?=[0-9])": "Suite ", r"Apt\. ?(?=[0-9])": "Apartment ",
    r"Hwy\.?": "Highway", r"Pkwy\.?": "Parkway", r"Ln\.": "Lane", r"Sq\.": "Square",
    r"Eps?\.? ?(?=[0-9])": "Episode ", r"EP ?(?=[0-9])": "Episode ",
    r"and/or": "and or", r"[Gg]r8": "great", r"b4(?= )": "before", r"[Ll]8r": "later", r"2day": "today",
    r"2nite": "tonight", r"2moro": "tomorrow", r"4ever": "forever", r"w8": "wait", r"m8": "mate", r"[Tt]hx": "thanks",
    r"(?:pls|plz)": "please",
    r"w/o": "without",
    r"n/a": "N A", r"N/A": "N A",
}  # fmt: skip

BOARDS = (
    "grid|board|inch|inches|feet|foot|ft|cm|mm|m|photo|picture|wood|square|cube|matrix|table|room|garden|box|"
    "sheet|block"
)
"""Words that follow two lengths: before one of them, 2x4 is two by four."""
CHESSMEN = {"K": "king", "Q": "queen", "R": "rook", "B": "bishop", "N": "knight"}
HEAVENLY = {"N": "north", "S": "south", "E": "east", "W": "west"}
MARKED = "scored?|got|gets?|rate[ds]?|rating|give (?:it|this|that|you) an?|gave (?:it|me) an?|marks?|grade[ds]?|quality"
"""Words before a mark: after one of them, 8/10 is eight out of ten."""
BOOKS = (
    "Genesis|Exodus|Leviticus|Deuteronomy|Joshua|Judges|Ruth|Samuel|Kings|Job|Psalms?|Proverbs|Isaiah|Jeremiah|Daniel|"
    "Jonah|Matthew|Mark|Luke|John|Acts|Romans|Corinthians|Galatians|Ephesians|Philippians|Hebrews|Peter|Revelation"
)
"""Words before chapter and verse: Psalm 23:1 is Psalm twenty-three one."""
RACES = "relay|race|dash|sprint|hurdles|freestyle|backstroke|butterfly|breaststroke|swim|track|final|medley"
STREETS = "St|Ave|Rd|Dr|Ln|Blvd|Street|Avenue|Road|Lane|Drive|Boulevard|Way|Court|Place|Square"
NUMBERED = "step|page|part|level|day|question|round|lesson|chapter|quiz|card|slide|task|stage|player"
"""Words before a place in a row: step 1/3 is one of three."""
PARTS_OF_WORKS = (
    "Chapter|Part|Book|Volume|Act|Scene|Episode|Season|War|Phase|Type|Level|Stage|Section|Lesson|Unit|Grade|Round|Class|"
    "Appendix|Article|Title|Figure|Table|Bowl|Mark|Division|Tier|Category|Step|Symphony|Movement"
)
"""Words before a Roman number, I and X too: Chapter IV is chapter four."""
RULERS = (
    "Henry|Louis|Elizabeth|Charles|George|Edward|James|William|Richard|Mary|John|Paul|Catherine|Napoleon|Alexander|"
    "Philip|Peter|Nicholas|Frederick|Francis|Ramses|Ptolemy|Ivan|Leopold|Benedict|Pius|Leo|Gregory|Clement|Innocent|"
    "Ferdinand|Gustav|Christian|Haakon|Harald|Carl|Wilhelm|Victor|Darius|Xerxes|Constantine|Otto|Margaret|Albert"
)
"""Names before a Roman number: Henry VIII is Henry the eighth."""

CALLING = (
    r"call(?:s|ed|ing)?(?: me| us| him| her)?(?: at| on)?|dial(?:s|ed|ing)?|phone|phone number|telephone|number is|"
    r"tel|text|fax|mobile|"
    r"cell|hotline|helpline|reach (?:me|us) (?:at|on)|ring"
)
"""Words before the digits of a telephone."""
CODES = (
    "rooms?|zip(?: code)?|postcode|post code|postal code|pin(?: code)?|passwords?|passcode|code|flight|apt|"
    "apartment|suite|ext|"
    "extension|account|id|serial number|order number|order|ticket number|licen[cs]e plate|locker|gate|boeing|agent|"
    "highway|interstate|route|p\\.?o\\.? box|qq|wechat|"
    "combination|confirmation number|tracking number|member number|area code"
)
"""Words before three digits or more that are a name, not an amount."""
EMERGENCY = "911|999|112|110|119|120|988|000"
ASKING = (
    r"what(?: is|'s|’s| are| was)|how much(?: is| are)?|calculate|subtract|compute|solve|work out|figure out|find|so"
    r"|problem|try|answer"
)
ASKED = r"is (?=[0-9]|what|how)|equals?\b|makes (?=[0-9])|gives (?=[0-9])|leaves (?=[0-9])"
RATIOS = "ratio|ratios|score|scores|scale|odds|won|beat|lost|lead|leads|led|mix|proportion|tied|wins"
YEARS = (
    "in|since|from|until|till|by|before|after|year|of|during|early|late|mid|around|spring|summer|autumn|fall|winter|"
    "and|"
    "to"
)
"""Words before a year."""

SOUNDS = {
    "h+m+": "hum", "m{2,}": "hum", "s+h{1,}": "shush", "p+s+t+": "pist", "a+h{1,}": "ah", "o{2,}h*": "ooh",
    "oh{2,}": "oh",
    "a+w{1,}": "aw",
    "e+w{1,}": "ew", "u+h{1,}": "uh", "u+m{1,}": "um", "e+r+m*": "er", "a+r{2,}g*h*": "arg",
    "u+g+h+": "ug",
    "z{2,}": "", "b+r{2,}": "", "g+r{2,}": "", "t+s+k+": "tisk", "p+f+t*": "puff", "w+o+w{2,}": "wow",
    "y+a+y{2,}": "yay",
    "w+h+e{2,}": "whee", "p+h+e+w+": "few", "h+u+h{2,}": "huh", "e{3,}k*": "eek", "n+y+a+h*": "nya",
}  # fmt: skip
"""Interjections, as words that engines know how to say; what has none is left out."""
DOUBLE = (
    "cool good sleep need see wee moo boo zoo too soon moon look free tree bee whee ooh food feel keep meet deep "
    "sweet week "
    "green seen room book boot noon spoon hello bell ball all well yell tall small will still hill bunny happy "
    "funny silly"
)
"""Words with a double letter of which a long one (coool) is made."""
