import { expect } from "chai";
import { HOUR, MINUTE } from "../../base/units.ts";
import { startTestBridge, type TestBridge } from "../support/bridge.ts";
import { type BrowserWindow, openWindow } from "../support/browser-window.ts";
import { ExternalSystem, ended, type Playing } from "../support/external-system.ts";
import { peer } from "../support/peer.ts";

const PASSWORD = "correct horse battery";
describe("a system that is armed in Chromium, while ffmpeg and curl come with its secret", () => {
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

  it("plays while it is armed, and neither before, nor after its time, nor after that is ended early", async () => {
    const camera = await t.adopt(await t.camera());
    const login = await t.account({ live: "any" });
    const { accounts, rtspSessions } = t.bridge.parts;
    const play = (): Promise<Playing> => system.play(login, camera);
    const ask = (): Promise<string> => system.ask(login);
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
    const refused = system.start(login, camera);
    await ended(refused);
    expect(refused.child.exitCode).not.to.equal(0);
    // Also with the right secret it is told what one with a wrong one is.
    const outside = await ask();
    expect(outside)
      .to.match(/401$/)
      .and.equal(await system.ask({ ...login, secret: "wrong" }));

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

    // It plays before its last minute begins, which ffmpeg might need to begin.
    await accounts.arm(login.id, HOUR);
    const untilTheEnd = await play();
    const { until } = await accounts.arm(login.id, MINUTE);
    await page.reload();
    await row.getByText(/armed, \d+ s left/).waitFor();
    await ended(untilTheEnd);
    expect(Date.now()).to.be.at.least(until);
    expect([rtspSessions(login.name), await ask()]).to.deep.equal([0, outside]);
    // The page has seen it by itself.
    await row.getByText("not armed").waitFor();
    await window.picture("not-armed");
    expect(window.troubles).to.deep.equal([]);
  });
});
