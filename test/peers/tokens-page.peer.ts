import { expect } from "chai";
import type { Page } from "playwright-core";
import { startTestBridge, type TestBridge } from "../support/bridge.ts";
import { type BrowserWindow, openWindow } from "../support/browser-window.ts";
import { peer } from "../support/peer.ts";

const PASSWORD = "correct horse battery";

describe("tokens in Chromium", () => {
  let t: TestBridge;
  let window: BrowserWindow;
  let page: Page;

  before(async function () {
    const chromium = peer(this, "chromium");
    t = await startTestBridge();
    const { accounts } = t.bridge.parts;
    await t.administrator(PASSWORD);
    await accounts.createIntegration({ name: "status", grants: [] });
    window = await openWindow(chromium, t.bridge.parts.addresses().web("127.0.0.1"));
    ({ page } = window);
    await window.logIn("admin", PASSWORD);
  });
  after(async () => {
    await window?.close();
    await t?.close();
  });

  const dialog = () => page.getByRole("dialog");
  const tokensOf = (name: string) => {
    const { accounts, tokens } = t.bridge.parts;
    return tokens.list(accounts.list().find((one) => one.name === name)?.id ?? "");
  };

  it("are made with the password, shown once, listed, and revoked", async () => {
    await window.account("Tokens");
    await dialog().getByText("There are none.").waitFor();
    await dialog().getByRole("button", { name: "Make a token…" }).click();
    await dialog().getByLabel("Name").fill("script");
    await dialog().getByLabel("Valid for days").fill("");
    await dialog().getByLabel("Taken from").fill("10.2.0.0/24, 127.0.0.1");
    await dialog().getByLabel("Your password").fill("wrong horse battery");
    await dialog().getByRole("button", { name: "Make it" }).click();
    await dialog().getByText("Wrong name or password.").waitFor();
    await dialog().getByLabel("Your password").fill(PASSWORD);
    await dialog().getByRole("button", { name: "Make it" }).click();
    await dialog()
      .getByText(/^vdt_\w{45}$/)
      .waitFor();
    expect(tokensOf("admin")[0]).to.include({ name: "script", expires: undefined });
    await dialog().getByRole("button", { name: "Done" }).click();
    await window.account("Tokens");
    await dialog().getByRole("cell", { name: "api from 10.2.0.0/24, 127.0.0.1" }).waitFor();
    await window.picture("tokens");
    await dialog().getByRole("button", { name: "Revoke" }).click();
    await dialog().getByText("There are none.").waitFor();
    expect(tokensOf("admin")).to.deep.equal([]);
    await dialog().getByRole("button", { name: "Close", exact: true }).last().click();
  });

  it("of external systems are made at their account", async () => {
    await page.getByRole("link", { name: "Accounts" }).click();
    await page.getByRole("row").filter({ hasText: "status" }).getByRole("button", { name: "Tokens…" }).click();
    await dialog().getByRole("button", { name: "Make a token…" }).click();
    await dialog().getByLabel("Name").fill("page");
    await dialog().getByLabel("For ONVIF and RTSP too, inside TLS").check();
    await dialog().getByRole("button", { name: "Make it" }).click();
    await dialog()
      .getByText(/^vdt_\w{45}$/)
      .waitFor();
    expect(tokensOf("status")[0]?.interfaces).to.deep.equal(["api", "onvif", "rtsp"]);
  });
});
