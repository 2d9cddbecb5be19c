import { expect } from "chai";
import * as fc from "fast-check";
import { type Hours, hoursSchema, TimeProfile } from "../../auth/time-profile.ts";
import { DAY, HOUR, MINUTE, type UnixMillis, unixMillis } from "../../base/units.ts";

const at = (iso: string): UnixMillis => unixMillis(Date.parse(iso));
const EVERY_DAY = [1, 2, 3, 4, 5, 6, 7];
const profile = (zone: string, weekly: Hours["weekly"], exceptions: Hours["exceptions"] = []): TimeProfile =>
  new TimeProfile({ zone, weekly, exceptions });
const daily = (zone: string, from: string, to: string): TimeProfile => profile(zone, [{ days: EVERY_DAY, from, to }]);

/** Where it changes, from one instant to another, by asking again at each `until`. */
function changes(of: TimeProfile, from: UnixMillis, to: UnixMillis): readonly string[] {
  const found: string[] = [];
  let state = of.at(from);
  while (state.until < to) {
    const next = of.at(state.until);
    if (next.open !== state.open) found.push(`${new Date(state.until).toISOString()} ${next.open ? "open" : "closed"}`);
    state = next;
  }
  return found;
}

describe("hours of a time profile", () => {
  const office = profile("Europe/Copenhagen", [{ days: [1, 2, 3, 4, 5], from: "08:00", to: "16:30" }]);
  for (const [iso, open] of [
    ["2026-11-23T06:59:59.999Z", false],
    ["2026-11-23T07:00:00Z", true],
    ["2026-11-23T15:29:59.999Z", true],
    ["2026-11-23T15:30:00Z", false],
    ["2026-11-28T10:00:00Z", false],
    ["2026-07-01T06:00:00Z", true],
  ] as const)
    it(`of an office in Copenhagen are ${open ? "open" : "closed"} at ${iso}`, () =>
      expect(office.at(at(iso)).open).to.equal(open));

  it("go over midnight into the next day", () => {
    const night = profile("UTC", [{ days: [5], from: "22:00", to: "06:00" }]);
    expect(changes(night, at("2026-11-23T00:00:00Z"), at("2026-11-30T00:00:00Z"))).to.deep.equal([
      "2026-11-27T22:00:00.000Z open",
      "2026-11-28T06:00:00.000Z closed",
    ]);
  });
  it("have days with hours of their own, and days without any", () => {
    const exceptions = [
      { date: "2026-12-24", until: "2026-12-25", windows: [] },
      { date: "2026-12-26", windows: [{ from: "10:00", to: "11:00" }] },
    ];
    const shop = profile("UTC", [{ days: EVERY_DAY, from: "08:00", to: "20:00" }], exceptions);
    expect(changes(shop, at("2026-12-24T00:00:00Z"), at("2026-12-27T00:00:00Z"))).to.deep.equal([
      "2026-12-26T10:00:00.000Z open",
      "2026-12-26T11:00:00.000Z closed",
    ]);
  });
  it("without any window are never open, and ask to be asked again", () => {
    const { open, until } = profile("UTC", []).at(at("2026-01-01T00:00:00Z"));
    expect([open, until > at("2026-01-09T00:00:00Z")]).to.deep.equal([false, true]);
  });
});

