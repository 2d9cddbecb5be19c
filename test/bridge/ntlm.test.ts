import { EventEmitter } from "node:events";
import { expect } from "chai";
import { Throttle } from "../../auth/throttle.ts";
import { systemClock } from "../../base/clock.ts";
import { Lifecycle } from "../../base/lifecycle.ts";
import { silentLog } from "../../base/log.ts";
import { SECOND } from "../../base/units.ts";
import { DirectoryLogIns } from "../../bridge/directory/log-ins.ts";
import { NtlmLogIns, type NtlmStep } from "../../bridge/directory/ntlm.ts";
import { NtlmHandshakes } from "../../bridge/directory/ntlm-handshakes.ts";
import { startNtlm } from "../../bridge/directory/start-ntlm.ts";
import { settingsSchema } from "../../bridge/settings.ts";
import type { DirectoryAccess } from "../../directory/access.ts";
import { NtlmHelper } from "../../directory/ntlm-helper.ts";
import { ntlmBinding } from "../../directory/ntlm-message.ts";
import { FIRST_MESSAGE, lastMessage } from "../support/ntlm.ts";
import { type FakeHelpers, fakeHelpers } from "../support/ntlm-helpers.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

const BINDINGS = Buffer.from("tls-server-end-point:ours");
const BOUND = { binding: ntlmBinding(BINDINGS) };
const IDS: Readonly<Record<string, string>> = { alice: "id-1", "alice@site.test": "id-1", bob: "id-2" };

