import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import type { Peer } from "./peer.ts";
import { witnesses } from "./witnesses.ts";

/** Where to leave pictures of the pages for a person to look at; none are taken without it. */
const SCREENSHOTS = process.env["VIADUCT_SCREENSHOTS"];

const LIMITS = {
  /** Chromium itself begins slowly on such a machine. */
  launchMs: 180_000,
  /** For what hangs in a step: pages answer at once, but on a machine where much else runs. */
  stepMs: 180_000,
  /** For what is said of a test that failed, and how much that is. */
  witnessMs: 5000,
  shownCharacters: 3000,
};

/** A window of a browser, in which a test works as a person does. */
export interface BrowserWindow {
  readonly page: Page;
  /** What the pages themselves did wrong: errors of their scripts, and what the browser complained of. */
  readonly troubles: readonly string[];
  /** Logs in at the page that asks for it. */
  logIn(name: string, password: string): Promise<void>;
  /** Chooses something of the menu of whoever is logged in. */
  account(item: string): Promise<void>;
  /** Leaves pictures of the window under that name, in the light and in the dark scheme. */
  picture(name: string): Promise<void>;
  close(): Promise<void>;
}

export interface WindowOptions {
  /** What the person types where the browser itself asks for name and password. */
  readonly credentials?: { readonly username: string; readonly password: string };
  /** Further arguments of Chromium, and what is different in its environment. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Opens `url` in Chromium without a screen; further addresses may be relative to it. Certificates are not checked: those of a test are its own. */
export async function openWindow(
  { program }: Peer,
  url: string,
  { credentials, args = [], env }: WindowOptions = {},
): Promise<BrowserWindow> {
  const browser: Browser = await chromium.launch({
    executablePath: program,
    timeout: LIMITS.launchMs,
    ...(env === undefined ? {} : { env: { ...process.env, ...env } }),
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-background-networking",
      "--disable-component-update",
      "--no-first-run",
      ...args,
    ],
  });
  const troubles: string[] = [];
  const context = await browser.newContext({
    baseURL: url,
    ignoreHTTPSErrors: true,
    viewport: { width: 1180, height: 860 },
    ...(credentials === undefined ? {} : { httpCredentials: credentials }),
  });
  const page = await context.newPage();
  page.setDefaultTimeout(LIMITS.stepMs);
  page.on("pageerror", (error) => troubles.push(String(error)));
  page.on("console", (message) => {
    // Refusals, and what a test or a changed network cuts off; what is missing is seen by the steps.
    const expected = /status of 4\d\d|ERR_(INTERNET_DISCONNECTED|NETWORK_CHANGED)/;
    if (message.type() === "error" && !expected.test(message.text())) troubles.push(message.text());
  });
  const witness = async (): Promise<string> => {
    const text = await page.locator("body").ariaSnapshot({ timeout: LIMITS.witnessMs });
    return [`At ${page.url()}:`, text.slice(0, LIMITS.shownCharacters), ...troubles].join("\n");
  };
  witnesses.add(witness);
  await page.goto(url);
  return {
    page,
    troubles,
    async logIn(name, password) {
      await page.getByLabel("Name").fill(name);
      await page.getByLabel("Password").fill(password);
      await page.getByRole("button", { name: "Log in" }).click();
    },
    async account(item) {
      await page.locator("details.account summary").click();
      await page.getByRole("button", { name: item, exact: true }).click();
    },
    async picture(name) {
      if (SCREENSHOTS === undefined) return;
      mkdirSync(SCREENSHOTS, { recursive: true });
      await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), fullPage: true });
      await page.emulateMedia({ colorScheme: "dark" });
      await page.screenshot({ path: join(SCREENSHOTS, `${name}-dark.png`), fullPage: true });
      await page.emulateMedia({ colorScheme: "light" });
    },
    async close() {
      witnesses.delete(witness);
      await browser.close();
    },
  };
}
