import { createHash } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import { expect } from "chai";
import type { Grant } from "../../auth/principal.ts";
import type { CameraRight } from "../../auth/right.ts";
import { Secret } from "../../base/secret.ts";
import { DAY, HOUR, MINUTE, unixMillis } from "../../base/units.ts";
import type { ExportView } from "../../bridge/client-side/exports/exports.ts";
import { openExport, readSmall } from "../../recorder/export/export-files.ts";
import { EXPORT_FILES, type Manifest, readManifest } from "../../recorder/export/manifest.ts";
import type { Stamping } from "../../recorder/export/stamp.ts";
import { eventually } from "../support/bridge.ts";
import { makeSigners, recordFor, type Signers } from "../support/exported.ts";
import { START_MS, scratchFolder } from "../support/recorder-samples.ts";
import type { WebClient } from "../support/web-client.ts";
import { PASSWORD, startWebSite, type WebSite } from "../support/web-site.ts";

const iso = (seconds: number): string => new Date(START_MS + seconds * 1000).toISOString();
const WANTED = { cameras: ["gate"], from: iso(2), to: iso(12), reason: "case 117" };
/** When the exports are asked for. */
const NOW_MS = START_MS + HOUR;

function grants(...rights: readonly (CameraRight | Partial<Grant>)[]): readonly Grant[] {
  return rights.map((one) => ({
    right: "export",
    cameras: "any",
    interfaces: "any",
    ...(typeof one === "string" ? { right: one } : one),
  }));
}