describe("log-ins by NTLM", () => {
  let helpers: FakeHelpers;
  let clock: VirtualClock;
  let handshakes: NtlmHandshakes;
  let started: NtlmHelper[];
  let logIns: NtlmLogIns;
  let program: string;

  before(async () => {
    helpers = await fakeHelpers();
  });
  after(() => helpers.close());
  afterEach(() => handshakes.close());

  async function set(manner: string, binding: "required" | "where-sent" = "required"): Promise<void> {
    program = await helpers.make(manner);
    clock = new VirtualClock();
    started = [];
    const start = () => {
      const helper = new NtlmHelper(program, systemClock);
      started.push(helper);
      return helper;
    };
    handshakes = new NtlmHandshakes(start, clock);
    const guard = new DirectoryLogIns({} as DirectoryAccess, clock, silentLog());
    guard.follow({ threshold: 5, windowMs: 30 * 60 * SECOND });
    const domains = [{ domain: "SITE", directory: "site" }];
    logIns = new NtlmLogIns(
      { helper: program, binding, domains },
      {
        handshakes,
        directory: () => ({ idNamed: async (name) => IDS[name], logIns: guard }),
        throttle: new Throttle(clock),
        clock,
        log: silentLog(),
      },
    );
  }

  const step = (message: Buffer, connection: EventEmitter, address = "10.0.0.1"): Promise<NtlmStep> =>
    logIns.step(message, { connection, bindings: BINDINGS, peer: { address, port: 5000, tls: true } });

  /** A refusal comes a second later, in virtual time, which stands still while the helper is at work. */
  async function failure(work: Promise<unknown>): Promise<{ kind: string; message: string; tell: string }> {
    const end = work.then(
      () => expect.fail("let in"),
      (error: { kind: string; message: string; tell: string }) => error,
    );
    for (;;) {
      const found = await Promise.race([end, new Promise<undefined>((resolve) => setImmediate(resolve, undefined))]);
      if (found !== undefined) return found;
      if (clock.pending > 0) await clock.advance(SECOND / 10);
    }
  }
  /** That comes at once, or as soon as the helper has ended: virtual time stands still, however long that takes. */
  const thrown = (work: Promise<unknown>): Promise<{ kind: string; tell: string }> =>
    work.then(
      () => expect.fail("let in"),
      (error: { kind: string; tell: string }) => error,
    );
  async function logIn(message: Buffer, address?: string): Promise<NtlmStep> {
    const connection = new EventEmitter();
    expect((await step(FIRST_MESSAGE, connection, address)).is).to.equal("challenge");
    return step(message, connection, address);
  }
  const refusal = async (message: Buffer, address?: string) => {
    const connection = new EventEmitter();
    await step(FIRST_MESSAGE, connection, address);
    return failure(step(message, connection, address));
  };

  it("let in whom the domain knows, as the one person of the directory", async () => {
    await set("good");
    const person = { is: "person", name: "SITE\\alice", directory: "site", id: "id-1" };
    expect(await logIn(lastMessage(BOUND))).to.deep.equal(person);
    expect(await logIn(lastMessage({ ...BOUND, domain: "site", oem: true }))).to.deep.equal(person);
    expect(await logIn(lastMessage({ ...BOUND, domain: "", user: "alice@site.test" }))).to.deep.equal(person);
    // One process after another did it, as one.
    expect(started).to.have.length(1);
  });

  for (const [title, manner, words, message] of [
    ["a wrong password", "LOGON_FAILURE", {}, "NT_STATUS_LOGON_FAILURE"],
    ["a disabled account", "ACCOUNT_DISABLED", {}, "NT_STATUS_ACCOUNT_DISABLED"],
    ["a locked account", "ACCOUNT_LOCKED_OUT", {}, "NT_STATUS_ACCOUNT_LOCKED_OUT"],
    ["somebody of a domain that is not listed", "good", { domain: "OTHER" }, "not listed"],
    ["somebody whom the directory does not know", "good", { user: "carol" }, "not one person"],
    ["whom the domain knows as somebody else", "other", {}, "somebody else"],
    ["whom the domain places elsewhere", "elsewhere", {}, "somebody else"],
    ["nobody", "good", { anonymous: true }, "anonymous"],
    ["a log-in that was bound to another connection", "good", { binding: Buffer.alloc(16, 9) }, "another connection"],
  ] as const)
    it(`refuse ${title}, and tell no stranger why`, async () => {
      await set(manner);
      const error = await refusal(lastMessage({ ...BOUND, ...words }));
      expect(error.kind).to.equal("unauthenticated");
      expect(error.message).to.include(message);
      expect(error.tell).to.equal("The Windows account was not accepted. Log in with name and password.");
    });

  it("refuse garbage, which the helper is not shown", async () => {
    await set("good");
    const error = await failure(step(Buffer.from("NTLMSSP\0\x09\0\0\0"), new EventEmitter()));
    expect(error).to.include({ kind: "unauthenticated", message: "NTLM: no message that makes sense" });
    expect(started).to.have.length(0);
  });

  it("say that a password has expired to whoever knows it", async () => {
    await set("PASSWORD_MUST_CHANGE");
    expect((await refusal(lastMessage(BOUND))).tell).to.include("change it at a computer of your domain");
  });

  it("refuse version 1, and what is bound to nothing unless a person has chosen so, in words that say it", async () => {
    await set("good");
    expect((await refusal(lastMessage({ v1: true }))).tell).to.include("NTLMv2");
    const error = await refusal(lastMessage());
    expect(error.kind).to.equal("denied");
    expect(error.tell).to.include("Extended Protection");
    handshakes.close();
    await set("good", "where-sent");
    expect((await logIn(lastMessage())).is).to.equal("person");
    expect((await refusal(lastMessage({ binding: Buffer.alloc(16, 9) }))).kind).to.equal("unauthenticated");
  });

  it("take the answer to a challenge once, on the connection on which it was given", async () => {
    await set("good");
    const [one, other] = [new EventEmitter(), new EventEmitter()];
    await step(FIRST_MESSAGE, one);
    expect((await failure(step(lastMessage(BOUND), other))).message).to.include("no challenge was given");
    expect((await step(lastMessage(BOUND), one)).is).to.equal("person");
    expect((await failure(step(lastMessage(BOUND), one))).message).to.include("no challenge was given");
  });

  it("are over when the connection closes, and five seconds after the challenge", async () => {
    await set("good");
    const [closed, late] = [new EventEmitter(), new EventEmitter()];
    await step(FIRST_MESSAGE, closed);
    closed.emit("close");
    expect(closed.listenerCount("close")).to.equal(0);
    expect((await failure(step(lastMessage(BOUND), closed))).message).to.include("no challenge was given");
    await step(FIRST_MESSAGE, late);
    await clock.advance(5 * SECOND);
    expect((await failure(step(lastMessage(BOUND), late))).message).to.include("no challenge was given");
    expect(started).to.have.length(1);
  });

  it("are eight at once, and four from one address; more are turned away", async () => {
    await set("good");
    const begin = (address: string) => step(FIRST_MESSAGE, new EventEmitter(), address).then(({ is }) => is);
    for (let count = 0; count < 4; count += 1) expect(await begin("10.0.0.1")).to.equal("challenge");
    expect((await failure(begin("10.0.0.1"))).kind).to.equal("busy");
    handshakes.close();
    await set("good");
    // One machine can take any address of its /64.
    for (let count = 0; count < 4; count += 1) expect(await begin(`2001:db8::${count}`)).to.equal("challenge");
    expect((await failure(begin("2001:db8::9"))).kind).to.equal("busy");
    expect(await begin("2001:db8:0:1::9")).to.equal("challenge");
    handshakes.close();
    await set("good");
    for (let count = 0; count < 8; count += 1) expect(await begin(`10.0.1.${count}`)).to.equal("challenge");
    expect((await failure(begin("10.0.2.1"))).kind).to.equal("busy");
  });

  it("pass on only so many wrong passwords that the domain does not lock the account, from wherever they come", async () => {
    await set("LOGON_FAILURE");
    const before = (await helpers.asked(program)).length;
    for (let count = 0; count < 6; count += 1)
      await refusal(lastMessage({ ...BOUND, proof: count }), `10.0.3.${count}`);
    const asked = (await helpers.asked(program)).slice(before).filter((line) => line.startsWith("KK"));
    expect(asked).to.have.length(3);
  });

  it("say that it does not work where winbind cannot be asked, and slow down whoever tries on", async () => {
    await set("broken");
    for (let count = 0; count < 6; count += 1) {
      const { kind, tell } = await thrown(step(FIRST_MESSAGE, new EventEmitter()));
      expect({ kind, tell }).to.deep.equal({
        kind: "unavailable",
        tell: "Log-in by NTLM does not work just now. Log in with name and password.",
      });
    }
    // Each failure made a process, so there comes an end to it.
    expect((await failure(step(FIRST_MESSAGE, new EventEmitter()))).kind).to.equal("busy");
    expect(started).to.have.length(6);
  });
});

