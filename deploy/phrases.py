"""What `make up` and `make talk` say, in the reader's language. Plain Python of any version from 3.9 on."""

from __future__ import annotations

import os

from deploy.ears import STATES, reads_chinese

_PHRASES = {
    "waiting": (
        "Waiting for the engines (Ctrl-C stops the waiting, not the services):",
        "等引擎就绪（Ctrl-C 只结束等待，不会停下服务）：",
    ),
    "goes_on": (
        "Everything goes on loading; `make ps` shows how far it is.",
        "都还在继续加载；`make ps` 显示进度。",
    ),
    "trouble": (
        "`make logs` shows more, `make doctor` looks for what is wrong, `make down` stops the rest.",
        "`make logs` 显示更多，`make doctor` 查找问题，`make down` 停下其余部分。",
    ),
    "nothing_happened": (
        "Nothing has happened for {seconds} s; {missing} should be ready by now.",
        "{seconds} 秒没有动静；{missing} 早该就绪了。",
    ),
    "up": ("Talkbox is up.", "Talkbox 已启动。"),
    "base": ("  base URL   {base}", "  接口地址   {base}"),
    "here": ("   (on this machine also {base})", "   （本机上也可以用 {base}）"),
    "key": ("  API key    {key}", "  密钥       {key}"),
    "no_key": ("none needed: API_KEYS is empty, anyone may call", "不需要：API_KEYS 是空的，谁都可以调用"),
    "page": ("  page       {page}", "  网页       {page}"),
    "each": ("One service alone:", "单独使用一个服务："),
    "folotoy": (
        "For folotoy-server, under `environment:` in its docker-compose.yml:",
        "给 folotoy-server，写在它的 docker-compose.yml 的 `environment:` 下面：",
    ),
    "loopback": (
        "127.0.0.1 is this machine only, and inside a container the container itself: for toys and folotoy-server\n"
        "write this machine's address in the house instead{bind}.",
        "127.0.0.1 只是本机，在容器里则是容器自己：给玩具和 folotoy-server 要写本机在局域网里的地址{bind}。",
    ),
    "bind": (" and set TALKBOX_BIND= in .env", "，并在 .env 里写 TALKBOX_BIND="),
    "next": (
        "Try next:  make talk      See:  make ps, make logs      Stop:  make down",
        "接着试：  make talk      查看：  make ps、make logs      停止：  make down",
    ),
    "stt": ("hears", "听"),
    "llm": ("thinks", "想"),
    "tts": ("speaks", "说"),
    "with": ("{does} with {engine}{known}", "由 {engine} 来{does}{known}"),
    "loading": ("{does} as soon as it has loaded", "加载完就能{does}"),
    "known": (" ({known})", "（{known}）"),
    "is": ("{engine} is {state}", "{engine} {state}"),
    "question": ("  The question, spoken by {engine}: “{text}”", "  问题，由 {engine} 念出：“{text}”"),
    "answer": ("  The answer: “{text}”", "  回答：“{text}”"),
    "listen": ("  To listen:  {file}", "  听一听：  {file}"),
    "unheard": (
        "Nothing was heard: the recording is silent, or holds no words.",
        "什么也没听到：录音没有声音，或者里面没有话。",
    ),
    "pieces": ("{count} pieces, {kilobytes} kB of mp3", "{count} 段，mp3 共 {kilobytes} kB"),
    "of_file": ("{kilobytes} kB of {name}", "{name}，{kilobytes} kB"),
    "sent": ("sent        ", "发出        "),
    "heard": ("heard       ", "听到        "),
    "first words": ("first words ", "第一批字    "),
    "first sound": ("first sound ", "第一声      "),
    "done": ("done        ", "结束        "),
}


def phrase(code: str, /, **values: object) -> str:
    """Return a phrase in the language of the locale."""
    return _PHRASES[code][reads_chinese(os.environ)].format(**values)


def state_name(state: str) -> str:
    """Return the state of an engine, such as `ready`, in the language of the locale."""
    return {"ready": "就绪", **STATES}.get(state, state) if reads_chinese(os.environ) else state
