import { expect } from "chai";
import * as fc from "fast-check";
import { decideAt } from "../../auth/decision.ts";
import { reachOf } from "../../auth/explain.ts";
import { INTERFACES } from "../../auth/right.ts";
import { arbitraryGrants, arbitraryQuestion } from "./arbitrary-grants.ts";

describe("the cameras that a right reaches", () => {
  const right = fc.constantFrom("live" as const, "playback" as const);
  const cameras = fc.subarray(["gate", "yard", "vault", "elsewhere"]);
  const doors = fc.subarray([...INTERFACES], { minLength: 1 });
  it("are those of which each decision says yes, and any where it would of all that may come", () => {
    fc.assert(
      fc.property(
        arbitraryGrants,
        arbitraryQuestion,
        right,
        cameras,
        doors,
        (grants, { at }, asked, known, through) => {
          const may = (camera: string): boolean =>
            through.some((door) => decideAt(grants, { right: asked, camera, interface: door, at }).allowed);
          const reached = reachOf(grants, { right: asked, interfaces: through, at }, new Set(known));
          expect(reached === "any").to.equal([...known, "one of tomorrow"].every(may));
          expect(reached === "any" ? known : [...reached].toSorted()).to.deep.equal(
            reached === "any" ? known : known.filter(may).toSorted(),
          );
        },
      ),
      { numRuns: process.env["SLOW"] === "1" ? 10_000 : 500 },
    );
  });
});
