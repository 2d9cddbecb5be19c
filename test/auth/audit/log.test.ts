import { createHash } from "node:crypto";
import fs, { appendFileSync, fstatSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { expect } from "chai";
import { fullFiles, fullFolder } from "../../../auth/audit/files.ts";
import { verifyAudit } from "../../../auth/audit/verify.ts";
import { DAY, MINUTE } from "../../../base/units.ts";
import { type AuditSite, auditSite, ENTRY } from "./fixture.ts";

describe("the audit log", () => {
  let site: AuditSite;
  beforeEach(async () => {
    site = await auditSite();
  });
  afterEach(() => site.close());

  it("keeps entries in order, for the owner's eyes alone", () => {
    site.write("a", "b");
    expect(site.entries().map(({ seq, who, time, action }) => [seq, who, time, action])).to.deep.equal([
      [1, "a", "2026-01-01T00:00:00.000Z", "live"],
      [2, "b", "2026-01-01T00:00:00.000Z", "live"],
      [3, undefined, "2026-01-01T00:00:00.000Z", "checkpoint"],
    ]);
    expect(statSync(site.file).mode & 0o777).to.equal(0o600);
  });

  it("goes on with its chain after a restart", async () => {
    site.write("a", "b");
    site.write("c");
    expect(site.entries().map(({ seq }) => seq)).to.deep.equal([1, 2, 3, 4, 5]);
    expect((await verifyAudit(site.folder)).broken).to.equal(undefined);
  });

  for (const cut of [1, 20, 100])
    it(`goes on after a crash ${cut} bytes into a line, and says that what was not signed is signed late`, async () => {
      const crashed = site.open();
      crashed.record(ENTRY);
      appendFileSync(
        site.file,
        '{"seq":2,"time":"2026-01-01T00:00:00.000Z","who":"vms","action":"live","camera":"c"'.padEnd(100).slice(0, cut),
      );
      site.write("c");
      const { broken, unsigned, last } = await verifyAudit(site.folder);
      expect({ broken, unsigned, last }).to.deep.equal({ broken: undefined, unsigned: 0, last: 4 });
      expect(JSON.parse(site.lines()[2] ?? "")).to.include({ action: "checkpoint", late: 1 });
    });

  it("goes on after a crash in the first line of a new file, and puts that one aside under a name of its own", async () => {
    const audit = site.open({ fileBytes: 1 });
    for (const who of ["a", "b", "c"]) audit.record({ ...ENTRY, who });
    audit.close();
    const cut = site.lines()[0] ?? "";
    writeFileSync(site.file, cut.slice(0, 50));
    const files = readdirSync(fullFolder(site.file));
    const again = site.open({ fileBytes: 1 });
    for (const who of ["d", "e"]) again.record({ ...ENTRY, who });
    again.close();
    expect(readdirSync(fullFolder(site.file))).to.include.members(files);
    const { broken, first, last } = await verifyAudit(site.folder);
    expect({ broken, first }).to.deep.equal({ broken: undefined, first: 1 });
    expect(site.entries().at(-1)?.["seq"]).to.equal(last);
  });

  it("signs a minute after an entry, and every thousand entries", async () => {
    const audit = site.open();
    audit.record(ENTRY);
    await site.clock.advance(MINUTE);
    expect(site.entries().map(({ action }) => action)).to.deep.equal(["live", "checkpoint"]);
    for (let n = 0; n < 1000; n += 1) audit.record({ ...ENTRY, subject: String(n) });
    expect(site.entries().at(-1)?.["action"]).to.equal("checkpoint");
    audit.close();
    expect(site.entries().filter(({ action }) => action === "checkpoint")).to.have.length(2);
  });

  it("begins a new file when one is full, and one a day, with one chain over all", async () => {
    const audit = site.open({ fileBytes: 4000 });
    for (let n = 0; n < 40; n += 1) audit.record({ ...ENTRY, subject: String(n) });
    const before = site.entries()[0]?.["seq"];
    await site.clock.advance(DAY);
    audit.record(ENTRY);
    audit.close();
    expect(site.entries()[0]?.["seq"]).to.be.greaterThan(Number(before));
    const report = await verifyAudit(site.folder);
    expect(report).to.include({ broken: undefined, first: 1, unsigned: 0 });
    expect(report.entries).to.equal(report.last);
    const [signer] = report.signers;
    expect(signer?.checkpoints).to.be.greaterThan(3);
  });

  it("finds its end in the last full file where the new one was never begun", async () => {
    const audit = site.open({ fileBytes: 1 });
    audit.record({ ...ENTRY, who: "a" });
    audit.record({ ...ENTRY, who: "b" });
    audit.close();
    // A crash between two files.
    const { renameSync } = await import("node:fs");
    renameSync(site.file, `${site.folder}/audit/000000000003.log`);
    site.write("c");
    expect((await verifyAudit(site.folder)).broken).to.equal(undefined);
    expect(site.entries()[0]?.["seq"]).to.equal(5);
  });

  it("counts what is repeated within a minute instead of writing it, and tells of the first and the last", async () => {
    const audit = site.open();
    for (let n = 0; n < 500; n += 1) audit.record(ENTRY);
    await site.clock.advance(MINUTE);
    audit.close();
    const [first, summary] = site.entries().filter(({ action }) => action === "live");
    expect(first).not.to.have.property("repeated");
    expect(summary).to.include({
      who: "vms",
      repeated: 499,
      firstAt: "2026-01-01T00:00:00.000Z",
      lastAt: "2026-01-01T00:00:00.000Z",
    });
  });

  it("holds different refusals of one address to sixty a minute, and counts the others", async () => {
    const audit = site.open();
    for (let n = 0; n < 500; n += 1)
      audit.record({ ...ENTRY, who: `guess${n}`, outcome: "failed", action: "log-in", address: "192.0.2.9" });
    audit.record({ ...ENTRY, who: "other", outcome: "failed", action: "log-in", address: "192.0.2.8" });
    audit.close();
    const entries = site.entries().filter(({ action }) => action === "log-in");
    expect(entries).to.have.length(62);
    expect(entries.at(-1)).to.include({ who: "(several)", address: "192.0.2.9", repeated: 440 });
  });

  it("tells the ends of a player that jumps without rest as one sum, after the first ten", async () => {
    const audit = site.open();
    for (let n = 0; n < 30; n += 1) {
      const [from, to] = [`2026-01-01T00:00:${10 + n}.000Z`, `2026-01-01T00:00:${11 + n}.000Z`];
      audit.record({ ...ENTRY, action: "playback-end", seconds: 1, bytes: 1000, from, to });
    }
    audit.close();
    const ends = site.entries().filter(({ action }) => action === "playback-end");
    expect(ends).to.have.length(11);
    expect(ends.at(-1)).to.include({
      repeated: 20,
      seconds: 20,
      bytes: 20_000,
      from: "2026-01-01T00:00:20.000Z",
      to: "2026-01-01T00:00:40.000Z",
    });
  });

  it("writes every change of rights, also one that was there a moment ago", () => {
    const audit = site.open();
    const change = { ...ENTRY, action: "change-account", subject: "vms" };
    audit.record({ ...change, before: "[]", after: "[1]" });
    audit.record({ ...change, before: "[1]", after: "[]" });
    audit.record({ ...change, before: "[]", after: "[1]" });
    audit.close();
    expect(site.entries().map(({ after }) => after)).to.deep.equal(["[1]", "[]", "[1]", undefined]);
  });

  it("names the whole of a change by its hash where it is too long to be written", () => {
    const audit = site.open();
    const [short, long] = ["x".repeat(3000), "x".repeat(3001)];
    audit.record({ ...ENTRY, subject: "vms", before: short, after: long });
    audit.close();
    const [line] = site.entries();
    expect(line?.["before"]).to.equal(short);
    expect(line?.["after"]).to.equal(`${short}… sha256:${createHash("sha256").update(long).digest("hex")}`);
  });

  it("cuts long values and keeps one entry on one line", () => {
    site.write("x\ny".repeat(1000));
    expect(String(site.entries()[0]?.["who"])).to.have.length(256);
  });

  it("takes no value for a checkpoint or a statement of its own", async () => {
    site.write('"action":"checkpoint"', '","action":"remove-entries","to":1');
    expect((await verifyAudit(site.folder)).broken).to.equal(undefined);
  });

  it("does not fail its callers when it cannot write, and says so", () => {
    const audit = site.open();
    expect(audit.failing).to.equal(false);
    audit.close();
    audit.record(ENTRY);
    expect(audit.failing).to.equal(true);
  });

  it("tells in the next line how many could not be written, and leaves no half line behind", async () => {
    const audit = site.open();
    audit.record({ ...ENTRY, who: "a" });
    const { writeSync } = fs;
    const onFullDisk = (fd: number, bytes: Buffer): never => {
      writeSync(fd, bytes, 0, 10);
      throw Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
    };
    replace({ writeSync: onFullDisk });
    try {
      for (const who of ["b", "c"]) audit.record({ ...ENTRY, who });
    } finally {
      replace({ writeSync });
    }
    expect(audit.failing).to.equal(true);
    audit.record({ ...ENTRY, who: "d" });
    expect(audit.failing).to.equal(false);
    audit.close();
    expect(site.entries().map(({ seq, who, unwritten }) => [seq, who, unwritten])).to.deep.equal([
      [1, "a", undefined],
      [2, "d", 2],
      [3, undefined, undefined],
    ]);
    expect((await verifyAudit(site.folder)).broken).to.equal(undefined);
  });

  it("stays in a full file, under its name, where no new one can be opened, and begins one a minute later", async () => {
    const audit = site.open({ fileBytes: 1 });
    audit.record({ ...ENTRY, who: "a" });
    const { openSync } = fs;
    replace({
      openSync: () => {
        throw Object.assign(new Error("too many open files"), { code: "EMFILE" });
      },
    });
    try {
      audit.record({ ...ENTRY, who: "b" });
    } finally {
      replace({ openSync });
    }
    expect(site.entries().map(({ who }) => who)).to.include.members(["a", "b"]);
    expect(fullFiles(site.file)).to.deep.equal([]);
    await site.clock.advance(MINUTE);
    audit.record({ ...ENTRY, who: "c" });
    expect(fullFiles(site.file)).to.have.length(1);
    expect(site.entries().map(({ who }) => who)).to.deep.equal(["c"]);
    audit.close();
    expect((await verifyAudit(site.folder)).broken).to.equal(undefined);
  });

  it("syncs changes of rights at once, and those that come meanwhile together behind that", () => {
    const audit = site.open();
    const { fdatasync } = fs;
    const done: (() => void)[] = [];
    replace({ fdatasync: (_fd: number, whenDone: (error: null) => void) => done.push(() => whenDone(null)) });
    try {
      for (const subject of ["a", "b", "c"]) audit.record({ ...ENTRY, subject });
      expect(done).to.have.length(1);
      done[0]?.();
      expect(done).to.have.length(2);
      done[1]?.();
      expect(done).to.have.length(2);
      audit.record({ ...ENTRY, subject: "d" });
      audit.record({ ...ENTRY, subject: "e" });
      expect(done).to.have.length(3);
      audit.close();
      done[2]?.();
      expect(done).to.have.length(3);
    } finally {
      replace({ fdatasync });
    }
  });

  it("closes a full file behind the sync that runs, and not under it", async () => {
    const audit = site.open({ fileBytes: 1 });
    const { fdatasync } = fs;
    let end: () => void = () => expect.fail("nothing is synced");
    let synced = -1;
    replace({
      fdatasync: (fd: number, whenDone: (error: null) => void) => {
        synced = fd;
        end = () => whenDone(null);
      },
    });
    try {
      audit.record({ ...ENTRY, subject: "a" });
      const { ino } = fstatSync(synced);
      audit.record({ ...ENTRY, subject: "b" });
      expect(fullFiles(site.file)).to.have.length(1);
      const full = synced;
      expect(isOpen(full, ino)).to.equal(true);
      end();
      while (isOpen(full, ino)) await new Promise((resolve) => setImmediate(resolve));
    } finally {
      replace({ fdatasync });
      audit.close();
    }
  });
});

/** Whether the descriptor is that of this very file. */
function isOpen(fd: number, ino: number): boolean {
  try {
    return fstatSync(fd).ino === ino;
  } catch {
    return false;
  }
}

/** Also for who has imported it by its name. */
function replace(functions: Partial<Record<keyof typeof fs, unknown>>): void {
  Object.assign(fs, functions);
  syncBuiltinESMExports();
}
