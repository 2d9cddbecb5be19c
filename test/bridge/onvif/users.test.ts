import { expect } from "chai";
import type { SecondPerson } from "../../../auth/approval.ts";
import { ADMINISTRATOR } from "../../../auth/policy.ts";
import { Fault } from "../../../base/fault.ts";
import { Secret } from "../../../base/secret.ts";
import type { UserLevel } from "../../../bridge/client-side/onvif/users.ts";
import { element, qualified } from "../../support/onvif-calls.ts";
import { OnvifClient, type Reply, texts } from "../../support/onvif-client.ts";
import { type OnvifTestSite, startOnvifSite } from "../../support/onvif-site.ts";
import { testIdentity, withRoles } from "../../support/onvif-users.ts";

const LEVELS: ReadonlyMap<UserLevel, string> = new Map([
  ["Administrator", ADMINISTRATOR],
  ["Operator", "guard"],
  ["User", "viewer"],
]);
const PASSWORD = "correct horse battery";

const user = (name: string, level: string, password?: string): string =>
  `<tds:User>${element("tt:Username", name)}${password === undefined ? "" : element("tt:Password", password)}` +
  `${element("tt:UserLevel", level)}</tds:User>`;
const named = (...names: readonly string[]): string =>
  qualified("tds", names.map((name) => element("Username", name)).join(""));
const why = ({ fault }: Reply): string => fault?.subcodes.join("/") ?? "done";

