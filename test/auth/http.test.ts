import { expect } from "chai";
import * as fc from "fast-check";
import type { Peer } from "../../auth/principal.ts";
import type { BearerTokens } from "../../auth/scheme/bearer.ts";
import { algorithmOf, digestResponse, parseAuthValues, quoted } from "../../auth/scheme/digest.ts";
import { ChallengeAnswerer, HttpAuthenticator } from "../../auth/scheme/http.ts";
import { Throttle } from "../../auth/throttle.ts";
import { UnauthenticatedFault } from "../../auth/unauthenticated.ts";
import type { Secret } from "../../base/secret.ts";
import { MINUTE, SECOND } from "../../base/units.ts";
import { administrator, kindOf, openSite, PASSWORD, PLAIN, type Site, TLS, WATCH_ALL } from "./fixture.ts";

const URI = "rtsp://bridge.test:554/live/cam1";

const basic = (name: string, password: string): string =>
  `Basic ${Buffer.from(`${name}:${password}`).toString("base64")}`;

describe("HTTP and RTSP authentication", () => {
  let site: Site;
  let secret: Secret;
  let throttle: Throttle;
  let server: HttpAuthenticator;
  const make = (door: "rtsp" | "onvif" = "rtsp", tokens?: BearerTokens): HttpAuthenticator =>
    new HttpAuthenticator({
      accounts: site.accounts,
      clock: site.clock,
      realm: "Viaduct",
      door,
      throttle,
      ...(tokens === undefined ? {} : { tokens }),
    });

  before(async () => {
    site = await openSite();
    await administrator(site.accounts);
    ({ secret } = await site.accounts.createIntegration({ name: "vms", grants: WATCH_ALL }));
  });
  beforeEach(() => {
    throttle = new Throttle(site.clock);
    server = make();
  });
  after(() => site.database.close());

  const verify = (authorization: string | undefined, more: { method?: string; uri?: string; peer?: Peer } = {}) =>
    server.verify({ method: "DESCRIBE", uri: URI, peer: PLAIN, authorization, ...more });

  /** The outcome in one word: the account's name, `stale`, or the kind of Fault. */
  async function outcome(...of: Parameters<typeof verify>): Promise<string> {
    try {
      return (await verify(...of)).name;
    } catch (error) {
      if (error instanceof UnauthenticatedFault && error.stale) return "stale";
      return kindOf(() => {
        throw error;
      });
    }
  }

  /** What a client makes of it by hand. */
  function answer(
    changes: Record<string, string | undefined> = {},
    method = "DESCRIBE",
    password = secret.reveal(),
  ): string {
    const nonce = parseAuthValues(server.challenges(PLAIN)[0] ?? "")[0]?.params.get("nonce") ?? "";
    const params: Record<string, string | undefined> = {
      username: "vms",
      realm: "Viaduct",
      nonce,
      uri: URI,
      ...changes,
    };
    const algorithm = algorithmOf(params["algorithm"]);
    if (algorithm === undefined) throw new Error("algorithm");
    const { nc, cnonce } = params;
    params["response"] ??= digestResponse({
      algorithm,
      password,
      method,
      user: params["username"] ?? "",
      realm: params["realm"] ?? "",
      nonce: params["nonce"] ?? "",
      uri: params["uri"] ?? "",
      ...(params["qop"] !== undefined && nc !== undefined && cnonce !== undefined ? { quality: { nc, cnonce } } : {}),
      ...(cnonce === undefined ? {} : { cnonce }),
    });
    return `Digest ${Object.entries(params)
      .flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${quoted(value)}`]))
      .join(", ")}`;
  }

  const schemes = (peer: Peer): readonly (string | undefined)[] =>
    server
      .challenges(peer)
      .map((value) => parseAuthValues(value)[0])
      .map((value) =>
        `${value?.scheme} ${value?.params.get("algorithm") ?? ""} ${value?.params.get("qop") ?? ""}`.trim(),
      );

  const counted = (nonce: string, nc: number): string =>
    answer({ nonce, qop: "auth", cnonce: "c", nc: nc.toString(16).padStart(8, "0"), algorithm: "SHA-256" });

  const fresh = (peer = PLAIN): string =>
    parseAuthValues(server.challenges(peer)[0] ?? "")[0]?.params.get("nonce") ?? "";

  const fail = async (times: number, username = "vms", peer = PLAIN): Promise<void> => {
    for (let n = 0; n < times; n += 1) await outcome(answer({ username }, "DESCRIBE", "wrong"), { peer });
  };

  describe("offers", () => {
    it("SHA-256 before MD5, and Basic inside TLS alone", () => {
      expect(schemes(PLAIN)).to.deep.equal(["digest SHA-256 auth", "digest MD5 auth"]);
      expect(schemes(TLS)).to.deep.equal(["digest SHA-256 auth", "digest MD5 auth", "basic"]);
    });
    it("Bearer to who has sent a token, inside TLS where any are taken, and to nobody else (RFC 6750 3)", () => {
      const taking = make("rtsp", {
        takes: () => true,
        verify: () => Promise.reject(new Error("none")),
        ofCertificate: () => undefined,
      });
      const offered = (gate: HttpAuthenticator, peer: Peer, authorization?: string): string =>
        gate.challenges(peer, { authorization }).slice(2).join(" | ");
      const basic = 'Basic realm="Viaduct", charset="UTF-8"';
      expect(offered(taking, TLS, "Bearer x")).to.equal(`${basic} | Bearer realm="Viaduct", error="invalid_token"`);
      expect(offered(taking, TLS, "Digest x")).to.equal(basic);
      expect(offered(taking, PLAIN, "Bearer x")).to.equal("");
      expect(offered(server, TLS, "Bearer x")).to.equal(basic);
    });
    it("one nonce in both challenges, and says when it was stale", () => {
      const [a, b] = server.challenges(PLAIN, { stale: true }).map((value) => parseAuthValues(value)[0]?.params);
      expect(a?.get("nonce")).to.equal(b?.get("nonce"));
      expect([a?.get("stale"), b?.get("stale")]).to.deep.equal(["true", "true"]);
    });
  });

  describe("takes what our own client answers", () => {
    for (const algorithm of ["SHA-256", "SHA-256-sess", "MD5", "MD5-sess", undefined])
      for (const qop of ['qop="auth"', 'qop="auth,auth-int"', undefined])
        it(`with ${algorithm ?? "no algorithm"} and ${qop ?? "no qop"}`, async () => {
          const client = new ChallengeAnswerer({ user: "vms", password: secret });
          const nonce = parseAuthValues(server.challenges(PLAIN)[0] ?? "")[0]?.params.get("nonce") ?? "";
          const params = [
            `realm="Viaduct"`,
            `nonce="${nonce}"`,
            qop,
            algorithm === undefined ? undefined : `algorithm=${algorithm}`,
          ];
          expect(client.challenged([`Digest ${params.filter((param) => param !== undefined).join(", ")}`])).to.equal(
            true,
          );
          for (let n = 0; n < 3; n += 1) expect(await outcome(client.authorize("DESCRIBE", URI))).to.equal("vms");
          expect(await outcome(client.authorize("DESCRIBE", URI), { method: "PLAY" })).to.equal("unauthenticated");
        });
    it("for any secret, method and address", () =>
      fc.assert(
        fc.asyncProperty(
          fc.constantFrom("GET", "POST", "SETUP"),
          fc.webUrl({ withQueryParameters: true }),
          async (method, uri) => {
            const client = new ChallengeAnswerer({ user: "VMS", password: secret });
            client.challenged(server.challenges(PLAIN));
            expect(await outcome(client.authorize(method, uri), { method, uri })).to.equal("vms");
          },
        ),
        { numRuns: 50 },
      ));
  });

  describe("takes what clients of others answer", () => {
    it("RFC 2069 style, whatever was offered, many times with one nonce (GStreamer, go2rtc)", async () => {
      const once = answer();
      expect(await outcome(once)).to.equal("vms");
      expect(await outcome(once, { peer: { ...PLAIN, port: 6001 } })).to.equal("vms");
    });
    it("an empty qop and upper-case digits", async () => {
      const value = answer({ qop: undefined });
      const response = /response="([0-9a-f]+)"/.exec(value)?.[1] ?? "";
      expect(await outcome(`${value.replace(response, response.toUpperCase())}, qop=""`)).to.equal("vms");
    });
    it("a name in another case, and in the extended form", async () => {
      expect(await outcome(answer({ username: "VMS" }))).to.equal("vms");
      expect(await outcome(answer().replace('username="vms"', "username*=UTF-8''%76ms"))).to.equal("vms");
    });
  });

  describe("compares the signed address", () => {
    const rows: readonly (readonly [string, string, string, string, string])[] = [
      ["the same", "DESCRIBE", URI, URI, "vms"],
      ["a slash at the end", "DESCRIBE", `${URI}/`, URI, "vms"],
      ["no port", "DESCRIBE", "rtsp://bridge.test/live/cam1", URI, "vms"],
      ["the path alone", "DESCRIBE", "/live/cam1", URI, "vms"],
      ["percent signs", "DESCRIBE", "rtsp://b/live/c%61m1", URI, "vms"],
      ["the presentation for a track", "SETUP", URI, `${URI}/trackID=1`, "vms"],
      ["a track for the presentation", "PLAY", `${URI}/trackID=1`, URI, "vms"],
      ["a track behind the query", "SETUP", `${URI}?a=1`, `${URI}?a=1/trackID=0`, "vms"],
      ["without the query", "SETUP", URI, `${URI}?start=5`, "vms"],
      ["* in OPTIONS", "OPTIONS", "*", URI, "vms"],
      ["* in PLAY", "PLAY", "*", URI, "invalid"],
      ["another camera", "DESCRIBE", "rtsp://bridge.test/live/cam2", URI, "invalid"],
      ["the beginning of a name", "DESCRIBE", "rtsp://bridge.test/live/cam", URI, "invalid"],
      ["two segments below", "SETUP", "/live", "/live/cam1/track1", "invalid"],
      ["the root for anything", "SETUP", "/", "/live", "invalid"],
      ["another query", "DESCRIBE", `${URI}?a=1`, `${URI}?a=2`, "invalid"],
      ["nothing", "DESCRIBE", "", URI, "invalid"],
    ];
    for (const [name, method, signed, asked, result] of rows)
      it(`${name}: ${result}`, async () =>
        expect(await outcome(answer({ uri: signed }, method), { method, uri: asked })).to.equal(result));
    it("exactly outside RTSP, but for its spelling", async () => {
      server = make("onvif");
      const post = { method: "POST", uri: "/onvif/device_service?x=1" };
      expect(await outcome(answer({ uri: "http://b:80/onvif/device_service?x=1" }, "POST"), post)).to.equal("vms");
      expect(await outcome(answer({ uri: "/onvif/device_service" }, "POST"), post)).to.equal("invalid");
      expect(await outcome(answer({ uri: "/onvif" }, "POST"), post)).to.equal("invalid");
    });
  });

  describe("refuses", () => {
    const qop = { qop: "auth", nc: "00000001", cnonce: "c" };
    const rows: readonly (readonly [string, () => string | undefined, string])[] = [
      ["nothing", () => undefined, "unauthenticated"],
      ["an empty field", () => "  ", "unauthenticated"],
      ["another scheme", () => "Bearer abc", "unauthenticated"],
      ["Basic outside TLS", () => `Basic ${btoa(`vms:${secret.reveal()}`)}`, "unauthenticated"],
      ["another secret", () => answer({}, "DESCRIBE", "wrong"), "unauthenticated"],
      ["an unknown name", () => answer({ username: "nobody" }), "unauthenticated"],
      [
        "a person, whose password is a hash here",
        () => answer({ username: "admin" }, "DESCRIBE", PASSWORD),
        "unauthenticated",
      ],
      ["another realm", () => answer({ realm: "Elsewhere" }), "unauthenticated"],
      [
        "an algorithm that we do not speak",
        () => answer().replace("Digest ", "Digest algorithm=SHA-512-256, "),
        "unauthenticated",
      ],
      ["a parameter twice", () => `${answer()}, username="vms"`, "invalid"],
      ["an open quote", () => `${answer()}, opaque="x`, "invalid"],
      ["two credentials", () => `${answer()}, Basic abc`, "invalid"],
      ["no response", () => answer().replace(/, response="[^"]*"/, ""), "invalid"],
      ["no nonce", () => answer().replace(/, nonce="[^"]*"/, ""), "invalid"],
      ["a response of another length", () => answer({ response: "abc" }), "invalid"],
      ["a response that is not hexadecimal", () => answer({ response: "z".repeat(32) }), "invalid"],
      ["qop auth-int", () => answer({ ...qop, qop: "auth-int" }), "invalid"],
      ["qop without nc", () => answer({ qop: "auth", cnonce: "c" }), "invalid"],
      ["qop with a short nc", () => answer({ ...qop, nc: "1" }), "invalid"],
      ["qop without cnonce", () => answer({ qop: "auth", nc: "00000001" }), "invalid"],
      ["a count of zero", () => answer({ ...qop, nc: "00000000" }), "stale"],
      ["too long a name", () => answer({ username: "x".repeat(300) }), "invalid"],
      ["too long a field", () => answer({ opaque: "x".repeat(5000) }), "invalid"],
      [
        "too many parameters",
        () => `${answer()}, ${Array.from({ length: 30 }, (_, n) => `p${n}=1`).join(", ")}`,
        "invalid",
      ],
    ];
    for (const [name, authorization, result] of rows)
      it(`${name}: ${result}`, async () => expect(await outcome(authorization())).to.equal(result));
  });

  it("never ends otherwise than in a Fault, whatever the field holds", () => {
    const piece = fc.constantFrom(
      "Digest ",
      "Basic ",
      'username="vms"',
      "nonce=",
      "response=",
      "uri=",
      '"',
      ",",
      "=",
      "\\",
      "\0",
      "qop=auth",
    );
    return fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(piece, fc.string()), { maxLength: 30 }), async (parts) => {
        expect(await outcome(parts.join(""), { peer: TLS })).to.be.oneOf(["unauthenticated", "invalid", "busy"]);
      }),
    );
  });

  describe("nonces", () => {
    it("count each request once, in any order within the window", async () => {
      const nonce = fresh();
      const seen: string[] = [];
      for (const nc of [1, 3, 2, 2, 3, 100, 99, 37, 36, 100]) seen.push(await outcome(counted(nonce, nc)));
      expect(seen).to.deep.equal(["vms", "vms", "vms", "stale", "stale", "vms", "vms", "vms", "stale", "stale"]);
    });
    it("cannot be used from another address, or at another door", async () => {
      const nonce = fresh();
      expect(await outcome(counted(nonce, 1), { peer: { ...PLAIN, address: "192.0.2.8" } })).to.equal("stale");
      const door = make("onvif");
      const request = { method: "DESCRIBE", uri: URI, peer: PLAIN, authorization: counted(nonce, 1) };
      expect(await kindOf(() => door.verify(request))).to.equal("unauthenticated");
    });
    it("end after five idle minutes, and go on while they are used, for twelve hours", async () => {
      const idle = fresh();
      const busy = fresh();
      let nc = 0;
      const use = (): Promise<string> => {
        nc += 1;
        return outcome(counted(busy, nc));
      };
      for (let minute = 0; minute < 12 * 60; minute += 4) {
        expect(await use()).to.equal("vms");
        await site.clock.advance(4 * MINUTE);
      }
      await site.clock.advance(SECOND);
      expect([await outcome(counted(idle, 1)), await use()]).to.deep.equal(["stale", "stale"]);
    });
    it("say stale only to who knows the secret", async () => {
      const nonce = fresh();
      await site.clock.advance(6 * MINUTE);
      expect(await outcome(answer({ nonce }, "DESCRIBE", "wrong"))).to.equal("unauthenticated");
      expect(await outcome(answer({ nonce }))).to.equal("stale");
    });
    it("of an earlier start are stale", async () => {
      const nonce = fresh();
      server = make();
      expect(await outcome(counted(nonce, 1))).to.equal("stale");
    });
    it("cannot be forged", () => {
      const nonce = fresh();
      return fc.assert(
        fc.asyncProperty(fc.nat(31), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
          const bytes = Buffer.from(nonce, "base64url");
          bytes[at] = (bytes[at] ?? 0) ^ flip;
          expect(await outcome(answer({ nonce: bytes.toString("base64url") }))).to.equal("stale");
        }),
      );
    });
    it("have one spelling, so that a count has one place", async () => {
      const nonce = fresh();
      for (const other of [`${nonce}=`, `${nonce} `, `${nonce}A`, nonce.slice(0, -1)])
        expect(await outcome(answer({ nonce: other }))).to.equal("stale");
    });
  });

  describe("Basic inside TLS", () => {
    it("knows people and integrations", async () => {
      expect(await outcome(basic("vms", secret.reveal()), { peer: TLS })).to.equal("vms");
      expect(await outcome(basic("Admin", PASSWORD), { peer: TLS })).to.equal("admin");
    });
    it("refuses wrong passwords and unknown names", async () => {
      expect(await outcome(basic("vms", "x"), { peer: TLS })).to.equal("unauthenticated");
      expect(await outcome(basic("admin", "x"), { peer: TLS })).to.equal("unauthenticated");
      expect(await outcome(basic("nobody", ""), { peer: TLS })).to.equal("unauthenticated");
      expect(await outcome("Basic", { peer: TLS })).to.equal("invalid");
    });
  });

  describe("slows down guessing", () => {
    it("after some failures, for that account from that address, and lets it in again later", async () => {
      await fail(6);
      expect(await outcome(answer())).to.equal("busy");
      await site.clock.advance(3 * SECOND);
      expect(await outcome(answer())).to.equal("vms");
    });
    it("of many names from one address", async () => {
      for (let n = 0; n < 21; n += 1) await fail(1, `name${n}`);
      expect(await outcome(answer())).to.equal("busy");
    });
    it("but not by asking without credentials, nor with a stale nonce", async () => {
      const nonce = parseAuthValues(server.challenges(PLAIN)[0] ?? "")[0]?.params.get("nonce") ?? "";
      await site.clock.advance(6 * MINUTE);
      for (let n = 0; n < 30; n += 1) {
        expect(await outcome(undefined)).to.equal("unauthenticated");
        expect(await outcome(answer({ nonce }))).to.equal("stale");
      }
      expect(await outcome(answer())).to.equal("vms");
    });
  });

  it("knows a disabled account no more, at once", async () => {
    const { account, secret: own } = await site.accounts.createIntegration({ name: "short", grants: WATCH_ALL });
    expect(await outcome(answer({ username: "short" }, "DESCRIBE", own.reveal()))).to.equal("short");
    await site.accounts.change(account.id, { enabled: false });
    expect(await outcome(answer({ username: "short" }, "DESCRIBE", own.reveal()))).to.equal("unauthenticated");
  });
});
