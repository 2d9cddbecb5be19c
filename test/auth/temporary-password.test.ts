import { expect } from "chai";
import type { Accounts } from "../../auth/accounts.ts";
import { ApiTokens } from "../../auth/api-tokens.ts";
import { explain } from "../../auth/explain.ts";
import { Leases } from "../../auth/leases.ts";
import { PasswordIsTemporary } from "../../auth/temporary-password.ts";
import { Throttle } from "../../auth/throttle.ts";
import { silentLog } from "../../base/log.ts";
import { Secret } from "../../base/secret.ts";
import { administrator, kindOf, openSite, PASSWORD, type Site, TLS, WATCH_ALL } from "./fixture.ts";

const GIVEN = new Secret(PASSWORD);
const CHOSEN = "four other random words";

describe("a temporary password", () => {
  let site: Site;
  let accounts: Accounts;
  let ada: string;

  beforeEach(async () => {
    site = await openSite();
    ({ accounts } = site);
    await administrator(accounts);
    ada = (await accounts.createPerson({ name: "ada", password: GIVEN, grants: WATCH_ALL, temporary: true })).id;
  });
  afterEach(() => site.database.close());

  const logIn = async (password = PASSWORD, of = accounts): Promise<"in" | PasswordIsTemporary> => {
    try {
      await of.logIn("ada", password, TLS);
      return "in";
    } catch (error) {
      if (error instanceof PasswordIsTemporary) return error;
      throw error;
    }
  };
  const temporary = async (of = accounts): Promise<PasswordIsTemporary> => {
    const got = await logIn(PASSWORD, of);
    if (got === "in") throw new Error("it let somebody in");
    return got;
  };

  it("opens no door, and says so to the administrator alone", async () => {
    await temporary();
    expect([accounts.principalOf(ada), accounts.credentialOf(ada)]).to.deep.equal([undefined, undefined]);
    // As ONVIF and RTSP do for Basic and PasswordText.
    const check = (): Promise<unknown> => accounts.checkPassword("ada", GIVEN, TLS.address);
    expect(await kindOf(check)).to.equal("unauthenticated");
    expect(await kindOf(() => accounts.logIn("ada", "wrong horse battery", TLS))).to.equal("unauthenticated");
    const account = accounts.find(ada);
    if (account === undefined) throw new Error("gone");
    const question = { right: "live", camera: "gate", interface: "web", at: site.clock.now() } as const;
    expect(explain({ ...account, lacksFactor: false }, WATCH_ALL as never, question)).to.include({
      allowed: false,
      why: "a password has to be chosen first in the place of the temporary one",
    });
  });

  it("is so after a restart, and for nobody whose password was set before there were any", async () => {
    const again = await site.again();
    await temporary(again);
    await site.database.query.updateTable("account").set({ temporary_password: 0 }).where("id", "=", ada).execute();
    expect(await logIn(PASSWORD, await site.again())).to.equal("in");
  });

  it("is good for one choice, of another and a good one", async () => {
    const come = await temporary();
    for (const bad of ["short", "ada", PASSWORD])
      expect(await kindOf(() => accounts.assertChoice(come, new Secret(bad))), bad).to.equal("invalid");
    await accounts.assertChoice(come, new Secret(CHOSEN));
    await accounts.choosePassword(come, new Secret(CHOSEN));
    expect([await logIn(CHOSEN), accounts.principalOf(ada)?.name]).to.deep.equal(["in", "ada"]);
    expect(await kindOf(() => logIn(PASSWORD))).to.equal("unauthenticated");
    // Whoever came with it at the same time is too late.
    expect(await kindOf(() => accounts.choosePassword(come, new Secret("a third one of words")))).to.equal(
      "unauthenticated",
    );
    expect((await site.again()).find(ada)?.temporaryPassword).to.equal(undefined);
  });

  it("chooses nothing once the account has been given another, or was disabled", async () => {
    const first = await temporary();
    await accounts.setPassword(ada, new Secret("one more of the words"), { temporary: true });
    expect(await kindOf(() => accounts.choosePassword(first, new Secret(CHOSEN)))).to.equal("unauthenticated");
    await accounts.setPassword(ada, GIVEN, { temporary: true });
    const second = await temporary();
    await accounts.change(ada, { enabled: false });
    expect(await kindOf(() => accounts.choosePassword(second, new Secret(CHOSEN)))).to.equal("unauthenticated");
  });

  it("ends what runs where it is given in the place of one's own, and tokens hold from the choice on", async () => {
    await accounts.setPassword(ada, new Secret(CHOSEN));
    const { clock, database } = site;
    const audit = { record: () => undefined };
    const throttle = new Throttle(clock);
    const tokens = await ApiTokens.open({ query: database.query, accounts, throttle, audit, clock, log: silentLog() });
    const { secret } = await tokens.make(ada, { name: "t", interfaces: ["api"], networks: [], expires: undefined });
    const leases = new Leases({ accounts, audit, clock });
    const who = tokens.verify(secret.reveal(), TLS, "api");
    const { ended } = leases.open(who, [{ right: "live", camera: "gate", interface: "api" }]);
    await accounts.setPassword(ada, GIVEN, { temporary: true });
    expect(ended.aborted).to.equal(true);
    expect(await kindOf(() => tokens.verify(secret.reveal(), TLS, "api"))).to.equal("unauthenticated");
    await accounts.choosePassword(await temporary(), new Secret(CHOSEN));
    expect(tokens.verify(secret.reveal(), TLS, "api").name).to.equal("ada");
    leases.close();
    await tokens.close();
  });
});
