import { expect } from "chai";
import { ACTS, type Act } from "../../auth/acts.ts";
import type { Grant } from "../../auth/principal.ts";
import { RIGHTS } from "../../auth/right.ts";
import { WaitingLogIns } from "../../auth/waiting-log-ins.ts";
import { Secret } from "../../base/secret.ts";
import { HOUR, isoOf, MINUTE, unixMillis } from "../../base/units.ts";
import { kindOf } from "../auth/fixture.ts";
import { makeSigners, recordFor, type Signers } from "../support/exported.ts";
import { START_MS, scratchFolder } from "../support/recorder-samples.ts";
import type { WebAnswer, WebClient } from "../support/web-client.ts";
import { PASSWORD, startWebSite, type WebSite } from "../support/web-site.ts";

const everything = (...but: readonly string[]): readonly Grant[] =>
  RIGHTS.filter((right) => !but.includes(right)).map((right) => ({ right, cameras: "any", interfaces: "any" }));
const at = (seconds: number) => unixMillis(START_MS + seconds * 1000);
const iso = (seconds: number): string => isoOf(at(seconds));

interface Shown {
  readonly id: string;
  readonly words: string;
  readonly state: string;
  readonly own: boolean;
}

describe("acts that wait for a second person, at the pages", () => {
  let folder = "";
  let remove: () => Promise<void>;
  let signers: Signers;
  let site: WebSite;
  let ada: WebClient;
  let bob: WebClient;

  before(async () => {
    signers = await makeSigners();
    ({ folder, remove } = await scratchFolder());
    await recordFor(folder, { gate: { seconds: 20 } }, { signer: signers.recorder });
  });
  after(() => remove());
  const start = async (acts: readonly Exclude<Act, "log-in">[]): Promise<void> => {
    site = await startWebSite({ folder, ...signers }, { acts: [...acts], logInOf: ["guards"] });
    site.clock.setWall(unixMillis(START_MS + HOUR));
    site.camera("gate");
    await site.accounts.createPerson({
      name: "root",
      password: new Secret(PASSWORD),
      grants: [],
      roles: ["administrator"],
    });
    ada = await site.person("ada", everything("approve"));
    bob = await site.person("bob", everything());
  };
  afterEach(() => site.close());

  const idOf = (name: string): string => site.accounts.list().find((one) => one.name === name)?.id ?? "";
  const approvalOf = ({ json }: WebAnswer): { readonly id: string; readonly words: string } =>
    (json as { readonly approval: { readonly id: string; readonly words: string } }).approval;
  const list = async (client: WebClient): Promise<readonly Shown[]> =>
    ((await client.send("GET", "/api/approvals")).json as { readonly approvals: readonly Shown[] }).approvals;
  const says = (client: WebClient, id: string, answer: object): Promise<WebAnswer> =>
    client.send("POST", `/api/approvals/${id}`, { body: answer });

  interface Tried {
    readonly act: Exclude<Act, "log-in">;
    readonly ask: (client: WebClient) => Promise<WebAnswer>;
    /** Whether it has happened. */
    readonly done: () => Promise<boolean> | boolean;
    readonly status: number;
    readonly words: RegExp;
  }
  let lock: string;
  const trials: readonly Tried[] = [
    {
      act: "export",
      ask: (client) =>
        client.send("POST", "/api/exports", {
          body: { cameras: ["gate"], from: iso(2), to: iso(12), reason: "case 117" },
        }),
      done: () => site.audited.some(({ action }) => action === "export-asked"),
      status: 201,
      words: /^gate from .* to .*: case 117$/,
    },
    {
      act: "unlock",
      ask: (client) => client.send("DELETE", `/api/cameras/gate/locks/${lock}`),
      done: async () => (await site.journal.marks("gate", { from: at(0), to: at(1e6) }, "lock")).length === 0,
      status: 204,
      words: /^unlock gate, .*: fight$/,
    },
    {
      act: "change-retention",
      ask: (client) => client.send("PATCH", "/api/cameras/gate", { body: { retention: { maxDays: 1 } } }),
      done: () => site.discovery.calls.some(([what]) => what === "setRetention"),
      status: 204,
      words: /^keep recordings of gate as {"maxDays":1} instead of/,
    },
    {
      act: "remove-camera",
      ask: (client) => client.send("DELETE", "/api/cameras/gate"),
      done: () => site.discovery.calls.some(([what]) => what === "remove"),
      status: 204,
      words: /^remove the camera gate \("/,
    },
    {
      act: "forget-volume",
      ask: (client) => client.send("DELETE", "/api/volumes/old"),
      done: () => site.audited.some(({ action }) => action === "forget-volume"),
      status: 204,
      words: /^give up what is recorded on the volume old: it is told as missing from then on$/,
    },
    {
      act: "pass-brake",
      ask: (client) => client.send("POST", "/api/directory/corp/sync", { body: { confirm: "abc" } }),
      // There is no such directory here: it was let through to be told so.
      done: () => site.audited.some(({ action }) => action === "approval-used"),
      status: 404,
      words: /^make accounts follow corp although the brake holds it: preview abc$/,
    },
    {
      act: "grant-administrator",
      ask: (client) =>
        client.send("PUT", `/api/accounts/${idOf("ada")}/rights`, { body: { roles: ["administrator"], grants: [] } }),
      done: () => site.accounts.list().some(({ name, roles }) => name === "ada" && roles.includes("administrator")),
      status: 204,
      words: /^give ada role administrator$/,
    },
    {
      act: "grant-administrator",
      ask: (client) =>
        client.send("PUT", `/api/accounts/${idOf("root")}/password`, { body: { password: "four other random words" } }),
      done: () => site.audited.some(({ action }) => action === "set-password"),
      status: 204,
      words: /^give root, who may manage accounts or approve, another password$/,
    },
    {
      act: "arm",
      ask: async (client) => {
        if (site.accounts.named("vms") === undefined)
          await site.accounts.createIntegration({ name: "vms", grants: [], onlyWhileArmed: true });
        return client.send("POST", `/api/accounts/${idOf("vms")}/arming`, { body: { minutes: 90 } });
      },
      done: () => site.accounts.stateOf("vms") === "integration",
      status: 200,
      words: /^arm vms for 90 minutes, which begin when this is done$/,
    },
  ];

  const manage = { right: "manage-accounts", cameras: "any", interfaces: "any" } as const;
  const closed = { name: "Office", zone: "UTC", weekly: [] } as const;
  const always = {
    ...closed,
    weekly: [{ days: [1, 2, 3, 4, 5, 6, 7], from: "00:00", to: "00:00" }],
  } as const;

  it("approve the person of a directory whose system it is to be, and no other one", async () => {
    await start(["grant-administrator"]);
    await site.accounts.followDirectory(
      ["carol", "dave"].map((make) => ({ make, link: { directory: "corp", id: make, roles: ["administrator"] } })),
    );
    const ask = (person: string) =>
      ada.send("POST", "/api/accounts", { body: { name: "vms", watching: {}, person: idOf(person) } });
    const { id, words } = approvalOf(await ask("carol"));
    expect(words).to.equal("give vms, a system under carol, role administrator by directory corp");
    expect((await says(bob, id, { says: "approved" })).status).to.equal(204);
    expect((await ask("dave")).status).to.equal(202);
    expect((await ask("carol")).status).to.equal(201);
  });

  it("approve a power in the hours of that moment, and not in what is made of them later", async () => {
    await start(["grant-administrator"]);
    const hours = (body: object) => ada.send("PUT", "/api/policy/hours/office", { body });
    expect((await hours(closed)).status).to.equal(204);
    const give = { roles: [], grants: [{ ...manage, hours: "office" }] };
    const { id } = await site.accounts.createPerson({ name: "carl", password: new Secret(PASSWORD), grants: [] });
    const role = { name: "Bosses", grants: give.grants };
    const asks = [
      () => ada.send("PUT", `/api/accounts/${id}/rights`, { body: give }),
      () => ada.send("PUT", "/api/policy/role/bosses", { body: role }),
    ];
    for (const ask of asks) await says(bob, approvalOf(await ask()).id, { says: "approved" });
    expect((await hours(always)).status).to.equal(204);
    for (const ask of asks) expect((await ask()).status).to.equal(202);
    expect((await hours(closed)).status).to.equal(204);
    for (const ask of asks) expect((await ask()).status).to.equal(204);
  });

  it("keep the hours of a power that is an account's own, and of no role", async () => {
    await start(["grant-administrator"]);
    await site.accounts.setPart("hours", "office", { ...closed, exceptions: [] } as never);
    await site.accounts.change(idOf("ada"), { grants: [{ ...manage, hours: "office" }] });
    expect((await bob.send("PUT", "/api/policy/hours/office", { body: always })).status).to.equal(202);
  });

  it("keep whoever manages accounts from coming in the place of a system that has powers, by a token or a secret", async () => {
    await start(["grant-administrator"]);
    for (const [name, grants, status] of [
      ["vms", [], [201, 200]],
      ["robot", [manage], [202, 202]],
    ] as const) {
      const { account } = await site.accounts.createIntegration({ name, grants });
      const path = `/api/accounts/${account.id}`;
      const token = await ada.send("POST", `${path}/tokens`, { body: { name: "page", networks: ["10.2.0.0/24"] } });
      expect([token.status, (await ada.send("POST", `${path}/secret`)).status]).to.deep.equal(status);
      if (token.status === 202)
        expect(approvalOf(token).words).to.equal(
          'give robot, who may manage accounts or approve, a token "page" for api from 10.2.0.0/24, for a year',
        );
    }
  });

  it("are all tried here", () => {
    return start([]).then(() =>
      expect([...new Set(trials.map(({ act }) => act))]).to.have.members(
        Object.keys(ACTS).filter((act) => act !== "log-in"),
      ),
    );
  });

  for (const { act, ask, done, status, words } of trials) {
    const begin = async (acts: readonly Exclude<Act, "log-in">[]): Promise<void> => {
      await start(acts);
      const mark = { camera: "gate", from: at(1), to: at(3), text: "fight", who: "ada", madeAt: at(4) };
      lock = (await site.journal.mark({ kind: "lock", ...mark })).id;
    };

    it(`${act} is done at once where it is not set to wait`, async () => {
      await begin([]);
      expect((await ask(ada)).status).to.equal(status);
      expect(await list(ada)).to.deep.equal([]);
    });

    it(`${act} is done once another person has approved exactly that, and not before`, async () => {
      await begin([act]);
      const asked = await ask(ada);
      expect(asked.status).to.equal(202);
      const { id, words: told } = approvalOf(asked);
      expect(told).to.match(words);
      expect(await done(), "before").to.equal(false);
      expect((await list(bob)).map((one) => [one.id, one.state, one.own])).to.deep.equal([[id, "waiting", false]]);
      expect((await says(bob, id, { says: "approved" })).status).to.equal(204);
      expect(await done(), "approved, and not yet asked for again").to.equal(false);
      expect((await ask(ada)).status).to.equal(status);
      expect(await done()).to.equal(true);
      expect((await list(bob)).map(({ state }) => state)).to.deep.equal(["used"]);
    });

    it(`${act} is not done where it was refused`, async () => {
      await begin([act]);
      const { id } = approvalOf(await ask(ada));
      expect((await says(bob, id, { says: "refused", why: "not today" })).status).to.equal(204);
      const found = await ada.send("GET", `/api/approvals/${id}`);
      expect(found.json).to.deep.include({ state: "refused", why: "not today" });
      expect((await ask(ada)).status).to.equal(202);
      expect(await done()).to.equal(false);
    });
  }

  it("are not asked for by who may not do them anyway", async () => {
    await start(["export", "remove-camera"]);
    const eve = await site.person("eve", []);
    expect(
      (await eve.send("POST", "/api/exports", { body: { cameras: ["gate"], from: iso(2), to: iso(12) } })).status,
    ).to.equal(404);
    expect((await eve.send("DELETE", "/api/cameras/gate")).status).to.equal(403);
    expect(await list(bob)).to.deep.equal([]);
  });

  it("are answered by who has the right alone, and not by who asks", async () => {
    await start(["remove-camera"]);
    const { id } = approvalOf(await ada.send("DELETE", "/api/cameras/gate"));
    expect((await says(ada, id, { says: "approved" })).status).to.equal(403);
    const own = approvalOf(await bob.send("DELETE", "/api/cameras/gate"));
    const refused = await says(bob, own.id, { says: "approved" });
    expect([refused.status, refused.json]).to.deep.equal([403, { error: "nobody approves their own request" }]);
    expect((await says(bob, "none", { says: "approved" })).status).to.equal(404);
    expect((await says(bob, id, { says: "yes" })).status).to.equal(400);
    expect((await ada.send("GET", `/api/approvals/${own.id}`)).status).to.equal(404);
    expect((await ada.send("DELETE", `/api/approvals/${id}`)).status).to.equal(204);
    expect((await says(bob, id, { says: "approved" })).status).to.equal(409);
  });

  it("grant no power by a role, a system or an enabled account either, and let powers go freely", async () => {
    await start(["grant-administrator"]);
    const powers = [{ right: "approve", cameras: "any", interfaces: "any" }];
    const role = await ada.send("PUT", "/api/policy/role/bosses", { body: { name: "Bosses", grants: powers } });
    expect(role.status).to.equal(202);
    const { id } = await site.accounts.createPerson({ name: "old", password: new Secret(PASSWORD), grants: [] });
    await site.accounts.change(id, { enabled: false, roles: ["administrator"] });
    expect((await ada.send("PATCH", `/api/accounts/${id}`, { body: { enabled: true } })).status).to.equal(202);
    const person = { name: "new", password: PASSWORD, roles: ["administrator"] };
    expect((await ada.send("POST", "/api/accounts/people", { body: person })).status).to.equal(202);
    expect((await ada.send("POST", "/api/accounts/people", { body: { ...person, roles: [] } })).status).to.equal(201);
    const less = { roles: [], grants: [] };
    expect((await ada.send("PUT", `/api/accounts/${idOf("bob")}/rights`, { body: less })).status).to.equal(204);
    const watch = { roles: [], grants: [{ right: "live", cameras: "any", interfaces: "any" }] };
    expect((await ada.send("PUT", `/api/accounts/${idOf("bob")}/rights`, { body: watch })).status).to.equal(204);
  });

  describe("a log-in", () => {
    let guard: WebClient;
    const logIn = async (): Promise<{ readonly ticket: string; readonly id: string }> => {
      const answer = await guard.logIn("guard", PASSWORD);
      expect(answer.status).to.equal(202);
      expect(answer.cookies).to.deep.equal([]);
      return { ticket: (answer.json as { readonly ticket: string }).ticket, id: approvalOf(answer).id };
    };
    const proceed = (ticket: string): Promise<WebAnswer> => guard.send("PUT", "/api/session", { body: { ticket } });
    beforeEach(async () => {
      await start([]);
      await site.accounts.setPart("role", "guards", { name: "Guards", grants: everything("approve").slice(0, 3) });
      const password = new Secret(PASSWORD);
      await site.accounts.createPerson({ name: "guard", password, grants: [], roles: ["guards"] });
      guard = site.stranger();
    });

    it("waits, and is one session once it is approved", async () => {
      const { ticket, id } = await logIn();
      expect((await proceed(ticket)).status).to.equal(202);
      expect((await guard.send("GET", "/api/cameras")).status).to.equal(401);
      await says(bob, id, { says: "approved" });
      expect((await proceed(ticket)).status).to.equal(204);
      expect((await guard.send("GET", "/api/cameras")).status).to.equal(200);
      expect((await proceed(ticket)).status, "once").to.equal(401);
      const last = site.audited.filter(({ action }) => /^(?:approval|log-in)/.test(action)).slice(-2);
      expect(last.map(({ who, action }) => [who, action])).to.deep.equal([
        ["guard", "approval-used"],
        ["guard", "log-in"],
      ]);
    });

    it("says why it was refused, and that its time is over", async () => {
      const one = await logIn();
      await says(bob, one.id, { says: "refused", why: "go home" });
      const refused = await proceed(one.ticket);
      expect([refused.status, refused.json]).to.deep.equal([
        403,
        { error: "This log-in was not approved (refused): go home" },
      ]);
      const two = await logIn();
      await site.clock.advance(15 * MINUTE);
      expect((await proceed(two.ticket)).status).to.equal(403);
      expect((await proceed("made up")).status).to.equal(401);
    });

    it("is over when the account is changed meanwhile", async () => {
      const { ticket, id } = await logIn();
      await says(bob, id, { says: "approved" });
      await site.accounts.change(idOf("guard"), { enabled: false });
      expect((await proceed(ticket)).status).to.equal(401);
    });

    it("goes on from the address alone that it was begun at", async () => {
      const logIns = new WaitingLogIns(site.options);
      const who = site.accounts.principalOf(idOf("guard"));
      if (who === undefined) throw new Error("no guard");
      const ticketFrom = async (address: string): Promise<string> =>
        (await logIns.begin(who, address))?.ticket.reveal() ?? "";
      const [one, other] = [await ticketFrom("192.0.2.1"), await ticketFrom("192.0.2.2")];
      expect(await logIns.proceed(one, "192.0.2.1")).to.include({ state: "waiting" });
      expect(await kindOf(() => logIns.proceed(other, "192.0.2.1"))).to.equal("unauthenticated");
    });

    it("is over when the account is changed while the request for it is written down", async () => {
      const { approvals } = site.options;
      const pass = approvals.pass.bind(approvals);
      approvals.pass = async (...asked) => {
        approvals.pass = pass;
        await site.accounts.setPassword(idOf("guard"), new Secret("another long password"));
        await pass(...asked);
      };
      const { ticket, id } = await logIn();
      await says(bob, id, { says: "approved" });
      expect((await proceed(ticket)).status).to.equal(401);
    });

    it("does not wait for who may approve", async () => {
      await site.accounts.change(idOf("bob"), { roles: ["guards"] });
      expect((await site.stranger().logIn("bob", PASSWORD)).status).to.equal(204);
    });
  });

  it("are approved with the code of who has a second factor", async () => {
    await start(["remove-camera"]);
    const { id } = approvalOf(await ada.send("DELETE", "/api/cameras/gate"));
    const factors = site.options.factors;
    Object.assign(factors, { has: () => true });
    const without = await says(bob, id, { says: "approved" });
    expect([without.status, without.json]).to.deep.equal([202, { needs: "code" }]);
    Object.assign(factors, { check: () => Promise.resolve("code") });
    expect((await says(bob, id, { says: "approved", code: "123456" })).status).to.equal(204);
  });
});
