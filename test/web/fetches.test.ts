import { expect } from "chai";
import type { Grant } from "../../auth/principal.ts";
import { HOUR, isoOf, type UnixMillis, unixMillis } from "../../base/units.ts";
import { startWebSite, type WebSite } from "../support/web-site.ts";

/** The clock of the site begins here. */
const NOW = Date.UTC(2026, 0, 1);
const ago = (hours: number): UnixMillis => unixMillis(NOW - hours * HOUR);
const may = (right: Grant["right"], more: Partial<Grant> = {}): Grant => ({
  right,
  cameras: new Set(["gate"]),
  interfaces: "any",
  ...more,
});
const stretch = (from: number, to: number): object => ({ from: isoOf(ago(from)), to: isoOf(ago(to)) });

describe("fetches from cameras' own recordings, in the web API", () => {
  let site: WebSite;
  before(async () => {
    site = await startWebSite();
    site.camera("gate");
    site.camera("yard");
  });
  after(() => site.close());

  it("are begun by who may fetch, and find what is missing, and listed for them", async () => {
    const anna = await site.person("anna", [may("fetch"), may("search")]);
    const { status, json } = await anna.send("POST", "/api/cameras/gate/fetches", { body: stretch(2, 1) });
    expect([status, json]).to.deep.equal([
      202,
      {
        id: "0",
        camera: "gate",
        stream: "main",
        by: "anna",
        state: "running",
        ...stretch(2, 1),
        begunAt: isoOf(unixMillis(NOW)),
        endedAt: null,
        why: null,
      },
    ]);
    const listed = await anna.send("GET", "/api/cameras/gate/fetches");
    expect(listed.json).to.deep.equal({ fetches: [json] });
    // The page asks again and again: that is no act.
    expect(site.audited.filter(({ who, action }) => who === "anna" && action === "fetch")).to.have.length(1);
    const sub = await anna.send("POST", "/api/cameras/gate/fetches", { body: { ...stretch(2, 1), stream: "sub" } });
    expect(sub.status).to.equal(202);
    expect(sub.json).to.include({ camera: "gate", stream: "sub" });
    for (const body of [{}, { from: "yesterday", to: "today" }, { ...stretch(2, 1), stream: "" }])
      expect((await anna.send("POST", "/api/cameras/gate/fetches", { body })).status).to.equal(400);
  });

  for (const [name, grants, camera, expected] of [
    ["without the right", [may("search"), may("playback")], "gate", 403],
    ["without the right to find", [may("fetch")], "gate", 403],
    ["who may not find so old footage", [may("fetch"), may("search", { maxAgeMs: HOUR })], "gate", 403],
    ["of a camera that they may not see", [may("fetch"), may("search")], "yard", 404],
  ] as const)
    it(`are nothing for somebody ${name}`, async () => {
      const otto = await site.person(`otto ${name}`, grants);
      const { status } = await otto.send("POST", `/api/cameras/${camera}/fetches`, { body: stretch(2, 1) });
      expect(status).to.equal(expected);
    });

  it("are listed for nobody without the right, and the audit log is told", async () => {
    const eva = await site.person("eva", [may("search"), may("playback")]);
    expect((await eva.send("GET", "/api/cameras/gate/fetches")).status).to.equal(403);
    expect((await eva.send("GET", "/api/cameras/yard/fetches")).status).to.equal(404);
    const noted = site.audited.filter(({ who, action }) => who === "eva" && action === "fetch");
    expect(noted.map(({ camera, outcome }) => [camera, outcome])).to.deep.equal([["gate", "denied"]]);
  });
});
