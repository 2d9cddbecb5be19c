import { expect } from "chai";
import * as fc from "fast-check";
import { foldedName, isAccountName } from "../../auth/account-name.ts";
import { unixMillis } from "../../base/units.ts";
import { type AccountChange, differenceOf, heldBy, type Known, type Plan } from "../../directory/difference.ts";
import type { RoleOfGroup } from "../../directory/options.ts";
import type { Person } from "../../directory/person.ts";
import { snapshotOf } from "../support/directory.ts";

const MAPPINGS: readonly RoleOfGroup[] = [
  { group: "viewers", roles: ["viewer"] },
  { group: "guards", roles: ["guard"] },
];
const EXPIRY = unixMillis(Date.UTC(2026, 5, 1));

function account(name: string, roles: readonly string[], more: Partial<Known> = {}): Known {
  return { accountId: `account-${more.id ?? name}`, name, kind: "person", id: name, roles, ...more };
}

function plan(
  known: readonly Known[],
  people: Readonly<Record<string, readonly string[]>>,
  o: { readonly more?: Readonly<Record<string, Partial<Person>>>; readonly taken?: readonly string[] } = {},
): Plan {
  const snapshot = snapshotOf({ people, mappings: MAPPINGS, ...(o.more === undefined ? {} : { more: o.more }) });
  return differenceOf(known, snapshot, {
    isUsable: isAccountName,
    folded: foldedName,
    taken: new Set((o.taken ?? []).map(foldedName)),
  });
}

/** `+alice +viewer: new`. */
function lines({ changes, conflicts }: Plan): readonly string[] {
  return [
    ...changes.map(({ accountId, name, gains, loses, out, why }) =>
      [
        `${accountId === undefined ? "+" : out === undefined ? "~" : "-"}${name}`,
        ...gains.map((role) => `+${role}`),
        ...loses.map((role) => `-${role}`),
        `(${why})`,
      ].join(" "),
    ),
    ...conflicts.map(({ why }) => `! ${why}`),
  ];
}

