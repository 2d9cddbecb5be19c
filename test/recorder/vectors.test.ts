import { createHash, verify as isSigned, X509Certificate } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { readAnchor } from "../../recorder/anchor.ts";
import type { KeyFinder } from "../../recorder/cipher.ts";
import { diskFiles } from "../../recorder/files.ts";
import { readSamples } from "../../recorder/fragment-read.ts";
import { FRAGMENT_BOX_BYTES } from "../../recorder/integrity.ts";
import { readRemovals } from "../../recorder/removals.ts";
import { scanSegment } from "../../recorder/scan.ts";
import { certificateOf } from "../../recorder/signature.ts";
import { trustIn } from "../../recorder/trust.ts";
import { verify } from "../../recorder/verify.ts";
import { decryptTo } from "../support/keys.ts";
import { scratchFolder } from "../support/recorder-samples.ts";

// Written once by version 0.1.0, and never again: what was recorded has to be readable for ever.
const FOLDER = join(import.meta.dirname, "vectors");
const KEY_ID = "000102030405060708090a0b0c0d0e0f";
const KEY = Buffer.from("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", "hex");
const keys: KeyFinder = { find: async (id) => (id === KEY_ID ? KEY : undefined) };

describe("segments that were written once", () => {
  let folder = "";
  let remove: () => Promise<void>;

  before(async () => {
    ({ folder, remove } = await scratchFolder());
  });
  after(() => remove());

  async function samplesOf(name: string): Promise<string> {
    const plain = join(folder, name);
    await decryptTo(join(FOLDER, name), plain, keys);
    const file = await diskFiles.open(plain, "read");
    const scan = await scanSegment(file, true);
    await file.close();
    expect(scan, name).to.include({ sealed: true, tail: "none" });
    const bytes = await readFile(plain);
    const samples = scan.fragments.flatMap((one) =>
      readSamples(bytes.subarray(one.offset + FRAGMENT_BOX_BYTES, one.offset + one.bytes), scan.header?.tracks ?? []),
    );
    return samples.map(({ track, presentUs, data }) => `${track} ${presentUs} ${data.toString("hex")}`).join("\n");
  }

  it("hold the same pictures and sound in clear, light and full", async () => {
    const none = await samplesOf("none.mp4");
    expect(none.split("\n")).to.have.length(24);
    for (const name of ["light.mp4", "full.mp4"]) expect(await samplesOf(name), name).to.equal(none);
  });

  const rows: readonly [file: string, verdicts: readonly string[]][] = [
    ["none.mp4", ["ok"]],
    ["light.mp4", ["ok"]],
    ["full.mp4", ["ok"]],
    ["full-changed.mp4", ["changed"]],
    ["full-cut.mp4", ["unsigned"]],
  ];
  for (const [name, verdicts] of rows)
    it(`are told to be ${verdicts.join(", ")}: ${name}`, async () => {
      const trust = trustIn([certificateOf(await readFile(join(FOLDER, "certificate.pem")))]);
      const { stretches } = await verify({ files: diskFiles, paths: [join(FOLDER, name)], keys, trust });
      expect(
        [...new Set(stretches.map(({ verdict }) => verdict))].filter((one) => one !== "ok" || verdicts[0] === "ok"),
      ).to.deep.equal(verdicts);
    });

  it("has a statement of what was removed, which somebody else can verify by format.md, and none with a bit flipped", async () => {
    const line = (await readFile(join(FOLDER, "removed.txt"), "utf8")).trimEnd();
    const [text = "", signature = "", certificate = ""] = line.split("\t");
    const { publicKey } = new X509Certificate(Buffer.from(certificate, "base64"));
    const signed = Buffer.from(`viaduct removal statement v1\n${text}`);
    expect(isSigned(undefined, signed, publicKey, Buffer.from(signature, "base64"))).to.equal(true);
    const { valid, removals } = readRemovals(line);
    expect(valid).to.equal(true);
    expect(removals).to.deep.equal(JSON.parse(text));
    expect(removals.ranges.map(({ segments, why }) => [segments, ...why])).to.deep.equal([
      [2, "age"],
      [2, "age", "room"],
      [0, "unknown"],
    ]);
    expect(readRemovals(line.replace('"segments":2', '"segments":3')).valid).to.equal(false);
  });

  it("have anchors, which somebody else can verify by format.md, and none with a bit flipped", async () => {
    const lines = (await readFile(join(FOLDER, "anchors.txt"), "utf8")).trimEnd().split("\n");
    let prev = "00".repeat(32);
    for (const line of lines) {
      const [text = "", signature = "", certificate = "", segments = ""] = line.split("\t");
      const { publicKey } = new X509Certificate(Buffer.from(certificate, "base64"));
      const signed = Buffer.from(`viaduct anchor v1\n${text}`);
      expect(isSigned(undefined, signed, publicKey, Buffer.from(signature, "base64"))).to.equal(true);
      const sha256 = (...parts: readonly Uint8Array[]): Buffer =>
        createHash("sha256").update(Buffer.concat(parts)).digest();
      const leaves = (JSON.parse(segments) as readonly unknown[]).map((one) =>
        sha256(Buffer.of(0), Buffer.from(JSON.stringify(one))),
      );
      // RFC 6962 2.1 for one leaf and for three.
      const [first = Buffer.alloc(0), second = Buffer.alloc(0), third = Buffer.alloc(0)] = leaves;
      const root = leaves.length === 1 ? first : sha256(Buffer.of(1), sha256(Buffer.of(1), first, second), third);
      const read = readAnchor(line);
      expect(read.valid).to.equal(true);
      expect(read.anchor)
        .to.deep.equal(JSON.parse(text))
        .and.to.include({ prev, root: root.toString("hex") });
      prev = createHash("sha256").update(text).digest("hex");
      expect(read.hash).to.equal(prev);
      expect(readAnchor(line.replace('"first":1', '"first":2')).valid).to.equal(false);
      expect(() => readAnchor(line.replace('["gate"', '["gata"'))).to.throw("not those that were signed");
    }
  });

  for (const name of ["none.mp4", "full.mp4", "light.mp4"])
    it(`are told not to be ok wherever a bit is flipped: ${name}`, async () => {
      const good = await readFile(join(FOLDER, name));
      const path = join(folder, `flipped-${name}`);
      const trust = trustIn([certificateOf(await readFile(join(FOLDER, "certificate.pem")))]);
      for (let at = 0; at < good.length; at += 97) {
        const bytes = Buffer.from(good);
        bytes[at] = (bytes[at] ?? 0) ^ (1 << (at % 8));
        await writeFile(path, bytes);
        const { stretches } = await verify({ files: diskFiles, paths: [path], keys, trust });
        expect(
          stretches.map(({ verdict }) => verdict).some((one) => one !== "ok"),
          `byte ${at}`,
        ).to.equal(true);
      }
    });
});
