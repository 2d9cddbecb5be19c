import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { expect } from "chai";
import { Accounts } from "../../../auth/accounts.ts";
import type { AuditEntry } from "../../../auth/audit.ts";
import { IssuerKeys } from "../../../auth/jwt/issuer-keys.ts";
import { type JwtIssuer, JwtLogIns } from "../../../auth/jwt/jwt-log-ins.ts";
import { RefusedJwt } from "../../../auth/jwt/refused-jwt.ts";
import { Leases } from "../../../auth/leases.ts";
import type { Principal } from "../../../auth/principal.ts";
import { SecondFactors } from "../../../auth/second-factors.ts";
import { Throttle } from "../../../auth/throttle.ts";
import { silentLog } from "../../../base/log.ts";
import { Sealer } from "../../../base/seal.ts";
import { Secret } from "../../../base/secret.ts";
import { HOUR, MINUTE, SECOND } from "../../../base/units.ts";
import { codeFor } from "../../support/authenticator.ts";
import { part, signed, signedByHmac, type TestIssuer, testIssuer } from "../../support/jwt-issuer.ts";
import { kindOf, openSite, PASSWORD, type Site, TLS, WATCH_ALL } from "../fixture.ts";

const ISSUER = "https://id.example/realms/site";
const { privateKey: RSA, publicKey: RSA_PUBLIC } = generateKeyPairSync("rsa", { modulusLength: 2048 });

