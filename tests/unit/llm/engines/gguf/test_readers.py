import asyncio

from llm.engines.gguf.readers import SHORT_TOKENS, PromptReaders

LONG = 10 * SHORT_TOKENS


def test_alone_even_a_long_question_is_read_to_its_end() -> None:
    readers = PromptReaders()
    with readers.joined() as long:
        readers.note(long, LONG)
        assert not readers.must_give_way(long)


def test_a_long_question_gives_way_to_a_short_one_and_never_the_other_way_round() -> None:
    readers = PromptReaders()
    with readers.joined() as long, readers.joined() as short:
        readers.note(long, LONG)
        assert readers.must_give_way(long), "nothing is known of the other yet"
        readers.note(short, SHORT_TOKENS)
        assert readers.must_give_way(long)
        assert not readers.must_give_way(short)


def test_of_two_long_ones_the_first_is_read_first() -> None:
    readers = PromptReaders()
    with readers.joined() as first, readers.joined() as second:
        readers.note(first, LONG)
        readers.note(second, LONG)
        assert not readers.must_give_way(first)
        assert readers.must_give_way(second)


async def test_who_gave_way_goes_on_once_the_others_were_read() -> None:
    readers = PromptReaders()
    with readers.joined() as long:
        readers.note(long, LONG)
        with readers.joined():
            waiting = asyncio.create_task(readers.give_way(long))
            await asyncio.sleep(0)
            assert not waiting.done()
        await waiting


async def test_a_long_question_is_read_at_last_however_many_short_ones_come() -> None:
    readers = PromptReaders()
    times = 0
    with readers.joined() as long:
        readers.note(long, LONG)
        while True:
            with readers.joined():
                if not readers.must_give_way(long):
                    break
            await readers.give_way(long)
            times += 1
            assert times < 100
