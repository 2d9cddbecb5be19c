import { expect } from "chai";
import type { Grant } from "../../auth/principal.ts";
import { HOUR, isoOf, later, MINUTE } from "../../base/units.ts";
import type { WebClient } from "../support/web-client.ts";
import { startWebSite, type WebSite } from "../support/web-site.ts";

const MANAGE: readonly Grant[] = [{ right: "manage-accounts", cameras: "any", interfaces: "any" }];

describe("arming external systems, at the API", () => {
  let site: WebSite;
  let admin: WebClient;
  let id: string;

  before(async () => {
    site = await startWebSite();
    admin = await site.person("boss", MANAGE);
  });
  after(() => site.close());
  beforeEach(async () => {
    const body = { name: "vms", watching: { live: "any" }, onlyWhileArmed: true };
    id = ((await admin.send("POST", "/api/accounts", { body })).json as { id: string }).id;
  });
  afterEach(() => site.accounts.remove(id));

  const send = async (method: string, body?: object, of = id): Promise<number> =>
    (await admin.send(method, `/api/accounts/${of}/arming`, body === undefined ? {} : { body })).status;
  const listed = async (): Promise<Record<string, unknown> | undefined> => {
    const { json } = await admin.send("GET", "/api/accounts");
    return (json as { accounts: Record<string, unknown>[] }).accounts.find((one) => one["id"] === id);
  };
  const shown = async (): Promise<unknown> => (await listed())?.["arming"];
  const why = async (): Promise<{ allowed: boolean; why: string; until?: string }> =>
    (await admin.send("GET", `/api/accounts/${id}/why?right=live&camera=gate&interface=rtsp`)).json as never;

  it("shows how it stands and how long it stays so, and explains it", async () => {
    expect(await shown()).to.deep.equal({ until: null, leftSeconds: null });
    expect(await why()).to.include({ allowed: false, why: "it is let in only while it is armed, and it is not" });
    const until = isoOf(later(site.clock.now(), HOUR));
    const { status, json } = await admin.send("POST", `/api/accounts/${id}/arming`, { body: { minutes: 60 } });
    expect([status, json]).to.deep.equal([200, { until }]);
    expect(await why()).to.include({ allowed: true, until });
    expect((await listed())?.["narrowed"]).to.equal(false);
    await site.clock.advance(MINUTE);
    expect(await shown()).to.deep.equal({ until, leftSeconds: 59 * 60 });
    expect(await send("DELETE")).to.equal(204);
    expect(await shown()).to.deep.equal({ until: null, leftSeconds: null });
    expect(await send("PUT", { onlyWhileArmed: false })).to.equal(204);
    expect(await shown()).to.equal(null);
    const told = site.audited.filter(({ subject }) => subject === "vms").map(({ who, action }) => `${who} ${action}`);
    expect(told.slice(-4)).to.deep.equal(["boss make-account", "boss arm", "boss disarm", "boss demand-no-arming"]);
  });

  for (const [what, method, body, status] of [
    ["no time", "POST", {}, 400],
    ["no minute", "POST", { minutes: 0 }, 400],
    ["half a minute more", "POST", { minutes: 1.5 }, 400],
    ["more than a day", "POST", { minutes: 1441 }, 400],
    ["a text", "POST", { minutes: "60" }, 400],
    ["something besides", "POST", { minutes: 60, cameras: "any" }, 400],
    ["nothing that is demanded", "PUT", {}, 400],
    ["an end without a beginning", "DELETE", undefined, 404],
  ] as const)
    it(`refuses ${what}, and changes nothing`, async () => {
      expect(await send(method, body)).to.equal(status);
      expect(await shown()).to.deep.equal({ until: null, leftSeconds: null });
    });

  it("is of external systems that are there", async () => {
    expect(await send("POST", { minutes: 60 }, "nobody")).to.equal(404);
    await site.person("ada", []);
    const ada = site.accounts.named("ada")?.id ?? "";
    for (const [method, body] of [
      ["POST", { minutes: 60 }],
      ["PUT", { onlyWhileArmed: true }],
    ] as const)
      expect(await send(method, body, ada)).to.equal(400);
  });

  it("lets no system arm itself, or be let in at any time, while it is armed", async () => {
    await site.accounts.change(id, { grants: MANAGE });
    await site.accounts.arm(id, HOUR);
    const { secret } = await site.options.tokens.make(id, { name: "its own" });
    // A program that is no browser.
    const headers = { authorization: `Bearer ${secret.reveal()}`, origin: "", "sec-fetch-site": "" };
    for (const [method, body] of [
      ["POST", { minutes: 60 }],
      ["PUT", { onlyWhileArmed: false }],
    ] as const)
      expect((await site.stranger().send(method, `/api/accounts/${id}/arming`, { body, headers })).status).to.equal(
        403,
      );
    await site.accounts.disarm(id);
    const ask = await site.stranger().send("GET", "/api/accounts", { headers });
    expect(ask.status).to.equal(401);
    expect(JSON.stringify(ask.json)).not.to.contain("arm");
    expect(site.audited.at(-1)).to.include({ action: "use-token", outcome: "failed", address: "127.0.0.1" });
    expect(site.audited.at(-1)?.why).to.contain("its account is not armed");
  });
});
