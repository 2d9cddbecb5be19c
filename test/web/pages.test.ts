import { expect } from "chai";
import type { WebAnswer } from "../support/web-client.ts";
import { startWebSite, type WebSite } from "../support/web-site.ts";

const START = "<!doctype html><title>start</title>";

describe("the pages", () => {
  let site: WebSite;

  before(async () => {
    site = await startWebSite();
  });
  after(() => site.close());

  const get = (path: string): Promise<WebAnswer> => site.stranger().send("GET", path);

  it("are served with their types, for ever where the name carries a hash", async () => {
    const asset = await get("/assets/app-1a2b.js");
    expect(asset.text).to.equal("export {};");
    expect(asset.headers["content-type"]).to.equal("text/javascript; charset=utf-8");
    expect(asset.headers["cache-control"]).to.equal("public, max-age=31536000, immutable");
    const start = await get("/index.html");
    expect(start.text).to.equal(START);
    expect(start.headers["content-type"]).to.equal("text/html; charset=utf-8");
    expect(start.headers["cache-control"]).to.equal("no-cache");
  });

  it("answer every other path with the start page, which knows what to show", async () => {
    for (const path of ["/", "/cameras/gate", "/api", "/anything?x=1", `/${"long".repeat(1000)}`])
      expect(await get(path), path).to.deep.include({ status: 200, text: START });
  });

  it("do not pass off the start page as a script that is not there", async () => {
    expect((await get("/assets/app-of-before.js")).status).to.equal(404);
  });

  it("never give a file from beside their folder, however it is written", async () => {
    for (const path of [
      "/../secret.txt",
      "/%2e%2e/secret.txt",
      "/..%2fsecret.txt",
      "/%2e%2e%2fsecret.txt",
      "/..%5csecret.txt",
      "/assets/../../secret.txt",
      "/assets/%2e%2e/%2e%2e/secret.txt",
      "//../secret.txt",
      "/../dist-of-others/secret.txt",
      "/../../../../../../../../../etc/passwd",
      "/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
      "/index.html%00.txt",
    ]) {
      const { status, text } = await get(path);
      expect(text, path).not.to.match(/not for you\b(?!\.)|root:/);
      expect(status, path).to.be.oneOf([200, 404]);
    }
  });

  it("call an address that is not well-formed what it is", async () => {
    for (const path of ["/%", "/%zz", "/%e0%a4%a"])
      expect(await get(path), path).to.deep.include({
        status: 400,
        json: { error: "The address is not well-formed." },
      });
    expect((await get("/api/accounts/%e0%a4%a")).status).to.be.oneOf([400, 401, 404]);
  });

  it("are read only", async () => {
    const { status, json } = await site.stranger().send("POST", "/index.html");
    expect({ status, json }).to.deep.equal({ status: 400, json: { error: "Only GET here." } });
    expect(await site.stranger().send("HEAD", "/index.html")).to.deep.include({ status: 200, text: "" });
  });

  it("come with headers that let nothing in from elsewhere, and so does every other answer", async () => {
    const stranger = site.stranger();
    const answers: readonly (readonly [what: string, answer: WebAnswer])[] = [
      ["the start page", await get("/")],
      ["a script", await get("/assets/app-1a2b.js")],
      ["the API", await get("/api/session")],
      ["a refusal", await get("/api/accounts")],
      ["an unknown path", await get("/api/nothing")],
      ["a bad address", await get("/%zz")],
      ["a bad body", await stranger.send("POST", "/api/session", { body: "{" })],
      ["another site's request", await stranger.send("POST", "/api/session", { headers: { origin: "https://x" } })],
    ];
    for (const [what, { headers }] of answers) {
      expect(headers["content-security-policy"], what).to.include("default-src 'none'");
      expect(headers["content-security-policy"], what).to.include("frame-ancestors 'none'");
      expect(headers["content-security-policy"], what).not.to.include("unsafe");
      expect(headers, what).to.include({
        "strict-transport-security": "max-age=31536000",
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
      });
      expect(headers, what).not.to.have.any.keys("x-powered-by", "server", "access-control-allow-origin");
    }
  });

  it("keep answers of the API out of every cache", async () => {
    expect((await get("/api/session")).headers["cache-control"]).to.equal("no-store");
  });
});
