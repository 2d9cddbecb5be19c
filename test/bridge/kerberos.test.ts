import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { Throttle } from "../../auth/throttle.ts";
import { MINUTE } from "../../base/units.ts";
import { KerberosLogIns, workingGssapi } from "../../bridge/directory/kerberos.ts";
import { settingsSchema } from "../../bridge/settings.ts";
import type { KerberosPrincipal } from "../../directory/kerberos-principal.ts";
import { gssapi } from "../support/gssapi.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

const SETTINGS = {
  keytab: "/etc/http.keytab",
  service: "HTTP/bridge.x@X",
  realms: [
    { realm: "X", directory: "site" },
    { realm: "Y", directory: "other" },
  ],
};
const NONE = Buffer.alloc(0);
const PEER = { address: "10.0.0.1", port: 50_000, tls: true };

describe("log-ins by Kerberos", () => {
  let clock: VirtualClock;
  let asked: (readonly unknown[])[];
  /** Goes on with what the library is asked, in its order. */
  let library: (token: string) => Promise<string>;
  let ids: Readonly<Record<string, string>>;
  let logIns: KerberosLogIns;

  beforeEach(() => {
    clock = new VirtualClock();
    asked = [];
    library = async (token) => token;
    ids = { "site alice": "id-1" };
    const idOf = (directory: string) => async (one: KerberosPrincipal) => ids[`${directory} ${one.name}`];
    logIns = new KerberosLogIns(SETTINGS, {
      gssapi: {
        async accept(...of) {
          asked.push(of);
          const client = await library(of[3].toString());
          return { client: Buffer.from(client), answer: Buffer.from("hello"), logonInfo: NONE };
        },
      },
      directory: (name) => ({ idOf: idOf(name) }),
      throttle: new Throttle(clock),
      replayCache: "/data/rcache",
    });
  });

  const prove = (token: string | Buffer, address = "10.0.0.1") =>
    logIns.prove(Buffer.from(token), Buffer.from("bound"), { ...PEER, address });
  const failure = (
    token: string | Buffer,
    address?: string,
  ): Promise<{ kind: string; message: string; tell: string }> =>
    prove(token, address).then(
      () => expect.fail("let in"),
      (error: { kind: string; message: string; tell: string }) => error,
    );

  it("ask the library with the key, the file of used tickets and the connection, and the realm's directory", async () => {
    expect(await prove("alice@X")).to.deep.equal({
      principal: "alice@X",
      directory: "site",
      id: "id-1",
      answer: Buffer.from("hello"),
    });
    expect(asked.map((of) => of.map(String))).to.deep.equal([
      ["FILE:/etc/http.keytab", "file2:/data/rcache", "HTTP/bridge.x@X", "alice@X", "bound"],
    ]);
  });

  for (const [title, token, message] of [
    ["a realm that is not listed", "alice@Z", "not listed"],
    ["a realm in other letters", "alice@x", "not listed"],
    ["somebody of another directory", "alice@Y", "not one person"],
    ["a machine's or service's name", "host/pc1@X", "no person's name"],
    ["nobody whom the directory knows", "bob@X", "not one person"],
  ] as const)
    it(`refuse ${title}, and tell no stranger why`, async () => {
      const error = await failure(token);
      expect(error.kind).to.equal("unauthenticated");
      expect(error.message).to.include(message);
      expect(error.tell).to.equal("The account of this computer was not accepted. Log in with name and password.");
    });

  it("refuse what the library refuses, with its words for the administrator alone", async () => {
    library = () => Promise.reject(new Error("Request is a replay"));
    const error = await failure("alice@X");
    expect(error).to.include({ kind: "unauthenticated", message: "Kerberos: Request is a replay" });
    expect(error.tell).not.to.include("replay");
  });

  it("do not show the library NTLM, or what is too long or empty", async () => {
    expect((await failure("NTLMSSP\0\u0001")).tell)
      .to.include("NTLM")
      .and.to.include("name and password");
    expect((await failure("`\u0048SPNEGO around NTLMSSP\0")).kind).to.equal("denied");
    expect((await failure(Buffer.alloc(48_001))).kind).to.equal("unauthenticated");
    expect((await failure("")).kind).to.equal("unauthenticated");
    expect(asked).to.deep.equal([]);
  });

  it("are refused unread for a while after many that failed, from that address alone", async () => {
    library = () => Promise.reject(new Error("no"));
    for (let count = 0; count < 6; count += 1) await failure("x");
    const before = asked.length;
    expect((await failure("x")).kind).to.equal("busy");
    expect(asked).to.have.length(before);
    library = async (token) => token;
    expect(await prove("alice@X", "10.0.0.2")).to.include({ id: "id-1" });
    await clock.advance(2 * MINUTE);
    expect(await prove("alice@X")).to.include({ id: "id-1" });
  });

  it("are asked of the library one at a time, and a flood is turned away", async () => {
    let running = 0;
    let most = 0;
    const gate = Promise.withResolvers<void>();
    library = async (token) => {
      running += 1;
      most = Math.max(most, running);
      await gate.promise;
      running -= 1;
      return token;
    };
    const all = Array.from({ length: 70 }, () =>
      prove("alice@X").then(
        () => "in",
        (error: { kind: string }) => error.kind,
      ),
    );
    gate.resolve();
    const ends = await Promise.all(all);
    expect(most).to.equal(1);
    expect(ends.filter((end) => end === "in")).to.have.length(64);
    expect(ends.filter((end) => end === "busy")).to.have.length(6);
  });
});

describe("the settings of log-ins by Kerberos", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "viaduct-kerberos-"));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const words = (keytab: string): Promise<string> =>
    workingGssapi({ ...SETTINGS, keytab }).then(
      () => "",
      (error: { kind: string; tell: string }) => `${error.kind}: ${error.tell}`,
    );

  it("say at the start what is wrong with the keytab", async function () {
    gssapi(this);
    expect(await words(join(folder, "none"))).to.match(/^invalid: kerberos.keytab: .* cannot be read/);
    const open = join(folder, "open");
    await writeFile(open, "", { mode: 0o644 });
    expect(await words(open)).to.include("chmod o-r");
    const empty = join(folder, "empty");
    await writeFile(empty, "", { mode: 0o600 });
    expect(await words(empty)).to.include("gives no key of HTTP/bridge.x@X");
  });

  it("name a directory that is there, and are off by default", () => {
    const least = {
      dataFolder: "/x",
      cameraSide: { interfaces: ["10.1.0.5"] },
      clientSide: { addresses: ["10.2.0.5"] },
    };
    expect(settingsSchema.parse(least).kerberos).to.equal(undefined);
    const result = settingsSchema.safeParse({ ...least, kerberos: SETTINGS });
    expect(result.error?.issues.map(({ message }) => message)).to.deep.equal([
      "there is no directory site",
      "there is no directory other",
    ]);
  });
});
