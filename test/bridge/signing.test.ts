import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { createLog } from "../../base/log.ts";
import { DAY, HOUR, unixMillis } from "../../base/units.ts";
import { tellOfEnds } from "../../bridge/signing-certificate.ts";
import { certificateOf } from "../../recorder/signature.ts";
import { scratchFolder } from "../support/recorder-samples.ts";
import { makeSigner } from "../support/signer.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

describe("the end of the certificate that recordings carry", () => {
  let folder = "";
  let remove: () => Promise<void>;
  const place = { file: (name: string): string => join(folder, name) };
  const kept = async () => {
    const { certificate } = await makeSigner();
    const found = certificateOf(certificate);
    await writeFile(place.file("evidence-cert.pem"), found.toString());
    return found;
  };

  beforeEach(async () => {
    ({ folder, remove } = await scratchFolder());
  });
  afterEach(() => remove());

  const rows: readonly (readonly [name: string, leftMs: number, isTold: boolean])[] = [
    ["is not told while there are more than thirty days", 30 * DAY + HOUR, false],
    ["is told from thirty days before", 30 * DAY, true],
    ["is told where it is over", -HOUR, true],
  ];
  for (const [name, leftMs, isTold] of rows)
    it(name, async () => {
      const { validTo, validToDate } = await kept();
      const lines: string[] = [];
      const log = createLog("warn", { write: (line) => void lines.push(line) });
      const clock = new VirtualClock(unixMillis(validToDate.getTime() - leftMs));
      await (await tellOfEnds(place, { clock, log })).close();
      expect(lines.map((line) => JSON.parse(line).until)).to.deep.equal(isTold ? [validTo] : []);
    });

  it("is told to who runs a bridge for years, once a day until that is closed", async () => {
    const { validToDate } = await kept();
    const lines: string[] = [];
    const log = createLog("warn", { write: (line) => void lines.push(line) });
    const clock = new VirtualClock(unixMillis(validToDate.getTime() - 31 * DAY - HOUR));
    const told = await tellOfEnds(place, { clock, log });
    await clock.advance(DAY);
    expect(lines).to.deep.equal([]);
    await clock.advance(2 * DAY);
    expect(lines).to.have.length(2);
    await told.close();
    expect(clock.pending).to.equal(0);
  });
});
