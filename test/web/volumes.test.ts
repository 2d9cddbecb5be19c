import { expect } from "chai";
import type { WebClient } from "../support/web-client.ts";
import { startWebSite, type WebSite } from "../support/web-site.ts";

describe("the volumes, in the API", () => {
  let site: WebSite;
  let admin: WebClient;
  before(async () => {
    site = await startWebSite();
    admin = await site.administrator();
  });
  after(() => site.close());

  it("are told with how they are, to who sets up cameras, and to nobody else", async () => {
    expect((await site.stranger().send("GET", "/api/volumes")).status).to.equal(401);
    const { json } = await admin.send("GET", "/api/volumes");
    const { volumes } = json as { volumes: readonly Record<string, unknown>[] };
    expect(volumes.map(({ name, state, freeBytes, maxBytes }) => [name, state, freeBytes, maxBytes])).to.deep.equal([
      ["main", "here", 5e9, null],
      ["fast", "away", null, null],
    ]);
    expect(volumes[1]?.["problem"]).to.equal("the volume fast is not there");
    expect((json as { unnamed: unknown }).unnamed).to.deep.equal([{ name: "old", bytes: 3e9, segments: 30 }]);
  });

  it("are given up by who sets up cameras, which is in the audit log", async () => {
    expect((await site.stranger().send("DELETE", "/api/volumes/old")).status).to.equal(401);
    expect((await admin.send("DELETE", "/api/volumes/old")).status).to.equal(204);
    const { status, json } = await admin.send("DELETE", "/api/volumes/older");
    expect([status, json]).to.deep.equal([404, { error: "there was never a volume older" }]);
    const told = site.audited.filter(({ action }) => action === "forget-volume");
    expect(told.map(({ who, subject, why, outcome }) => [who, subject, why, outcome])).to.deep.equal([
      ["admin", "old", "30 segments", "allowed"],
    ]);
  });

  it("are chosen for a stream among those that there are", async () => {
    site.camera("gate");
    const record = (volume: string) =>
      admin.send("PATCH", "/api/cameras/gate/streams/main", { body: { recording: { mode: "continuous", volume } } });
    expect((await record("fast")).status).to.equal(204);
    const { status, json } = await record("other");
    expect(status).to.equal(400);
    expect(json).to.deep.equal({ error: "there is no volume other: there are main, fast" });
    expect((await record("../x")).status).to.equal(400);
  });
});
