import { mkdtemp, rm, writeFile } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import type { JwtLogIns } from "../../auth/jwt/jwt-log-ins.ts";
import { Throttle } from "../../auth/throttle.ts";
import { systemClock } from "../../base/clock.ts";
import { asFault } from "../../base/fault.ts";
import { silentLog } from "../../base/log.ts";
import { openJwt } from "../../bridge/open-jwt.ts";
import { settingsSchema } from "../../bridge/settings.ts";
import { openSite, type Site, TLS, WATCH_ALL } from "../auth/fixture.ts";
import { type TestIssuer, testIssuer } from "../support/jwt-issuer.ts";
import { keyServer } from "../support/key-server.ts";

const ISSUER = "https://id.example";

describe("issuers of JWTs", () => {
  let folder: string;
  let site: Site;
  let issuer: TestIssuer;
  let server: Awaited<ReturnType<typeof keyServer>>;
  let answer: (response: ServerResponse) => void;
  let jwts: JwtLogIns | undefined;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "viaduct-jwt-"));
    site = await openSite();
    await site.accounts.createIntegration({ name: "vms", grants: WATCH_ALL });
    issuer = testIssuer(ISSUER, () => Math.floor(systemClock.now() / 1000));
    answer = (response) => response.end(issuer.keySet());
    server = await keyServer(folder, (response) => answer(response));
  });
  afterEach(async () => {
    jwts?.close();
    jwts = undefined;
    server.close();
    await site.database.close();
    await rm(folder, { recursive: true });
  });

  const settings = (more: object): Parameters<typeof openJwt>[0] =>
    settingsSchema.parse({
      dataFolder: folder,
      cameraSide: { interfaces: ["10.1.0.0/24"] },
      clientSide: { addresses: ["127.0.0.1"] },
      jwt: { issuers: [{ name: "site", issuer: ISSUER, audiences: ["viaduct"], ...more }] },
    });
  const open = async (more: object): Promise<JwtLogIns> => {
    const { accounts } = site;
    const parts = { accounts, throttle: new Throttle(systemClock), audit: { record: () => undefined } };
    jwts = await openJwt(settings(more), { ...parts, clock: systemClock, log: silentLog() });
    return jwts as JwtLogIns;
  };
  const outcome = async (work: () => Promise<unknown>): Promise<string> => {
    try {
      await work();
      return "taken";
    } catch (error) {
      const { kind, message, cause } = asFault(error);
      return `${kind}: ${message}${cause instanceof Error ? ` (${cause.message})` : ""}`;
    }
  };
  const logIn = async (more: object): Promise<string> => {
    const opened = await open(more);
    return outcome(() => opened.verify(issuer.token(), TLS, "api"));
  };

  it("are known by the keys of a file, which must be there", async () => {
    const keysFile = join(folder, "keys.json");
    expect(await outcome(() => open({ keysFile }))).to.match(
      /^invalid: jwt\.issuers, site, keysFile: .*cannot be read/,
    );
    await writeFile(keysFile, "{}");
    expect(await outcome(() => open({ keysFile }))).to.match(/^invalid: jwt\.issuers, site, keysFile: .*is no JWKS/);
    await writeFile(keysFile, issuer.keySet());
    expect(await logIn({ keysFile })).to.equal("taken");
  });

  it("are known by the keys that they publish, whose server must have a certificate of their authority", async () => {
    expect(await logIn({ keysUrl: server.url, ca: join(folder, "tls-cert.pem") })).to.equal("taken");
    expect(await logIn({ keysUrl: server.url })).to.match(/^unavailable: no keys of site/);
  });

  const broken: readonly (readonly [string, (response: ServerResponse) => void])[] = [
    ["an error", (response) => response.writeHead(500).end()],
    [
      "a redirect, which is not followed",
      (response) => response.writeHead(302, { Location: "https://127.0.0.1:1/" }).end(),
    ],
    ["no JWKS", (response) => response.end("<html>")],
    ["more than is taken", (response) => response.end(" ".repeat(300 * 1024))],
    ["a compressed body", (response) => response.writeHead(200, { "Content-Encoding": "gzip" }).end("x")],
  ];
  for (const [name, says] of broken)
    it(`let nobody in while their server answers with ${name}`, async () => {
      answer = says;
      expect(await logIn({ keysUrl: server.url, ca: join(folder, "tls-cert.pem") })).to.match(/^unavailable: no keys/);
    });

  const mistakes: readonly (readonly [string, object, RegExp])[] = [
    ["neither a file nor an address of keys", {}, /either keysFile or keysUrl/],
    ["both", { keysFile: "a", keysUrl: "https://a/" }, /either keysFile or keysUrl/],
    ["an address without TLS", { keysUrl: "http://id.example/certs" }, /an address of HTTPS/],
    ["an address with a password", { keysUrl: "https://a:b@id.example/certs" }, /an address of HTTPS/],
    ["a signature by HMAC", { keysFile: "a", algorithms: ["HS256"] }, /algorithms/],
    ["no signature", { keysFile: "a", algorithms: ["none"] }, /algorithms/],
    ["no audience", { keysFile: "a", audiences: [] }, /audiences/],
    ["the pages", { keysFile: "a", interfaces: ["web"] }, /interfaces/],
  ];
  for (const [name, more, why] of mistakes)
    it(`are refused in the settings with ${name}`, () => expect(() => settings(more)).to.throw(why));
});
