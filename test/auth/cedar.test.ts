import { preparsePolicySet, statefulIsAuthorized } from "@cedar-policy/cedar-wasm/nodejs";
import { expect } from "chai";
import * as fc from "fast-check";
import { decideAt, type Question } from "../../auth/decision.ts";
import type { EffectiveGrant } from "../../auth/principal.ts";
import { isCameraRight } from "../../auth/right.ts";
import type { TimeProfile } from "../../auth/time-profile.ts";
import type { UnixMillis } from "../../base/units.ts";
import { arbitraryGrants, arbitraryQuestion } from "./arbitrary-grants.ts";

const SET = "grants";
const setOf = (ids: ReadonlySet<string>): string => `[${[...ids].map((id) => `"${id}"`).join(", ")}]`;

/** One grant in the words of Cedar, whose `forbid` overrules every `permit` as well. */
function policyOf(grant: EffectiveGrant, hours: readonly TimeProfile[]): string {
  const overCamera = isCameraRight(grant.right);
  const conditions = [
    ...(overCamera && grant.cameras !== "any" ? [`${setOf(grant.cameras)}.contains(context.camera)`] : []),
    ...(overCamera && grant.except !== undefined ? [`!(${setOf(grant.except)}.contains(context.camera))`] : []),
    ...(grant.interfaces === "any" ? [] : [`${setOf(grant.interfaces)}.contains(context.door)`]),
    ...(grant.from === undefined ? [] : [`context.at >= ${grant.from}`]),
    ...(grant.until === undefined ? [] : [`context.at < ${grant.until}`]),
    ...(grant.maxAgeMs === undefined ? [] : [`context.age <= ${grant.maxAgeMs}`]),
    ...(grant.hours === undefined ? [] : [`context.open.contains("${hours.indexOf(grant.hours)}")`]),
  ];
  // To deny seeing a camera is to deny everything with it.
  const hides = grant.deny === true && grant.right === "see";
  const action = hides
    ? 'action in [Action::"see", Action::"live", Action::"playback"]'
    : `action == Action::"${grant.right}"`;
  return `${grant.deny === true ? "forbid" : "permit"}(principal, ${action}, resource) when { ${["true", ...conditions].join(" && ")} };`;
}

/** Whether a profile is open, found out by formatting the instant: not the way of the product. */
function isOpen({ hours }: TimeProfile, at: UnixMillis): boolean {
  const text = (when: number, options: Intl.DateTimeFormatOptions): string =>
    new Intl.DateTimeFormat("sv-SE", { timeZone: hours.zone, ...options }).format(when);
  const clock = text(at, { hour: "2-digit", minute: "2-digit" });
  const today = text(at, { dateStyle: "short" });
  if (hours.exceptions.some(({ date, until }) => date <= today && today <= (until ?? date))) return false;
  const weekday = new Date(`${today}T00:00:00Z`).getUTCDay() || 7;
  const dayBefore = weekday === 1 ? 7 : weekday - 1;
  return hours.weekly.some(({ days, from, to }) =>
    from < to
      ? days.includes(weekday) && from <= clock && clock < to
      : (days.includes(weekday) && from <= clock) || (days.includes(dayBefore) && clock < to),
  );
}

function cedar({ right, camera, interface: door, at, ageMs }: Question, hours: readonly TimeProfile[]): boolean {
  const answer = statefulIsAuthorized({
    principal: { type: "Account", id: "vms" },
    action: { type: "Action", id: right },
    resource: { type: "Bridge", id: "here" },
    context: {
      camera: camera ?? "",
      door,
      at,
      age: ageMs ?? 0,
      open: hours.flatMap((profile, index) => (isOpen(profile, at) ? [String(index)] : [])),
    },
    preparsedPolicySetId: SET,
    entities: [],
  });
  if (answer.type === "failure") throw new Error(answer.errors.map(({ message }) => message).join("; "));
  expect(answer.response.diagnostics.errors).to.deep.equal([]);
  return answer.response.decision === "allow";
}

describe("our decision and that of Cedar", () => {
  // WebAssembly is compiled once, and policies are read anew for each list of grants.
  it("are the same for any grants and any question", () => {
    let [asked, allowed] = [0, 0];
    fc.assert(
      fc.property(
        arbitraryGrants,
        fc.array(arbitraryQuestion, { minLength: 40, maxLength: 40 }),
        (grants, questions) => {
          const hours = [...new Set(grants.flatMap((grant) => grant.hours ?? []))];
          const staticPolicies = grants.map((grant) => policyOf(grant, hours)).join("\n");
          const parsed = preparsePolicySet(SET, { staticPolicies });
          if (parsed.type === "failure") throw new Error(JSON.stringify(parsed.errors));
          for (const question of questions) {
            const ours = decideAt(grants, question).allowed;
            expect(ours, `${staticPolicies}\n${JSON.stringify(question)}`).to.equal(cedar(question, hours));
            asked += 1;
            if (ours) allowed += 1;
          }
        },
      ),
      { numRuns: 150 },
    );
    // Of each kind enough that agreeing means something.
    expect(allowed).to.be.greaterThan(asked / 20);
    expect(allowed).to.be.lessThan((asked * 19) / 20);
  });
});
