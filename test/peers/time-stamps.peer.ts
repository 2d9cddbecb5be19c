import { createHash } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { systemClock } from "../../base/clock.ts";
import { asFault } from "../../base/fault.ts";
import { TimeStampAuthority } from "../../bridge/client-side/time-stamp-authority.ts";
import { timeStampSchema } from "../../bridge/time-stamp-settings.ts";
import { loadIdentity } from "../../net/tls.ts";
import { certificatesOf } from "../../recorder/cms/chain.ts";
import { newNonce, printTimeStampRequest } from "../../recorder/cms/time-stamp.ts";
import { eventually } from "../support/bridge.ts";
import { type Peer, peer } from "../support/peer.ts";
import { scratchFolder } from "../support/recorder-samples.ts";
import {
  type Answer,
  GRANTED,
  OpensslStamps,
  type StampServer,
  startStampServer,
  tagged,
} from "../support/time-stamp-authority.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

const HASH = createHash("sha256").update("an anchor").digest();

describe("time stamps, by openssl", () => {
  let folder = "";
  let remove: () => Promise<void>;
  let openssl: Peer;
  let tsa: OpensslStamps;
  const servers: StampServer[] = [];
  const at = (...path: readonly string[]): string => join(folder, ...path);

  before(async function () {
    openssl = peer(this, "openssl");
    ({ folder, remove } = await scratchFolder());
    await mkdir(at("tsa"));
    await mkdir(at("other"));
    tsa = await OpensslStamps.make(at("tsa"), openssl);
  });
  afterEach(async () => {
    for (const one of servers.splice(0)) await one.close();
  });
  after(() => remove?.());

  async function serve(answer: (query: Buffer) => Promise<Answer | "nothing">, tls?: string): Promise<StampServer> {
    const server = await startStampServer(answer, tls);
    servers.push(server);
    return server;
  }

  async function authority(
    url: string,
    o: { readonly ca?: string; readonly serverCa?: string; readonly login?: object } = {},
    more: Partial<ConstructorParameters<typeof TimeStampAuthority>[0]> = {},
  ): Promise<TimeStampAuthority> {
    const { ca = tsa.file("root.pem"), serverCa, login } = o;
    return new TimeStampAuthority({
      settings: timeStampSchema.parse({ url, ca, serverCa, login }),
      trusted: certificatesOf(await readFile(ca, "utf8")),
      serverCa: serverCa && (await readFile(serverCa, "utf8")),
      cameraInterfaces: ["10.1.0.0/24"],
      clock: systemClock,
      ...more,
    });
  }

  const ask = async (one: TimeStampAuthority) => one.stamp(HASH, new AbortController().signal);
  const granted = async (query: Buffer): Promise<Answer> => ({ body: await tsa.reply(query) });
  const troubleOf = async (one: TimeStampAuthority): Promise<string> => {
    try {
      const { stamp } = await ask(one);
      return `stamped by ${stamp.authority}`;
    } catch (error) {
      const { kind, message } = asFault(error);
      return `${kind}: ${message}`;
    }
  };

  const KEYS: readonly [name: string, key: readonly string[], reply: readonly string[]][] = [
    ["RSA", ["rsa:3072"], []],
    ["RSA with SHA-512", ["rsa:2048"], ["-sha512"]],
    ["ECDSA on P-256", ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"], []],
    ["ECDSA on P-384", ["ec", "-pkeyopt", "ec_paramgen_curve:P-384"], ["-sha384"]],
  ];
  for (const [name, key, reply] of KEYS)
    it(`are read that were signed by ${name}, under an authority below the one that is trusted`, async () => {
      await tsa.issue("below", { by: "root" });
      await tsa.issue("one", { by: "below", as: "stamper", key });
      const chain = ["-chain", tsa.file("below.pem"), ...reply];
      const server = await serve(async (query) => ({ body: await tsa.reply(query, "one", ...chain) }));
      const { stamp, token } = await ask(await authority(`http://127.0.0.1:${server.port}/`));
      expect(stamp.authority).to.equal("The one");
      await writeFile(at("token"), token);
      const printed = await tsa.run("ts", "-reply", "-in", at("token"), "-token_in", "-text", "-token_out");
      const [, time = ""] = /^Time stamp: (.*)$/m.exec(printed) ?? [];
      expect(new Date(stamp.time).toISOString().slice(0, 19)).to.equal(
        new Date(time.replace(/\.\d+/, "")).toISOString().slice(0, 19),
      );
    });

  /** Another request than was sent. */
  const query = (hash: Buffer): Buffer => printTimeStampRequest(hash, newNonce());
  const HOSTILE: readonly {
    readonly name: string;
    readonly answer: (asked: Buffer) => Promise<Answer | "nothing">;
    readonly ca?: string;
    readonly said: RegExp;
  }[] = [
    {
      name: "is over something else",
      answer: (asked) => {
        const other = Buffer.from(asked);
        const place = asked.indexOf(HASH);
        other.writeUInt8((asked[place] ?? 0) ^ 1, place);
        return granted(other);
      },
      said: /^invalid: the time stamp is over something else$/,
    },
    {
      name: "answers another request",
      answer: () => granted(query(HASH)),
      said: /^invalid: the time stamp answers another request$/,
    },
    {
      name: "is by an authority that is not the one that is trusted",
      answer: granted,
      ca: "stranger.pem",
      said: /^denied: the certificate of The stamper does not lead to the authority/,
    },
    {
      name: "is by a certificate that is for web servers too",
      answer: async (asked) => ({ body: await tsa.replySignedBy(asked, "web", "-cades") }),
      said: /^denied: the certificate of The web is not for time stamps alone$/,
    },
    {
      name: "does not say by which certificate it is",
      answer: async (asked) => ({ body: await tsa.replySignedBy(asked, "stamper") }),
      said: /^invalid: the certificate that a time stamp names is not in it$/,
    },
    {
      name: "does not have its certificate",
      answer: async (asked) => ({ body: await tsa.replySignedBy(asked, "stamper", "-cades", "-nocerts") }),
      said: /^invalid: the certificate that a time stamp names is not in it$/,
    },
    {
      name: "is signed with SHA-1",
      answer: async (asked) => ({ body: await tsa.replySignedBy(asked, "stamper", "-cades", "-md", "sha1") }),
      said: /^invalid: a time stamp signed by 1.2.840.10045.4.1 with 1.3.14.3.2.26$/,
    },
    {
      name: "is signed by two",
      answer: async (asked) => {
        const second = ["-signer", tsa.file("web.pem"), "-inkey", tsa.file("web.key")];
        return { body: await tsa.replySignedBy(asked, "stamper", ...second, "-cades") };
      },
      said: /^invalid: a time stamp has one signer$/,
    },
    {
      name: "is by an authority further below than the one above it allows",
      answer: async (asked) => {
        await writeFile(
          tsa.file("chain"),
          (await readFile(tsa.file("deep.pem"), "utf8")) + (await readFile(tsa.file("below.pem"), "utf8")),
        );
        return { body: await tsa.reply(asked, "deepest", "-chain", tsa.file("chain")) };
      },
      said: /^denied: the certificate of The deepest does not lead/,
    },
    {
      name: "is by a certificate that has ended",
      answer: async (asked) => ({ body: await tsa.reply(asked, "ended") }),
      said: /^denied: the certificate of The ended was not valid then, \S+Z: it is from /,
    },
    {
      name: "was changed",
      answer: async (asked) => {
        const { body } = await granted(asked);
        const time = /20\d{12}/.exec(body.toString("latin1"));
        body.write("1", (time?.index ?? 0) + 2, "latin1");
        return { body };
      },
      said: /^invalid: the time stamp is not as it was signed$/,
    },
    {
      name: "has another signature",
      answer: async (asked) => {
        const { body } = await granted(asked);
        body.writeUInt8((body.at(-1) ?? 0) ^ 1, body.length - 1);
        return { body };
      },
      said: /^invalid: the time stamp is not as it was signed$/,
    },
    {
      name: "is granted and not there",
      answer: async () => ({ body: tagged(0x30, GRANTED) }),
      said: /^invalid: .* sent no time stamp$/,
    },
    {
      name: "is refused",
      answer: async () => ({
        body: tagged(
          0x30,
          tagged(0x30, Buffer.from("020102", "hex"), tagged(0x30, tagged(0x0c, Buffer.from("too many\nrequests")))),
        ),
      }),
      said: /^unavailable: the authority does not stamp: status 2 too many\nrequests$/,
    },
    {
      name: "is garbage",
      answer: async () => ({ body: Buffer.from("<html>log in first</html>") }),
      said: /^invalid: an answer .* cannot be read$/,
    },
    {
      name: "is nothing",
      answer: async () => ({ body: Buffer.alloc(0) }),
      said: /^invalid: an answer .* cannot be read$/,
    },
    {
      name: "is nested without end",
      answer: async () => ({ body: Buffer.from("3080".repeat(10_000), "hex") }),
      said: /^invalid: an answer .* cannot be read$/,
    },
    {
      name: "is too long",
      answer: async () => ({ body: Buffer.alloc(33 * 1024) }),
      said: /^invalid: .* body over 32768 bytes$/,
    },
    {
      name: "is an error",
      answer: async () => ({ status: 503, body: Buffer.from("later") }),
      said: /^unavailable: 127.0.0.1:\d+ answers 503$/,
    },
    {
      name: "leads elsewhere",
      answer: async () => ({ status: 302, body: Buffer.alloc(0) }),
      said: /^unavailable: 127.0.0.1:\d+ answers 302$/,
    },
  ];
  describe("are not taken from an answer that", () => {
    before(async () => {
      await writeFile(
        tsa.file("stranger.pem"),
        await readFile((await OpensslStamps.make(at("other"), openssl)).file("root.pem")),
      );
      await tsa.issue("web", { by: "root" });
      await tsa.issue("below", { by: "root" });
      await tsa.issue("deep", { by: "below", as: "below" });
      await tsa.issue("deepest", { by: "deep", as: "stamper" });
      await tsa.issue("ended", { by: "root", as: "stamper", days: -1 });
    });
    for (const { name, answer, ca = "root.pem", said } of HOSTILE)
      it(name, async () => {
        const server = await serve(answer);
        const one = await authority(`http://127.0.0.1:${server.port}/`, { ca: tsa.file(ca) });
        expect(await troubleOf(one)).to.match(said);
        expect(server.asked).to.have.length(1);
      });
  });

  it("are asked for inside TLS and with a log-in, of nobody whose certificate is not good", async () => {
    await loadIdentity(at("tls"), ["127.0.0.1"], systemClock);
    await writeFile(at("password"), "s3cret\n", { mode: 0o600 });
    const server = await serve(granted, at("tls"));
    const url = `https://127.0.0.1:${server.port}/`;
    const login = { user: "gate", passwordFile: at("password") };
    expect(await troubleOf(await authority(url, { login }))).to.match(
      /^denied: the certificate of 127.0.0.1:\d+ is not good/,
    );
    expect(server.asked).to.deep.equal([]);
    const serverCa = at("tls", "tls-cert.pem");
    expect(await troubleOf(await authority(url, { login, serverCa }))).to.equal("stamped by The stamper");
    const { authorization, "content-type": type } = server.asked[0]?.headers ?? {};
    expect([authorization, type]).to.deep.equal([
      `Basic ${Buffer.from("gate:s3cret").toString("base64")}`,
      "application/timestamp-query",
    ]);
    for (const wrong of [
      { url: "http://tsa.example.org", login },
      { url: "https://ada:s3cret@tsa.example.org" },
      { url: "ftp://x" },
    ])
      expect(timeStampSchema.safeParse({ ...wrong, ca: "ca.pem" }).success, wrong.url).to.equal(false);
  });

  it("are asked for of nobody who is where cameras are, and not waited for without end", async () => {
    const server = await serve(async () => "nothing");
    const url = `http://tsa.example.org:${server.port}/`;
    const there = { cameraInterfaces: ["127.0.0.0/8"], resolve: async () => ["127.0.0.1"] };
    expect(await troubleOf(await authority(url, {}, there))).to.match(/^denied: .* nothing is sent to 127.0.0.1/);
    expect(server.asked).to.deep.equal([]);
    const clock = new VirtualClock();
    const trouble = troubleOf(await authority(`http://127.0.0.1:${server.port}/`, {}, { clock }));
    await eventually(() => server.asked.length > 0);
    await clock.advance(20_000);
    expect(await trouble).to.match(/^unavailable: .* took longer than 20000 ms/);
    expect(clock.pending).to.equal(0);
  });
});
