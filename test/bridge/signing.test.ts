import { expect } from "chai";
import { createLog } from "../../base/log.ts";
import { DAY, HOUR, unixMillis } from "../../base/units.ts";
import { tellOfEnd } from "../../bridge/signing.ts";
import { certificateOf } from "../../recorder/signature.ts";
import { makeSigner } from "../support/signer.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

describe("the end of the certificate that recordings carry", () => {
  const rows: readonly (readonly [name: string, leftMs: number, isTold: boolean])[] = [
    ["is not told while there are more than thirty days", 30 * DAY + HOUR, false],
    ["is told from thirty days before", 30 * DAY, true],
    ["is told where it is over", -HOUR, true],
  ];
  for (const [name, leftMs, isTold] of rows)
    it(name, async () => {
      const signer = await makeSigner();
      const { validTo, validToDate } = certificateOf(signer.certificate);
      const lines: string[] = [];
      const log = createLog("warn", { write: (line) => void lines.push(line) });
      await tellOfEnd(signer, { clock: new VirtualClock(unixMillis(validToDate.getTime() - leftMs)), log }).close();
      expect(lines.map((line) => JSON.parse(line).until)).to.deep.equal(isTold ? [validTo] : []);
    });

  it("is told to who runs a bridge for years, once a day until that is closed", async () => {
    const signer = await makeSigner();
    const lines: string[] = [];
    const log = createLog("warn", { write: (line) => void lines.push(line) });
    const clock = new VirtualClock(
      unixMillis(certificateOf(signer.certificate).validToDate.getTime() - 31 * DAY - HOUR),
    );
    const told = tellOfEnd(signer, { clock, log });
    await clock.advance(DAY);
    expect(lines).to.deep.equal([]);
    await clock.advance(2 * DAY);
    expect(lines).to.have.length(2);
    await told.close();
    expect(clock.pending).to.equal(0);
  });
});
