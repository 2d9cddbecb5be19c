import { expect } from "chai";
import { Fault } from "../../base/fault.ts";
import { unixMillis } from "../../base/units.ts";
import { timeAddress } from "../../bridge/client-side/time-address.ts";

const NOW = unixMillis(Date.UTC(2026, 10, 24, 12, 0, 0));
const at = (hour: number, minute = 0, second = 0): number => Date.UTC(2026, 10, 24, hour, minute, second);

describe("a time-travel address", () => {
  const good: readonly (readonly [query: string, from: number | undefined, to: number | undefined])[] = [
    ["", undefined, undefined],
    ["at=2026-11-24T10:00:00Z", at(10), undefined],
    ["at=2026-11-24T10:00:00.250Z", at(10) + 250, undefined],
    ["at=2026-11-24T12:00:00%2B02:00", at(10), undefined],
    // A plus sign that was not escaped arrives as a blank.
    ["at=2026-11-24T12:00:00+02:00", at(10), undefined],
    ["at=2026-11-24t10:00:00z&for=90", at(10), at(10, 1, 30)],
    ["at=2026-11-24T10:00:00Z&for=10m", at(10), at(10, 10)],
    ["at=-15m", at(11, 45), undefined],
    ["at=-1.5h&for=2s", at(10, 30), at(10, 30, 2)],
    ["at=-1d&for=1d", NOW - 86_400_000, NOW],
  ];
  for (const [query, from, to] of good)
    it(`reads ?${query}`, () => {
      const read = timeAddress(new URLSearchParams(query), NOW);
      expect({ from: read.from, to: read.to }).to.deep.equal({ from, to });
    });

  const manners: readonly (readonly [query: string, manner: object])[] = [
    ["at=-15m", {}],
    ["speed=4", { scale: 4 }],
    ["at=-15m&speed=0.5", { scale: 0.5 }],
    ["at=-1d&frames=intra", { frames: { pictures: "intra", intervalMs: 0 } }],
    ["at=-1d&frames=intra/5000&speed=16", { scale: 16, frames: { pictures: "intra", intervalMs: 5000 } }],
  ];
  for (const [query, manner] of manners)
    it(`reads from ?${query} how to play`, () => {
      expect(timeAddress(new URLSearchParams(query), NOW).manner).to.deep.equal(manner);
    });

  const bad: readonly string[] = [
    "speed=0",
    "speed=-1",
    "speed=fast",
    "speed=1000",
    "speed=",
    "frames=some",
    "frames=intra/",
    "at=yesterday",
    "at=2026-11-24",
    "at=2026-11-24T10:00:00",
    "at=2026-13-24T10:00:00Z",
    "at=",
    "at=-",
    "at=-15x",
    "at=15m",
    "for=10m",
    "at=-15m&for=-5m",
    "at=-15m&for=0",
    "at=-15m&for=forever",
    "at=-99999999999s",
    "at=-999999999d",
    "at=0001-01-01T00:00:00Z",
    "at=-15m&for=999999999d",
  ];
  for (const query of bad)
    it(`refuses ?${query} in words`, () => {
      expect(() => timeAddress(new URLSearchParams(query), NOW))
        .to.throw(Fault)
        .that.includes({ kind: "invalid" })
        .and.has.property("tell")
        .that.matches(/must be/);
    });
});
