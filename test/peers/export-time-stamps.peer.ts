import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { systemClock } from "../../base/clock.ts";
import { openDataFolder } from "../../bridge/data-folder.ts";
import { loadSigner } from "../../bridge/signing.ts";
import { recordFor } from "../support/exported.ts";
import { peer } from "../support/peer.ts";
import { scratchFolder } from "../support/recorder-samples.ts";
import { OpensslStamps, type StampServer, startStampServer } from "../support/time-stamp-authority.ts";
import { viaduct, writeConfig } from "../support/viaduct.ts";

describe("time stamps of exports, by openssl", () => {
  let folder = "";
  let remove: () => Promise<void>;
  let tsa: OpensslStamps;
  let server: StampServer;
  let config = "";
  let isAway = false;
  const at = (...path: readonly string[]): string => join(folder, ...path);
  const stamp = (): string => at("out", "manifest.json.p7s.tst");
  const exported = (out: string) => {
    const range = ["--from", "2026-11-24T13:05:00Z", "--to", "2026-11-24T13:05:10Z"];
    return viaduct(["export", "--config", config, "--camera", "gate", ...range, "--out", at(out), "--no-password"]);
  };
  const verify = (out: string, ...more: readonly string[]) =>
    viaduct(["verify", at(out), "--certificate", at("data", "evidence-cert.pem"), ...more]);

  before(async function () {
    const openssl = peer(this, "openssl");
    ({ folder, remove } = await scratchFolder());
    await mkdir(at("tsa"));
    tsa = await OpensslStamps.make(at("tsa"), openssl);
    await tsa.issue("stranger", { as: "root" });
    server = await startStampServer(async (asked) =>
      isAway ? { status: 503, body: Buffer.alloc(0) } : { body: await tsa.reply(asked) },
    );
    const settings = `{ url: "http://127.0.0.1:${server.port}/", ca: "${tsa.file("root.pem")}" }`;
    config = await writeConfig(folder, `recording: { encryption: none, timeStamps: ${settings} }\n`);
    const data = await openDataFolder(at("data"));
    await mkdir(at("data", "recordings"));
    await recordFor(
      at("data", "recordings"),
      { gate: { seconds: 10 } },
      { signer: await loadSigner(data, systemClock) },
    );
    await data.close();
    const { code, err } = await exported("out");
    expect({ code, err }).to.deep.equal({ code: 0, err: "" });
  });
  after(async () => {
    await server?.close();
    await remove?.();
  });

  it("are over the manifest's signature, as openssl and `viaduct verify` find, who say when and by whom", async () => {
    const readme = await readFile(at("out", "README.txt"), "utf8");
    expect(readme).to.match(/the time of this export was stamped, 20\S+Z by The stamper/);
    const [, words = ""] = /^ {5}openssl (ts -verify .*)$/m.exec(readme) ?? [];
    const files = words.replace("tsa.pem", tsa.file("root.pem")).split(" ");
    const args = files.map((one) => (one.startsWith("manifest") ? at("out", one) : one));
    expect(await tsa.run(...args)).to.match(/Verification: OK/);
    const found = await verify("out", "--tsa-ca", tsa.file("root.pem"));
    expect(found.out).to.match(
      /manifest\.json\.p7s\.tst: ok: the manifest's signature was stamped 20\S+Z by The stamper/,
    );
    expect(found.code, found.out).to.equal(0);
    expect((await verify("out")).out).to.match(/It has a time stamp: --tsa-ca/);
  });

  it("are named where they are by somebody else, of something else, garbage, or gone", async () => {
    const before = await readFile(stamp());
    const other = await verify("out", "--tsa-ca", tsa.file("stranger.pem"));
    expect([other.code, /tst: unsigned: .*does not lead/.test(other.out)], other.out).to.deep.equal([3, true]);
    expect((await exported("other")).code).to.equal(0);
    for (const [content, said] of [
      [await readFile(at("other", "manifest.json.p7s.tst")), /tst: changed: the time stamp is over something else/],
      [Buffer.from("x"), /tst: changed: a time stamp cannot be read/],
      [undefined, /tst: missing: the file is not there/],
    ] as const) {
      await (content === undefined ? rm(stamp()) : writeFile(stamp(), content));
      const found = await verify("out", "--tsa-ca", tsa.file("root.pem"));
      expect(found.out).to.match(said);
      expect(found.code).to.equal(1);
    }
    await writeFile(stamp(), before);
  });

  it("are not there while the authority is away, which the export says, and nobody is accused", async () => {
    isAway = true;
    const { code, err } = await exported("unstamped");
    expect(code, err).to.equal(0);
    expect(err).to.match(/^The time of the export is not stamped: 127\.0\.0\.1:\d+ answers 503\n$/);
    expect(await readFile(at("unstamped", "README.txt"), "utf8")).to.match(/is not stamped: the authority that should/);
    const found = await verify("unstamped", "--tsa-ca", tsa.file("root.pem"));
    expect(found.out).to.include("Nobody else stamped its time.\n");
    expect(found.code, found.out).to.equal(0);
  });
});
