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
      tellOfEnd(signer, { clock: new VirtualClock(unixMillis(validToDate.getTime() - leftMs)), log });
      expect(lines.map((line) => JSON.parse(line).until)).to.deep.equal(isTold ? [validTo] : []);
    });
});
