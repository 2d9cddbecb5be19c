import { expect } from "chai";
import type { Grant } from "../../auth/principal.ts";
import type { CameraRight } from "../../auth/right.ts";
import { HOUR, unixMillis } from "../../base/units.ts";
import type { ExportView } from "../../bridge/client-side/exports/exports.ts";
import { eventually } from "../support/bridge.ts";
import { makeSigners, recordFor, type Signers } from "../support/exported.ts";
import { changed } from "../support/film-changes.ts";
import { START_MS, scratchFolder } from "../support/recorder-samples.ts";
import { signedFilm, signingCertificate } from "../support/signed-film.ts";
import { signedFootage } from "../support/signed-footage.ts";
import type { WebClient } from "../support/web-client.ts";
import { startWebSite, type WebSite } from "../support/web-site.ts";

const iso = (seconds: number): string => new Date(START_MS + seconds * 1000).toISOString();

interface Line {
  readonly type: "at" | "compared" | "failed";
  readonly compared?: { readonly from: string; readonly to: string } | null;
  readonly isAsked?: boolean;
  readonly schemes?: readonly string[];
  readonly findings?: readonly { readonly verdict: string; readonly why?: string }[];
  readonly signers?: readonly { readonly name: string | null; readonly groups: number }[];
}

describe("what cameras signed of their recordings, in the web API", () => {
  let folder = "";
  let remove: () => Promise<void>;
  let signers: Signers;
  let site: WebSite;

  before(async () => {
    signers = await makeSigners();
    ({ folder, remove } = await scratchFolder());
    const gate = signedFootage(signedFilm("plain.264"));
    const forged = signedFootage(changed(signedFilm("axis.264"), 12));
    await recordFor(folder, { gate, forged, plain: { seconds: 2 } }, { signer: signers.recorder });
  });
  after(() => remove());
  beforeEach(async () => {
    site = await startWebSite({ folder, ...signers, cameraMakers: [signingCertificate("maker.pem")] });
    site.clock.setWall(unixMillis(START_MS + HOUR));
    for (const id of ["gate", "forged", "plain"]) site.camera(id);
  });
  afterEach(() => site.close());

  const may = (right: CameraRight, more: Partial<Grant> = {}): Grant => ({
    right,
    cameras: "any",
    interfaces: "any",
    ...more,
  });
  const ask = (of: WebClient, camera: string, from = iso(0), to = iso(60)) =>
    of.send("GET", `/api/cameras/${camera}/camera-signatures?from=${from}&to=${to}`);
  const linesOf = (text: string): readonly Line[] =>
    text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Line);
  async function compared(of: WebClient, camera: string, from?: string, to?: string): Promise<Line> {
    const { status, headers, text } = await ask(of, camera, from, to);
    expect(status, text).to.equal(200);
    expect(headers["content-type"]).to.equal("application/x-ndjson");
    const lines = linesOf(text);
    expect(lines.slice(0, -1).every(({ type }) => type === "at")).to.equal(true);
    expect(lines.at(-1)?.type, text).to.equal("compared");
    return lines.at(-1) as Line;
  }

  it("is compared, and says who signed, and whether it was asked who may", async () => {
    const anna = await site.person("anna", [may("playback")]);
    const found = await compared(anna, "gate");
    expect(found.schemes).to.deep.equal(["onvif-media-signing"]);
    expect(found.findings?.map(({ verdict }) => verdict)).to.deep.equal(["ok", "unknown"]);
    expect(found.signers?.map(({ name, groups }) => [name, groups])).to.deep.equal([["Camera 0001", 6]]);
    expect(found.isAsked).to.equal(true);
    expect(found.compared?.from).to.equal(iso(0));
  });

  it("tells where a picture was changed, and who is not trusted", async () => {
    const anna = await site.person("anna", [may("playback")]);
    const verdicts = (await compared(anna, "forged")).findings?.map(({ verdict }) => verdict);
    expect(verdicts).to.deep.equal(["untrusted", "changed", "untrusted", "unknown"]);
  });

  it("says that a camera does not sign, and that there is nothing to compare", async () => {
    const anna = await site.person("anna", [may("playback")]);
    expect(await compared(anna, "plain")).to.deep.include({ schemes: [], findings: [], signers: [] });
    const none = await compared(anna, "gate", iso(600), iso(660));
    expect([none.compared, none.findings]).to.deep.equal([null, []]);
  });

  it("is of nothing that is too old for who asks", async () => {
    const young = await site.person("young", [may("playback", { maxAgeMs: HOUR - 700 })]);
    const found = await compared(young, "gate");
    expect(Date.parse(found.compared?.from ?? "")).to.be.at.least(START_MS + 700);
    const none = await site.person("none", [may("playback", { maxAgeMs: 1 })]);
    expect((await compared(none, "gate")).compared).to.equal(null);
  });

  it("is refused without the right to play it, and in words where the question is wrong", async () => {
    const anna = await site.person("anna", [may("playback")]);
    const searcher = await site.person("searcher", [may("search")]);
    expect((await ask(searcher, "gate")).status).to.equal(403);
    expect((await ask(anna, "nowhere")).status).to.equal(404);
    expect((await ask(site.stranger(), "gate")).status).to.equal(401);
    for (const [from, to] of [
      [iso(5), iso(5)],
      [iso(5), iso(4)],
      [iso(0), iso(5 * 3600)],
      ["yesterday", iso(1)],
    ] as const)
      expect((await ask(anna, "gate", from, to)).status, `${from} ${to}`).to.equal(400);
    expect(
      (await anna.send("HEAD", `/api/cameras/gate/camera-signatures?from=${iso(0)}&to=${iso(1)}`)).status,
    ).to.equal(400);
  });

  it("is audited with what was read, and gives its place to the next one", async () => {
    const anna = await site.person("anna", [may("playback")]);
    for (let count = 0; count < 5; count += 1) await compared(anna, "gate");
    await eventually(async () => site.audited.filter(({ action }) => action === "playback-end").length === 5);
    const end = site.audited.findLast(({ action }) => action === "playback-end");
    expect(end?.bytes).to.be.greaterThan(5000);
  });

  it("is compared for two at a time, whoever asks, and others are told to try again", async () => {
    const people = await Promise.all(["anna", "bert", "carl"].map((name) => site.person(name, [may("playback")])));
    const answers = await Promise.all([...people, ...people].map((one) => ask(one, "gate")));
    const refused = answers.filter(({ status }) => status !== 200);
    expect(refused.length).to.be.within(1, 4);
    for (const { status, text } of refused) {
      expect(status).to.equal(429);
      expect(text).to.include("Try again in a while");
    }
    for (const one of people) await compared(one, "gate");
  });

  it("is told of an export that was made, for how long what holds", async () => {
    const anna = await site.person("anna", [may("export")]);
    const body = { cameras: ["gate", "forged", "plain"], from: iso(0), to: iso(60) };
    expect((await anna.send("POST", "/api/exports", { body })).status).to.equal(201);
    let made: ExportView | undefined;
    await eventually(async () => {
      [made] = ((await anna.send("GET", "/api/exports")).json as { exports: ExportView[] }).exports;
      return made?.state === "ready";
    });
    expect(made?.signatures?.map(({ camera }) => camera)).to.deep.equal(["gate", "forged"]);
    const [gate, forged] = made?.signatures ?? [];
    expect(gate?.verdicts.map(({ verdict }) => verdict)).to.deep.equal(["ok", "unknown"]);
    expect(gate?.verdicts[0]?.seconds).to.be.closeTo(1.2, 0.15);
    expect(gate?.signers.map(({ name, issuer }) => [name, issuer])).to.deep.equal([
      ["Camera 0001", "Makers of cameras"],
    ]);
    expect(forged?.verdicts.map(({ verdict }) => verdict)).to.include("changed");
  });
});
