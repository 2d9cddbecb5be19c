import { once } from "node:events";
import { expect } from "chai";
import { eventually, startTestBridge, type TestBridge } from "../support/bridge.ts";
import { type BrowserWindow, openWindow } from "../support/browser-window.ts";
import { type Peer, peer } from "../support/peer.ts";

const PASSWORD = "correct horse battery";
const SCOPES = `<?xml version="1.0"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body>
<GetScopes xmlns="http://www.onvif.org/ver10/device/wsdl"/></s:Body></s:Envelope>`;

describe("a secret that is replaced in Chromium, while ffmpeg and curl come with the old one", function () {
  this.timeout(120_000);
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

  it("goes on to open until it is ended, and takes with it what it had begun alone", async () => {
    const camera = await t.adopt(await t.camera());
    const old = await t.account({ live: "any" });
    const { accounts, rtspSessions } = t.bridge.parts;
    const play = async (login: typeof old): Promise<(typeof playing)[number]> => {
      const before = rtspSessions(old.name);
      const url = t.rtsp(login, `live/${camera}`);
      const started = ffmpeg.start(["-loglevel", "error", "-rtsp_transport", "tcp", "-i", url, "-f", "null", "-"]);
      playing.push(started);
      await eventually(() => rtspSessions(old.name) > before);
      return started;
    };
    const ask = async (secret: string): Promise<string> => {
      // Without TLS nothing but digest is offered.
      const url = `http://127.0.0.1:${t.bridge.parts.addresses().doors.http}/onvif/device_service`;
      const soap = ["-H", "Content-Type: application/soap+xml", "--data-binary", SCOPES];
      const login = ["--digest", "-u", `${old.name}:${secret}`];
      const { stdout } = await curl.run(["-sS", "-o", "/dev/null", "-w", "%{http_code}", ...login, ...soap, url]);
      return stdout.toString();
    };
    const first = await play(old);

    const { page } = window;
    await page.getByRole("link", { name: "Accounts" }).click();
    const row = page.getByRole("row", { name: old.name });
    const dialog = page.getByRole("dialog");
    await row.getByRole("button", { name: "Secret…" }).click();
    await dialog.getByLabel("The present secret").selectOption("Holds for a day more");
    await window.picture("renew-secret");
    await dialog.getByRole("button", { name: "Make", exact: true }).click();
    const secret = (await dialog.getByText(/^\w{20}$/).textContent()) ?? "";
    await dialog.getByRole("button", { name: "Done" }).click();

    expect([await ask(old.secret), await ask(secret), await ask("wrong")]).to.deep.equal(["200", "200", "401"]);
    const [second, fresh] = [await play(old), await play({ ...old, secret })];
    expect([first, second, fresh].map(({ child }) => child.exitCode)).to.deep.equal([null, null, null]);

    await page.reload();
    await row.getByRole("button", { name: "Secret…" }).click();
    await dialog.getByText(/The former one holds until .* It was used last: .*, from 127\.0\.0\.1/).waitFor();
    await window.picture("former-secret");
    await dialog.getByRole("button", { name: "End it now" }).click();
    await dialog.waitFor({ state: "hidden" });
    await Promise.all(
      [first, second].map(async ({ child }) => {
        if (child.exitCode === null) await once(child, "exit");
      }),
    );
    expect([fresh.child.exitCode, rtspSessions(old.name)]).to.deep.equal([null, 1]);
    expect([await ask(old.secret), await ask(secret)]).to.deep.equal(["401", "200"]);
    expect(accounts.secretsOf(old.id)?.former).to.equal(undefined);
    expect(window.troubles).to.deep.equal([]);
  });
});
