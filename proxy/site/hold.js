// The microphone's button: hold it, or tap it and tap again.

import { byId } from "./dom.js";
import { Microphone, wakeSound } from "./sound.js";
import { say } from "./words.js";

const TAP_MS = 350;
const LONGEST_RECORDING_MS = 60_000;

export class HoldButton {
  #microphone = new Microphone();
  #pressed = 0;
  #recording = null;
  #releasedEarly = false;

  /** @param {import("./talk.js").Conversation} conversation what a recording is handed to */
  constructor(conversation) {
    this.conversation = conversation;
  }

  async #press() {
    if (this.#recording === "on") return void this.#send();
    if (this.#recording) return;
    wakeSound();
    this.conversation.stop();
    this.#recording = "opening";
    this.#releasedEarly = false;
    this.#pressed = performance.now();
    word("opening");
    try {
      const quick = await this.#microphone.open();
      if (this.#releasedEarly && !quick) {
        this.#settle();
        return note("opened");
      }
      this.#microphone.begin();
    } catch (exc) {
      this.#settle();
      return this.conversation.fail(exc);
    }
    this.#recording = "on";
    byId("hold").classList.add("on");
    byId("hold").setAttribute("aria-pressed", "true");
    word(this.#releasedEarly ? "tapped" : "holding");
    byId("talk-said").textContent = "";
    this.#watchLevel(performance.now());
  }

  #release() {
    if (this.#recording === "opening") this.#releasedEarly = true;
    else if (this.#recording === "on" && performance.now() - this.#pressed > TAP_MS && !this.#releasedEarly) this.#send();
    else this.#untilNextTap();
  }

  #untilNextTap() {
    if (this.#recording !== "on") return;
    this.#releasedEarly = true;
    word("tapped");
  }

  async #send() {
    this.#recording = "ending";
    const sound = await this.#microphone.end();
    this.#settle();
    await this.conversation.talk({ sound });
  }

  async #throwAway() {
    if (this.#recording !== "on") return;
    this.#recording = "ending";
    await this.#microphone.end();
    this.#settle();
    note("thrown");
  }

  #settle() {
    this.#recording = null;
    byId("hold").classList.remove("on");
    byId("hold").removeAttribute("aria-pressed");
    word("hold");
  }

  #watchLevel(since) {
    if (this.#recording !== "on") return;
    byId("hold").style.setProperty("--level", this.#microphone.level().toFixed(2));
    if (performance.now() - since > LONGEST_RECORDING_MS) return void this.#send();
    requestAnimationFrame(() => this.#watchLevel(since));
  }

  /** Begin to listen to pointer, keyboard, screen readers and switches; say why not, where the browser has no microphone. */
  listen() {
    const hold = byId("hold");
    const obstacle = Microphone.obstacle();
    if (obstacle) return shut(obstacle);
    hold.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      hold.setPointerCapture(event.pointerId);
      this.#press();
    });
    hold.addEventListener("pointerup", () => this.#release());
    hold.addEventListener("pointercancel", () => this.#release());
    hold.addEventListener("contextmenu", (event) => event.preventDefault());
    hold.addEventListener("keydown", (event) => {
      if (event.key !== " " && event.key !== "Enter") return;
      event.preventDefault();
      if (!event.repeat) this.#press();
    });
    hold.addEventListener("keyup", (event) => {
      if (event.key !== " " && event.key !== "Enter") return;
      event.preventDefault();
      this.#release();
    });
    hold.addEventListener("click", (event) => {
      if (event.detail === 0) this.#press().then(() => this.#untilNextTap()); // a screen reader's or a switch's click: it cannot hold
    });
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.#throwAway();
    });
  }
}

/** Say why there is no microphone; https helps only where a plain address is why. */
function shut(why) {
  byId("hold").disabled = true;
  byId("hold-hint").hidden = true;
  byId("insecure").hidden = false;
  put("insecure-why", why);
  for (const remedy of document.querySelectorAll("#insecure .by-address")) remedy.hidden = why !== "insecureWhy";
}

function word(name) {
  put("hold-word", name);
}

function put(id, name) {
  byId(id).textContent = say(name);
  byId(id).dataset.t = name;
}

function note(name) {
  byId("talk-said").textContent = say(name);
}
