import { expect } from "chai";
import type { Grant } from "../../auth/principal.ts";
import { HOUR, isoOf, type UnixMillis, unixMillis } from "../../base/units.ts";
import type { WebClient } from "../support/web-client.ts";
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

interface Shown {
  readonly from: string;
  readonly recorded: readonly number[];
  readonly events: readonly object[];
  readonly bookmarks: readonly { readonly id: string; readonly text: string; readonly who: string }[];
  readonly locks: readonly { readonly text: string }[];
}

describe("footage, in the web API", () => {
  let site: WebSite;
  let searcher: WebClient;
  let keeper: WebClient;

  before(async () => {
    site = await startWebSite();
    site.camera("gate");
    site.camera("yard");
    site.spans.push({ from: ago(3), to: ago(1.5) });
    const event = { camera: "gate", about: "x", property: false, content: "{}" };
    await site.journal.enter([
      { ...event, at: ago(3.5), kind: "motion" },
      { ...event, at: ago(0.5), kind: "motion" },
      { ...event, at: ago(0.5), kind: undefined },
    ]);
    searcher = await site.person("searcher", [may("search"), may("bookmark")]);
    keeper = await site.person("keeper", [may("playback"), may("events"), may("lock")]);
  });
  after(() => site.close());

  const timeline = (of: WebClient, camera = "gate", more = "&buckets=4"): ReturnType<WebClient["send"]> =>
    of.send("GET", `/api/cameras/${camera}/timeline?from=${isoOf(ago(4))}&to=${isoOf(unixMillis(NOW))}${more}`);
  const shown = async (of: WebClient): Promise<Shown> => (await timeline(of)).json as Shown;

  it("is summed up in equal parts, with events for those who may be told of them", async () => {
    expect((await shown(keeper)).recorded).to.deep.equal([0, 1, 0.5, 0]);
    expect((await shown(keeper)).events).to.deep.equal([
      { kind: "motion", bucket: 0, count: 1 },
      { kind: "motion", bucket: 3, count: 1 },
      { kind: "other", bucket: 3, count: 1 },
    ]);
    expect((await shown(searcher)).events).to.deep.equal([]);
  });

  it("is shown no further back than may be seen", async () => {
    const young = await site.person("young", [may("search", { maxAgeMs: 2 * HOUR })]);
    const found = await shown(young);
    expect(found.from).to.equal(isoOf(ago(2)));
    expect(found.recorded).to.deep.equal([1, 0, 0, 0]);
  });

  it("is denied to who may not search, and hidden with its camera", async () => {
    const watcher = await site.person("watcher", [may("live")]);
    expect((await timeline(watcher)).status).to.equal(403);
    expect((await timeline(watcher, "yard")).status).to.equal(404);
    expect((await timeline(searcher, "gate", "&stream=other")).status).to.equal(404);
    for (const more of ["&buckets=0", "&buckets=x", "&buckets=100000"])
      expect((await timeline(searcher, "gate", more)).status, more).to.equal(400);
    expect((await searcher.send("GET", "/api/cameras/gate/timeline?from=x")).status).to.equal(400);
  });

  it("has bookmarks, each set and removed under a right of its own, which the audit log has", async () => {
    const body = { from: isoOf(ago(2)), text: "somebody at the gate" };
    const made = await searcher.send("POST", "/api/cameras/gate/bookmarks", { body });
    expect(made.status).to.equal(201);
    expect(made.json).to.deep.include({ from: body.from, to: body.from, text: body.text, who: "searcher" });
    expect(site.audited.at(-1)).to.deep.include({ action: "set-bookmark", camera: "gate", who: "searcher" });
    const [found] = (await shown(keeper)).bookmarks;
    expect(found?.text).to.equal(body.text);
    const path = `/api/cameras/gate/bookmarks/${found?.id}`;
    expect((await keeper.send("DELETE", path)).status).to.equal(403);
    expect((await searcher.send("DELETE", path)).status).to.equal(204);
    expect((await searcher.send("DELETE", path)).status).to.equal(404);
    expect(site.audited.some(({ action }) => action === "remove-bookmark")).to.equal(true);
    expect((await keeper.send("POST", "/api/cameras/gate/bookmarks", { body })).status).to.equal(403);
    expect((await searcher.send("POST", "/api/cameras/yard/bookmarks", { body })).status).to.equal(404);
  });

  it("has locks, which are shown to those who may lock", async () => {
    const body = { from: isoOf(ago(3)), to: isoOf(ago(2)), text: "case 4711" };
    expect((await searcher.send("POST", "/api/cameras/gate/locks", { body })).status).to.equal(403);
    expect((await keeper.send("POST", "/api/cameras/gate/locks", { body })).status).to.equal(201);
    expect((await shown(keeper)).locks.map(({ text }) => text)).to.deep.equal(["case 4711"]);
    expect((await shown(searcher)).locks).to.deep.equal([]);
  });

  const refused: readonly [string, object][] = [
    ["without a text", { from: isoOf(ago(1)), text: " " }],
    ["that ends before it begins", { from: isoOf(ago(1)), to: isoOf(ago(2)), text: "x" }],
    ["of the future", { from: isoOf(ago(-1)), text: "x" }],
    ["that never ends", { from: isoOf(ago(1)), to: isoOf(ago(-48)), text: "x" }],
    ["at no time", { from: "yesterday", text: "x" }],
  ];
  for (const [what, body] of refused)
    it(`has no mark ${what}`, async () => {
      expect((await keeper.send("POST", "/api/cameras/gate/locks", { body })).status).to.equal(400);
    });

  it("keeps marks of what is too old for who would remove them, and of who may find nothing", async () => {
    const made = { camera: "gate", from: ago(3), to: ago(2.5), text: "fight", who: "keeper", madeAt: ago(1) } as const;
    const { id } = await site.journal.mark({ kind: "lock", ...made });
    const hour = await site.person("hour", [may("playback", { maxAgeMs: HOUR }), may("lock")]);
    const blind = await site.person("blind", [may("lock")]);
    expect((await hour.send("DELETE", `/api/cameras/gate/locks/${id}`)).status).to.equal(404);
    expect((await blind.send("DELETE", `/api/cameras/gate/locks/${id}`)).status).to.equal(403);
    expect((await keeper.send("DELETE", `/api/cameras/gate/locks/${id}`)).status).to.equal(204);
  });

  it("has no mark where who makes it may not look", async () => {
    const young = await site.person("young-marker", [may("search", { maxAgeMs: HOUR }), may("bookmark")]);
    const body = { from: isoOf(ago(2)), text: "x" };
    expect((await young.send("POST", "/api/cameras/gate/bookmarks", { body })).status).to.equal(403);
  });
});
