import { expect } from "chai";
import { readPart } from "../../auth/policy.ts";
import { systemClock } from "../../base/clock.ts";
import { Secret } from "../../base/secret.ts";
import { codeFor } from "../support/authenticator.ts";
import { startTestBridge, type TestBridge } from "../support/bridge.ts";
import { type BrowserWindow, openWindow } from "../support/browser-window.ts";
import { peer } from "../support/peer.ts";

const PASSWORD = "correct horse battery";

describe("a second factor that a role demands, in Chromium", () => {
  let t: TestBridge;
  let window: BrowserWindow;

  before(async function () {
    const chromium = peer(this, "chromium");
    t = await startTestBridge();
    const { accounts } = t.bridge.parts;
    await t.administrator(PASSWORD);
    const guards = readPart("role", "guards", { name: "Guards", secondFactor: true, grants: [] });
    await accounts.setPart("role", "guards", guards);
    await accounts.createPerson({ name: "ada", password: new Secret(PASSWORD), grants: [], roles: ["guards"] });
    window = await openWindow(chromium, t.bridge.parts.addresses().web("127.0.0.1"));
  });
  after(async () => {
    await window?.close();
    await t?.close();
  });

  it("is set up in the log-in, with recovery codes, and lets nobody in before", async () => {
    const { page } = window;
    await window.logIn("ada", PASSWORD);
    await page.getByText("You must have a second factor here").waitFor();
    await window.picture("factor-demand");
    const secret = (await page.locator("form code").textContent()) ?? "";
    await page.getByLabel("Code that it shows now").fill("000000");
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByText("That is not the code of this moment").waitFor();
    expect(await page.getByText("Log out").count()).to.equal(0);
    await page.getByLabel("Code that it shows now").fill(codeFor(secret, systemClock.now()));
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByRole("dialog", { name: "Keep these recovery codes" }).waitFor();
    await page.getByRole("button", { name: "I have kept them" }).click();
    await window.account("Second factor");
    await page.getByText("You must have a second factor: if you remove this one").waitFor();
  });
});
