import { createHash } from "node:crypto";
import { expect } from "chai";
import * as fc from "fast-check";
import { type UsernameToken, UsernameTokenVerifier, usernameTokenHeader } from "../../auth/scheme/usernametoken.ts";
import { Throttle } from "../../auth/throttle.ts";
import type { Clock } from "../../base/clock.ts";
import { Secret } from "../../base/secret.ts";
import { isoOf, later, MINUTE, type MonotonicMillis, SECOND, unixMillis } from "../../base/units.ts";
import { administrator, kindOf, openSite, PASSWORD, PLAIN, type Site, TLS, WATCH_ALL } from "./fixture.ts";

const NONCE = Buffer.from("0123456789abcdef");

function digestOf(nonce: Buffer, created: string, password: string): string {
  return createHash("sha1").update(nonce).update(created).update(password).digest("base64");
}

/** What a SOAP server reads out of the header that we send. */
function tokenIn(xml: string): UsernameToken {
  const text = (name: string): string => new RegExp(`<${name}[ >][^<]*`).exec(xml)?.[0].replace(/^[^>]*>/, "") ?? "";
  const nonce = text("wsse:Nonce");
  return {
    username: text("wsse:Username"),
    password: text("wsse:Password"),
    type: "digest",
    nonce,
    created: text("wsu:Created"),
  };
}

