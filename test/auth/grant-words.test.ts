import { expect } from "chai";
import * as fc from "fast-check";
import { parseGrant, printGrant } from "../../auth/grant-words.ts";
import { type PlainGrant, plainGrants, readGrants } from "../../auth/grants.ts";
import { INTERFACES, isCameraRight, RIGHTS } from "../../auth/right.ts";
import { isFault } from "../../base/fault.ts";

const ANY = { cameras: "any", interfaces: "any" } as const;

const LINES: readonly (readonly [line: string, grant: PlainGrant])[] = [
  ["live on any", { right: "live", ...ANY }],
  ["read-audit", { right: "read-audit", ...ANY }],
  [
    "deny ptz on gate through rtsp,onvif",
    { right: "ptz", cameras: ["gate"], interfaces: ["rtsp", "onvif"], deny: true },
  ],
  [
    "live on gate,group:outside except door,group:yard at office",
    {
      right: "live",
      cameras: ["gate"],
      interfaces: "any",
      groups: ["outside"],
      except: ["door"],
      exceptGroups: ["yard"],
      hours: "office",
    },
  ],
  ["playback on any within 90m", { right: "playback", ...ANY, maxAgeMs: 5_400_000 }],
  [
    "live on any from 2026-01-01T00:00:00.000Z until 2027-01-01T00:00:00.000Z",
    { right: "live", ...ANY, from: "2026-01-01T00:00:00.000Z", until: "2027-01-01T00:00:00.000Z" },
  ],
  ["live on camera:any,camera:none", { right: "live", cameras: ["any", "none"], interfaces: "any" }],
  ["live on none through none", { right: "live", cameras: [], interfaces: [] }],
];

describe("a grant in words", () => {
  for (const [line, grant] of LINES)
    it(`is "${line}"`, () => {
      expect(printGrant(grant)).to.equal(line);
      expect(parseGrant(line)).to.deep.equal(grant);
    });

  it("may have an instant in any zone, and blanks", () => {
    expect(parseGrant("  live  on any from 2026-01-01T01:00:00+01:00 ").from).to.equal("2026-01-01T00:00:00.000Z");
  });

  const WRONG: readonly (readonly [line: string, words: string])[] = [
    ["", "nothing is not a right"],
    ["fly on any", "fly is not a right"],
    ["deny", "nothing is not a right"],
    ["live", "say on which cameras"],
    ["live on", 'nothing follows "on"'],
    ["live on any on gate", 'it says "on" twice'],
    ["live gate", '"gate" is none of on, except'],
    ["playback on any within 2w", "an age is like"],
    ["live on any within 2h", "an age limit is one of playback, search or export"],
    ["deny playback on any within 2h", "what denies has no age limit"],
    ["live on any through window", "grants.0.interfaces"],
    ["live on any from tomorrow", "grants.0.from"],
    [`live on ${"x".repeat(5000)}`, "up to 4000 letters"],
  ];
  for (const [line, words] of WRONG)
    it(`is not "${line.slice(0, 40)}"`, () => {
      expect(() => parseGrant(line))
        .to.throw()
        .that.satisfies((fault: unknown) => isFault(fault, "invalid") && fault.tell?.includes(words) === true);
    });

  const id = fc.oneof(fc.stringMatching(/^[A-Za-z0-9_-]{1,20}$/), fc.constantFrom("any", "none"));
  const group = fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,20}$/);
  const some = <T>(one: fc.Arbitrary<T>) => fc.array(one, { minLength: 1, maxLength: 4 });
  const instant = fc
    .date({ min: new Date(0), max: new Date("2100-01-01"), noInvalidDate: true })
    .map((at) => at.toISOString());

  it("comes back as what it was, whatever it says", () => {
    const grants = fc.tuple(fc.constantFrom(...RIGHTS), fc.boolean()).chain(([right, everywhere]) => {
      const named = isCameraRight(right) && !everywhere;
      const cameras = named ? some(id) : fc.constant("any");
      const more: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
        hours: group,
        from: instant,
        until: instant,
        ...(named ? { groups: some(group) } : {}),
        ...(isCameraRight(right) ? { except: some(id), exceptGroups: some(group) } : {}),
        ...(right === "playback" ? { maxAgeMs: fc.integer({ min: 1, max: 1e11 }) } : { deny: fc.constant(true) }),
      };
      const interfaces = fc.oneof(fc.constant("any"), some(fc.constantFrom(...INTERFACES)));
      return fc.record(
        { right: fc.constant(right), cameras, interfaces, ...more },
        { requiredKeys: ["right", "cameras", "interfaces"] },
      );
    });
    fc.assert(
      fc.property(grants, (made) => {
        const [grant] = plainGrants(readGrants([made]));
        expect(grant && parseGrant(printGrant(grant))).to.deep.equal(grant);
      }),
    );
  });

  it("throws nothing but faults for whatever is typed", () => {
    const word = fc.oneof(fc.string(), fc.constantFrom("deny", "live", "on", "any", "within", "2h", "from", "at"));
    fc.assert(
      fc.property(fc.array(word, { maxLength: 12 }), (words) => {
        try {
          parseGrant(words.join(" "));
        } catch (error) {
          expect(isFault(error, "invalid"), String(error)).to.equal(true);
        }
      }),
    );
  });
});
