"""Headless Chromium as an end of an ICE session: a page with a data channel, driven through chromedriver by W3C
WebDriver.

`with Browser(namespace) as browser` starts one in a namespace, which takes a second or two; it serves any number of
sessions one after the other, each with a connection of its own.

    page = browser.connection(ice_servers, offers=True)
    line = page.describe()          # {"type": "offer", "sdp": ...}, complete
    page.take(answer)               # the peer's, or one of its trickled candidates
    state = page.look()             # how far ICE and DTLS are, and which pair is selected

What Chromium 156 does, as far as it is to be seen in a matrix:

- Its host candidates are names (mDNS) unless it is told otherwise; then to a peer elsewhere a host without a NAT is
  server-reflexive, as it has that address from the server alone.
- It names its own side by the address that the peer's answer has: srflx or prflx behind a NAT.
- Controlling, it nominates early and may move on to a better pair.
- With itself, where both mappings are address-and-port-dependent and either filtering is endpoint-independent, it never
  comes to its relays: each check is from a new port, which makes a new pair that goes first, for ever (248 of them
  after 15 seconds). With icecheck, which ends such a chain, it is relayed there.
"""

import http.client
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from harness.limits import at_most
from labs.namespaces import tied_to_us

# A page may use WebRTC wherever it is from; `data:` has no origin and needs no network.
TITLE = "ice"
PAGE = f"data:text/html,<title>{TITLE}</title>"

# What the page is told. Each script's last argument is what gives its value back.
OPEN = """
const [servers, policy, offers, done] = arguments;
const pc = new RTCPeerConnection({iceServers: servers, iceTransportPolicy: policy});
const ice = window.ice = {pc, log: [], heard: 0, open: null};
const take = channel => {
  ice.channel = channel;
  channel.onopen = () => { ice.open = performance.now(); channel.send("icecheck lab"); };
  channel.onmessage = () => ice.heard++;
};
const note = () => ice.log.push([performance.now(), pc.iceConnectionState, pc.connectionState]);
pc.oniceconnectionstatechange = note;
pc.onconnectionstatechange = note;
if (offers) take(pc.createDataChannel("icecheck")); else pc.ondatachannel = event => take(event.channel);
ice.complete = new Promise(resolve => pc.addEventListener("icegatheringstatechange", () => {
  if (pc.iceGatheringState === "complete") resolve();
}));
done(true);
"""

DESCRIBE = """
const [kind, patience, done] = arguments;
const pc = window.ice.pc;
(async () => {
  await pc.setLocalDescription(kind === "offer" ? await pc.createOffer() : await pc.createAnswer());
  await Promise.race([window.ice.complete, new Promise(resolve => setTimeout(resolve, patience))]);
  return {type: pc.localDescription.type, sdp: pc.localDescription.sdp};
})().then(done, error => done({error: String(error)}));
"""

TAKE = """
const [line, done] = arguments;
const pc = window.ice.pc;
if (window.ice.taken === undefined && line.sdp) window.ice.taken = performance.now();
(line.sdp ? pc.setRemoteDescription(line) : pc.addIceCandidate(line)).then(
  () => done({}), error => done({error: String(error)}));
"""

LOOK = """
const [done] = arguments;
const {pc, log, heard, open, taken} = window.ice;
(async () => {
  const stats = [...(await pc.getStats()).values()];
  const by = id => stats.find(one => one.id === id);
  const transport = stats.find(one => one.type === "transport");
  const pair = transport && by(transport.selectedCandidatePairId);
  const side = one => one && {
    type: one.candidateType, protocol: one.protocol, address: one.address, port: one.port, relay: one.relayProtocol};
  return {
    ice: pc.iceConnectionState, connection: pc.connectionState, dtls: pc.sctp && pc.sctp.transport.state,
    dtlsInStats: transport && transport.dtlsState, log: log.map(([at, ...states]) => [at - taken, ...states]),
    open: open && open - taken, heard, pair: pair && {
      local: side(by(pair.localCandidateId)), remote: side(by(pair.remoteCandidateId)), state: pair.state,
      nominated: pair.nominated, requestsSent: pair.requestsSent, responsesReceived: pair.responsesReceived},
  };
})().then(done, error => done({error: String(error)}));
"""

CLOSE = "const [done] = arguments; window.ice.pc.close(); delete window.ice; done(true);"


def is_installed():
    return shutil.which("chromium") is not None and shutil.which("chromedriver") is not None


def browsing():
    """Starting a browser, or having a session in one, takes a processor: two do so at once."""
    return at_most(2, "chromium")