describe("the start of log-ins by NTLM", () => {
  it("leaves no helper behind that is still being examined when the bridge ends", async () => {
    const helpers = await fakeHelpers();
    const clock = new VirtualClock();
    const log = silentLog();
    const life = new Lifecycle(clock, log);
    const directory = () => expect.fail("nobody logs in");
    const domains = ["SITE", "OTHER"].map((domain) => ({ domain, directory: "site" }));
    const settings = { helper: await helpers.make("hang"), binding: "required", domains } as const;
    await startNtlm(settings, life, { directory, throttle: new Throttle(clock), clock, log });
    while (clock.pending === 0) await new Promise((resolve) => setImmediate(resolve));
    await life.close(SECOND);
    while (clock.pending > 0) await new Promise((resolve) => setImmediate(resolve));
    await helpers.close();
  });
});

describe("the settings of log-ins by NTLM", () => {
  const least = {
    dataFolder: "/x",
    cameraSide: { interfaces: ["10.1.0.5"] },
    clientSide: { addresses: ["10.2.0.5"] },
  };
  const directory = (name: string, schema: string) => ({
    name,
    schema,
    servers: ["x"],
    account: "x",
    base: "DC=x",
    roles: [{ group: "g", roles: ["r"] }],
  });

  it("are off by default, want bound log-ins, and name directories that are Active Directory", () => {
    expect(settingsSchema.parse(least).ntlm).to.equal(undefined);
    const domains = [
      { domain: "SITE", directory: "site" },
      { domain: "UNIX", directory: "unix" },
      { domain: "NONE", directory: "none" },
    ];
    const all = { ...least, directory: [directory("site", "ad"), directory("unix", "rfc2307")], ntlm: { domains } };
    expect(settingsSchema.safeParse(all).error?.issues.map(({ message }) => message)).to.deep.equal([
      "unix is no Active Directory",
      "there is no directory none",
    ]);
    const good = settingsSchema.parse({ ...all, ntlm: { domains: domains.slice(0, 1) } });
    expect(good.ntlm).to.include({ binding: "required", helper: "/usr/bin/ntlm_auth" });
    const twice = { domains: [domains[0], { domain: "site", directory: "site" }] };
    expect(settingsSchema.safeParse({ ...all, ntlm: twice }).success).to.equal(false);
  });
});
