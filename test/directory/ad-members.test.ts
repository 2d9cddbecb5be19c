import { expect } from "chai";
import { membersOf } from "../../directory/ad-members.ts";
import type { Entry, Search } from "../../directory/connection.ts";
import { filterValue } from "../../directory/filter.ts";
import type { Group } from "../../directory/snapshot.ts";

const SEARCH = { base: "DC=site,DC=test", filter: "(objectClass=user)", attributes: ["cn"], byPrimaryGroup: true };

/** Groups enough for two questions, numbered from 1 on. */
const GROUPS: readonly Group[] = Array.from({ length: 45 }, (_, at) => {
  const name = `g${at + 1}`;
  return { id: name, dn: `CN=${name},DC=site,DC=test`, name, number: String(at + 1), parents: [] };
});

interface Somebody {
  readonly name: string;
  /** Names of groups. */
  readonly within: readonly string[];
  readonly primary?: string;
  /** How the server tells of the groups: all of them, the first ones (MS-ADTS 3.1.1.3.1.3.3), or nothing. */
  readonly tells?: "all" | "in ranges" | "nothing";
}

describe("the members of many groups", () => {
  let asked: Search[];

  const entryOf = ({ name, within, primary, tells = "all" }: Somebody): Entry => {
    const links = within.map((group) => Buffer.from(`cn=${group}, dc=site,dc=TEST`));
    const memberOf: [string, Buffer[]][] =
      tells === "all" ? [["memberof", links]] : tells === "nothing" ? [] : [["memberof;range=0-0", links.slice(0, 1)]];
    const number: [string, Buffer[]][] = primary === undefined ? [] : [["primarygroupid", [Buffer.from(primary)]]];
    return { dn: `CN=${name},DC=site,DC=test`, values: new Map([["cn", [Buffer.from(name)]], ...memberOf, ...number]) };
  };
  /** Names with the ids of their groups, in the order of both. */
  const read = async (people: readonly Somebody[], groups = GROUPS): Promise<Record<string, readonly string[]>> => {
    asked = [];
    const connection = {
      async *search(search: Search) {
        asked.push(search);
        for (const one of people) {
          const dns = one.within.map((group) => `CN=${group},DC=site,DC=test`);
          const filters = dns.map((dn) => `(memberOf=${filterValue(dn)})`);
          if (one.primary !== undefined) filters.push(`(primaryGroupID=${one.primary})`);
          if (filters.some((filter) => search.filter.includes(filter))) yield entryOf(one);
        }
      },
    };
    const found = new Map<string, Set<string>>();
    for await (const { entry, within } of membersOf(connection, groups, SEARCH)) {
      const name = entry.values.get("cn")?.[0]?.toString() ?? "";
      found.set(name, new Set([...(found.get(name) ?? []), ...within]));
    }
    return Object.fromEntries([...found].map(([name, within]) => [name, [...within].toSorted()]));
  };

  it("are asked for in few questions, whose answers say of which groups they are", async () => {
    const people = [
      { name: "ada", within: ["g1", "g40", "g41", "elsewhere"] },
      { name: "eve", within: ["g2"], primary: "45" },
      { name: "bob", within: ["elsewhere"] },
    ];
    expect(await read(people)).to.deep.equal({ ada: ["g1", "g40", "g41"], eve: ["g2", "g45"] });
    expect(asked).to.have.length(2);
    expect(asked.every(({ filter }) => filter.startsWith("(&(objectClass=user)(|"))).to.equal(true);
  });

  for (const [how, ada, within] of [
    ["in ranges", { tells: "in ranges", primary: "3" }, ["g1", "g2", "g3", "g45"]],
    ["not at all", { tells: "nothing" }, ["g1", "g2", "g45"]],
  ] as const)
    it(`are asked for group by group where the server tells of somebody's groups ${how}`, async () => {
      const people = [
        { name: "ada", within: ["g1", "g2", "g45"], ...ada },
        { name: "eve", within: ["g40"] },
        { name: "bob", within: ["g44"] },
      ];
      expect(await read(people)).to.deep.equal({ ada: within, eve: ["g40"], bob: ["g44"] });
      expect(asked).to.have.length(47);
    });

  it("of one group are whoever is found, whatever the answer says", async () => {
    expect(await read([{ name: "ada", within: ["g1"], tells: "nothing" }], GROUPS.slice(0, 1))).to.deep.equal({
      ada: ["g1"],
    });
    expect(asked).to.have.length(1);
  });
});
