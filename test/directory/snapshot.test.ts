import { expect } from "chai";
import * as fc from "fast-check";
import type { RoleOfGroup } from "../../directory/options.ts";
import { pathsOf, rolesOf } from "../../directory/snapshot.ts";
import { snapshotOf } from "../support/directory.ts";

const MAPPINGS: readonly RoleOfGroup[] = [
  { group: "viewers", roles: ["viewer"] },
  { group: "admins", roles: ["administrator", "viewer"] },
];

describe("roles by groups", () => {
  for (const [name, groups, of, expected] of [
    ["directly", {}, ["viewers"], ["viewer via viewers"]],
    [
      "through groups in groups",
      { night: ["guards"], guards: ["viewers"] },
      ["night"],
      ["viewer via night > guards > viewers"],
    ],
    [
      "by the shortest of several ways",
      { night: ["guards"], guards: ["viewers"] },
      ["night", "viewers"],
      ["viewer via viewers"],
    ],
    ["by several groups", {}, ["viewers", "admins"], ["administrator via admins", "viewer via viewers"]],
    ["not at all", { viewers: ["guards"] }, ["guards"], []],
    [
      "in circles of groups",
      { night: ["guards"], guards: ["night", "viewers"], viewers: ["night"] },
      ["night"],
      ["viewer via night > guards > viewers"],
    ],
    ["by a group that is in itself", { viewers: ["viewers"] }, ["viewers"], ["viewer via viewers"]],
  ] as const)
    it(`come ${name}`, () => {
      const snapshot = snapshotOf({ groups, people: { alice: of }, mappings: MAPPINGS });
      const [alice] = snapshot.people.values();
      const paths = alice === undefined ? [] : pathsOf(snapshot, alice);
      expect(
        paths.map(({ role, groups: way }) => `${role} via ${way.map((group) => group.name).join(" > ")}`),
      ).to.deep.equal(expected);
    });

  it("are those of every group that can be reached, however groups lie in each other", () => {
    const name = fc.constantFrom("a", "b", "c", "d", "viewers", "admins");
    fc.assert(
      fc.property(fc.array(fc.tuple(name, name)), fc.array(name), (edges, of) => {
        const groups: Record<string, string[]> = {};
        for (const [child, parent] of edges) groups[child] = [...(groups[child] ?? []), parent];
        const snapshot = snapshotOf({ groups, people: { alice: of }, mappings: MAPPINGS });
        const reached = new Set<string>(of);
        for (let before = -1; before < reached.size; ) {
          before = reached.size;
          for (const [child, parent] of edges) if (reached.has(child)) reached.add(parent);
        }
        const expected = new Set(MAPPINGS.flatMap((mapping) => (reached.has(mapping.group) ? mapping.roles : [])));
        expect(new Set(rolesOf(snapshot).get("alice"))).to.deep.equal(expected);
      }),
    );
  });
});
