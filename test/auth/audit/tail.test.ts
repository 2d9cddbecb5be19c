import { appendFileSync, mkdirSync, rmSync } from "node:fs";
import { expect } from "chai";
import { fullFiles } from "../../../auth/audit/files.ts";
import { sequenceOf } from "../../../auth/audit/line.ts";
import { BEGINNING, readOn, type TailPosition } from "../../../auth/audit/tail.ts";
import { type AuditSite, auditSite, ENTRY } from "./fixture.ts";

describe("reading on in the audit log", () => {
  let site: AuditSite;
  beforeEach(async () => {
    site = await auditSite();
  });
  afterEach(() => site.close());

  /** All that came after a position. */
  const rest = async (from: TailPosition) => {
    const numbers: (number | undefined)[] = [];
    const lost: unknown[] = [];
    let position = from;
    for (;;) {
      const block = await readOn(site.file, position);
      if (block.lost !== undefined) lost.push(block.lost);
      if (block.lines.length === 0) return { numbers, lost, position };
      numbers.push(...block.lines.map(sequenceOf));
      position = block.position;
    }
  };
  const fill = (count: number): void => {
    const audit = site.open({ fileBytes: 1000 });
    for (let n = 0; n < count; n += 1) audit.record({ ...ENTRY, subject: String(n) });
    audit.close();
  };

  it("reads each entry once, over files that are put aside meanwhile", async () => {
    fill(3);
    const before = await rest(BEGINNING);
    fill(20);
    const after = await rest(before.position);
    const numbers = [...before.numbers, ...after.numbers];
    expect(numbers.length).to.be.greaterThan(23);
    expect(numbers).to.deep.equal(numbers.map((_, at) => at + 1));
    expect((await rest(after.position)).numbers).to.deep.equal([]);
  });

  it("opens no file again that it has read", async () => {
    fill(20);
    const { position } = await rest(BEGINNING);
    const [first] = fullFiles(site.file);
    if (first === undefined) throw new Error("no full file");
    // Whoever reads that fails.
    rmSync(first.path);
    mkdirSync(first.path);
    expect(await rest(position)).to.deep.equal({ numbers: [], lost: [], position });
  });

  it("takes no file for lost that is put aside while another one is read", async () => {
    const audit = site.open({ fileBytes: 1 });
    for (const who of ["a", "b"]) audit.record({ ...ENTRY, who });
    const { position } = await readOn(site.file, BEGINNING);
    const reading = readOn(site.file, position);
    audit.record({ ...ENTRY, who: "c" });
    const { lines, lost } = await reading;
    expect([lines.map(sequenceOf)[0], lost]).to.deep.equal([position.seq + 1, undefined]);
    audit.close();
  });

  for (const [length, count] of [
    ["one file", 1],
    ["several files", 20],
  ] as const)
    it(`begins anew where the log is not the one of ${length} that was read`, async () => {
      fill(count);
      const { position } = await rest(BEGINNING);
      rmSync(`${site.folder}/audit`, { recursive: true, force: true });
      rmSync(site.file);
      site.write("a");
      expect((await rest(position)).numbers).to.deep.equal([1, 2]);
    });

  it("waits for the end of a line", async () => {
    site.write("a");
    const { position } = await rest(BEGINNING);
    appendFileSync(site.file, '{"seq":3,"who":"b"');
    expect((await rest(position)).numbers).to.deep.equal([]);
    appendFileSync(site.file, "}\n");
    expect((await rest(position)).numbers).to.deep.equal([3]);
  });

  it("says which entries were removed before they were read", async () => {
    fill(3);
    const { position } = await rest(BEGINNING);
    fill(30);
    rmSync(`${site.folder}/audit`, { recursive: true });
    const { numbers, lost } = await rest(position);
    expect(lost).to.deep.equal([{ from: position.seq + 1, to: (numbers[0] ?? 0) - 1 }]);
  });
});
