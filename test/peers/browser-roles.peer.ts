import { expect } from "chai";
import type { Locator, Page } from "playwright-core";
import { startTestBridge, type TestBridge } from "../support/bridge.ts";
import { type BrowserWindow, openWindow } from "../support/browser-window.ts";
import { peer } from "../support/peer.ts";

const PASSWORD = "correct horse battery";

describe("roles in Chromium", () => {
  let t: TestBridge;
  let window: BrowserWindow;
  let page: Page;

  before(async function () {
    const chromium = peer(this, "chromium");
    t = await startTestBridge();
    await t.adopt(await t.camera({ name: "Gate" }));
    const { accounts } = t.bridge.parts;
    await t.administrator(PASSWORD);
    await accounts.createIntegration({
      name: "guard-room",
      grants: [{ right: "talk", cameras: "any", interfaces: "any" }],
    });
    window = await openWindow(chromium, t.bridge.parts.addresses().web("127.0.0.1"));
    ({ page } = window);
    await window.logIn("admin", PASSWORD);
    await page.getByRole("link", { name: "Roles" }).click();
  });
  after(async () => {
    await window?.close();
    await t?.close();
  });

  const dialog = () => page.getByRole("dialog");
  const save = async (): Promise<void> => {
    await dialog().getByRole("button", { name: "Save" }).click();
    await dialog().waitFor({ state: "detached" });
  };
  /** Labels hold their controls, and so the words of what can be chosen. */
  const field = (scope: Locator, name: string) =>
    scope
      .locator("label.field")
      .filter({ has: page.getByText(name, { exact: true }) })
      .locator("select, input");
  const rowOf = (section: string, name: string) =>
    page
      .getByRole("region", { name: section, exact: true })
      .getByRole("row")
      .filter({ has: page.getByRole("rowheader", { name, exact: true }) });

  it("say what there is not yet", async () => {
    await page.getByText("There are no camera groups yet").waitFor();
    await page.getByText("There are no time profiles yet").waitFor();
    await rowOf("Roles", "Administrator").getByText("Has every right").waitFor();
    await window.picture("roles-empty");
  });

  it("make a group, hours, and a role out of them", async () => {
    await page.getByRole("button", { name: "Add a camera group…" }).click();
    await dialog().getByLabel("Name").fill("Outside");
    await dialog().getByLabel("Gate").check();
    await save();
    await rowOf("Camera groups", "Outside").getByText("Gate").waitFor();

    await page.getByRole("button", { name: "Add a time profile…" }).click();
    await dialog().getByLabel("Name").fill("Office hours");
    await field(dialog(), "Time zone").fill("Mars");
    await dialog().getByRole("button", { name: "Save" }).click();
    await dialog()
      .getByRole("alert")
      .filter({ hasText: /no such time zone/ })
      .waitFor();
    await field(dialog(), "Time zone").fill("Europe/Copenhagen");
    await window.picture("roles-hours");
    await save();
    await rowOf("Time profiles", "Office hours").getByText("Mon Tue Wed Thu Fri 08:00–17:00").waitFor();

    await page.getByRole("button", { name: "Add a role…" }).click();
    await dialog().getByLabel("Name").fill("Guards");
    await dialog().getByRole("button", { name: "Add a grant" }).click();
    await field(dialog(), "Cameras").selectOption({ label: "Group Outside" });
    await field(dialog(), "Through").selectOption("rtsp");
    await field(dialog(), "Hours").selectOption({ label: "Office hours" });
    const says = "May watch live: the group Outside, through rtsp, at the hours Office hours.";
    await dialog().getByText(says).waitFor();
    await window.picture("roles-role");
    await save();
    await rowOf("Roles", "Guards").getByText(says).waitFor();
    const [grant] = t.bridge.parts.accounts.policy.part("role", "guards")?.grants ?? [];
    expect(grant).to.deep.equal({
      right: "live",
      cameras: new Set(),
      groups: new Set(["outside"]),
      interfaces: new Set(["rtsp"]),
      hours: "office-hours",
    });
  });

  it("give a role to an account, whose own grants stay", async () => {
    const holders = page.getByRole("region", { name: "Accounts with roles" });
    await holders.getByRole("row").filter({ hasText: "guard-room" }).getByRole("button").click();
    await dialog().getByLabel("Guards").check();
    await save();
    await rowOf("Roles", "Guards").getByText("Held by: guard-room.").waitFor();
    const account = t.bridge.parts.accounts.list().find(({ name }) => name === "guard-room");
    expect([account?.roles, account?.grants.length]).to.deep.equal([["guards"], 1]);
  });

  it("say why an account may, or may not", async () => {
    const why = page.getByRole("region", { name: "Why, or why not" });
    await field(why, "Account").selectOption("guard-room");
    await field(why, "At").fill("2026-11-29T03:00");
    await why.getByRole("button", { name: "Ask" }).click();
    await why.getByText("No: live is granted at other hours.").waitFor();
    await why.getByText("role guards, line 1: outside its hours").waitFor();
    await field(why, "At").fill("2026-11-30T12:00");
    await why.getByRole("button", { name: "Ask" }).click();
    await why.getByText("Yes: grant of live.").waitFor();
    await why.getByText(/All that it may do then/).click();
    await why.getByText("watch live, through rtsp: Gate").waitFor();
    await why.getByText("talk through its speaker, through web, api, onvif, rtsp, cli: Gate").waitFor();
    await window.picture("roles");
  });

  it("refuse to remove what is in use, in words, and remove what is not, asking first", async () => {
    await rowOf("Roles", "Guards").getByRole("button", { name: "Delete Guards" }).click();
    await dialog().getByRole("button", { name: "Delete" }).click();
    await page.getByRole("alert").filter({ hasText: "Guards is in use by guard-room." }).waitFor();
    await dialog().getByRole("button", { name: "Keep" }).click();
    await dialog().waitFor({ state: "detached" });
    await rowOf("Roles", "Guards").getByRole("button", { name: "Change Guards" }).click();
    await dialog().getByRole("button", { name: "Remove this grant" }).click();
    await save();
    await rowOf("Time profiles", "Office hours").getByRole("button", { name: "Delete Office hours" }).click();
    await page.keyboard.press("Escape");
    await dialog().waitFor({ state: "detached" });
    await rowOf("Time profiles", "Office hours").waitFor();
    await rowOf("Time profiles", "Office hours").getByRole("button", { name: "Delete Office hours" }).click();
    await dialog().getByRole("button", { name: "Delete" }).click();
    await page.getByText("There are no time profiles yet").waitFor();
    await dialog().waitFor({ state: "detached" });
  });

  it("are worked by keyboard alone", async () => {
    await page.getByRole("button", { name: "Add a camera group…" }).focus();
    await page.keyboard.press("Enter");
    await page.keyboard.type("Yard");
    await page.keyboard.press("Enter");
    await rowOf("Camera groups", "Yard").waitFor();
    await page.getByRole("button", { name: "Change Yard" }).focus();
    await page.keyboard.press("Enter");
    await dialog().waitFor();
    await page.keyboard.press("Escape");
    await dialog().waitFor({ state: "detached" });
  });

  it("raise no error on the way", () => {
    expect(window.troubles).to.deep.equal([]);
  });
});
