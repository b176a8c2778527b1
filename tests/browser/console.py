"""The console page, as a test handles it."""

from playwright.sync_api import ConsoleMessage, Locator, Page, Request


class Console:
    """One open page, and everything it asked for and complained about."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.requests: list[Request] = []
        page.on("console", self._note)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("requestfailed", lambda request: self.complaints.append(f"{request.url}: {request.failure}"))
        page.on("request", lambda request: self.requests.append(request))

    def _note(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def type(self, text: str) -> None:
        self.page.fill("#words", text)
        self.page.press("#words", "Enter")

    def ended(self) -> Locator:
        """The buttons under an answer: they come when it has been heard to its end."""
        tools = self.page.locator("#log .tools").last
        tools.wait_for()
        return tools

    def alert(self) -> Locator:
        alert = self.page.locator("#log .alert").last
        alert.wait_for()
        return alert

    def said(self, who: str) -> str:
        """What the last bubble of `you` or `toy` says."""
        return self.page.locator(f"#log .bubble.{who} .text").last.inner_text()

    def figure(self, name: str) -> str:
        return self.page.inner_text(f'#figures [data-figure="{name}"]')
