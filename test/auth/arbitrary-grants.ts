import * as fc from "fast-check";
import type { Question } from "../../auth/decision.ts";
import type { EffectiveGrant } from "../../auth/principal.ts";
import { INTERFACES } from "../../auth/right.ts";
import { TimeProfile } from "../../auth/time-profile.ts";
import { HOUR, unixMillis } from "../../base/units.ts";

const BEGIN = Date.UTC(2026, 9, 24);
const DAYS = 8 * 24 * HOUR;
const CAMERAS = ["gate", "yard", "vault"] as const;
const RIGHTS = ["see", "live", "playback", "manage-accounts"] as const;

const instant = fc.integer({ min: BEGIN, max: BEGIN + DAYS }).map(unixMillis);
const cameras = fc.subarray([...CAMERAS]);
const profiles = ["UTC", "Europe/Copenhagen", "Australia/Lord_Howe"].map(
  (zone) =>
    new TimeProfile({
      zone,
      weekly: [
        { days: [1, 2, 3, 4, 5], from: "07:30", to: "16:10" },
        { days: [6, 7], from: "22:00", to: "03:00" },
      ],
      exceptions: [{ date: "2026-10-27", windows: [] }],
    }),
);

/** Now and then: each condition more makes it less likely that a grant matches at all. */
const rarely = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.oneof({ weight: 5, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: value });

const grant: fc.Arbitrary<EffectiveGrant> = fc
  .record({
    right: fc.constantFrom(...RIGHTS),
    cameras: fc.oneof(
      fc.constant("any" as const),
      cameras.map((ids) => new Set<string>(ids)),
    ),
    interfaces: fc.oneof(
      fc.constant("any" as const),
      fc.subarray([...INTERFACES], { minLength: 2 }).map((doors) => new Set(doors)),
    ),
    deny: rarely(fc.constant(true as const)),
    except: rarely(cameras.map((ids) => new Set<string>(ids))),
    hours: rarely(fc.constantFrom(...profiles)),
    maxAgeMs: rarely(fc.integer({ min: 1, max: 48 * HOUR })),
    from: rarely(instant),
    until: rarely(instant),
  })
  .map(({ maxAgeMs, ...rest }) => {
    // Only what may be old has an age limit, and what denies has none.
    const limit = rest.deny === true || rest.right !== "playback" ? undefined : maxAgeMs;
    const all = Object.entries({ ...rest, maxAgeMs: limit });
    return Object.fromEntries(all.filter(([, value]) => value !== undefined)) as unknown as EffectiveGrant;
  });

/** Grants of every form, over few cameras and rights, so that they meet. */
export const arbitraryGrants = fc.array(grant, { maxLength: 8 });

export const arbitraryQuestion: fc.Arbitrary<Question> = fc.record({
  right: fc.constantFrom(...RIGHTS),
  camera: fc.constantFrom(...CAMERAS, "elsewhere"),
  interface: fc.constantFrom(...INTERFACES),
  at: instant,
  ageMs: fc.option(fc.integer({ min: 0, max: 48 * HOUR }), { nil: undefined }),
});