describe("WS-Security UsernameToken", () => {
  let site: Site;
  let secret: Secret;
  let verifier: UsernameTokenVerifier;
  before(async () => {
    site = await openSite();
    await administrator(site.accounts);
    ({ secret } = await site.accounts.createIntegration({ name: "vms", grants: WATCH_ALL }));
  });
  beforeEach(() => {
    verifier = new UsernameTokenVerifier({
      accounts: site.accounts,
      clock: site.clock,
      throttle: new Throttle(site.clock),
    });
  });
  after(() => site.database.close());

  const at = (offsetMs: number): string => isoOf(later(site.clock.now(), offsetMs));
  function token(changes: Partial<UsernameToken> = {}): UsernameToken {
    const created = changes.created ?? at(0);
    return {
      username: "vms",
      type: "digest",
      nonce: NONCE.toString("base64"),
      password: digestOf(NONCE, created, secret.reveal()),
      ...changes,
      created,
    };
  }
  const kind = (given: UsernameToken, peer = PLAIN): Promise<string> => kindOf(() => verifier.verify(given, peer));

  it("takes what our own client writes, once", async () => {
    const written = tokenIn(usernameTokenHeader({ user: "vms", password: secret }, site.clock.now()));
    expect((await verifier.verify(written, PLAIN)).name).to.equal("vms");
    expect(await kind(written)).to.equal("unauthenticated");
  });
  it("writes names that XML would read as marks", () =>
    expect(usernameTokenHeader({ user: "a<&>", password: secret }, unixMillis(0))).to.include(">a&lt;&amp;&gt;</"));

  const rows: readonly (readonly [string, () => UsernameToken, string])[] = [
    ["a fraction of a second", () => token({ created: at(123) }), "none"],
    ["seven digits of it", () => token({ created: at(0).replace(/\.\d+Z/, ".1234567Z") }), "none"],
    ["an offset", () => token({ created: at(3_600_000).replace("Z", "+01:00") }), "none"],
    ["no zone", () => token({ created: at(0).replace("Z", "") }), "none"],
    ["a clock 4 minutes behind", () => token({ created: at(-4 * MINUTE) }), "none"],
    ["a clock 4 minutes ahead", () => token({ created: at(4 * MINUTE) }), "none"],
    ["a clock 6 minutes behind", () => token({ created: at(-6 * MINUTE) }), "unauthenticated"],
    ["a clock 6 minutes ahead", () => token({ created: at(6 * MINUTE) }), "unauthenticated"],
    ["another day's format", () => token({ created: "Tue, 24 Nov 2026 13:00:00 GMT" }), "unauthenticated"],
    ["the 31st of February", () => token({ created: "2026-02-31T99:00:00Z" }), "unauthenticated"],
    ["a nonce of 4 bytes", () => token({ nonce: "AAAAAA==" }), "unauthenticated"],
    ["a nonce of 100 bytes", () => token({ nonce: Buffer.alloc(100).toString("base64") }), "unauthenticated"],
    ["a nonce that is not base64", () => token({ nonce: "!!!!!!!!!!!!" }), "unauthenticated"],
    ["another secret", () => token({ password: digestOf(NONCE, at(0), "wrong") }), "unauthenticated"],
    ["an unknown name", () => token({ username: "nobody" }), "unauthenticated"],
    ["a person", () => token({ username: "admin", password: digestOf(NONCE, at(0), PASSWORD) }), "unauthenticated"],
    ["the secret itself outside TLS", () => token({ type: "text", password: secret.reveal() }), "unauthenticated"],
  ];
  for (const [name, given, result] of rows)
    it(`${result === "none" ? "takes" : "refuses"} ${name}`, async () => expect(await kind(given())).to.equal(result));

  it("refuses a token without nonce or without time", async () => {
    const { nonce: _, ...withoutNonce } = token();
    const { created: __, ...withoutCreated } = token();
    expect(await kind(withoutNonce)).to.equal("unauthenticated");
    expect(await kind(withoutCreated)).to.equal("unauthenticated");
  });
  it("takes readable passwords inside TLS", async () => {
    expect(await kind(token({ type: "text", password: secret.reveal() }), TLS)).to.equal("none");
    const person = token({ type: "text", username: "admin", password: PASSWORD });
    expect(await kind(person, TLS)).to.equal("none");
    expect(await kind(token({ type: "text", password: "wrong" }), TLS)).to.equal("unauthenticated");
  });
  it("refuses a replay for as long as the token is in its window", async () => {
    const ahead = token({ created: at(4 * MINUTE) });
    expect(await kind(ahead)).to.equal("none");
    for (let minute = 0; minute < 12; minute += 1) {
      await site.clock.advance(MINUTE);
      expect(await kind(ahead)).to.equal("unauthenticated");
    }
  });
  it("refuses a replay in the last instant of its window, though time goes on between two looks at the clocks", async () => {
    const { accounts, clock } = site;
    let passedMs = 0;
    const running: Clock = {
      now: () => clock.now(),
      monotonic: () => {
        passedMs += 1;
        return (clock.monotonic() + passedMs) as MonotonicMillis;
      },
      after: (delayMs, run) => clock.after(delayMs, run),
      every: (periodMs, run) => clock.every(periodMs, run),
      sleep: (delayMs, signal) => clock.sleep(delayMs, signal),
    };
    verifier = new UsernameTokenVerifier({ accounts, clock: running, throttle: new Throttle(clock) });
    const ahead = token({ created: at(5 * MINUTE) });
    expect(await kind(ahead)).to.equal("none");
    await clock.advance(10 * MINUTE);
    expect(await kind(ahead)).to.equal("unauthenticated");
    await clock.advance(1);
    expect(await kind(ahead)).to.equal("unauthenticated");
  });
  it("refuses a replay under another spelling of name, nonce or time", async () => {
    const first = token();
    expect(await kind(first)).to.equal("none");
    expect(await kind({ ...first, username: "VMS" })).to.equal("unauthenticated");
    expect(await kind({ ...first, nonce: first.nonce?.replace("==", "") ?? "" })).to.equal("unauthenticated");
  });
  it("refuses a replay that it has forgotten, and nothing else: not even where another system's clock is ahead", async () => {
    const { secret: others } = await site.accounts.createIntegration({ name: "busy", grants: WATCH_ALL });
    const few = { accounts: site.accounts, clock: site.clock, throttle: new Throttle(site.clock), remembered: 2 };
    verifier = new UsernameTokenVerifier(few);
    const of = (n: number): UsernameToken => {
      const nonce = Buffer.from(`nonce number ${n}`);
      const [username, created] = ["busy", at(4 * MINUTE + n * SECOND)];
      return token({
        username,
        created,
        nonce: nonce.toString("base64"),
        password: digestOf(nonce, created, others.reveal()),
      });
    };
    for (let n = 0; n < 5; n += 1) expect(await kind(of(n))).to.equal("none");
    expect([await kind(of(0)), await kind(of(4))]).to.deep.equal(["unauthenticated", "unauthenticated"]);
    expect(await kind(token())).to.equal("none");
  });

  it("does not count a wrong clock as guessing, but wrong secrets", async () => {
    for (let n = 0; n < 30; n += 1)
      expect(await kind(token({ created: at(-10 * MINUTE) }))).to.equal("unauthenticated");
    for (let n = 0; n < 6; n += 1) expect(await kind(token({ password: "x" }))).to.equal("unauthenticated");
    expect(await kind(token())).to.equal("busy");
    await site.clock.advance(5 * SECOND);
    expect(await kind(token())).to.equal("none");
  });
  it("ends in a Fault or a principal, whatever the token holds", () =>
    fc.assert(
      fc.asyncProperty(
        fc.string(),
        fc.string(),
        fc.string(),
        fc.string(),
        async (username, password, nonce, created) => {
          expect(await kind({ username, password, nonce, created, type: "digest" })).to.be.oneOf([
            "unauthenticated",
            "busy",
          ]);
        },
      ),
    ));
  it("keeps the secret out of what it writes", () =>
    expect(usernameTokenHeader({ user: "u", password: new Secret("visible") }, unixMillis(0))).not.to.include(
      "visible",
    ));
});
