from deploy.native.layout import service_environment


def test_a_key_in_somebodys_shell_does_not_reach_a_service() -> None:
    seen = service_environment({"PATH": "/bin", "OPENAI_API_KEY": "secret", "STT_ENGINES": "whisper", "LC_ALL": "C"})

    assert seen["PATH"] == "/bin"
    assert seen["LC_ALL"] == "C"
    assert "secret" not in seen.values()
    assert seen["MODELS_DIR"]
