import { expect } from "chai";
import { systemClock } from "../../base/clock.ts";
import { codeFor } from "../support/authenticator.ts";
import { startTestBridge, type TestBridge } from "../support/bridge.ts";
import { type BrowserWindow, openWindow } from "../support/browser-window.ts";
import { peer } from "../support/peer.ts";

const PASSWORD = "correct horse battery";
const GIVEN = "words on a slip of paper";
const CHOSEN = "four other random words";

describe("a temporary password, in Chromium", () => {
  let t: TestBridge;
  let window: BrowserWindow;

  before(async function () {
    const chromium = peer(this, "chromium");
    t = await startTestBridge();
    await t.administrator(PASSWORD);
    window = await openWindow(chromium, t.bridge.parts.addresses().web("127.0.0.1"));
  });
  after(async () => {
    await window?.close();
    await t?.close();
  });

  it("is given by the administrator, and replaced in the log-in before anything is open", async () => {
    const { page } = window;
    await window.logIn("admin", PASSWORD);
    await page.getByRole("link", { name: "Accounts" }).click();
    await page.getByRole("button", { name: "Add a person" }).click();
    await page.getByLabel("Name").fill("ada");
    await page.getByLabel("Password").fill(GIVEN);
    expect(await page.getByLabel("They choose another one at the next log-in").isChecked()).to.equal(true);
    await window.picture("temporary-password-given");
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await page.getByText("temporary password").waitFor();
    await window.picture("temporary-password-listed");
    await window.account("Log out");

    await window.logIn("ada", GIVEN);
    await page.getByText("Your password was set by somebody else").waitFor();
    await window.picture("temporary-password");
    const choose = async (next: string): Promise<void> => {
      await page.getByLabel("New password").fill(next);
      await page.getByRole("button", { name: "Log in" }).click();
    };
    await choose(GIVEN);
    await page.getByText("that is the password that you were given").waitFor();
    expect(await page.getByText("Log out").count()).to.equal(0);
    await choose(CHOSEN);
    await page.getByRole("heading", { name: "Cameras" }).waitFor();
    await window.account("Log out");
    await window.logIn("ada", CHOSEN);
    await page.getByRole("heading", { name: "Cameras" }).waitFor();
    await window.account("Log out");
  });

  it("is replaced in the same step in which a demanded second factor is set up", async () => {
    const { page } = window;
    const { accounts } = t.bridge.parts;
    await accounts.setPart("role", "guards", { name: "Guards", secondFactor: true, grants: [] });
    const ada = accounts.named("ada")?.id ?? "";
    await accounts.change(ada, { roles: ["guards"] });
    await window.logIn("admin", PASSWORD);
    await page.getByRole("link", { name: "Accounts" }).click();
    await page.getByRole("row", { name: "ada" }).getByRole("button", { name: "Password" }).click();
    await page.getByLabel("New password").fill(GIVEN);
    await window.picture("temporary-password-reset");
    await page.getByRole("button", { name: "Set", exact: true }).click();
    await page.getByText("temporary password").waitFor();
    await window.account("Log out");

    await window.logIn("ada", GIVEN);
    await page.getByText("You must have a second factor here").waitFor();
    const secret = (await page.locator("form code").textContent()) ?? "";
    await page.getByLabel("New password").fill(CHOSEN);
    await page.getByLabel("Code that it shows now").fill(codeFor(secret, systemClock.now()));
    await window.picture("temporary-password-factor");
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByRole("dialog", { name: "Keep these recovery codes" }).waitFor();
    await page.getByRole("button", { name: "I have kept them" }).click();
    await page.getByRole("heading", { name: "Cameras" }).waitFor();
    expect(window.troubles).to.deep.equal([]);
  });
});
