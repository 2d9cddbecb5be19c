import { expect } from "chai";
import * as fc from "fast-check";
import { decideAt, maySeeAt, type Question, traceOf } from "../../auth/decision.ts";
import type { EffectiveGrant } from "../../auth/principal.ts";
import { CAMERA_RIGHTS, INTERFACES, RIGHTS } from "../../auth/right.ts";
import { TimeProfile } from "../../auth/time-profile.ts";
import { HOUR, unixMillis } from "../../base/units.ts";
import { arbitraryGrants, arbitraryQuestion } from "./arbitrary-grants.ts";

const NOON = unixMillis(Date.UTC(2026, 10, 23, 12));
const OFFICE = new TimeProfile({
  zone: "UTC",
  weekly: [{ days: [1, 2, 3, 4, 5], from: "08:00", to: "16:00" }],
  exceptions: [],
});
const grant = (more: Partial<EffectiveGrant> = {}): EffectiveGrant => ({
  right: "live",
  cameras: "any",
  interfaces: "any",
  ...more,
});
const ask = (more: Partial<Question> = {}): Question => ({
  right: "live",
  camera: "gate",
  interface: "rtsp",
  at: NOON,
  ...more,
});
const EVER = Number.POSITIVE_INFINITY;

describe("a decision", () => {
  // name, grants, question, allowed, why, valid until
  for (const [name, grants, question, allowed, why, until] of [
    ["without a grant", [], ask(), false, "no grant of live", EVER],
    ["with one", [grant()], ask(), true, "grant of live", EVER],
    ["without a camera", [grant()], ask({ camera: undefined }), false, "no camera named", EVER],
    [
      "on an excepted camera",
      [grant({ except: new Set(["gate"]) })],
      ask(),
      false,
      "live is granted on other cameras",
      EVER,
    ],
    ["in its hours", [grant({ hours: OFFICE })], ask(), true, "grant of live", NOON + 4 * HOUR],
    [
      "out of its hours",
      [grant({ hours: OFFICE })],
      ask({ at: unixMillis(NOON + 5 * HOUR) }),
      false,
      "live is granted at other hours",
      NOON + 20 * HOUR,
    ],
    [
      "at the end of its hours",
      [grant({ hours: OFFICE })],
      ask({ at: unixMillis(NOON + 4 * HOUR) }),
      false,
      "live is granted at other hours",
      NOON + 20 * HOUR,
    ],
    [
      "before it is in force",
      [grant({ from: unixMillis(NOON + 1) })],
      ask(),
      false,
      "the grant of live is not yet in force",
      NOON + 1,
    ],
    ["from when it is in force", [grant({ from: NOON })], ask(), true, "grant of live", EVER],
    ["until it is no longer", [grant({ until: unixMillis(NOON + 1) })], ask(), true, "grant of live", NOON + 1],
    [
      "when it is no longer in force",
      [grant({ until: NOON })],
      ask(),
      false,
      "the grant of live is no longer in force",
      EVER,
    ],
    [
      "that is denied",
      [grant(), grant({ deny: true, source: "role night, line 1" })],
      ask(),
      false,
      "denied by role night, line 1",
      EVER,
    ],
    [
      "before it is denied",
      [grant(), grant({ deny: true, from: unixMillis(NOON + 9) })],
      ask(),
      true,
      "grant of live",
      NOON + 9,
    ],
    [
      "that is denied in hours",
      [grant(), grant({ deny: true, hours: OFFICE })],
      ask(),
      false,
      "denied by a grant",
      NOON + 4 * HOUR,
    ],
    [
      "on a camera that must not be seen",
      [grant(), grant({ right: "see", deny: true })],
      ask(),
      false,
      "denied by a grant",
      EVER,
    ],
    [
      "about old footage",
      [grant({ right: "playback", maxAgeMs: HOUR })],
      ask({ right: "playback", ageMs: HOUR + 1 }),
      false,
      "playback is granted of newer footage",
      EVER,
    ],
    [
      "about footage that grows old",
      [grant({ right: "playback", maxAgeMs: HOUR })],
      ask({ right: "playback", ageMs: HOUR - 5000 }),
      true,
      "grant of playback",
      NOON + 5001,
    ],
  ] as const)
    it(`${name} is ${allowed ? "yes" : "no"}: ${why}`, () => {
      const { allowed: got, why: told, validUntil } = decideAt(grants, question);
      expect([got, told, validUntil]).to.deep.equal([allowed, why, until]);
    });

  it("tells the widest age limit of the grants that match", () => {
    const limits = (grants: readonly EffectiveGrant[]): number => decideAt(grants, ask({ right: "playback" })).maxAgeMs;
    const hour = grant({ right: "playback", maxAgeMs: HOUR });
    expect(limits([hour])).to.equal(HOUR);
    expect(limits([hour, grant({ right: "playback", maxAgeMs: 2 * HOUR })])).to.equal(2 * HOUR);
    expect(limits([hour, grant({ right: "playback", maxAgeMs: 2 * HOUR, until: NOON })])).to.equal(HOUR);
    expect(limits([hour, grant({ right: "playback" })])).to.equal(EVER);
  });
  it("names the first grant that denies, whichever of them names the camera", () => {
    const denying = (source: string, cameras: EffectiveGrant["cameras"]): EffectiveGrant =>
      grant({ deny: true, source, cameras });
    const [any, gate] = [denying("any", "any"), denying("gate", new Set(["gate"]))];
    const why = (...grants: readonly EffectiveGrant[]): string => decideAt(grants, ask()).why;
    expect([why(any, gate), why(gate, any)]).to.deep.equal(["denied by any", "denied by gate"]);
  });
  it("is explained grant by grant, denying ones first", () => {
    const grants = [
      grant({ hours: OFFICE, source: "a" }),
      grant({ deny: true, interfaces: new Set(["web"]), source: "b" }),
    ];
    const lines = traceOf(grants, ask({ at: unixMillis(NOON + 5 * HOUR) }));
    expect(lines.map(({ grant: { source }, match }) => [source, match])).to.deep.equal([
      ["b", "other interface"],
      ["a", "outside its hours"],
    ]);
  });
});

