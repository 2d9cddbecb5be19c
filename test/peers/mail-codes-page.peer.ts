import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { systemClock } from "../../base/clock.ts";
import { loadIdentity } from "../../net/tls.ts";
import { eventually, startTestBridge, type TestBridge } from "../support/bridge.ts";
import { type BrowserWindow, openWindow } from "../support/browser-window.ts";
import { peer } from "../support/peer.ts";
import { MAIL_PASSWORD, MAIL_USER, type MailServer, startMailServer } from "../support/smtp-server.ts";

const PASSWORD = "correct horse battery";

describe("codes by e-mail, in Chromium and through aiosmtpd", function () {
  this.timeout(120_000);
  let folder: string;
  let server: MailServer;
  let t: TestBridge;
  let window: BrowserWindow;

  before(async function () {
    const chromium = peer(this, "chromium");
    folder = await mkdtemp(join(tmpdir(), "viaduct-mail-page-"));
    await loadIdentity(folder, ["127.0.0.1"], systemClock);
    await writeFile(join(folder, "password"), MAIL_PASSWORD, { mode: 0o600 });
    server = await startMailServer(this, "starttls", folder);
    t = await startTestBridge({
      mail: {
        host: "127.0.0.1",
        port: server.port,
        ca: join(folder, "tls-cert.pem"),
        user: MAIL_USER,
        passwordFile: join(folder, "password"),
        from: "viaduct@example.org",
      },
    });
    const { accounts } = t.bridge.parts;
    const peerOfAdmin = { address: "127.0.0.1", port: 1, tls: true };
    await accounts.setUp(accounts.setUpToken()?.reveal() ?? "", "admin", PASSWORD, peerOfAdmin);
    window = await openWindow(chromium, t.bridge.parts.addresses().web("127.0.0.1"));
  });
  after(async () => {
    await window?.close();
    await t?.close();
    await server?.close();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  /** The code of the message of that number. */
  const code = async (count: number): Promise<string> => {
    await eventually(() => server.mails().length >= count);
    return /\b\d{6}\b/.exec(server.mails()[count - 1]?.text ?? "")?.[0] ?? "";
  };

  it("are set up, and asked for at the next log-in", async () => {
    const { page } = window;
    const logIn = async (): Promise<void> => {
      await page.getByLabel("Name").fill("admin");
      await page.getByLabel("Password").fill(PASSWORD);
      await page.getByRole("button", { name: "Log in" }).click();
    };
    await logIn();
    await window.account("Second factor");
    await page.getByLabel("by e-mail").check();
    await page.getByLabel("E-mail address").fill("ada@example.org");
    await page.getByLabel("Your password").fill(PASSWORD);
    await window.picture("mail-factor");
    await page.getByRole("button", { name: "Go on" }).click();
    await page.getByText("A code was sent to a…@example.org").waitFor();
    await page.getByLabel("Code").fill(await code(1));
    await page.getByRole("button", { name: "Go on" }).click();
    await page.getByRole("button", { name: "I have kept them" }).click();
    await window.account("Log out");
    await logIn();
    await page.getByText("A code was sent to a…@example.org").waitFor();
    await window.picture("log-in-mail-code");
    await page.getByLabel("Code that was sent by e-mail").fill(await code(2));
    await page.getByRole("button", { name: "Log in" }).click();
    await page.locator("details.account").waitFor();
    expect(server.mails().map(({ to }) => to)).to.deep.equal([["ada@example.org"], ["ada@example.org"]]);
  });
});
