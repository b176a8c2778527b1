import pytest

from chassis.upstream.addresses import address

CHAT = "/chat/completions"
AZURE = "https://bear.openai.azure.com"


@pytest.mark.parametrize(
    ("written", "base_url", "query"),
    [
        ("https://api.example/v1", "https://api.example/v1", ""),
        (" 'https://api.example/v1/' ", "https://api.example/v1", ""),
        ("“https://api.example/v1”", "https://api.example/v1", ""),
        ("「https://api.example/v1」，", "https://api.example/v1", ""),
        ("https：//api.example：8443/v1。", "https://api.example:8443/v1", ""),
        ("ｈｔｔｐｓ：／／api.example／v1", "https://api.example/v1", ""),
        ("\ufeffhttps://api.example/v1\u200b", "https://api.example/v1", ""),
        ("https://api.example/v1 # mine", "https://api.example/v1", ""),
        *(
            (mistyped, "https://api.example/v1", "")
            for mistyped in (
                *("https//api.example/v1", "htttps://api.example/v1", "ttps://api.example", "htps://api.example"),
                *("https:/api.example/v1", "https;//api.example", "https:api.example/v1", "https:\\\\api.example\\v1"),
                *("https:///api.example/v1", "https://https://api.example/v1", "https://https//api.example"),
                *("[Example](https://api.example/v1)", "[https://api.example/v1](https://api.example/v1)"),
                *("https://api.example/v1 (the best one)", "https://api.example/v1，推荐 https://other.example"),
                *("https://api.example/v1,https://other.example/v1", "https:// api.example/v1"),
                *("curl https://api.example/v1/chat/completions", "POST https://api.example/v1/chat/completions"),
                *("curl -X POST 'https://api.example/v1/chat/completions' -H 'x: y'", "(https://api.example/v1)"),
                *(
                    "base_url=https://api.example/v1",
                    'base_url: "https://api.example/v1"',
                    "地址：https://api.example/v1",
                ),
            )
        ),
        ("https://relay.example/https://api.example/v1", "https://relay.example/https://api.example/v1", ""),
        ("https://relay.example/v1?to=https://api.example/v1", "https://relay.example/v1", "to=https://api.example/v1"),
        ("http:8000/v1", "http://http:8000/v1", ""),
        ("http.example/v1", "https://http.example/v1", ""),
        ("ftp://api.example/v1", "ftp://api.example/v1", ""),
        ("https://api.example/v1/chat/completions", "https://api.example/v1", ""),
        ("https://api.example/v1/chat/completions/", "https://api.example/v1", ""),
        ("https://api.example/v1/audio/speech", "https://api.example/v1", ""),
        ("https://api.example/v1/models", "https://api.example/v1", ""),
        ("https://api.example/v1#", "https://api.example/v1", ""),
        ("https://api.example/v1#/chat/completions", "https://api.example/v1", ""),
        ("https://api.example/v1?x=1#top", "https://api.example/v1", "x=1"),
        ("https://api.example/v1/chat/completions?api-version=2", "https://api.example/v1", "api-version=2"),
        ("https://api.example/e/HASH/chat/completions", "https://api.example/e/HASH", ""),
        ("HTTPS://api.example/V1/Chat/Completions", "https://api.example/V1", ""),
        ("api.example/v1", "https://api.example/v1", ""),
        ("//api.example/v1", "https://api.example/v1", ""),
        ("api.example", "https://api.example/v1", ""),
        ("api.example:8443/v1", "https://api.example:8443/v1", ""),
        ("localhost:11434", "http://localhost:11434/v1", ""),
        ("127.0.0.1:8000/v1", "http://127.0.0.1:8000/v1", ""),
        ("192.168.1.5:8000", "http://192.168.1.5:8000/v1", ""),
        ("[::1]:8000/v1", "http://[::1]:8000/v1", ""),
        ("gpu:8000/v1", "http://gpu:8000/v1", ""),
        ("gpu.lan/v1", "http://gpu.lan/v1", ""),
        ("http://localhost:11434/", "http://localhost:11434/v1", ""),
        ("http://bear:honey@localhost:1/v1", "http://bear:honey@localhost:1/v1", ""),
        (AZURE, f"{AZURE}/openai/v1", ""),
        (
            f"{AZURE}/openai/deployments/my?api-version=2024-10-21",
            f"{AZURE}/openai/deployments/my",
            "api-version=2024-10-21",
        ),
        (
            f"{AZURE}/openai/deployments/my/chat/completions?api-version=2024-10-21",
            f"{AZURE}/openai/deployments/my",
            "api-version=2024-10-21",
        ),
    ],
)
def test_an_address_is_understood_as_people_write_it(written: str, base_url: str, query: str) -> None:
    assert address(written, CHAT, None) == (base_url, query)


def test_a_host_alone_gets_the_path_that_its_provider_has() -> None:
    usual = "https://generativelanguage.googleapis.com/v1beta/openai"

    assert address("https://generativelanguage.googleapis.com", CHAT, usual).base_url == usual
    assert address("http://mirror.example/", CHAT, usual).base_url == "http://mirror.example/v1beta/openai"
