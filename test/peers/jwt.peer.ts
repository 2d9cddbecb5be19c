import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { type Clock, systemClock } from "../../base/clock.ts";
import { SECOND, unixMillis } from "../../base/units.ts";
import { explained } from "../../bridge/client-side/refusal-words.ts";
import { eventually, startTestBridge, type TestBridge } from "../support/bridge.ts";
import { officialFolder } from "../support/official-schemas.ts";
import { requestOf } from "../support/onvif-client.ts";
import { type Peer, peer, pythonPeer } from "../support/peer.ts";
import { RtspsClient } from "../support/rtsps-client.ts";

const MINT = join(import.meta.dirname, "../support/mint-jwt.py");
const ZEEP = join(import.meta.dirname, "../support/zeep-secure.py");
const ISSUER = "https://id.example/realms/site";
const ALGORITHMS = ["ES256", "RS256", "PS256", "EdDSA"] as const;
const GOOD_SECONDS = 600;

type Made = Readonly<Record<(typeof ALGORITHMS)[number] | "elsewhere", string>>;

describe("programs with tokens that PyJWT has made", () => {
  let folder: string;
  let keysFile: string;
  let python: Peer;
  let t: TestBridge;
  let camera: string;
  let account: string;
  /** How far the bridge's wall clock is ahead of the machine's. */
  let aheadMs = 0;
  const clock: Clock = { ...systemClock, now: () => unixMillis(systemClock.now() + aheadMs) };

  const claims = (more: object = {}): object => {
    const now = Math.floor(systemClock.now() / 1000);
    return { iss: ISSUER, aud: "viaduct", sub: "7f3a", nbf: now - 5, exp: now + GOOD_SECONDS, ...more };
  };
  /** Tokens by new keys, which the bridge does not know yet. */
  const mint = async (): Promise<Made> => {
    const wanted = [
      ...ALGORITHMS.map((alg) => ({ alg, claims: claims() })),
      { alg: "ES256", claims: claims({ aud: "elsewhere" }) },
    ];
    const { stdout, stderr } = await python.run([MINT, keysFile], { input: JSON.stringify(wanted) });
    expect(stderr).to.equal("");
    const tokens = JSON.parse(stdout.toString()) as readonly string[];
    const names = [...ALGORITHMS, "elsewhere"];
    return Object.fromEntries(names.map((name, at) => [name, tokens[at] ?? ""])) as Made;
  };
  const curl = async (context: Mocha.Context, path: string, ...more: readonly string[]): Promise<string> => {
    const url = new URL(path, t.bridge.parts.addresses().web("127.0.0.1")).href;
    const args = ["-sS", "-i", "-w", "\n%{http_code}", "--cacert", join(t.folder, "tls-cert.pem")];
    return (await peer(context, "curl").run([...args, ...more, url])).stdout.toString();
  };

  beforeEach(async function () {
    python = pythonPeer(this, "jwt", "cryptography", "zeep");
    folder = await mkdtemp(join(tmpdir(), "viaduct-jwt-"));
    keysFile = join(folder, "keys.json");
  });
  afterEach(async () => {
    await t?.close();
    await rm(folder, { recursive: true, force: true });
  });

  const start = async (): Promise<Made> => {
    const made = await mint();
    const issuer = {
      name: "site",
      issuer: ISSUER,
      audiences: ["viaduct"],
      keysFile,
      algorithms: [...ALGORITHMS],
      accounts: { "7f3a": "status" },
      interfaces: ["api", "onvif", "rtsp"],
    };
    aheadMs = 0;
    t = await startTestBridge({ jwt: { issuers: [issuer] }, clock });
    camera = await t.adopt(await t.camera());
    const grants = [{ right: "live", cameras: "any", interfaces: "any" }] as const;
    account = (await t.bridge.parts.accounts.createIntegration({ name: "status", grants })).account.id;
    return made;
  };

  it("curl lists cameras by each algorithm, asks ONVIF, and is told to get another token where one is not taken", async function () {
    const made = await start();
    for (const algorithm of ALGORITHMS)
      expect(await curl(this, "/api/cameras", "--oauth2-bearer", made[algorithm]), algorithm).to.match(
        new RegExp(`"id":"${camera}"[\\s\\S]*\n200$`),
      );
    const soap = ["-H", "Content-Type: application/soap+xml", "--data-binary", requestOf("tds", "GetScopes")];
    const ask = (token: string): Promise<string> =>
      curl(this, "/onvif/device_service", "--oauth2-bearer", token, ...soap);
    expect(await ask(made.ES256)).to.match(/GetScopesResponse[\s\S]*\n200$/);
    const refused = await ask(made.elsewhere);
    expect(refused).to.match(/\n401$/);
    expect(refused).to.contain('WWW-Authenticate: Bearer realm="Viaduct", error="invalid_token"');
    expect(await curl(this, "/api/cameras", "--oauth2-bearer", made.elsewhere)).to.match(/not taken[\s\S]*\n401$/);
    const [only] = t.bridge.parts.refusals.list().map(explained);
    expect(only?.says).to.match(/^the client's JWT is not taken: it is not for here/);
    await t.bridge.parts.accounts.change(account, { enabled: false });
    expect(await ask(made.ES256)).to.match(/\n401$/);
  });

  it("zeep with the official WSDL files reads the scopes, and not with a token for another service", async function () {
    const official = officialFolder(this);
    const made = await start();
    const address = `${t.bridge.parts.addresses().web("127.0.0.1")}/onvif/device_service`.replace("//onvif", "/onvif");
    const ask = async (token: string): Promise<unknown> => {
      const args = [ZEEP, official, address, join(t.folder, "tls-cert.pem"), "bearer", token];
      const { stdout, stderr } = await python.run(args);
      expect(stderr).to.equal("");
      return JSON.parse(stdout.toString());
    };
    expect(await ask(made.RS256)).to.include("onvif://www.onvif.org/name/Viaduct");
    expect(await ask(made.elsewhere)).to.match(/authoriz|401|log-in|taken/i);
  });

  it("RTSPS plays until the token expires, and not again", async () => {
    const made = await start();
    const { rtsps } = t.bridge.parts.addresses().doors;
    const authorization = `Authorization: Bearer ${made.ES256}`;
    const viewer = await RtspsClient.open(rtsps);
    const played = await viewer.play(`rtsps://127.0.0.1:${rtsps}/live/${camera}`, { authorization });
    expect(played.status).to.equal(200);
    await eventually(() => viewer.packets > 0);
    aheadMs = GOOD_SECONDS * SECOND;
    await viewer.closed;
    const late = await RtspsClient.open(rtsps);
    expect((await late.ask("DESCRIBE", `rtsps://127.0.0.1:${rtsps}/live/${camera}`, [authorization])).status).to.equal(
      401,
    );
    late.close();
  });
});
