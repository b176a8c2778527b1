// What to paste elsewhere, filled in with this installation's address and key.

import { say } from "./words.js";

const LOCAL = new Set(["localhost", "127.0.0.1", "[::1]"]);

export const isLocal = () => LOCAL.has(location.hostname);
export const base = (host = location.host) => `${location.protocol}//${host}/v1`;

/** The base of each service alone; none behind https, where only one port is open. */
export function bases() {
  const port = Number(location.port);
  if (location.protocol !== "http:" || !port) return [];
  return ["stt", "llm", "tts"].map((service, index) => [service, base(`${location.hostname}:${port + index + 1}`)]);
}

/** As seen from a container on the same machine. */
function baseForContainers(offset = 0) {
  const port = location.port && `:${Number(location.port) + offset}`;
  return base((isLocal() ? "host.docker.internal" : location.hostname) + port);
}

export const snippets = {
  folotoy: (key) => `environment:
  STT_TYPE: openai-whisper
  OPENAI_WHISPER_API_BASE: ${baseForContainers()}
  OPENAI_WHISPER_KEY: ${key}
  OPENAI_WHISPER_MODEL: whisper-1
  LLM_TYPE: openai
  OPENAI_OPENAI_API_BASE: ${baseForContainers()}
  OPENAI_OPENAI_KEY: ${key}
  OPENAI_OPENAI_MODEL: gpt-4o-mini
  TTS_TYPE: openai-tts
  OPENAI_TTS_API_BASE: ${baseForContainers()}
  OPENAI_TTS_KEY: ${key}
  OPENAI_TTS_MODEL: tts-1
  OPENAI_TTS_VOICE_NAME: alloy`,

  role: (key) => `"1": {
  "start_text": ${JSON.stringify(say("tries")[0])},
  "prompt": ${JSON.stringify(say("roleDefault"))},
  "stt_type": "openai-whisper",
  "stt_config": {"api_base": "${baseForContainers()}", "key": "${key}", "model": "whisper-1"},
  "llm_type": "openai",
  "llm_config": {"api_base": "${baseForContainers()}", "key": "${key}", "model": "companion"},
  "tts_type": "openai-tts",
  "tts_config": {"api_base": "${baseForContainers()}", "key": "${key}", "model": "tts-1", "voice_name": "alloy"}
}`,

  curl: (key) => `curl ${base()}/audio/speech -H "Authorization: Bearer ${key}" \\
  -H "Content-Type: application/json" -o hello.mp3 \\
  -d '{"model": "tts-1", "voice": "alloy", "input": "Hello, little bear."}'

curl ${base()}/audio/transcriptions -H "Authorization: Bearer ${key}" \\
  -F model=whisper-1 -F language=en -F file=@hello.mp3

curl -N ${base()}/chat/completions -H "Authorization: Bearer ${key}" \\
  -H "Content-Type: application/json" \\
  -d '{"model": "gpt-4o-mini", "stream": true, "messages": [{"role": "user", "content": "Hello!"}]}'`,

  python: (key) => `from openai import OpenAI

client = OpenAI(base_url="${base()}", api_key="${key}")

answer = client.chat.completions.create(
    model="gpt-4o-mini",
    messages=[{"role": "user", "content": "Hello!"}],
)
print(answer.choices[0].message.content)

with client.audio.speech.with_streaming_response.create(
    model="tts-1", voice="alloy", input=answer.choices[0].message.content
) as speech:
    speech.stream_to_file("answer.mp3")

with open("answer.mp3", "rb") as file:
    print(client.audio.transcriptions.create(model="whisper-1", language="en", file=file).text)`,
};
