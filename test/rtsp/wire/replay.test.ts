import { expect } from "chai";
import { isFault } from "../../../base/fault.ts";
import { ALL_FRAMES, parseManner, type ReplayManner } from "../../../rtsp/wire/replay.ts";

const USUAL: ReplayManner = { scale: 1, speed: 1, rateControl: true, frames: ALL_FRAMES };
const INTRA = { pictures: "intra", intervalMs: 0 } as const;

type Row = readonly [headers: Readonly<Record<string, string>>, manner: Partial<ReplayManner> | "invalid"];

const ROWS: readonly Row[] = [
  [{}, {}],
  [{ Scale: "1.0" }, {}],
  [{ scale: "-1.0" }, { scale: -1 }],
  [{ Scale: "4" }, { scale: 4 }],
  [{ Scale: "0.5" }, { scale: 0.5 }],
  [{ Scale: "+2." }, { scale: 2 }],
  [{ Speed: "2.5" }, { speed: 2.5 }],
  [
    { Speed: "4", Scale: "-1" },
    { speed: 4, scale: -1 },
  ],
  [{ Speed: "0" }, "invalid"],
  [{ Speed: "-1" }, "invalid"],
  [{ Speed: "1000" }, "invalid"],
  [{ "Rate-Control": "no" }, { rateControl: false }],
  [{ "rate-control": "YES" }, {}],
  [
    { "Rate-Control": "no", Scale: "-1" },
    { rateControl: false, scale: -1 },
  ],
  [{ Frames: "all" }, {}],
  [{ Frames: "intra" }, { frames: INTRA }],
  [{ Frames: "predicted" }, { frames: { pictures: "predicted", intervalMs: 0 } }],
  [{ Frames: "intra/4000" }, { frames: { pictures: "intra", intervalMs: 4000 } }],
  [{ Scale: "0" }, "invalid"],
  [{ Scale: "0.0" }, "invalid"],
  [{ Scale: "fast" }, "invalid"],
  [{ Scale: "1e3" }, "invalid"],
  [{ Scale: "5000" }, "invalid"],
  [{ Scale: "NaN" }, "invalid"],
  [{ "Rate-Control": "maybe" }, "invalid"],
  [{ "Rate-Control": "no", Scale: "2" }, "invalid"],
  [{ Frames: "intra/" }, "invalid"],
  [{ Frames: "predicted/4000" }, "invalid"],
  [{ Frames: "bidirectional" }, "invalid"],
  [{ Frames: "intra/-1" }, "invalid"],
  [{ Frames: "intra/999999999" }, "invalid"],
];

describe("how a recording is to be played", () => {
  for (const [headers, manner] of ROWS)
    it(`${JSON.stringify(headers)}: ${JSON.stringify(manner)}`, () => {
      const read = (): ReplayManner => parseManner({ headers: Object.entries(headers) }, USUAL);
      if (manner !== "invalid") expect(read()).to.deep.equal({ ...USUAL, ...manner });
      else
        expect(read).to.satisfy((parse: () => unknown) => {
          try {
            parse();
            return false;
          } catch (error) {
            return isFault(error, "invalid");
          }
        });
    });
});