describe("exports", () => {
  let folder = "";
  let remove: () => Promise<void>;
  let signers: Signers;
  let site: WebSite;

  before(async () => {
    signers = await makeSigners();
    ({ folder, remove } = await scratchFolder());
    const footage = { gate: { seconds: 20, sound: true }, "gate/sub": { seconds: 15 }, yard: { seconds: 20 } };
    await recordFor(folder, footage, { signer: signers.recorder });
  });
  after(() => remove());
  beforeEach(async () => {
    site = await startWebSite({ folder, ...signers });
    site.clock.setWall(unixMillis(NOW_MS));
    site.camera("gate", undefined, undefined, ["sub"]);
    site.camera("yard");
  });
  afterEach(() => site.close());

  const ask = (client: WebClient, wanted: object = {}) =>
    client.send("POST", "/api/exports", { body: { ...WANTED, ...wanted } });
  async function list(client: WebClient): Promise<readonly ExportView[]> {
    return ((await client.send("GET", "/api/exports")).json as { exports: ExportView[] }).exports;
  }
  async function over(client: WebClient): Promise<ExportView> {
    let found: ExportView | undefined;
    await eventually(async () => {
      [found] = await list(client);
      return found !== undefined && found.state !== "waiting" && found.state !== "running";
    });
    return found as ExportView;
  }
  async function relogged(name: string): Promise<WebClient> {
    const client = site.stranger();
    await client.logIn(name, PASSWORD);
    return client;
  }
  async function take(name: string, grants: readonly Grant[]): Promise<void> {
    await site.accounts.change(site.accounts.list().find((one) => one.name === name)?.id ?? "", { grants });
  }
  const actions = (): readonly string[] => site.audited.map(({ action, outcome }) => `${action} ${outcome}`);
  async function manifestIn(file: string, password: string | undefined): Promise<Manifest> {
    const files = await openExport(file, password === undefined ? undefined : new Secret(password));
    try {
      return readManifest((await readSmall(files, EXPORT_FILES.manifest)) ?? Buffer.alloc(0));
    } finally {
      await files.close();
    }
  }
  const spool = (): string => site.exportsFolder;

  it("are made without a time stamp, and say so, where whoever should stamp does not", async () => {
    await site.close();
    const hashes: Buffer[] = [];
    const stamp: Stamping = (hash) => {
      hashes.push(hash);
      return Promise.reject(new Error("away"));
    };
    site = await startWebSite({ folder, ...signers, stamp });
    site.clock.setWall(unixMillis(NOW_MS));
    site.camera("gate");
    const anna = await site.person("anna", grants("export", "audio"));
    const { id, password } = (await ask(anna)).json as { id: string; password: string };
    expect(await over(anna)).to.include({ id, state: "ready" });
    const files = await openExport(`${spool()}/${id}.zip`, new Secret(password));
    try {
      const [signature, readme] = [EXPORT_FILES.manifestSignature, EXPORT_FILES.readme].map((name) =>
        readSmall(files, name),
      );
      expect(hashes).to.deep.equal([
        createHash("sha256")
          .update((await signature) ?? "")
          .digest(),
      ]);
      expect((await readme)?.toString()).to.include("the time of this export is not stamped: the authority");
      expect(files.names).not.to.include(EXPORT_FILES.timeStamp);
    } finally {
      await files.close();
    }
  });

  it("are asked for, made, fetched and removed, and the audit log tells each step", async () => {
    const anna = await site.person("anna", grants("export", "audio"));
    const { status, json } = await ask(anna);
    const { id, password } = json as { id: string; password: string };
    expect(status).to.equal(201);
    expect(password).to.match(/^\w{20}$/);
    expect(await over(anna)).to.include({ id, state: "ready", who: "anna", films: 1, gaps: 0, isProtected: true });
    const fetched = await anna.send("GET", `/api/exports/${id}/file`);
    expect(fetched.status).to.equal(200);
    expect(fetched.headers["content-type"]).to.equal("application/zip");
    expect(fetched.headers["content-disposition"]).to.equal('attachment; filename="export-2026-11-24T13-05.zip"');
    const file = `${spool()}/${id}.zip`;
    expect(Number(fetched.headers["content-length"])).to.equal((await stat(file)).size);
    const manifest = await manifestIn(file, password);
    expect(manifest).to.include({ askedBy: "anna", askedThrough: "web", reason: "case 117" });
    expect(manifest.films.map(({ from, to, asRecorded }) => [from, to, asRecorded])).to.deep.equal([
      [iso(2), iso(12), true],
    ]);
    // What has become of it is told before it is written down.
    await eventually(async () => !(await readFile(`${spool()}/${id}.json`, "utf8")).includes("password"));
    expect((await anna.send("DELETE", `/api/exports/${id}`)).status).to.equal(204);
    expect(await list(anna)).to.deep.equal([]);
    expect(await readdir(spool())).to.deep.equal([]);
    expect(actions()).to.include.members([
      "export allowed",
      "export-asked allowed",
      "export-made allowed",
      "export-fetched allowed",
      "export-removed allowed",
    ]);
    expect(JSON.stringify(site.audited)).to.not.include(password);
  });

  it("are of another stream where that is asked for, and each camera has it", async () => {
    const anna = await site.person("anna", grants("export"));
    const { id, password } = (await ask(anna, { stream: "sub", to: iso(20) })).json as { id: string; password: string };
    expect(await over(anna)).to.include({ id, state: "ready", stream: "sub", films: 1, gaps: 1 });
    const { cameras, films } = await manifestIn(`${spool()}/${id}.zip`, password);
    expect([cameras[0]?.stream, films[0]?.stream, films[0]?.to]).to.deep.equal(["sub", "sub", iso(15)]);
    expect(site.audited.find(({ action }) => action === "export-asked")?.why).to.match(/^gate\/sub from /);
    const neither = await ask(anna, { stream: "sub", cameras: ["gate", "yard"] });
    expect([neither.status, neither.json]).to.deep.equal([400, { error: "Camera yard has no stream sub" }]);
  });

  it("are for who asked alone", async () => {
    const anna = await site.person("anna", grants("export"));
    const { id } = (await ask(anna)).json as { id: string };
    await over(anna);
    const otto = await site.person("otto", grants("export"));
    expect(await list(otto)).to.deep.equal([]);
    for (const [method, path] of [
      ["GET", `/api/exports/${id}/file`],
      ["DELETE", `/api/exports/${id}`],
    ] as const)
      expect((await otto.send(method, path)).status, method).to.equal(404);
  });

  it("have no sound for who may not hear it, and say so", async () => {
    const anna = await site.person("anna", grants("export"));
    const { id, password } = (await ask(anna)).json as { id: string; password: string };
    await over(anna);
    const manifest = await manifestIn(`${spool()}/${id}.zip`, password);
    expect(manifest.cameras[0]?.leftOut).to.deep.equal(["audio", "metadata"]);
    expect(manifest.films[0]?.tracks.map(({ kind }) => kind)).to.deep.equal(["video"]);
  });

  it("have nothing that is older than the account may have, by the time at which it was asked", async () => {
    const maxAgeMs = HOUR - 5500;
    const anna = await site.person("anna", grants({ maxAgeMs }));
    const { id, password } = (await ask(anna)).json as { id: string; password: string };
    await over(anna);
    const { films, cameras } = await manifestIn(`${spool()}/${id}.zip`, password);
    expect(films.map(({ from }) => from)).to.deep.equal([iso(6)]);
    expect(cameras[0]?.gaps.map(({ reason }) => reason)).to.deep.equal(["it is older than this account may have"]);
    await site.clock.advance(10 * MINUTE);
    expect((await anna.send("GET", `/api/exports/${id}/file`)).status).to.equal(200);
  });

  const REFUSED: readonly (readonly [
    why: string,
    rights: readonly Grant[],
    wanted: object,
    status: number,
    words: RegExp,
  ])[] = [
    ["of a camera without the right", grants("playback"), {}, 403, /not allowed/],
    [
      "of a camera among others without it",
      grants({ cameras: new Set(["gate"]) }, { right: "see" }),
      { cameras: ["gate", "yard"] },
      403,
      /not allowed/,
    ],
    ["of a camera that is not there", grants("export"), { cameras: ["shed"] }, 404, /no such thing/],
    ["through another interface", grants({ interfaces: new Set(["api"]) }, { right: "see" }), {}, 403, /not allowed/],
    ["of the future", grants("export"), { to: iso(2 * 3600) }, 400, /future/],
    ["backwards", grants("export"), { to: iso(1) }, 400, /beginning must be before the end/],
    ["of half a year", grants("export"), { from: "2026-05-01T00:00:00Z" }, 400, /31 days/],
    ["without a zone", grants("export"), { from: "2026-11-24T13:05:00" }, 400, /from/],
    ["of no camera", grants("export"), { cameras: [] }, 400, /cameras/],
  ];
  for (const [why, rights, wanted, status, words] of REFUSED)
    it(`are refused ${why}`, async () => {
      const client = await site.person("anna", rights);
      const answer = await ask(client, wanted);
      expect({ status: answer.status, words: words.test(answer.text) }, answer.text).to.deep.equal({
        status,
        words: true,
      });
      expect(await list(client)).to.deep.equal([]);
    });

  it("fail in words where nothing is recorded", async () => {
    const anna = await site.person("anna", grants("export"));
    await ask(anna, { from: iso(600), to: iso(700) });
    const { state, problem } = await over(anna);
    expect({ state, problem }).to.deep.equal({
      state: "failed",
      problem: "there is nothing to export: nothing is recorded: it was not recorded, or it was deleted since",
    });
    expect(actions()).to.include("export-made failed");
  });

  it("are not fetched once the right is gone", async () => {
    const anna = await site.person("anna", grants("export"));
    const { id } = (await ask(anna)).json as { id: string };
    await over(anna);
    await take("anna", grants("see"));
    const client = await relogged("anna");
    expect((await client.send("GET", `/api/exports/${id}/file`)).status).to.equal(403);
  });

  it("are not fetched once the account may not have footage of that age", async () => {
    const anna = await site.person("anna", grants("export"));
    const { id } = (await ask(anna)).json as { id: string };
    await over(anna);
    await take("anna", grants({ maxAgeMs: HOUR - 5500 }));
    const client = await relogged("anna");
    expect((await client.send("GET", `/api/exports/${id}/file`)).status).to.equal(403);
    expect(actions()).to.include("export-fetched denied");
  });

  it("are removed when their time is over", async () => {
    const anna = await site.person("anna", grants("export"));
    const { id } = (await ask(anna)).json as { id: string };
    await over(anna);
    await site.clock.advance(DAY + 2 * MINUTE);
    const client = await relogged("anna");
    await eventually(async () => (await readdir(spool())).length === 0);
    expect(await list(client)).to.deep.equal([]);
    expect((await client.send("GET", `/api/exports/${id}/file`)).status).to.equal(404);
  });

  it("are few at a time of one account", async () => {
    const anna = await site.person("anna", grants("export"));
    const answers = await Promise.all(Array.from({ length: 8 }, () => ask(anna)));
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 429)).to.not.have.length(0);
    expect(answers.find(({ status }) => status === 429)?.text).to.match(/too many exports are waiting/);
  });
});
