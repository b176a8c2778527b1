from msgspec import Raw

from llm.wire import Assistant, Part, User, said_by, text_of


def test_all_text_parts_of_a_message_count() -> None:
    parts = [Part("text", text="one"), Part("image_url", image_url=Raw(b"{}")), Part("text", text="two")]

    assert text_of(parts) == "one\ntwo"
    assert said_by(User, [User(parts), Assistant("no"), User("three")]) == ["one\ntwo", "three"]
