import { expect } from "chai";
import { Accounts } from "../../auth/accounts.ts";
import { FACTOR_DEMANDS, type FactorDemand, FactorDemanded } from "../../auth/factor-demand.ts";
import { Leases } from "../../auth/leases.ts";
import { readPart } from "../../auth/policy.ts";
import { silentLog } from "../../base/log.ts";
import { Sealer } from "../../base/seal.ts";
import { Secret } from "../../base/secret.ts";
import { administrator, kindOf, openSite, PASSWORD, type Site, TLS, WATCH_ALL } from "./fixture.ts";

describe("a second factor that is demanded", () => {
  let site: Site;
  let accounts: Accounts;
  const having = new Set<string>();

  const open = (factorDemand: FactorDemand = "by-role"): Promise<Accounts> =>
    Accounts.open({
      query: site.database.query,
      sealer: new Sealer(Buffer.alloc(32, 7)),
      clock: site.clock,
      log: silentLog(),
      factors: { has: (id) => having.has(id) },
      factorDemand,
    });
  const role = (id: string, more: object = {}): Promise<void> =>
    accounts.setPart("role", id, readPart("role", id, { name: id, grants: [], ...more }));
  const person = async (name: string, ...roles: readonly string[]): Promise<string> =>
    (await accounts.createPerson({ name, password: new Secret(PASSWORD), grants: WATCH_ALL, roles })).id;
  const logIn = async (name: string): Promise<"in" | "demanded"> => {
    try {
      await accounts.logIn(name, PASSWORD, TLS);
      return "in";
    } catch (error) {
      if (error instanceof FactorDemanded) return "demanded";
      throw error;
    }
  };

  beforeEach(async () => {
    having.clear();
    site = await openSite();
    accounts = await open();
  });
  afterEach(() => site.database.close());

  it("of a role closes every door to its people until they have one, and to nobody else", async () => {
    await role("guards", { secondFactor: true });
    await role("others");
    const [ada, bob] = [await person("ada", "guards", "others"), await person("bob", "others")];
    const { account: vms } = await accounts.createIntegration({ name: "vms", grants: [], roles: ["guards"] });
    expect([await logIn("ada"), await logIn("bob")]).to.deep.equal(["demanded", "in"]);
    expect([ada, bob, vms.id].map((id) => accounts.principalOf(id) === undefined)).to.deep.equal([true, false, false]);
    expect(await kindOf(() => accounts.checkPassword("ada", new Secret(PASSWORD), "192.0.2.7"))).to.equal(
      "unauthenticated",
    );
    expect(await kindOf(() => accounts.logIn("ada", "wrong horse battery", TLS))).to.equal("unauthenticated");
    having.add(ada);
    expect([await logIn("ada"), accounts.principalOf(ada)?.name]).to.deep.equal(["in", "ada"]);
  });

  it("ends what runs when it comes, and leaves what runs of those who have one", async () => {
    await role("guards");
    const [ada, bob] = [await person("ada", "guards"), await person("bob", "guards")];
    having.add(bob);
    const leases = new Leases({ accounts, audit: { record: () => undefined }, clock: site.clock });
    const run = (id: string) => {
      const who = accounts.principalOf(id);
      if (who === undefined) throw new Error("out");
      return leases.open(who, [{ right: "live", camera: "gate", interface: "web" }]).ended;
    };
    const [adas, bobs] = [run(ada), run(bob)];
    await role("guards", { secondFactor: true });
    expect([adas.aborted, bobs.aborted]).to.deep.equal([true, false]);
    leases.close();
  });

  it("of a role that a directory gives is demanded of its people", async () => {
    await role("guards", { secondFactor: true });
    const link = { directory: "corp", id: "1", roles: ["guards"] };
    await accounts.followDirectory([{ make: "alice", link }]);
    const [{ id } = { id: "" }] = accounts.list();
    expect([accounts.lacksFactor(id), accounts.principalOf(id)]).to.deep.equal([true, undefined]);
    await accounts.followDirectory([{ account: id, link: { ...link, roles: [] } }]);
    expect(accounts.lacksFactor(id)).to.equal(false);
  });

  it("by the configuration is demanded of administrators, or of everybody", async () => {
    await administrator(accounts);
    await person("bob");
    const seen: string[][] = [];
    for (const demand of FACTOR_DEMANDS) {
      accounts = await open(demand);
      seen.push([await logIn("admin"), await logIn("bob")]);
    }
    expect(seen).to.deep.equal([
      ["in", "in"],
      ["demanded", "in"],
      ["demanded", "demanded"],
    ]);
  });
});