describe("log-ins by JWT", () => {
  let site: Site;
  let issuer: TestIssuer;
  let jwts: JwtLogIns;
  let audited: AuditEntry[];
  let id: string;
  /** What the issuer publishes, and how often it was asked. */
  let published: { keySet: () => string; reads: number };

  const open = async (change: Partial<Omit<JwtIssuer, "keys">> = {}, accounts = site.accounts): Promise<JwtLogIns> => {
    const load = (): Promise<string> => {
      published.reads += 1;
      return Promise.resolve().then(published.keySet);
    };
    const keys = new IssuerKeys({ issuer: "site", load, clock: site.clock, log: silentLog() });
    await keys.refresh();
    const rules = {
      issuer: ISSUER,
      audiences: ["viaduct", "cameras"],
      algorithms: ["ES256", "RS256"],
      toleranceMs: 30 * SECOND,
      notBefore: "required",
      longestMs: 24 * HOUR,
    } as const;
    return new JwtLogIns(
      [
        {
          name: "site",
          rules,
          keys,
          claim: "sub",
          accounts: undefined,
          interfaces: new Set(["api", "rtsp"] as const),
          asksForFactor: false,
          ...change,
        },
      ],
      {
        accounts,
        throttle: new Throttle(site.clock),
        audit: { record: (entry) => audited.push(entry) },
        clock: site.clock,
      },
    );
  };
  const nowSeconds = (): number => Math.floor(site.clock.now() / 1000);
  const verify = (text: string, door: "api" | "rtsp" | "onvif" = "api"): Promise<Principal> =>
    jwts.verify(text, TLS, door);
  /** Why it is refused, for administrators; what whoever sent it is told is always the same. */
  const whyNot = async (text: string, door: "api" | "rtsp" | "onvif" = "api"): Promise<string> => {
    try {
      return `taken for ${(await verify(text, door)).name}`;
    } catch (error) {
      if (!(error instanceof RefusedJwt)) throw error;
      expect(error.tell).to.match(/^this token is not taken: /);
      expect(error.tell).not.to.contain("vms");
      return error.detail ?? "";
    }
  };

  beforeEach(async () => {
    site = await openSite();
    audited = [];
    issuer = testIssuer(ISSUER, nowSeconds);
    published = { keySet: () => issuer.keySet(), reads: 0 };
    id = (await site.accounts.createIntegration({ name: "vms", grants: WATCH_ALL })).account.id;
    jwts = await open();
  });
  afterEach(async () => {
    jwts.close();
    await site.database.close();
  });

  it("let in the account that the token names, with its own rights and none of the token's", async () => {
    const token = issuer.token({ roles: ["onvif:Administrator"], scope: "manage-accounts" });
    expect(await verify(token)).to.include({ accountId: id, name: "vms" });
    expect((await verify(token)).grants.map(({ right }) => right)).to.deep.equal(WATCH_ALL.map(({ right }) => right));
    await site.accounts.change(id, { grants: [] });
    expect((await verify(token)).grants).to.deep.equal([]);
  });

  it("take tokens of the types, audiences and keys that are meant", async () => {
    const taken = [
      issuer.token({}, { typ: "at+jwt" }),
      issuer.token({}, { typ: "application/at+JWT" }),
      issuer.token({ aud: ["elsewhere", "cameras"] }),
      issuer.token({}, { kid: undefined }),
      issuer.token({ nbf: nowSeconds() + 29 }),
    ];
    for (const token of taken) expect(await whyNot(token)).to.equal("taken for vms");
  });

  describe("refuse", () => {
    const now = (): number => nowSeconds();
    const claims = (): object => ({ iss: ISSUER, aud: "viaduct", sub: "vms", nbf: now() - 10, exp: now() + 300 });
    const header = { alg: "ES256", typ: "JWT", kid: "first" };
    const publicPem = (): string =>
      createPublicKey(issuer.privateKey).export({ type: "spki", format: "pem" }).toString();
    const rows: readonly (readonly [string, () => string, RegExp])[] = [
      ["alg none", () => `${part({ ...header, alg: "none" })}.${part(claims())}.`, /algorithm/],
      ["alg nOnE", () => `${part({ ...header, alg: "nOnE" })}.${part(claims())}.`, /algorithm/],
      ["no signature", () => issuer.token().replace(/[^.]+$/, ""), /signature|malformed/],
      [
        "a signature of zeros",
        () => issuer.token().replace(/[^.]+$/, Buffer.alloc(64).toString("base64url")),
        /signature/,
      ],
      ["HMAC with the public key", () => signedByHmac({ ...header, alg: "HS256" }, claims(), publicPem()), /algorithm/],
      ["another's key", () => signed(header, claims(), testIssuer(ISSUER, now).privateKey), /signature/],
      [
        "a key of another kind under that name",
        () => signed({ ...header, alg: "RS256" }, claims(), RSA),
        /no key "first" for RS256/,
      ],
      [
        "a key that the token brings",
        () =>
          signed({ ...header, alg: "RS256", kid: undefined, jwk: RSA_PUBLIC.export({ format: "jwk" }) }, claims(), RSA),
        /names no key/,
      ],
      [
        "a key that the token names (jku, x5u)",
        () =>
          signed(
            { ...header, alg: "RS256", kid: "x", jku: "https://evil.example/", x5u: "https://evil.example/" },
            claims(),
            RSA,
          ),
        /no key "x"/,
      ],
      ["an algorithm that is not listed", () => issuer.token({}, { alg: "ES384" }), /not one of those/],
      ["extensions (crit)", () => issuer.token({}, { crit: ["exp"], exp: 1 }), /malformed|not taken/],
      [
        "an unencoded payload (RFC 7797)",
        () => signed({ ...header, crit: ["b64"], b64: false }, claims(), issuer.privateKey),
        /malformed|not taken|signature/,
      ],
      ["another type", () => issuer.token({}, { typ: "logout+jwt" }), /typ is "logout\+jwt"/],
      ["no type", () => issuer.token({}, { typ: undefined }), /typ is "missing"/],
      [
        "a token in a token",
        () => signed({ ...header, cty: "JWT" }, issuer.token(), issuer.privateKey),
        /cannot be read|malformed/,
      ],
      [
        "an unknown issuer",
        () => issuer.token({ iss: `${ISSUER}/` }),
        /no issuer "https:\/\/id\.example\/realms\/site\/" is listed/,
      ],
      ["two issuers", () => issuer.token({ iss: [ISSUER] }), /no issuer|cannot be read/],
      ["another audience", () => issuer.token({ aud: "billing" }), /not for here/],
      ["no audience", () => issuer.token({ aud: undefined }), /not for here/],
      ["what has expired", () => issuer.token({ exp: now() }), /has expired/],
      ["what has expired within the tolerance", () => issuer.token({ exp: now() - 5 }), /has expired/],
      ["what never expires", () => issuer.token({ exp: undefined }), /until when/],
      ["an expiry that is a text", () => issuer.token({ exp: String(now() + 300) }), /until when/],
      [
        "an infinite expiry",
        () =>
          signed(header, JSON.stringify({ ...claims(), exp: 0 }).replace('"exp":0', '"exp":1e999'), issuer.privateKey),
        /good for longer/,
      ],
      ["what is good for longer than a day", () => issuer.token({ exp: now() + 86_402 }), /good for longer/],
      ["what is not good yet", () => issuer.token({ nbf: now() + 31 }), /not good yet/],
      ["what does not say from when on it is good", () => issuer.token({ nbf: undefined }), /from when on/],
      ["what is bound to a key", () => issuer.token({ cnf: { jkt: "x" } }), /bound to a key/],
      ["nobody", () => issuer.token({ sub: undefined }), /names nobody/],
      ["somebody who is no text", () => issuer.token({ sub: ["vms"] }), /names nobody/],
      ["an account that is not there", () => issuer.token({ sub: "nobody" }), /no account "nobody"/],
      ["a name that only looks like the account's", () => issuer.token({ sub: "ｖｍｓ" }), /no account/],
      ["what the prototype has", () => issuer.token({ sub: "__proto__" }), /no account/],
      ["what is too long", () => issuer.token({ pad: "x".repeat(8000) }), /longer than/],
      ["four parts", () => `${issuer.token()}.e30`, /cannot be read|malformed/],
      ["claims that are no object", () => signed(header, "[]", issuer.privateKey), /cannot be read/],
      ["another spelling of the signature", () => `${issuer.token()}=`, /cannot be read|malformed/],
    ];
    for (const [name, make, why] of rows)
      it(name, async () => {
        expect(await whyNot(make())).to.match(why);
      });

    it("a letter that is written as another one where it is small", async () => {
      await site.accounts.createIntegration({ name: "kim", grants: [] });
      expect(await whyNot(issuer.token({ sub: "\u212Aim" }))).to.match(/no account/);
      expect(await whyNot(issuer.token({ sub: "Kim" }))).to.equal("taken for kim");
    });

    it("what is said twice, but for the last of it, as who has signed it reads it too", async () => {
      const text = JSON.stringify(claims());
      const twice = (first: string, last: string): string =>
        signed(
          header,
          `{"sub":"${first}",${text.slice(1).replace('"sub":"vms"', `"sub":"${last}"`)}`,
          issuer.privateKey,
        );
      expect(await whyNot(twice("vms", "nobody"))).to.match(/no account "nobody"/);
      expect(await whyNot(twice("nobody", "vms"))).to.equal("taken for vms");
    });

    it("interfaces that its issuer is not for", async () => {
      expect(await whyNot(issuer.token(), "rtsp")).to.equal("taken for vms");
      expect(await whyNot(issuer.token(), "onvif")).to.match(/not for onvif/);
      expect([jwts.takes(issuer.token(), "rtsp"), jwts.takes(issuer.token(), "onvif")]).to.deep.equal([true, false]);
    });
  });

  it("map listed subjects to accounts, and no others", async () => {
    jwts = await open({ accounts: new Map([["7f3a", "vms"]]) });
    expect(await whyNot(issuer.token({ sub: "7f3a" }))).to.equal("taken for vms");
    expect(await whyNot(issuer.token({ sub: "vms" }))).to.match(/not listed/);
    jwts = await open({ claim: "azp", accounts: new Map([["client", "gone"]]) });
    expect(await whyNot(issuer.token({ azp: "client" }))).to.match(/no account "gone"/);
  });

  it("end what runs by them when they expire, to the second, and not before", async () => {
    const leases = new Leases({ ...site, audit: { record: () => undefined } });
    const lease = leases.open(await verify(issuer.token({ exp: nowSeconds() + 60 })), [
      { right: "live", camera: "gate", interface: "api" },
    ]);
    await site.clock.advance(58 * SECOND);
    expect(lease.ended.aborted).to.equal(false);
    await site.clock.advance(3 * SECOND);
    expect(lease.ended.aborted).to.equal(true);
    leases.close();
  });

  it("end what runs by them when the account is out or the issuer takes its key back, and leave it when rights change", async () => {
    const leases = new Leases({ ...site, audit: { record: () => undefined } });
    const token = issuer.token({ exp: nowSeconds() + 3600 });
    const run = async (door: "api" | "rtsp") =>
      leases.open(await verify(token, door), [{ right: "live", camera: "gate", interface: door }]);
    const first = await run("api");
    await site.accounts.change(id, { grants: [...WATCH_ALL, { right: "ptz", cameras: "any", interfaces: "any" }] });
    expect(first.ended.aborted).to.equal(false);
    await site.accounts.change(id, { enabled: false });
    expect([first.ended.aborted, await whyNot(token)]).to.deep.equal([true, "its account is out"]);
    await site.accounts.change(id, { enabled: true });
    const second = await run("rtsp");
    issuer.changeKey("second");
    await site.clock.advance(14 * MINUTE);
    expect([second.ended.aborted, await whyNot(token)]).to.deep.equal([false, "taken for vms"]);
    await site.clock.advance(2 * MINUTE);
    expect([second.ended.aborted, await whyNot(token)]).to.deep.equal([true, "its key is not its issuer's any more"]);
    leases.close();
  });

  it("look for a new key once a minute, whoever invents names of keys", async () => {
    await site.clock.advance(2 * MINUTE);
    const before = published.reads;
    for (let count = 0; count < 5; count += 1)
      await jwts
        .verify(issuer.token({}, { kid: `invented ${count}` }), { ...TLS, address: `192.0.2.${count}` }, "api")
        .catch(() => undefined);
    expect(published.reads).to.equal(before + 1);
    issuer.changeKey("second");
    expect(await whyNot(issuer.token())).to.match(/no key "second"/);
    await site.clock.advance(MINUTE);
    expect(await whyNot(issuer.token())).to.equal("taken for vms");
  });

  it("keep keys for a day while the issuer is down, and take nothing afterwards until it is back", async () => {
    const keySet = published.keySet;
    published.keySet = () => {
      throw new Error("down");
    };
    await site.clock.advance(23 * HOUR);
    expect(await whyNot(issuer.token())).to.equal("taken for vms");
    await site.clock.advance(HOUR + MINUTE);
    expect(await kindOf(() => verify(issuer.token()))).to.equal("unavailable");
    published.keySet = keySet;
    await site.clock.advance(MINUTE);
    expect(await whyNot(issuer.token())).to.equal("taken for vms");
  });

  it("make guesses wait, and count nothing that the issuer has signed", async () => {
    for (let count = 0; count < 10; count += 1)
      await whyNot(issuer.token({ exp: nowSeconds() - 1, jti: String(count) }));
    expect(await whyNot(issuer.token())).to.equal("taken for vms");
    const guess = issuer.token().replace(/[^.]+$/, Buffer.alloc(64, 1).toString("base64url"));
    for (let count = 0; count < 6; count += 1) await verify(guess).catch(() => undefined);
    expect(await kindOf(() => verify(issuer.token()))).to.equal("busy");
  });

  it("let in people with a second factor only where the issuer asks for one", async () => {
    const query = site.database.query;
    const factors = await SecondFactors.open({ query, sealer: new Sealer(Buffer.alloc(32, 7)), clock: site.clock });
    const accounts = await Accounts.open({
      query,
      sealer: new Sealer(Buffer.alloc(32, 7)),
      clock: site.clock,
      log: silentLog(),
      factors,
    });
    const ada = await accounts.createPerson({ name: "ada", password: new Secret(PASSWORD), grants: WATCH_ALL });
    jwts = await open({}, accounts);
    const token = issuer.token({ sub: "Ada" });
    expect(await whyNot(token)).to.equal("taken for ada");
    const { secret } = factors.begin(ada.id, "ada");
    await factors.confirm(ada.id, codeFor(secret.reveal(), site.clock.now()), TLS.address);
    expect(await whyNot(token)).to.match(/has a second factor/);
    jwts = await open({ asksForFactor: true }, accounts);
    expect(await whyNot(token)).to.equal("taken for ada");
  });

  it("let in nobody whose log-in waits for a second person", async () => {
    const { query } = site.database;
    const accounts = await Accounts.open({
      query,
      sealer: new Sealer(Buffer.alloc(32, 7)),
      clock: site.clock,
      log: silentLog(),
      logInWaits: () => true,
    });
    jwts = await open({ asksForFactor: true }, accounts);
    expect(await whyNot(issuer.token())).to.match(/second person/);
  });

  it("are audited once an hour for each account, address and interface, without the token", async () => {
    const token = issuer.token({ exp: nowSeconds() + 7200 });
    await verify(token);
    await verify(issuer.token({ jti: "2" }));
    await verify(token, "rtsp");
    await site.clock.advance(61 * MINUTE);
    await verify(token);
    expect(audited.map(({ who, action, subject, interface: door }) => [who, action, subject, door])).to.deep.equal([
      ["vms", "use-token", "JWT of site", "api"],
      ["vms", "use-token", "JWT of site", "rtsp"],
      ["vms", "use-token", "JWT of site", "api"],
    ]);
    expect(JSON.stringify(audited)).not.to.contain(token.slice(0, 20));
  });
});