describe("users through ONVIF", () => {
  let site: OnvifTestSite;
  let admin: OnvifClient;
  let adminName: string;

  const start = async (o: Parameters<typeof startOnvifSite>[0] = {}): Promise<void> => {
    site = await startOnvifSite({ levels: LEVELS, identity: await testIdentity(), ...o });
    await withRoles(site.accounts, ["guard", "viewer"]);
    const login = await site.account([{ right: "manage-accounts", cameras: "any", interfaces: "any" }]);
    adminName = login.name;
    admin = new OnvifClient(site, login, "token");
  };
  beforeEach(() => start());
  afterEach(() => site.close());

  const ask = (operation: string, content: string, client = admin, tls = true): Promise<Reply> =>
    client.call("tds", operation, content, tls);
  const users = async (): Promise<Readonly<Record<string, string>>> => {
    const { element: answer } = await ask("GetUsers", "");
    const names = texts(answer, "Username");
    return Object.fromEntries(texts(answer, "UserLevel").map((level, index) => [names[index], level]));
  };

  it("are made, come in at once with their password, and may what the role of their level may", async () => {
    expect(why(await ask("CreateUsers", user("one", "User", PASSWORD) + user("two", "Operator", PASSWORD)))).to.equal(
      "done",
    );
    expect(await users()).to.deep.equal({ [adminName]: "Extended", one: "User", two: "Operator" });
    for (const scheme of ["token", "sha-256", "md5"] as const) {
      const client = new OnvifClient(site, { name: "one", secret: PASSWORD }, scheme);
      expect(texts((await client.call("trt", "GetProfiles")).element, "Name"), scheme).to.include("Gate");
      expect(why(await client.call("tds", "GetUsers")), scheme).to.equal("NotAuthorized");
    }
    expect(site.accounts.named("one")).to.include({ kind: "integration" });
    expect(site.accounts.named("one")?.roles).to.deep.equal(["viewer"]);
  });

  it("are given another level, another password, or both, and keep what is not said", async () => {
    await ask("CreateUsers", user("one", "User", PASSWORD));
    expect(why(await ask("SetUser", user("one", "Operator")))).to.equal("done");
    expect((await users())["one"]).to.equal("Operator");
    const before = new OnvifClient(site, { name: "one", secret: PASSWORD }, "token");
    expect(why(await before.call("trt", "GetProfiles"))).to.equal("done");
    expect(why(await ask("SetUser", user("one", "Operator", "another horse battery")))).to.equal("done");
    expect(why(await before.call("trt", "GetProfiles"))).to.equal("NotAuthorized");
    const after = new OnvifClient(site, { name: "one", secret: "another horse battery" }, "token");
    expect(why(await after.call("trt", "GetProfiles"))).to.equal("done");
  });

  it("are removed, and out at once", async () => {
    await ask("CreateUsers", user("one", "User", PASSWORD) + user("two", "User", PASSWORD));
    expect(why(await ask("DeleteUsers", named("one", "two")))).to.equal("done");
    expect(await users()).to.deep.equal({ [adminName]: "Extended" });
    const client = new OnvifClient(site, { name: "one", secret: PASSWORD }, "token");
    expect(why(await client.call("trt", "GetProfiles"))).to.equal("NotAuthorized");
  });

  it("stand in the audit log with who has made, changed and removed them, and without passwords", async () => {
    await ask("CreateUsers", user("one", "User", PASSWORD));
    await ask("SetUser", user("one", "Operator", "another horse battery"));
    await ask("DeleteUsers", named("one"));
    const changes = site.audited.filter(({ subject }) => subject === "one");
    expect(changes.map(({ action }) => action)).to.deep.equal([
      "make-account",
      "change-account",
      "renew-secret",
      "remove-account",
    ]);
    for (const one of changes) expect(one).to.include({ who: adminName, interface: "onvif", address: "127.0.0.1" });
    expect(JSON.stringify(site.audited)).not.to.match(/horse/);
  });

  for (const [what, content, fault] of [
    ["a name that is there, however it is spelt", user("VMS-1", "User", PASSWORD), "UsernameClash"],
    ["the same name twice", user("a", "User", PASSWORD) + user("A", "User", PASSWORD), "UsernameClash"],
    ["no name", user("", "User", PASSWORD), "UsernameTooShort"],
    ["a long name", user("x".repeat(65), "User", PASSWORD), "UsernameTooLong"],
    ["no password", user("a", "User"), "Password"],
    ["a short password", user("a", "User", "secret"), "Password"],
    ["its name for a password", user("a-name-that-is-long", "User", "A-name-that-is-long"), "Password"],
    ["a long password", user("a", "User", "abcd".repeat(300)), "PasswordTooLong"],
    ["nobody's level", user("a", "Anonymous", PASSWORD), "AnonymousNotAllowed"],
  ] as const)
    it(`are not made with ${what}, nor those beside it`, async () => {
      const reply = await ask("CreateUsers", user("fine", "User", PASSWORD) + content);
      expect(why(reply)).to.equal(`OperationProhibited/${fault}`);
      expect(Object.keys(await users())).to.deep.equal([adminName]);
    });

  it("are made, changed and removed 32 at a time, and no more", async () => {
    const names = Array.from({ length: 33 }, (_, index) => `n${index}`);
    for (const [operation, content] of [
      ["CreateUsers", names.map((name) => user(name, "User", PASSWORD)).join("")],
      ["SetUser", names.map((name) => user(name, "User")).join("")],
      ["DeleteUsers", named(...names)],
    ] as const)
      expect(why(await ask(operation, content)), operation).to.equal("InvalidArgVal");
    const most = names.slice(1);
    expect(why(await ask("CreateUsers", most.map((name) => user(name, "User", PASSWORD)).join("")))).to.equal("done");
    expect(why(await ask("DeleteUsers", named(...most)))).to.equal("done");
  });

  it("are given no other level who were given other rights meanwhile", async () => {
    await site.close();
    await start({
      approvals: {
        waits: () => false,
        // The moment before the change.
        pass: async () => {
          const { id = "" } = site.accounts.named("one") ?? {};
          await site.accounts.change(id, { roles: ["guard", "viewer"] });
        },
      },
    });
    await ask("CreateUsers", user("one", "User", PASSWORD));
    expect(why(await ask("SetUser", user("one", "Administrator")))).to.equal("InvalidArgVal/FixedUser");
    expect(site.accounts.named("one")?.roles).to.deep.equal(["guard", "viewer"]);
  });

  it("are all made or none, though the registry refuses the last", async () => {
    const reply = await ask("CreateUsers", user("fine", "User", PASSWORD) + user("not fine", "User", PASSWORD));
    expect(why(reply)).to.equal("InvalidArgVal");
    expect(Object.keys(await users())).to.deep.equal([adminName]);
  });

  it("are not made of a level that no role is set for, or of several roles", async () => {
    expect(why(await ask("CreateUsers", user("a", "Extended", PASSWORD)))).to.equal("InvalidArgVal");
    await site.close();
    await start({ levels: new Map([["User", "viewer"]]) });
    expect(why(await ask("CreateUsers", user("a", "Operator", PASSWORD)))).to.equal("InvalidArgVal");
  });

  it("are not given passwords where anybody could read them", async () => {
    for (const operation of ["CreateUsers", "SetUser"]) {
      if (operation === "SetUser") await ask("CreateUsers", user("one", "User", PASSWORD));
      const reply = await ask(operation, user("one", "User", PASSWORD), admin, false);
      expect(why(reply), operation).to.equal("OperationProhibited/Password");
    }
    expect(why(await ask("SetUser", user("one", "Operator"), admin, false)), "without one").to.equal("done");
  });

  it("are refused another password that is weak by the name that SetUser has for it", async () => {
    await ask("CreateUsers", user("one", "User", PASSWORD));
    expect(why(await ask("SetUser", user("one", "Operator", "weak")))).to.equal("OperationProhibited/PasswordTooWeak");
    expect((await users())["one"]).to.equal("User");
  });

  it("who are people, come from elsewhere, have other rights, or ask themselves, are shown, and fixed", async () => {
    await site.accounts.createPerson({
      name: "ann",
      password: new Secret(PASSWORD),
      grants: [],
      roles: [ADMINISTRATOR],
    });
    const other = await site.account([{ right: "live", cameras: "any", interfaces: "any" }]);
    const self = await site.accounts.createIntegration({ name: "self", grants: [], roles: [ADMINISTRATOR] });
    const selfClient = new OnvifClient(site, { name: "self", secret: self.secret.reveal() }, "token");
    const { element: answer } = await ask("GetUsers", "");
    expect(texts(answer, "Roles")).to.deep.equal([ADMINISTRATOR]);
    expect(await users()).to.deep.equal({
      ann: "Extended",
      self: "Administrator",
      [adminName]: "Extended",
      [other.name]: "Extended",
    });
    for (const name of ["ann", other.name, "self"]) {
      const client = name === "self" ? selfClient : admin;
      expect(why(await ask("DeleteUsers", named(name), client)), name).to.equal("InvalidArgVal/FixedUser");
      expect(why(await ask("SetUser", user(name, "User", PASSWORD), client)), name).to.equal("InvalidArgVal/FixedUser");
    }
    expect(why(await ask("DeleteUsers", named("nobody")))).to.equal("InvalidArgVal/UsernameMissing");
    expect(why(await ask("SetUser", user("nobody", "User")))).to.equal("InvalidArgVal/UsernameMissing");
    expect(Object.keys(await users())).to.have.length(4);
  });

  it("are not removed where one of them is fixed or missing", async () => {
    await ask("CreateUsers", user("one", "User", PASSWORD));
    expect(why(await ask("DeleteUsers", named("one", adminName)))).to.equal("InvalidArgVal/FixedUser");
    expect(why(await ask("DeleteUsers", named("one", "nobody")))).to.equal("InvalidArgVal/UsernameMissing");
    expect((await users())["one"]).to.equal("User");
  });

  it("are all removed or none, also where one was given other rights while the request was under way", async () => {
    await ask("CreateUsers", user("one", "User", PASSWORD) + user("two", "User", PASSWORD));
    const { accounts } = site;
    const remove = accounts.remove.bind(accounts);
    accounts.remove = async (...of) => {
      accounts.remove = remove;
      await accounts.change(accounts.named("two")?.id ?? "", { roles: ["guard", "viewer"] });
      await remove(...of);
    };
    expect(why(await ask("DeleteUsers", named("one", "two")))).to.equal("InvalidArgVal/FixedUser");
    expect(await users()).to.include({ one: "User", two: "Extended" });
  });

  it("are told and changed to nobody who may not manage accounts through ONVIF", async () => {
    const other = await site.account([
      { right: "live", cameras: "any", interfaces: "any" },
      { right: "manage-accounts", cameras: "any", interfaces: new Set(["web"]) },
    ]);
    const client = new OnvifClient(site, other, "token");
    for (const [operation, content] of [
      ["GetUsers", ""],
      ["CreateUsers", user("one", "User", PASSWORD)],
      ["SetUser", user(adminName, "User", PASSWORD)],
      ["DeleteUsers", named(adminName)],
    ] as const)
      expect(why(await ask(operation, content, client)), operation).to.equal("NotAuthorized");
  });

  it("are told of, and not changed, where no level has a role", async () => {
    await site.close();
    await start({ levels: new Map() });
    expect(await users()).to.deep.equal({ [adminName]: "Extended" });
    for (const [operation, content] of [
      ["CreateUsers", user("one", "User", PASSWORD)],
      ["SetUser", user(adminName, "User", PASSWORD)],
      ["DeleteUsers", named(adminName)],
    ] as const)
      expect(why(await ask(operation, content)), operation).to.equal("ActionNotSupported");
    expect((await ask("GetServiceCapabilities", "")).body).to.match(/UserConfigNotSupported="true"/);
  });

  it("can be set, as the capabilities say, with bounds", async () => {
    const { body } = await ask("GetServiceCapabilities", "");
    expect(body)
      .to.match(/UserConfigNotSupported="false"/)
      .and.to.match(/MaxPasswordLength="1024"/);
  });

  it("who would manage accounts wait for a second person where that is set, one at a time", async () => {
    await site.close();
    const asked: string[] = [];
    const approvals: SecondPerson = {
      waits: (act) => act === "grant-administrator",
      pass: async (_, act, what) => {
        asked.push(`${act}: ${what().words}`);
        throw new Fault("wrong-state", "stays closed");
      },
    };
    await start({ approvals });
    expect(why(await ask("CreateUsers", user("one", "User", PASSWORD)))).to.equal("done");
    expect(asked).to.deep.equal([]);
    expect(why(await ask("CreateUsers", user("two", "Administrator", PASSWORD)))).to.equal("OperationProhibited");
    expect(why(await ask("SetUser", user("one", "Administrator")))).to.equal("OperationProhibited");
    expect(asked).to.have.length(2);
    expect(asked[0]).to.match(/^grant-administrator: give two role administrator/);
    expect(await users()).to.deep.equal({ [adminName]: "Extended", one: "User" });
    const several = user("three", "User", PASSWORD) + user("four", "User", PASSWORD);
    expect(why(await ask("CreateUsers", several))).to.equal("InvalidArgVal");
  });
});