describe("hours on days when the clocks change", () => {
  const over = (zone: string, from: string, to: string, day: string): readonly string[] =>
    changes(daily(zone, from, to), unixMillis(at(`${day}T00:00:00Z`) - DAY), unixMillis(at(`${day}T00:00:00Z`) + DAY));
  // name, zone, window, instant, what holds there
  for (const [name, zone, from, to, iso, open] of [
    [
      "the skipped hour has no instants in Copenhagen",
      "Europe/Copenhagen",
      "02:00",
      "03:00",
      "2026-03-29T01:00:00Z",
      false,
    ],
    [
      "the repeated hour is open both times in Copenhagen, before",
      "Europe/Copenhagen",
      "02:00",
      "03:00",
      "2026-10-25T00:30:00Z",
      true,
    ],
    [
      "the repeated hour is open both times in Copenhagen, behind",
      "Europe/Copenhagen",
      "02:00",
      "03:00",
      "2026-10-25T01:30:00Z",
      true,
    ],
    [
      "the skipped hour has no instants in New York",
      "America/New_York",
      "02:00",
      "03:00",
      "2026-03-08T07:00:00Z",
      false,
    ],
    [
      "the repeated hour is open both times in New York, before",
      "America/New_York",
      "01:00",
      "02:00",
      "2026-11-01T05:30:00Z",
      true,
    ],
    [
      "the repeated hour is open both times in New York, behind",
      "America/New_York",
      "01:00",
      "02:00",
      "2026-11-01T06:30:00Z",
      true,
    ],
    [
      "the skipped half hour has no instants on Lord Howe",
      "Australia/Lord_Howe",
      "02:00",
      "02:30",
      "2026-10-03T15:30:00Z",
      false,
    ],
    [
      "the repeated half hour is open both times on Lord Howe, before",
      "Australia/Lord_Howe",
      "01:30",
      "02:00",
      "2026-04-04T14:40:00Z",
      true,
    ],
    [
      "the repeated half hour is open both times on Lord Howe, behind",
      "Australia/Lord_Howe",
      "01:30",
      "02:00",
      "2026-04-04T15:10:00Z",
      true,
    ],
    ["Kathmandu is 5:45 ahead", "Asia/Kathmandu", "06:00", "07:00", "2026-06-01T00:15:00Z", true],
    ["Kathmandu is 5:45 ahead, a minute before", "Asia/Kathmandu", "06:00", "07:00", "2026-06-01T00:14:00Z", false],
  ] as const)
    it(name, () => expect(daily(zone, from, to).at(at(iso)).open).to.equal(open));

  it("begin where the clock jumps over their beginning", () =>
    expect(over("Europe/Copenhagen", "02:30", "04:00", "2026-03-29")).to.deep.equal([
      "2026-03-28T01:30:00.000Z open",
      "2026-03-28T03:00:00.000Z closed",
      "2026-03-29T01:00:00.000Z open",
      "2026-03-29T02:00:00.000Z closed",
    ]));
  it("are told an hour longer where the clock goes back within them", () =>
    expect(over("America/New_York", "00:00", "03:00", "2026-11-01")).to.deep.equal([
      "2026-10-31T04:00:00.000Z open",
      "2026-10-31T07:00:00.000Z closed",
      "2026-11-01T04:00:00.000Z open",
      "2026-11-01T08:00:00.000Z closed",
    ]));

  it("hold at every minute up to the change that was told, in every zone", () => {
    const instant = fc.integer({ min: at("2026-01-01T00:00:00Z"), max: at("2027-01-01T00:00:00Z") });
    const zone = fc.constantFrom("Europe/Copenhagen", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu");
    const clock = fc.tuple(fc.integer({ min: 0, max: 23 }), fc.integer({ min: 0, max: 59 }));
    const text = ([h, m]: readonly [number, number]): string =>
      `${String(h).padStart(2, "0")}:${String(m).padStart(2, "0")}`;
    fc.assert(
      fc.property(zone, clock, clock, instant, (where, from, to, start) => {
        const told = daily(where, text(from), text(to)).at(unixMillis(start));
        // Another one, which remembers nothing of the first answer.
        const fresh = (when: number): boolean => daily(where, text(from), text(to)).at(unixMillis(when)).open;
        for (let step = 0; step < 5; step += 1) {
          const when = start + ((told.until - 1 - start) * step) / 4;
          expect(fresh(when), new Date(when).toISOString()).to.equal(told.open);
        }
        if (told.until - start < 8 * DAY) expect(fresh(told.until)).to.equal(!told.open);
      }),
      { numRuns: 60 },
    );
  });
  it("are found by whole minutes", () =>
    expect(daily("UTC", "08:00", "16:00").at(at("2026-01-01T08:00:00.001Z")).until).to.equal(
      at("2026-01-01T08:00:00Z") + 8 * HOUR,
    ));
  it("do not go back in what they remember", () => {
    const hours = daily("UTC", "08:00", "16:00");
    expect(hours.at(at("2026-01-02T09:00:00Z")).open).to.equal(true);
    expect(hours.at(unixMillis(at("2026-01-02T08:00:00Z") - MINUTE)).open).to.equal(false);
  });
});

describe("a time profile", () => {
  const good = { zone: "UTC", weekly: [{ days: [1], from: "08:00", to: "24:00" }], exceptions: [] };
  it("is read", () => expect(hoursSchema.parse(good)).to.deep.equal(good));
  for (const [name, wrong] of [
    ["an unknown zone", { zone: "Europe/Atlantis" }],
    ["no time", { weekly: [{ days: [1], from: "8", to: "9:00" }] }],
    ["a day eight", { weekly: [{ days: [8], from: "08:00", to: "09:00" }] }],
    ["no date", { exceptions: [{ date: "2026-02-30", windows: [] }] }],
  ] as const)
    it(`with ${name} is refused`, () => expect(hoursSchema.safeParse({ ...good, ...wrong }).success).to.equal(false));
});
