import { expect } from "chai";
import type { WebClient } from "../support/web-client.ts";
import { startWebSite, type WebSite } from "../support/web-site.ts";

describe("rights in the API", () => {
  let site: WebSite;
  let admin: WebClient;
  let id: string;
  before(async () => {
    site = await startWebSite();
    admin = await site.administrator();
    site.camera("gate");
    id = (await site.accounts.createIntegration({ name: "guard", grants: [] })).account.id;
  });
  after(() => site.close());

  const NIGHT = { name: "Night", zone: "Europe/Copenhagen", weekly: [{ days: [7], from: "02:00", to: "04:00" }] };
  const GRANT = { right: "live", cameras: ["gate"], interfaces: ["rtsp"], hours: "night" };
  const why = async (query: string): Promise<Record<string, unknown>> =>
    (await admin.send("GET", `/api/accounts/${id}/why?right=live&camera=gate&${query}`)).json as Record<
      string,
      unknown
    >;

  it("are given by a role with hours, and are audited with what was before and after", async () => {
    const statuses = [
      await admin.send("PUT", "/api/policy/hours/night", { body: NIGHT }),
      await admin.send("PUT", "/api/policy/role/guards", { body: { name: "Guards", grants: [GRANT] } }),
      await admin.send("PUT", `/api/accounts/${id}/rights`, { body: { roles: ["guards"], grants: [] } }),
    ].map(({ status }) => status);
    expect(statuses).to.deep.equal([204, 204, 204]);
    const { subject, action, before, after } = site.audited.at(-1) ?? {};
    expect([action, subject]).to.deep.equal(["change-account", "guard"]);
    expect(JSON.parse(before ?? "")).to.deep.equal({ enabled: true, roles: [], grants: [] });
    expect(JSON.parse(after ?? "")).to.deep.equal({ enabled: true, roles: ["guards"], grants: [] });
  });
  it("are explained: at 03:00 on Sunday, through RTSP, and why not otherwise", async () => {
    const sunday = "at=2026-11-29T03:00:00%2B01:00";
    expect(await why(`interface=rtsp&${sunday}`)).to.deep.include({ allowed: true, until: "2026-11-29T03:00:00.000Z" });
    const line = { source: "role guards, line 1", deny: false };
    expect(await why(`interface=web&${sunday}`)).to.deep.include({
      allowed: false,
      hidden: true,
      why: "live is granted on other interfaces",
      grants: [{ ...line, match: "other interface" }],
    });
    expect(await why("interface=rtsp&at=2026-11-29T05:00:00%2B01:00")).to.deep.include({
      allowed: false,
      hidden: false,
      until: "2026-12-06T01:00:00.000Z",
      grants: [{ ...line, match: "outside its hours" }],
    });
  });
  it("are reported as they are in force", async () => {
    const report = await admin.send("GET", `/api/accounts/${id}/rights?at=2026-11-29T03:00:00%2B01:00`);
    expect(report.json).to.deep.include({ rights: [{ right: "live", interface: "rtsp", cameras: ["gate"] }] });
  });
  it("are refused in words where they make no sense, and cannot be removed in use", async () => {
    for (const [method, path, body, status] of [
      ["PUT", "/api/policy/role/guards", { name: "Guards", grants: [{ ...GRANT, hours: "never" }] }, 404],
      ["PUT", "/api/policy/hours/night", { ...NIGHT, zone: "Mars" }, 400],
      ["PUT", "/api/policy/thing/night", {}, 404],
      ["DELETE", "/api/policy/role/guards", {}, 409],
    ] as const)
      expect((await admin.send(method, path, { body })).status, `${method} ${path}`).to.equal(status);
  });
});