class Browser:
    """One headless Chromium in a namespace, until `close`.

    With `hides_addresses`, as is its default for a page that has no camera, its host candidates are names that end in
    `.local` in place of the addresses.
    """

    def __init__(self, namespace, hides_addresses=True):
        self.namespace, self.session = namespace, None
        self._directory = Path(tempfile.mkdtemp(prefix="icecheck-test-chromium-"))
        self._driver = self._caretaker = None
        try:
            self._start_driver()
            self._start_browser(hides_addresses)
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def connection(self, ice_servers=(), offers=True, only_relay=False):
        self._run(OPEN, list(ice_servers), "relay" if only_relay else "all", offers)
        return Page(self, offers)

    def close(self):
        try:
            if self.session:
                self._ask("DELETE", f"/session/{self.session}")
        except (OSError, http.client.HTTPException, BrowserError):
            pass
        finally:
            self.session = None
            if self._caretaker:
                self._caretaker.stdin.close()
                self._caretaker.wait()
                self._driver.wait()
                self._caretaker = self._driver = None
            shutil.rmtree(self._directory, ignore_errors=True)

    def _start_driver(self):
        said = self._directory / "driver"
        home = {"HOME": str(self._directory), "XDG_CONFIG_HOME": str(self._directory), "TMPDIR": str(self._directory)}
        with open(said, "wb") as output:
            self._driver = subprocess.Popen(
                ["ip", *self.namespace.prefix(), "chromedriver", "--port=0"], stdin=subprocess.DEVNULL, stdout=output,
                stderr=output, start_new_session=True, preexec_fn=tied_to_us(signal.SIGKILL), env=os.environ | home,
            )  # fmt: skip
        # The browser's processes are the driver's, and of its group; they outlive it. They are ended when its pipe is
        # closed, by us or by our end.
        script = 'cat >/dev/null; kill -KILL "-$1" 2>/dev/null; sleep 0.1; rm -rf "$2"'
        self._caretaker = subprocess.Popen(
            ["sh", "-c", script, "caretaker", str(self._driver.pid), str(self._directory)], stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        deadline = time.monotonic() + 20
        # "ChromeDriver was started successfully on port 12345."
        while not (words := said.read_text(errors="replace").partition("successfully on port ")[2]):
            if self._driver.poll() is not None or time.monotonic() > deadline:
                raise OSError(f"chromedriver did not start: {said.read_text(errors='replace')[-1000:]}")
            time.sleep(0.01)
        self.port = int(words.split(".")[0])

    def _start_browser(self, hides_addresses):
        words = [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions",
            "--disable-crash-reporter", "--no-proxy-server", f"--user-data-dir={self._directory / 'profile'}",
        ]  # fmt: skip
        if not hides_addresses:
            words.append("--disable-features=WebRtcHideLocalIpsWithMdns")
        options = {"args": words, "binary": shutil.which("chromium")}
        # Debian's start page is somewhere in the Internet: not to be waited for.
        wanted = {
            "browserName": "chrome", "goog:chromeOptions": options, "timeouts": {"script": 60_000},
            "pageLoadStrategy": "none",
        }  # fmt: skip
        answer = self._ask("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
        self.session = answer["sessionId"]
        self._ask("POST", f"/session/{self.session}/url", {"url": PAGE})
        deadline = time.monotonic() + 20
        while self._ask("GET", f"/session/{self.session}/title") != TITLE:
            if time.monotonic() > deadline:
                raise OSError("the page did not load")
            time.sleep(0.01)

    def _run(self, script, *arguments):
        value = self._ask(
            "POST", f"/session/{self.session}/execute/async", {"script": script, "args": list(arguments)}
        )
        if isinstance(value, dict) and "error" in value:
            raise BrowserError(value["error"])
        return value

    def _ask(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=90)
        with self.namespace.entered():
            connection.connect()
        try:
            content = None if body is None and method != "POST" else json.dumps(body or {})
            connection.request(method, path, content, {"Content-Type": "application/json"})
            answer = json.load(connection.getresponse())["value"]
        finally:
            connection.close()
        if isinstance(answer, dict) and "error" in answer and "message" in answer:
            raise BrowserError(f"{answer['error']}: {answer['message']}")
        return answer


class BrowserError(OSError):
    """What the browser or its driver refused, in its words."""


class Page:
    """One RTCPeerConnection of a browser's."""

    def __init__(self, browser, offers):
        self.browser, self.offers = browser, offers

    def describe(self, patience=5):
        """The offer or the answer with all candidates, or those that came within `patience` seconds."""
        return self.browser._run(DESCRIBE, "offer" if self.offers else "answer", patience * 1000)

    def take(self, line):
        """The peer's description or candidate."""
        self.browser._run(TAKE, line)

    def look(self):
        return self.browser._run(LOOK)

    def close(self):
        self.browser._run(CLOSE)
