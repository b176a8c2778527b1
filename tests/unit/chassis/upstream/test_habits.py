from chassis.upstream.habits import LIFETIME_SECONDS, Habits

TEMPERATURE = frozenset({"temperature"})


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_what_a_model_refuses_is_remembered_for_it_alone_and_for_some_hours() -> None:
    clock = Clock()
    habits = Habits(clock)
    habits.learn("m", TEMPERATURE)

    assert (habits.of("m"), habits.of("other")) == (TEMPERATURE, frozenset())
    assert habits.detail == "asks m without temperature"

    clock.now += LIFETIME_SECONDS

    assert not habits.of("m")
    assert habits.detail is None


def test_an_answer_to_the_same_question_does_not_prolong_what_is_remembered() -> None:
    clock = Clock()
    habits = Habits(clock)
    habits.learn("m", TEMPERATURE)
    clock.now += LIFETIME_SECONDS - 1
    habits.learn("m", TEMPERATURE)
    clock.now += 1

    assert not habits.of("m")


def test_callers_who_name_many_models_do_not_fill_the_memory() -> None:
    habits = Habits()
    for number in range(1000):
        habits.learn(f"m{number}", TEMPERATURE)

    assert (habits.of("m0"), habits.of("m999")) == (frozenset(), TEMPERATURE)
    assert len((habits.detail or "").split(";")) == 64


def test_two_answers_at_a_time_may_teach_two_things() -> None:
    habits = Habits()
    habits.learn("m", TEMPERATURE)
    habits.learn("m", frozenset({"top_p"}))

    assert habits.of("m") == {"temperature", "top_p"}
