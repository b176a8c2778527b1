// Providers of a better ear, mind or mouth: where their key comes from, and the lines that it goes into. Their keys are
// never typed into this page: they belong on the machine, where the one service that needs a key reads it.

import { known } from "./choices.js";
import { byId, copied, fill } from "./dom.js";
import { SERVICES } from "./services.js";
import { stored } from "./stored.js";
import { say } from "./words.js";

/** Of each service: engine, where its key comes from (none: no key), the variables that it wants. docs/providers.md has all. */
export const PROVIDERS = {
  llm: [
    ["moonshot", "platform.moonshot.cn", ["MOONSHOT_KEY"]],
    ["deepseek", "platform.deepseek.com", ["DEEPSEEK_KEY"]],
    ["dashscope", "bailian.console.aliyun.com", ["DASHSCOPE_KEY"]],
    ["zhipu", "open.bigmodel.cn", ["ZHIPU_KEY"]],
    ["siliconflow", "cloud.siliconflow.cn", ["SILICONFLOW_API_KEY"]],
    ["volcengine", "console.volcengine.com/ark", ["VOLCENGINE_KEY", "VOLCENGINE_MODEL"]],
    ["minimax", "platform.minimaxi.com", ["MINIMAX_KEY"]],
    ["openai", "platform.openai.com", ["OPENAI_OPENAI_KEY"]],
    ["gemini", "aistudio.google.com", ["GEMINI_KEY"]],
    ["groq", "console.groq.com", ["GROQ_KEY"]],
    ["ollama", "", []],
  ],
  tts: [
    ["dashscope", "bailian.console.aliyun.com", ["DASHSCOPE_API_KEY"]],
    ["minimax-tts", "platform.minimaxi.com", ["MINIMAX_TTS_KEY"]],
    ["volcengine-tts", "console.volcengine.com/speech", ["VOLCENGINE_TTS_API_KEY"]],
    ["siliconflow-tts", "cloud.siliconflow.cn", ["SILICONFLOW_TTS_KEY"]],
    ["azure-tts", "portal.azure.com", ["AZURE_TTS_KEY", "AZURE_TTS_SERVICE_REGION"]],
    ["elevenlabs", "elevenlabs.io", ["ELEVENLABS_TTS_KEY"]],
    ["openai-tts", "platform.openai.com", ["OPENAI_TTS_KEY"]],
  ],
  stt: [
    ["dashscope", "bailian.console.aliyun.com", ["DASHSCOPE_API_KEY"]],
    ["volcengine-asr", "console.volcengine.com/speech", ["VOLCENGINE_ASR_API_KEY"]],
    ["azure-stt", "portal.azure.com", ["AZURE_STT_KEY", "AZURE_STT_SERVICE_REGION"]],
    ["elevenlabs", "elevenlabs.io", ["ELEVENLABS_API_KEY"]],
  ],
};

function chosen() {
  const service = byId("provider-service").value;
  return { service, provider: PROVIDERS[service].find(([name]) => name === byId("provider").value) ?? PROVIDERS[service][0] };
}

/** Lines for `.env`: the key's, and the chain as it is now with the provider in front. */
export function linesFor(service, [name, , variables]) {
  const engines = (known.states[service]?.engines ?? []).map((engine) => engine.name).filter((engine) => engine !== name);
  return [...variables.map((variable) => `${variable}=`), `${service.toUpperCase()}_ENGINES=${[name, ...engines].join(",")}`].join("\n");
}

export function showProviders() {
  fill(byId("provider-service"), ["llm", "tts", "stt"].map((service) => [service, say(service)]), byId("provider-service").value || "llm");
  const list = PROVIDERS[byId("provider-service").value];
  fill(byId("provider"), list.map(([name]) => [name, name]), byId("provider").value);
  const { service, provider } = chosen();
  byId("provider-from").textContent = provider[1] ? say("providerFrom", { place: provider[1] }) : say("providerFree");
  byId("provider-lines").textContent = linesFor(service, provider);
  byId("provider-said").textContent = "";
}

export function listenToProviders() {
  for (const id of ["provider-service", "provider"]) byId(id).addEventListener("input", showProviders);
  byId("provider-copy").addEventListener("click", async () => {
    byId("provider-said").textContent = say((await copied(byId("provider-lines").textContent)) ? "copied" : "notCopied");
  });
}

// ---- usage of the key that this page has ----

/** What a service is asked for; the page asks for lists and sheets, too, which are no use of a key. */
const PATHS = { stt: "/v1/audio/transcriptions", llm: "/v1/chat/completions", tts: "/v1/audio/speech" };

/** What was counted of a key at a service: `{good, bad, work}`; null where it did not say. */
function summed(service, usage) {
  if (!usage) return null;
  const sum = (wanted) => usage.counts.filter(wanted).reduce((total, { value }) => total + value, 0);
  const answers = ({ name, path }) => name === "talkbox_key_answers_total" && PATHS[service] === path;
  const tokens = (kind) => sum((count) => count.name === "talkbox_tokens_total" && count.kind === kind);
  const work = {
    stt: () => Number(sum(({ name }) => name === "talkbox_key_sound_seconds_total").toFixed(1)),
    llm: () => `${tokens("prompt")} + ${tokens("completion")}`,
    tts: () => sum(({ name }) => name === "talkbox_key_characters_total"),
  };
  return {
    good: sum((count) => answers(count) && count.status < 400),
    bad: sum((count) => answers(count) && count.status >= 400),
    work: work[service](),
  };
}

/** Ask the services what they counted of this key, and draw it. */
export async function showUsage(api) {
  const key = stored.read("key");
  const found = await Promise.all(SERVICES.map((service) => api.usage(service)));
  if (key !== stored.read("key")) return; // another key by now: its own answer is on the way
  byId("usage-key").textContent = found.find((usage) => usage?.key)?.key ?? "";
  byId("usage-named").hidden = !byId("usage-key").textContent;
  SERVICES.forEach((service, index) => {
    const counts = summed(service, found[index]);
    const cells = counts ? [counts.good, counts.bad, counts.work] : ["–", "–", "–"];
    document.querySelectorAll(`#usage [data-service="${service}"] td`).forEach((cell, column) => (cell.textContent = String(cells[column])));
  });
}
