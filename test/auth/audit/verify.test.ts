import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { expect } from "chai";
import { CheckpointSigner, keyFingerprint } from "../../../auth/audit/checkpoint.ts";
import { hashOf, NOTHING } from "../../../auth/audit/line.ts";
import { type VerifyOptions, verifyAudit } from "../../../auth/audit/verify.ts";
import { type AuditSite, auditSite, ENTRY, KEY } from "./fixture.ts";

const OURS = keyFingerprint(createPublicKey(KEY));

/** All hashes computed anew, as whoever can write to the disk can do; signatures are what they cannot make. */
function rechained(lines: readonly string[], from = 0): readonly string[] {
  let [seq, prev] = [0, NOTHING];
  return lines.map((line, at) => {
    seq += 1;
    const { seq: _, prev: __, ...rest } = JSON.parse(line) as Record<string, unknown>;
    const anew = at < from ? line : JSON.stringify({ seq, ...rest, prev });
    prev = hashOf(anew);
    return anew;
  });
}

/** Signed by somebody else's key. */
function resigned(lines: readonly string[]): readonly string[] {
  const stranger = new CheckpointSigner(generateKeyPairSync("ed25519").privateKey);
  const out: string[] = [];
  for (const line of rechained(lines)) {
    const fields = JSON.parse(line) as { seq: number; time: string; action: string };
    const prev = hashOf(out.at(-1) ?? "");
    const { seq, time } = fields;
    out.push(
      fields.action === "checkpoint"
        ? JSON.stringify({ seq, time, action: "checkpoint", ...stranger.seal({ seq, time, prev }), prev })
        : JSON.stringify({ ...fields, prev: out.length === 0 ? NOTHING : prev }),
    );
  }
  return out;
}

const without = (all: readonly string[], at: number): readonly string[] => all.filter((_, index) => index !== at);
const changed = (all: readonly string[], at: number): readonly string[] =>
  all.map((line, index) => (index === at ? line.replace('"who":"b"', '"who":"x"') : line));

describe("verifying the audit log", () => {
  let site: AuditSite;
  beforeEach(async () => {
    site = await auditSite();
    // Lines 1 to 4 and a checkpoint; 6 to 8 and a checkpoint.
    site.write("a", "b", "c", "d");
    site.write("e", "f", "g");
  });
  afterEach(() => site.close());
  const trusted = new Set([OURS]);

  it("says who signed what of a log that is as it was written", async () => {
    const report = await verifyAudit(site.folder, { trusted });
    const signers = [{ key: OURS, checkpoints: 2 }];
    expect(report).to.deep.equal({ entries: 9, first: 1, last: 9, broken: undefined, signers, unsigned: 0 });
  });

  const FOLLOWS = /does not follow from the line before/;
  const SIGNATURE = /signature is not over what stands before it/;
  const tampering: readonly (readonly [
    string,
    (lines: readonly string[]) => readonly string[],
    number,
    RegExp,
    VerifyOptions?,
  ])[] = [
    ["a changed line", (all) => changed(all, 1), 3, FOLLOWS],
    ["a removed line", (all) => without(all, 1), 2, FOLLOWS],
    ["two lines in another order", ([a = "", b = "", c = "", ...rest]) => [a, c, b, ...rest], 2, FOLLOWS],
    ["a line twice", ([a = "", b = "", ...rest]) => [a, b, b, ...rest], 3, FOLLOWS],
    ["a removed beginning", (all) => all.slice(1), 0, /entries before 2 are not here/],
    ["a line that is none any more", (all) => all.map((line, at) => (at === 1 ? line.slice(0, 20) : line)), 3, FOLLOWS],
    ["a removed checkpoint", (all) => without(all, 4), 5, FOLLOWS],
    ["a changed line with all hashes made anew", (all) => rechained(changed(all, 1)), 5, SIGNATURE],
    ["a removed line with all hashes made anew", (all) => rechained(without(all, 1)), 4, SIGNATURE],
    ["an added line with all hashes made anew", ([a = "", ...rest]) => rechained([a, a, ...rest]), 6, SIGNATURE],
    ["a removed checkpoint with all hashes made anew", (all) => rechained(without(all, 4)), 8, SIGNATURE],
    [
      "a checkpoint at another place",
      (all) => rechained([...all.slice(0, 2), all[4] ?? "", ...all.slice(2, 4)]),
      3,
      SIGNATURE,
    ],
    [
      "a checkpoint at another time",
      (all) => rechained(all.map((line, at) => (at === 4 ? line.replace("00:00:00.000Z", "00:00:01.000Z") : line))),
      5,
      SIGNATURE,
    ],
    ["all of it signed by somebody else", resigned, 0, /signed by another key/, { trusted }],
  ];
  for (const [name, change, at, why, options] of tampering)
    it(`shows ${name}`, async () => {
      site.put(change(site.lines()));
      const { broken } = await verifyAudit(site.folder, options);
      expect(broken?.line).to.equal(at);
      expect(broken?.why).to.match(why);
    });

  it("shows a cut at the end to who kept a later line elsewhere", async () => {
    const all = site.lines();
    const kept = all.slice(-1);
    expect((await verifyAudit(site.folder, { kept })).broken).to.equal(undefined);
    site.put(all.slice(0, 5));
    expect((await verifyAudit(site.folder)).broken).to.equal(undefined);
    expect((await verifyAudit(site.folder, { kept })).broken?.why).to.match(/ends before entry 9/);
  });

  it("shows another end than the one that was kept elsewhere", async () => {
    const kept = site.lines().slice(-2, -1);
    site.put(site.lines().slice(0, 5));
    site.write("x", "y", "z");
    expect((await verifyAudit(site.folder, { kept })).broken?.why).to.match(/entry 8 is another one/);
  });

  it("shows more entries without a signature than the bridge leaves", async () => {
    const audit = site.open({ privateKey: undefined });
    for (let n = 0; n < 1000; n += 1) audit.record({ ...ENTRY, subject: String(n) });
    expect((await verifyAudit(site.folder)).broken).to.equal(undefined);
    audit.record(ENTRY);
    audit.close();
    expect((await verifyAudit(site.folder)).broken?.why).to.match(/1001 entries at the end are under no signature/);
  });

  it("says that a log cannot be read", async () => {
    const error = await verifyAudit(`${site.folder}/none`).catch((thrown: Error) => thrown);
    expect((error as Error).message).to.contain("cannot read the audit log");
  });
});
