// What to paste elsewhere, filled in with this installation's address and key.

const LOCAL = new Set(["localhost", "127.0.0.1", "[::1]"]);
const HOST = "host.docker.internal";
const TO_HOST = `extra_hosts: ["${HOST}:host-gateway"]`;

export const isLocal = () => LOCAL.has(location.hostname);
export const base = (host = location.host) => `${location.protocol}//${host}/v1`;

/** The base of each service alone; none behind https, where only one port is open. */
export function bases() {
  const port = Number(location.port);
  if (location.protocol !== "http:" || !port) return [];
  return ["stt", "llm", "tts"].map((service, index) => [service, base(`${location.hostname}:${port + index + 1}`)]);
}

/** As seen from a container on the same machine; `offset` 1 to 3 for one service alone. */
export function baseForContainers(offset = 0) {
  return base((isLocal() ? HOST : location.hostname) + (location.port && `:${Number(location.port) + offset}`));
}

/** Lines of a service in a compose file; with the way to this machine, where the address needs one. */
function service(name, environment) {
  const lines = [...(isLocal() ? [TO_HOST] : []), "environment:", ...environment.map((line) => `  ${line}`)];
  return `services:\n  ${name}:\n${lines.map((line) => `    ${line}`).join("\n")}`;
}

const folotoy = (key) => service("folotoy", [
  "STT_TYPE: openai-whisper",
  `OPENAI_WHISPER_API_BASE: ${baseForContainers()}`,
  `OPENAI_WHISPER_KEY: ${key}`,
  "OPENAI_WHISPER_MODEL: whisper-1",
  "LLM_TYPE: openai",
  `OPENAI_OPENAI_API_BASE: ${baseForContainers()}`,
  `OPENAI_OPENAI_KEY: ${key}`,
  "OPENAI_OPENAI_MODEL: gpt-4o-mini",
  "TTS_TYPE: openai-tts",
  `OPENAI_TTS_API_BASE: ${baseForContainers()}`,
  `OPENAI_TTS_KEY: ${key}`,
  "OPENAI_TTS_MODEL: tts-1",
  "OPENAI_TTS_VOICE_NAME: alloy",
]);

const curl = (key) => `curl ${base()}/audio/speech -H "Authorization: Bearer ${key}" \\
  -H "Content-Type: application/json" -o hello.mp3 \\
  -d '{"model": "tts-1", "voice": "alloy", "input": "Hello, little bear."}'

curl ${base()}/audio/transcriptions -H "Authorization: Bearer ${key}" \\
  -F model=whisper-1 -F language=en -F file=@hello.mp3

curl -N ${base()}/chat/completions -H "Authorization: Bearer ${key}" \\
  -H "Content-Type: application/json" \\
  -d '{"model": "gpt-4o-mini", "stream": true, "messages": [{"role": "user", "content": "Hello!"}]}'`;

const python = (key) => `from openai import OpenAI

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
    print(client.audio.transcriptions.create(model="whisper-1", language="en", file=file).text)`;

const javascript = (key) => `import { readFile, writeFile } from "node:fs/promises";

const base = "${base()}";
const headers = { Authorization: "Bearer ${key}" };
const json = { ...headers, "Content-Type": "application/json" };

async function ask(path, options) {
  const response = await fetch(base + path, { method: "POST", ...options });
  if (!response.ok) throw new Error(await response.text());
  return response;
}

const chat = { model: "gpt-4o-mini", messages: [{ role: "user", content: "Hello!" }] };
const answer = await ask("/chat/completions", { headers: json, body: JSON.stringify(chat) });
const words = (await answer.json()).choices[0].message.content;
console.log(words);

const wanted = { model: "tts-1", voice: "alloy", input: words };
const speech = await ask("/audio/speech", { headers: json, body: JSON.stringify(wanted) });
await writeFile("answer.mp3", Buffer.from(await speech.arrayBuffer()));

const form = new FormData();
form.append("model", "whisper-1");
form.append("language", "en");
form.append("file", new Blob([await readFile("answer.mp3")]), "answer.mp3");
const heard = await ask("/audio/transcriptions", { headers, body: form });
console.log((await heard.json()).text);`;

const openwebui = (key) => service("open-webui", [
  `OPENAI_API_BASE_URL: ${baseForContainers()}`,
  `OPENAI_API_KEY: ${key}`,
  "AUDIO_STT_ENGINE: openai",
  `AUDIO_STT_OPENAI_API_BASE_URL: ${baseForContainers()}`,
  `AUDIO_STT_OPENAI_API_KEY: ${key}`,
  "AUDIO_STT_MODEL: whisper-1",
  "AUDIO_TTS_ENGINE: openai",
  `AUDIO_TTS_OPENAI_API_BASE_URL: ${baseForContainers()}`,
  `AUDIO_TTS_OPENAI_API_KEY: ${key}`,
  "AUDIO_TTS_MODEL: tts-1",
  "AUDIO_TTS_VOICE: alloy",
]);

const homeassistant = (key) => `python3 -m venv wyoming
wyoming/bin/pip install wyoming-openai
wyoming/bin/python -m wyoming_openai --uri tcp://0.0.0.0:10300 --languages zh en \\
  --stt-openai-url ${base()} --stt-openai-key ${key} --stt-models whisper-1 \\
  --tts-openai-url ${base()} --tts-openai-key ${key} --tts-models tts-1 --tts-voices alloy nova`;

const xiaozhi = (key) => `selected_module:
  ASR: TalkboxASR
  LLM: TalkboxLLM
  TTS: TalkboxTTS
ASR:
  TalkboxASR:
    type: openai
    api_key: ${key}
    base_url: ${baseForContainers()}/audio/transcriptions
    model_name: whisper-1
    output_dir: tmp/
LLM:
  TalkboxLLM:
    type: openai
    api_key: ${key}
    url: ${baseForContainers()}
    model_name: gpt-4o-mini
TTS:
  TalkboxTTS:
    type: openai
    api_key: ${key}
    api_url: ${baseForContainers()}/audio/speech
    model: tts-1
    voice: alloy
    speed: 1
    output_dir: tmp/`;

export const snippets = { folotoy, curl, python, javascript, openwebui, homeassistant, xiaozhi };