describe("what a sync changes", () => {
  for (const [name, known, people, o, expected] of [
    ["nothing where all is as it was", [account("alice", ["viewer"])], { alice: ["viewers"] }, {}, []],
    ["who comes", [], { alice: ["viewers"] }, {}, ["+alice +viewer (new)"]],
    ["not who is in no group that gives a role", [], { alice: ["others"] }, {}, []],
    [
      "not who is disabled and was never here",
      [],
      { alice: ["viewers"] },
      { more: { alice: { standing: "disabled" } } },
      [],
    ],
    [
      "who goes",
      [account("alice", ["viewer"])],
      {},
      {},
      ["-alice -viewer (is gone, or in no group that gives a role)"],
    ],
    [
      "who is disabled, and keeps the roles for the day of return",
      [account("alice", ["viewer"])],
      { alice: ["viewers"] },
      { more: { alice: { standing: "disabled" } } },
      ["-alice (is disabled)"],
    ],
    [
      "who is in again",
      [account("alice", ["viewer"], { out: "disabled" })],
      { alice: ["viewers"] },
      {},
      ["~alice (is in again)"],
    ],
    [
      "who was gone and has come back",
      [account("alice", [], { out: "gone" })],
      { alice: ["viewers"] },
      {},
      ["~alice +viewer (is in again, groups have changed)"],
    ],
    ["nothing of who stays gone", [account("alice", [], { out: "gone" })], {}, {}, []],
    [
      "nothing of who is locked or has an expired password",
      [account("alice", ["viewer"]), account("bob", ["viewer"])],
      { alice: ["viewers"], bob: ["viewers"] },
      { more: { alice: { standing: "locked" }, bob: { standing: "password-expired" } } },
      [],
    ],
    [
      "who gains and loses",
      [account("alice", ["viewer"])],
      { alice: ["guards"] },
      {},
      ["~alice +guard -viewer (groups have changed)"],
    ],
    [
      "who is called something else, and is the same",
      [account("alice", ["viewer"], { id: "1" })],
      { "1": ["viewers"] },
      { more: { "1": { name: "alison" } } },
      ["~alison (was alice)"],
    ],
    [
      "who was made anew under an old name: not the same",
      [account("alice", ["viewer"], { id: "1" })],
      { "2": ["guards"] },
      { more: { "2": { name: "alice" } } },
      ["-alice.1 -viewer (is gone, or in no group that gives a role, was alice)", "+alice +guard (new)"],
    ],
    [
      "two who have changed names",
      [account("alice", ["viewer"], { id: "1" }), account("bob", ["viewer"], { id: "2" })],
      { "1": ["viewers"], "2": ["viewers"] },
      { more: { "1": { name: "bob" }, "2": { name: "alice" } } },
      ["~bob (was alice)", "~alice (was bob)"],
    ],
    [
      "nobody to a name that is taken here",
      [],
      { alice: ["viewers"] },
      { taken: ["Alice"] },
      ["! alice cannot be a name here: taken by an account that is not by this directory"],
    ],
    [
      "nobody to a name that cannot be one",
      [],
      { "al:ice": ["viewers"] },
      {},
      ["! al:ice cannot be a name here: against the rules for names here"],
    ],
    [
      "the date of expiry",
      [account("alice", ["viewer"])],
      { alice: ["viewers"] },
      { more: { alice: { expires: EXPIRY } } },
      ["~alice (another date of expiry)"],
    ],
    [
      "systems with their person",
      [account("alice", ["viewer"]), account("vms", ["viewer"], { kind: "integration", id: "alice" })],
      {},
      {},
      [
        "-alice -viewer (is gone, or in no group that gives a role)",
        "-vms -viewer (is gone, or in no group that gives a role)",
      ],
    ],
    [
      "not the names of systems",
      [account("vms", ["viewer"], { kind: "integration", id: "alice" })],
      { alice: ["viewers"] },
      { more: { alice: { name: "bob" } } },
      ["+bob +viewer (new)"],
    ],
  ] as const satisfies readonly (readonly [
    string,
    readonly Known[],
    Record<string, readonly string[]>,
    object,
    readonly string[],
  ])[])
    it(name, () => expect(lines(plan(known, people, o))).to.deep.equal(expected));

  it("is named by what it changes, and by nothing else", () => {
    const one = plan([account("alice", ["viewer"])], {});
    expect(plan([account("alice", ["viewer"])], {}).id).to.equal(one.id);
    expect(plan([account("bob", ["viewer"])], {}).id).not.to.equal(one.id);
  });

  it("is nothing once it is done, whoever was there and whoever is", () => {
    const person = fc.record({
      id: fc.constantFrom("1", "2", "3", "4", "5"),
      name: fc.constantFrom("alice", "bob", "carol", "Alice"),
      groups: fc.subarray(["viewers", "guards", "others"]),
      standing: fc.constantFrom<Person["standing"]>("active", "disabled", "locked"),
    });
    fc.assert(
      fc.property(fc.array(fc.array(person), { maxLength: 4 }), (times) => {
        let known: readonly Known[] = [];
        for (const people of times) {
          const by = new Map(people.map((one) => [one.id, one]));
          const now = (): Plan =>
            plan(known, Object.fromEntries([...by].map(([id, { groups }]) => [id, groups])), {
              more: Object.fromEntries([...by].map(([id, { name, standing }]) => [id, { name, standing }])),
            });
          known = applied(known, now().changes);
          expect(now().changes).to.deep.equal([]);
          const names = known.map(({ name }) => foldedName(name));
          expect(new Set(names).size, "one name each").to.equal(names.length);
          for (const { id, roles, out } of known) {
            const of = people.findLast((one) => one.id === id);
            const should =
              of === undefined || of.standing === "disabled" ? [] : of.groups.map((group) => group.slice(0, -1));
            if (out === undefined)
              expect([...roles].toSorted()).to.deep.equal(should.filter((role) => role !== "other").toSorted());
          }
        }
      }),
    );
  });
});

describe("the brake", () => {
  for (const [active, removals, held] of [
    [10, 5, false],
    [10, 6, true],
    [100, 20, false],
    [100, 21, true],
    [0, 0, false],
  ] as const)
    it(`${held ? "holds" : "lets pass"} ${removals} of ${active}`, () => {
      const one: Plan = { id: "", changes: [], conflicts: [], active, removals };
      expect(heldBy(one, { count: 5, percent: 20 }) !== undefined).to.equal(held);
    });

  it("counts who is out, disabled or loses a role, once, and not who was out before", () => {
    const known = [
      account("gone", ["viewer"]),
      account("disabled", ["viewer"]),
      account("less", ["viewer", "guard"]),
      account("more", ["viewer"]),
      account("before", ["viewer"], { out: "disabled" }),
    ];
    const people = { disabled: ["viewers"], less: ["viewers"], more: ["viewers", "guards"] };
    const one = plan(known, people, { more: { disabled: { standing: "disabled" } } });
    expect([one.active, one.removals]).to.deep.equal([4, 3]);
  });
});

function applied(known: readonly Known[], changes: readonly AccountChange[]): readonly Known[] {
  const by = new Map(
    changes.flatMap((change) => (change.accountId === undefined ? [] : [[change.accountId, change] as const])),
  );
  return [
    ...known.map((one) => {
      const change = by.get(one.accountId);
      if (change === undefined) return one;
      const { name, roles, out, expires } = change;
      return { ...one, name, roles, out, expires };
    }),
    ...changes.flatMap(({ accountId, id, name, roles, expires }) =>
      accountId === undefined ? [account(name, roles, { id, expires })] : [],
    ),
  ];
}