describe("seeing a camera", () => {
  const see = (grants: readonly EffectiveGrant[]): boolean =>
    maySeeAt(grants, { camera: "gate", interface: "rtsp", at: unixMillis(NOON + 5 * HOUR) });
  for (const right of Object.keys(CAMERA_RIGHTS) as (keyof typeof CAMERA_RIGHTS)[])
    it(`comes with ${right}`, () => expect(see([grant({ right })])).to.equal(true));
  it("does not depend on hours", () => expect(see([grant({ hours: OFFICE })])).to.equal(true));
  it("ends with the grant", () => expect(see([grant({ until: NOON })])).to.equal(false));
  it("is for the granted interface", () => expect(see([grant({ interfaces: new Set(["web"]) })])).to.equal(false));
  it("does not come with rights over the product", () =>
    expect(see([grant({ right: "read-status" })])).to.equal(false));
  it("can be denied", () => expect(see([grant(), grant({ right: "see", deny: true })])).to.equal(false));
});

describe("any decision", () => {
  const runs = { numRuns: 500 };
  it("is no without a grant", () => {
    fc.assert(fc.property(arbitraryQuestion, (question) => !decideAt([], question).allowed));
    for (const right of RIGHTS)
      for (const door of INTERFACES)
        expect(decideAt([], ask({ right, interface: door })).allowed, `${right} ${door}`).to.equal(false);
  });
  it("is no where a grant denies, whatever else there is", () => {
    fc.assert(
      fc.property(arbitraryGrants, arbitraryQuestion, ([first, ...rest], question) => {
        const denying = { right: question.right, cameras: "any", interfaces: "any", deny: true } as const;
        expect(decideAt([...rest, denying, ...(first === undefined ? [] : [first])], question).allowed).to.equal(false);
      }),
      runs,
    );
  });
  it("is never turned to no by one more allowing grant, nor to yes by one more denying one", () => {
    fc.assert(
      fc.property(arbitraryGrants, arbitraryGrants, arbitraryQuestion, (grants, [more], question) => {
        if (more === undefined) return;
        const [before, after] = [grants, [...grants, more]].map((list) => decideAt(list, question).allowed);
        expect(more.deny === true ? !after || before : after || !before).to.equal(true);
      }),
      runs,
    );
  });
  it("does not depend on the order of grants", () => {
    fc.assert(
      fc.property(arbitraryGrants, arbitraryQuestion, (grants, question) => {
        const pick = (list: readonly EffectiveGrant[]): unknown => {
          const { allowed, validUntil, maxAgeMs } = decideAt(list, question);
          return allowed ? [validUntil, maxAgeMs] : false;
        };
        expect(pick(grants.toReversed())).to.deep.equal(pick(grants));
      }),
      runs,
    );
  });
  it("is the same in every word whether grants name few cameras or too many to be indexed", () => {
    const others = Array.from({ length: 100 }, (_, n) => `other-${n}`);
    const wide = (one: EffectiveGrant): EffectiveGrant =>
      one.cameras === "any" ? one : { ...one, cameras: new Set([...one.cameras, ...others]) };
    fc.assert(
      fc.property(
        arbitraryGrants,
        arbitraryQuestion,
        fc.array(fc.boolean(), { maxLength: 8 }),
        (grants, question, isWide) => {
          const [few, many] = [grants, grants.map((one, n) => (isWide[n] === true ? wide(one) : one))];
          expect(decideAt(many, question)).to.deep.equal(decideAt(few, question));
          const seen = { ...question, camera: question.camera ?? "" };
          expect(maySeeAt(many, seen)).to.equal(maySeeAt(few, seen));
        },
      ),
      runs,
    );
  });
  it("stays the same up to the instant that was told", () => {
    fc.assert(
      fc.property(
        arbitraryGrants,
        arbitraryQuestion,
        fc.double({ min: 0, max: 1, noNaN: true }),
        (grants, question, part) => {
          const { allowed, validUntil } = decideAt(grants, question);
          const later = Math.floor(question.at + (Math.min(validUntil - 1, question.at + 1e9) - question.at) * part);
          const ageMs = question.ageMs === undefined ? undefined : question.ageMs + later - question.at;
          expect(decideAt(grants, { ...question, at: unixMillis(later), ageMs }).allowed).to.equal(allowed);
        },
      ),
      runs,
    );
  });
});
