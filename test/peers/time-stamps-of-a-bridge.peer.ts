import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { silentLog } from "../../base/log.ts";
import { TimeStamper } from "../../bridge/client-side/time-stamper.ts";
import { readAnchor } from "../../recorder/anchor.ts";
import { certificatesOf } from "../../recorder/cms/chain.ts";
import { checkTimeStamp, newNonce, printTimeStampRequest, tokenIn } from "../../recorder/cms/time-stamp.ts";
import { diskFiles } from "../../recorder/files.ts";
import { TimeStampLog } from "../../recorder/time-stamp-log.ts";
import { eventually, startTestBridge, type TestBridge } from "../support/bridge.ts";
import { peer } from "../support/peer.ts";
import { scratchFolder } from "../support/recorder-samples.ts";
import { OpensslStamps, startStampServer } from "../support/time-stamp-authority.ts";
import { viaduct } from "../support/viaduct.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

describe("time stamps of a bridge's anchors and exports, by openssl", () => {
  let folder = "";
  let remove: () => Promise<void>;
  let tsa: OpensslStamps;
  const at = (...path: readonly string[]): string => join(folder, ...path);

  let isAway = true;
  const recordings = (): string => at("bridge", "recordings");
  const statements = (): string => join(recordings(), "statements.d");
  const namesOf = async (kind: RegExp): Promise<readonly string[]> =>
    (await readdir(statements()))
      .filter((name) => kind.test(name))
      .toSorted()
      .map((name) => join(statements(), name));
  const linesOf = async (kind: RegExp): Promise<readonly string[]> =>
    (await Promise.all((await namesOf(kind)).map((name) => readFile(name, "utf8")))).flatMap((text) =>
      text.split("\n").slice(0, -1),
    );
  const STAMPS = /^time-stamps-[-\d]+\.txt$/;
  const ANCHORS = /^anchors-[-\d]+\.txt$/;
  const verify = (...more: readonly string[]): ReturnType<typeof viaduct> =>
    viaduct(["verify", recordings(), "--certificate", at("bridge", "evidence-cert.pem"), ...more]);
  const judge = (ca = "root.pem") => verify("--tsa-ca", tsa.file(ca));
  /** The file of an export of what was recorded, as somebody asks for it at the pages. */
  const exportFrom = async (site: TestBridge): Promise<string> => {
    const { accounts, exports, watch } = site.bridge.parts;
    const login = await site.account({ export: "any" });
    const who = accounts.principalOf(login.id);
    if (who === undefined) throw new Error(`${login.name} is not let in`);
    const asking = { who, door: "api", address: "127.0.0.1" } as const;
    const cameras = watch.all();
    const extent = await cameras[0]?.recorded.extent();
    if (extent === undefined) throw new Error("nothing is recorded");
    const { id } = await exports.ask(asking, {
      cameras: cameras.map(({ info }) => info.id),
      ...extent,
      stream: "main",
      reason: "",
      without: [],
      isProtected: false,
    });
    await eventually(() => exports.list(who)[0]?.endedAt !== undefined);
    const { path, lease } = exports.fetch(asking, id);
    lease.close();
    return path;
  };
  let exported = "";

  before(async function () {
    const openssl = peer(this, "openssl");
    ({ folder, remove } = await scratchFolder());
    await mkdir(at("tsa"));
    tsa = await OpensslStamps.make(at("tsa"), openssl);
    await tsa.issue("stamper-of-others", { as: "root" });
    const answer = async (asked: Buffer) =>
      isAway ? { status: 503, body: Buffer.alloc(0) } : { body: await tsa.reply(asked) };
    const server = await startStampServer(answer);
    const timeStamps = { url: `http://127.0.0.1:${server.port}/`, ca: tsa.file("root.pem") };
    const start = () => startTestBridge({ folder: at("bridge"), encryption: "none", timeStamps });
    try {
      const first = await start();
      await first.adopt(await first.camera());
      await eventually(async () => (await first.bridge.parts.watch.all()[0]?.recorded.extent()) !== undefined);
      // Recorded what there is, and anchored at the end.
      await first.close();
      const second = await start();
      await eventually(() => server.asked.length > 0);
      await second.close();
      isAway = false;
      const third = await start();
      await eventually(async () => (await linesOf(STAMPS)).length === (await linesOf(ANCHORS)).length);
      exported = await exportFrom(third);
      await third.close();
    } finally {
      await server.close();
    }
  });

  after(() => remove?.());

  it("come when the authority is back, after a restart, and openssl finds them good", async () => {
    const anchors = (await linesOf(ANCHORS)).map(readAnchor);
    const stamps = (await linesOf(STAMPS)).map((line) => line.split("\t"));
    // The newest first; the last anchor was made at the end.
    expect(stamps.map(([seq]) => seq)).to.deep.equal(["2", "1"]);
    expect(anchors.map(({ anchor }) => anchor.seq)).to.deep.equal([1, 2, 3]);
    for (const [seq, token = ""] of stamps) {
      await writeFile(at("kept"), Buffer.from(token, "base64"));
      const hash = anchors.find(({ anchor }) => `${anchor.seq}` === seq)?.hash ?? "";
      const how = ["-in", at("kept"), "-token_in", "-CAfile", tsa.file("root.pem")];
      await tsa.run("ts", "-verify", "-digest", hash, ...how);
    }
  });

  it("are told by `viaduct verify`, with when, by whom, and what has none", async () => {
    const { code, out, err } = await judge();
    expect({ code, err }, out).to.deep.equal({ code: 0, err: "" });
    expect(out).to.match(
      /^\S+Z anchor 1: stamped 20\S+Z by The stamper\n\S+Z anchor 2: stamped \S+Z by The stamper\n\S+Z anchor 3: no good time stamp$/m,
    );
    const { anchors } = JSON.parse((await verify("--tsa-ca", tsa.file("root.pem"), "--json")).out);
    expect(anchors[1].stamped.authority).to.equal("The stamper");
    expect(anchors[2].stamped).to.equal(null);
    expect((await verify()).out).not.to.match(/anchor 1/);
  });

  it("are of its exports too", async () => {
    const own = ["--certificate", at("bridge", "evidence-cert.pem")];
    const { code, out, err } = await viaduct(["verify", exported, ...own, "--tsa-ca", tsa.file("root.pem")]);
    expect(out + err).to.match(
      /manifest\.json\.p7s\.tst: ok: the manifest's signature was stamped 20\S+Z by The stamper/,
    );
    expect(code).to.equal(0);
  });

  const WRONG: readonly {
    readonly name: string;
    readonly change?: (lines: readonly string[]) => readonly string[];
    readonly ca?: string;
    readonly code: number;
    readonly said: RegExp;
  }[] = [
    {
      name: "of another anchor",
      change: (lines) =>
        lines.map((line) => (line.startsWith("1\t") ? line.replace(/^1/, "2") : line.replace(/^2/, "1"))),
      code: 1,
      said: /changed: anchor 2: the time stamp is over something else/,
    },
    {
      name: "of an anchor that is not here",
      change: (lines) => [...lines, `9\t${lines[0]?.split("\t")[1]}`],
      code: 1,
      said: /missing: anchor 9 is not here, of which there is a time stamp/,
    },
    {
      name: "that is garbage",
      change: () => ["1\tAAAA", "x"],
      code: 1,
      said: /changed: anchor 1: a time stamp cannot be read\n.*changed: a line is no time stamp/,
    },
    {
      name: "by somebody else",
      ca: "stamper-of-others.pem",
      code: 3,
      said: /unsigned: anchor 1: the certificate of The stamper does not lead/,
    },
    { name: "that is not there", change: () => [], code: 0, said: /anchor 1: no good time stamp/ },
  ];
  for (const { name, change, ca, code, said } of WRONG)
    it(`are named by \`viaduct verify\` where one is ${name}`, async () => {
      const [file = ""] = await namesOf(STAMPS);
      const before = await readFile(file, "utf8");
      const lines = before.split("\n").slice(0, -1);
      try {
        await writeFile(file, (change?.(lines) ?? lines).map((line) => `${line}\n`).join(""));
        const found = await judge(ca);
        expect(found.out).to.match(said);
        expect(found.code, found.out + found.err).to.equal(code);
      } finally {
        await writeFile(file, before);
      }
    });

  it("go on behind one that a crash has cut, and wait while the authority is away, without an end", async () => {
    const [file = ""] = await namesOf(STAMPS);
    await writeFile(file, `${await readFile(file, "utf8")}3\tMIIC`);
    const clock = new VirtualClock();
    let tries = 0;
    let away = true;
    const genuine = async (hash: Buffer) => {
      const nonce = newNonce();
      const token = tokenIn(await tsa.reply(printTimeStampRequest(hash, nonce)));
      const trusted = certificatesOf(await readFile(tsa.file("root.pem"), "utf8"));
      return { token, stamp: checkTimeStamp(token, { hash, nonce, trusted }) };
    };
    const stamper = new TimeStamper({
      stamps: new TimeStampLog(recordings(), diskFiles),
      authority: {
        stamp: async (hash) => {
          tries += 1;
          if (away) throw new Error("away");
          return genuine(hash);
        },
      },
      clock,
      log: silentLog(),
    });
    await eventually(() => tries === 1);
    expect(stamper.waiting).to.equal(1);
    away = false;
    await clock.advance(60_000);
    await eventually(() => stamper.waiting === 0);
    expect(tries).to.equal(2);
    expect((await linesOf(STAMPS)).map((line) => line.split("\t")[0])).to.deep.equal(["2", "1", "3"]);
    await stamper.close();
    expect(clock.pending).to.equal(0);
    expect((await judge()).out).to.match(/anchor 3: stamped /);
  });

  it("need the folder of all recordings to be compared", async () => {
    const { code, err } = await viaduct(["verify", tsa.folder, "--tsa-ca", tsa.file("root.pem")]);
    expect(code).not.to.equal(0);
    expect(err).to.include("--tsa-ca needs the folder");
  });
});
