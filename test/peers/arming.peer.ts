import { once } from "node:events";
import { expect } from "chai";
import { MINUTE } from "../../base/units.ts";
import { eventually, startTestBridge, type TestBridge } from "../support/bridge.ts";
import { type BrowserWindow, openWindow } from "../support/browser-window.ts";
import { type Peer, peer } from "../support/peer.ts";

const PASSWORD = "correct horse battery";
const SCOPES = `<?xml version="1.0"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body>
<GetScopes xmlns="http://www.onvif.org/ver10/device/wsdl"/></s:Body></s:Envelope>`;

describe("a system that is armed in Chromium, while ffmpeg and curl come with its secret", function () {
  this.timeout(240_000);
  let t: TestBridge;
  let window: BrowserWindow;
  let ffmpeg: Peer;
  let curl: Peer;
  const playing: ReturnType<Peer["start"]>[] = [];

  before(async function () {
    const chromium = peer(this, "chromium");
    [ffmpeg, curl] = [peer(this, "ffmpeg"), peer(this, "curl")];
    t = await startTestBridge();
    const { accounts } = t.bridge.parts;
    const token = accounts.setUpToken()?.reveal() ?? "";
    await accounts.setUp(token, "admin", PASSWORD, { address: "127.0.0.1", port: 1, tls: true });
    window = await openWindow(chromium, t.bridge.parts.addresses().web("127.0.0.1"));
    await window.page.getByLabel("Name").fill("admin");
    await window.page.getByLabel("Password").fill(PASSWORD);
    await window.page.getByRole("button", { name: "Log in" }).click();
  });
  after(async () => {
    for (const { child } of playing) child.kill("SIGKILL");
    await window?.close();
    await t?.close();
  });

  it("plays while it is armed, and neither before, nor after its time, nor after that is ended early", async () => {
    const camera = await t.adopt(await t.camera());
    const login = await t.account({ live: "any" });
    const { accounts, rtspSessions } = t.bridge.parts;
    const start = (): (typeof playing)[number] => {
      const url = t.rtsp(login, `live/${camera}`);
      const started = ffmpeg.start(["-loglevel", "error", "-rtsp_transport", "tcp", "-i", url, "-f", "null", "-"]);
      playing.push(started);
      return started;
    };
    const play = async (): Promise<(typeof playing)[number]> => {
      const before = rtspSessions(login.name);
      const started = start();
      await eventually(() => rtspSessions(login.name) > before);
      return started;
    };
    const ended = async ({ child }: (typeof playing)[number]): Promise<void> => {
      if (child.exitCode === null) await once(child, "exit");
    };
    const ask = async (secret = login.secret): Promise<string> => {
      // Without TLS nothing but digest is offered.
      const url = `http://127.0.0.1:${t.bridge.parts.addresses().doors.http}/onvif/device_service`;
      const soap = ["-H", "Content-Type: application/soap+xml", "--data-binary", SCOPES];
      const how = ["-sS", "-w", "%{http_code}", "--anyauth", "-u", `${login.name}:${secret}`];
      const { stdout } = await curl.run([...how, ...soap, url]);
      // But for the nonces of the answers.
      return stdout.toString().replaceAll(/nonce="[^"]*"/g, "");
    };
    const atAnyTime = await play();

    const { page } = window;
    await page.getByRole("link", { name: "Accounts" }).click();
    const row = page.getByRole("row", { name: login.name });
    const dialog = page.getByRole("dialog");
    await row.getByRole("button", { name: "Arm…" }).click();
    await window.picture("arming-demanded");
    await dialog.getByRole("button", { name: "Only while armed" }).click();
    await row.getByText("not armed").waitFor();
    await ended(atAnyTime);
    const refused = start();
    await ended(refused);
    expect(refused.child.exitCode).not.to.equal(0);
    // Also with the right secret it is told what one with a wrong one is.
    const outside = await ask();
    expect(outside)
      .to.match(/401$/)
      .and.equal(await ask("wrong"));

    await row.getByRole("button", { name: "Arm…" }).click();
    await dialog.getByLabel("From now on").selectOption("4 hours");
    await dialog.getByRole("button", { name: "Arm", exact: true }).click();
    await row.getByText(/armed, [34] h \d+ min left/).waitFor();
    const during = await play();
    expect(await ask()).to.match(/200$/);
    await window.picture("armed");
    await row.getByRole("button", { name: "Arm…" }).click();
    await dialog.getByText(/It is armed, [34] h \d+ min left, until/).waitFor();
    await window.picture("arming");
    await dialog.getByRole("button", { name: "End it now" }).click();
    await row.getByText("not armed").waitFor();
    await ended(during);
    expect([rtspSessions(login.name), await ask()]).to.deep.equal([0, outside]);

    const { until } = await accounts.arm(login.id, MINUTE);
    await page.reload();
    await row.getByText(/armed, \d+ s left/).waitFor();
    const untilTheEnd = await play();
    await ended(untilTheEnd);
    expect(Date.now()).to.be.at.least(until);
    expect([rtspSessions(login.name), await ask()]).to.deep.equal([0, outside]);
    // The page has seen it by itself.
    await row.getByText("not armed").waitFor();
    await window.picture("not-armed");
    expect(window.troubles).to.deep.equal([]);
  });
});
