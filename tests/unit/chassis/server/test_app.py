from chassis import VERSION
from chassis.chain.chain import ENGINE_HEADER, Chain
from chassis.chain.seat import Report
from chassis.errors import EngineFailed, EngineUnavailable
from unit.chassis.fakes import FakeEngine, chain_of, client, loading, service


async def test_the_answer_says_which_engine_gave_it() -> None:
    async with client(service(chain_of(a=FakeEngine(error=EngineFailed("x")), b=FakeEngine(b"hi")))) as http:
        response = await http.post("/v1/echo")

    assert response.headers[ENGINE_HEADER] == "b"
    assert response.content == b"hi"


async def test_readyz_shows_each_engine_and_its_state() -> None:
    def fail(report: Report) -> FakeEngine:
        raise EngineUnavailable("Set OPENAI_API_KEY.")

    failing = loading("openai", fail)
    await failing.keep_loading()
    chain = chain_of(companion=FakeEngine())
    chain.seats.insert(0, failing)

    async with client(service(chain)) as http:
        response = await http.get("/readyz")

    assert response.status_code == 200
    assert response.json() == {
        "ready": True,
        "version": VERSION,
        "engines": [
            {"name": "openai", "state": "unavailable", "detail": "Set OPENAI_API_KEY."},
            {"name": "companion", "state": "ready"},
        ],
    }


async def test_readyz_is_503_until_an_engine_is_ready() -> None:
    def load(report: Report) -> FakeEngine:
        return FakeEngine()

    async with client(service(Chain([loading("a", load)]))) as http:
        response = await http.get("/readyz")

    assert response.status_code == 503
    assert response.json()["ready"] is False
    assert response.headers["retry-after"]


async def test_an_unknown_path_and_a_wrong_method_are_answered_in_our_shape() -> None:
    async with client(service(chain_of(a=FakeEngine()))) as http:
        unknown, wrong, slash = await http.get("/v1/nothing"), await http.get("/v1/echo"), await http.post("/v1/echo/")

    assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "unknown_url")
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "POST")
    assert wrong.json()["error"]["type"] == "invalid_request_error"
    assert slash.status_code == 404, "a redirect would break plain httpx"
