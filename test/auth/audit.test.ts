import { createHash } from "node:crypto";
import { appendFile, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { type AuditEntry, checkAudit, openAuditLog } from "../../auth/audit.ts";
import { silentLog } from "../../base/log.ts";
import { MINUTE } from "../../base/units.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

const ENTRY: AuditEntry = { who: "vms", action: "live", camera: "cam1", interface: "rtsp", outcome: "allowed" };

describe("the audit log", () => {
  let folder: string;
  let file: string;
  let clock: VirtualClock;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "viaduct-audit-"));
    file = join(folder, "audit.log");
    clock = new VirtualClock();
  });
  afterEach(() => rm(folder, { recursive: true }));

  const write = (...names: readonly string[]): void => {
    const audit = openAuditLog({ file, clock, log: silentLog() });
    for (const who of names) audit.record({ ...ENTRY, who });
    void audit.close();
  };
  const lines = async (): Promise<Record<string, unknown>[]> =>
    (await readFile(file, "utf8"))
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);

  it("keeps entries in order, for the owner's eyes alone", async () => {
    write("a", "b");
    expect((await lines()).map(({ seq, who, time, outcome }) => [seq, who, time, outcome])).to.deep.equal([
      [1, "a", "2026-01-01T00:00:00.000Z", "allowed"],
      [2, "b", "2026-01-01T00:00:00.000Z", "allowed"],
    ]);
    expect((await stat(file)).mode & 0o777).to.equal(0o600);
  });
  it("goes on with its chain after a restart", async () => {
    write("a", "b");
    write("c");
    expect((await lines()).map(({ seq }) => seq)).to.deep.equal([1, 2, 3]);
    expect(await checkAudit(file)).to.deep.equal({ entries: 3, brokenAt: undefined });
  });
  it("goes on after a crash in the middle of a line", async () => {
    write("a", "b");
    await appendFile(file, '{"seq":3,"ti');
    write("c");
    expect(await checkAudit(file)).to.deep.equal({ entries: 4, brokenAt: undefined });
  });

  const tampering: readonly (readonly [string, (lines: readonly string[]) => readonly string[], number])[] = [
    ["a changed line", (all) => all.map((line, at) => (at === 1 ? line.replace("b", "x") : line)), 3],
    ["a removed line", (all) => all.filter((_, at) => at !== 1), 2],
    ["two lines in another order", ([a = "", b = "", ...rest]) => [a, ...rest.slice(0, 1), b, ...rest.slice(1)], 2],
    ["a line twice", ([a = "", b = "", ...rest]) => [a, b, b, ...rest], 3],
    ["a removed beginning", (all) => all.slice(1), 1],
    [
      "a changed line that is no entry any more",
      (all) => all.map((line, at) => (at === 1 ? line.slice(0, 20) : line)),
      3,
    ],
  ];
  for (const [name, change, at] of tampering)
    it(`shows ${name}`, async () => {
      write("a", "b", "c", "d");
      const all = (await readFile(file, "utf8")).trimEnd().split("\n");
      await writeFile(file, `${change(all).join("\n")}\n`);
      expect((await checkAudit(file)).brokenAt).to.equal(at);
    });

  it("counts what is repeated within a minute instead of writing it", async () => {
    const audit = openAuditLog({ file, clock, log: silentLog() });
    for (let n = 0; n < 500; n += 1) audit.record(ENTRY);
    await clock.advance(MINUTE);
    audit.record(ENTRY);
    await audit.close();
    expect((await lines()).map(({ repeated }) => repeated)).to.deep.equal([undefined, 499]);
  });
  it("writes every change of rights, also one that was there a moment ago", async () => {
    const audit = openAuditLog({ file, clock, log: silentLog() });
    const change = { ...ENTRY, action: "change-account", subject: "vms" };
    audit.record({ ...change, before: "[]", after: "[1]" });
    audit.record({ ...change, before: "[1]", after: "[]" });
    audit.record({ ...change, before: "[]", after: "[1]" });
    await audit.close();
    expect((await lines()).map(({ after }) => after)).to.deep.equal(["[1]", "[]", "[1]"]);
  });
  it("names the whole of a change by its hash where it is too long to be written", async () => {
    const audit = openAuditLog({ file, clock, log: silentLog() });
    const [short, long] = ["x".repeat(3000), "x".repeat(3001)];
    audit.record({ ...ENTRY, subject: "vms", before: short, after: long });
    await audit.close();
    const [line] = await lines();
    expect(line?.["before"]).to.equal(short);
    expect(line?.["after"]).to.equal(`${short}… sha256:${createHash("sha256").update(long).digest("hex")}`);
  });
  it("goes on with its chain behind the longest change there can be", async () => {
    const audit = openAuditLog({ file, clock, log: silentLog() });
    for (const who of ["a", "b"])
      audit.record({ ...ENTRY, who, subject: "vms", before: "\u9580".repeat(9000), after: "\u9580".repeat(9000) });
    await audit.close();
    write("c");
    expect(await checkAudit(file)).to.deep.equal({ entries: 3, brokenAt: undefined });
  });
  it("cuts long values and keeps one entry on one line", async () => {
    write("x\ny".repeat(1000));
    const [line] = await lines();
    expect(String(line?.["who"])).to.have.length(256);
  });
  it("does not fail its callers when it cannot write", () => {
    const audit = openAuditLog({ file, clock, log: silentLog() });
    void audit.close();
    audit.record(ENTRY);
  });
});
