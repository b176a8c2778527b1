from stt.engines.whisper.batch_size import Limit


def test_a_limit_grows_while_batches_are_full_and_remembers_what_was_too_much() -> None:
    limit = Limit(8, 64)
    limit.served(7)
    assert limit.now == 8
    for _ in range(5):
        limit.served(limit.now)
    assert limit.now == 64
    limit.exceeded(40)
    for _ in range(5):
        limit.served(limit.now)
    assert limit.now == 20
    for _ in range(256):
        limit.served(limit.now)
    assert limit.now > 20, "whoever took the memory may have given it back"
