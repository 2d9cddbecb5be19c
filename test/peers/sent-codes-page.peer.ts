import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { systemClock } from "../../base/clock.ts";
import { Secret } from "../../base/secret.ts";
import { loadIdentity } from "../../net/tls.ts";
import { eventually, startTestBridge, type TestBridge } from "../support/bridge.ts";
import { type BrowserWindow, openWindow } from "../support/browser-window.ts";
import { peer } from "../support/peer.ts";
import { SMS_SECRET, type SmsGatewayPeer, startSmsGateway } from "../support/sms-gateway.ts";
import { MAIL_PASSWORD, MAIL_USER, type MailServer, startMailServer } from "../support/smtp-server.ts";

const PASSWORD = "correct horse battery";

describe("codes by e-mail and SMS, in Chromium, through aiosmtpd and a gateway", () => {
  let folder: string;
  let server: MailServer;
  let gateway: SmsGatewayPeer;
  let t: TestBridge;
  let window: BrowserWindow;

  before(async function () {
    const chromium = peer(this, "chromium");
    folder = await mkdtemp(join(tmpdir(), "viaduct-mail-page-"));
    await loadIdentity(folder, ["127.0.0.1"], systemClock);
    await writeFile(join(folder, "password"), MAIL_PASSWORD, { mode: 0o600 });
    await writeFile(join(folder, "secret"), SMS_SECRET, { mode: 0o600 });
    server = await startMailServer(this, "starttls", folder);
    gateway = await startSmsGateway(this, folder);
    t = await startTestBridge({
      mail: {
        host: "127.0.0.1",
        port: server.port,
        ca: join(folder, "tls-cert.pem"),
        user: MAIL_USER,
        passwordFile: join(folder, "password"),
        from: "viaduct@example.org",
      },
      sms: {
        url: `https://127.0.0.1:${gateway.port}/messages`,
        ca: join(folder, "tls-cert.pem"),
        user: "viaduct",
        secretFile: join(folder, "secret"),
        form: { To: "{to}", Body: "{text}" },
        countries: ["+45"],
        limits: { perDay: 2 },
      },
    });
    await t.administrator(PASSWORD);
    window = await openWindow(chromium, t.bridge.parts.addresses().web("127.0.0.1"));
  });
  after(async () => {
    await window?.close();
    await t?.close();
    await server?.close();
    await gateway?.close();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  /** The code of the message of that number. */
  const code = async (count: number): Promise<string> => {
    await eventually(() => server.mails().length >= count);
    return codeIn(server.mails()[count - 1]?.text);
  };
  const codeOfSms = async (count: number): Promise<string> => {
    await eventually(() => gateway.requests().length >= count);
    return codeIn((gateway.requests()[count - 1]?.fields as { Body?: string } | undefined)?.Body);
  };
  const logIn = (name: string): Promise<void> => window.logIn(name, PASSWORD);
  /** The first code was typed. */
  const confirm = async (typed: string): Promise<void> => {
    const { page } = window;
    await page.getByLabel("Code").fill(typed);
    await page.getByRole("button", { name: "Go on" }).click();
    await page.getByRole("button", { name: "I have kept them" }).click();
  };

  it("come by e-mail: are set up, and asked for at the next log-in", async () => {
    const { page } = window;
    await logIn("admin");
    await window.account("Second factor");
    await page.getByLabel("by e-mail").check();
    await page.getByLabel("E-mail address").fill("ada@example.org");
    await page.getByLabel("Your password").fill(PASSWORD);
    await window.picture("mail-factor");
    await page.getByRole("button", { name: "Go on" }).click();
    await page.getByText("A code was sent to a…@example.org").waitFor();
    await confirm(await code(1));
    await window.account("Log out");
    await logIn("admin");
    await page.getByText("A code was sent to a…@example.org").waitFor();
    await window.picture("log-in-mail-code");
    await page.getByLabel("Code that was sent by e-mail").fill(await code(2));
    await page.getByRole("button", { name: "Log in" }).click();
    await page.locator("details.account").waitFor();
    expect(server.mails().map(({ to }) => to)).to.deep.equal([["ada@example.org"], ["ada@example.org"]]);
  });

  it("come by SMS, to a number of an allowed country, and the limit that is reached is in the audit log and the metrics", async () => {
    const { page } = window;
    await t.bridge.parts.accounts.createPerson({ name: "ada", password: new Secret(PASSWORD), grants: [] });
    await window.account("Log out");
    await logIn("ada");
    await window.account("Second factor");
    await page.getByLabel("by SMS").check();
    await page.getByLabel("Telephone number").fill("+46 70 123 45 67");
    await page.getByLabel("Your password").fill(PASSWORD);
    await page.getByRole("button", { name: "Go on" }).click();
    await page.getByText("codes are sent to numbers that begin with +45 alone").waitFor();
    await window.picture("sms-factor");
    await page.getByLabel("Telephone number").fill("+45 12 34 56 78");
    await page.getByRole("button", { name: "Go on" }).click();
    await page.getByText("A code was sent to +45…78").waitFor();
    await confirm(await codeOfSms(1));
    await window.account("Log out");
    await logIn("ada");
    await page.getByText("A code was sent to +45…78").waitFor();
    await window.picture("log-in-sms-code");
    await page.getByLabel("Code that was sent by SMS").fill(await codeOfSms(2));
    await page.getByRole("button", { name: "Log in" }).click();
    await page.locator("details.account").waitFor();
    expect(gateway.requests().map(({ known, fields }) => [known, (fields as { To: string }).To])).to.deep.equal([
      [true, "+4512345678"],
      [true, "+4512345678"],
    ]);
    const log = await readFile(join(t.folder, "audit.log"), "utf8");
    expect(log).to.contain('"action":"reach-code-limit"').and.to.contain("2 codes by sms within 24 hours are sent");
    expect(log).not.to.contain("12345678");
    const metrics = await page.evaluate(async () => (await fetch("/metrics")).text());
    expect(metrics).to.contain('viaduct_code_limits_reached_total{of="all"} 1');
    expect(window.troubles).to.deep.equal([]);
  });
});

function codeIn(text = ""): string {
  return /\b\d{6}\b/.exec(text)?.[0] ?? "";
}
