import { expect } from "chai";
import { startTestBridge, type TestBridge } from "../support/bridge.ts";
import { type BrowserWindow, openWindow } from "../support/browser-window.ts";
import { ExternalSystem, ended, type Playing } from "../support/external-system.ts";
import { peer } from "../support/peer.ts";

const PASSWORD = "correct horse battery";
describe("a secret that is replaced in Chromium, while ffmpeg and curl come with the old one", () => {
  let t: TestBridge;
  let window: BrowserWindow;
  let system: ExternalSystem;

  before(async function () {
    const chromium = peer(this, "chromium");
    const programs = { ffmpeg: peer(this, "ffmpeg"), curl: peer(this, "curl") };
    t = await startTestBridge();
    system = new ExternalSystem(t, programs);
    await t.administrator(PASSWORD);
    window = await openWindow(chromium, t.bridge.parts.addresses().web("127.0.0.1"));
    await window.logIn("admin", PASSWORD);
  });
  after(async () => {
    system?.close();
    await window?.close();
    await t?.close();
  });

  it("goes on to open until it is ended, and takes with it what it had begun alone", async () => {
    const camera = await t.adopt(await t.camera());
    const old = await t.account({ live: "any" });
    const { accounts, rtspSessions } = t.bridge.parts;
    const play = (login: typeof old): Promise<Playing> => system.play(login, camera);
    const ask = async (secret: string): Promise<string> => (await system.ask({ ...old, secret })).slice(-3);
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

    // Without loading the page anew.
    await row.getByRole("button", { name: "Secret…" }).click();
    await dialog.getByText(/The former one holds until .* It was used last: .*, from 127\.0\.0\.1/).waitFor();
    await window.picture("former-secret");
    await dialog.getByRole("button", { name: "End it now" }).click();
    await dialog.waitFor({ state: "hidden" });
    await Promise.all([first, second].map(ended));
    expect([fresh.child.exitCode, rtspSessions(old.name)]).to.deep.equal([null, 1]);
    expect([await ask(old.secret), await ask(secret)]).to.deep.equal(["401", "200"]);
    expect(accounts.secretsOf(old.id)?.former).to.equal(undefined);
    expect(window.troubles).to.deep.equal([]);
  });
});
