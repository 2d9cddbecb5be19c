import { expect } from "chai";
import { isFault } from "../../base/fault.ts";
import { silentLog } from "../../base/log.ts";
import { worseExitCode } from "../../bin/verify-cameras.ts";
import { ExportSignatures } from "../../bridge/client-side/exports/export-signatures.ts";
import { H264_CODEC } from "../../media/nal-codec.ts";
import type { CameraVerdict } from "../../media/signing/finding.ts";
import { signingSchemeOf } from "../../media/signing/sei.ts";
import { type CameraReport, CameraSignatures, exitCodeOfCameras } from "../../recorder/camera-signatures.ts";
import { type SignatureReport, signatureReportOf } from "../../recorder/camera-signatures-report.ts";
import { CameraSignaturesThread } from "../../recorder/camera-signatures-thread.ts";
import type { CutFragment, CutSegment } from "../../recorder/export/cut.ts";
import { type Fmp4Track, fragment } from "../../recorder/fmp4.ts";
import { prft } from "../../recorder/integrity.ts";
import { SignatureWatch, type WatchedFragment } from "../../recorder/signature-watch.ts";
import { sampleOf, signedFilm, signingCertificate } from "../support/signed-film.ts";

const TICKS = 18_000;
const PICTURE_US = 200_000;
const START_US = Date.UTC(2026, 10, 24) * 1000;
const film = signedFilm("plain.264");
const TRACKS: readonly Fmp4Track[] = [
  { id: 1, timescale: 90_000, format: { codec: "H264", width: 96, height: 64, config: Buffer.alloc(0) } },
];

/** Pictures as they stand behind the head of a fragment; five a second, from 2026-11-24 on. */
function body(from: number, to: number, { isSigned = true, fillerBytes = 0 } = {}): Buffer {
  const kept = (nals: readonly Buffer[]): readonly Buffer[] => [
    ...nals.filter((nal) => isSigned || signingSchemeOf(nal, H264_CODEC) === undefined),
    ...(fillerBytes === 0 ? [] : [Buffer.alloc(fillerBytes / (to - from), 12)]),
  ];
  const samples = film.pictures.slice(from, to).map((nals) => ({
    data: sampleOf(kept(nals)),
    durationTicks: TICKS,
    key: nals.some((nal) => H264_CODEC.random(H264_CODEC.type(nal))),
  }));
  const us = START_US + from * PICTURE_US;
  const reference = prft({ trackId: 1, us, mediaTicks: from * TICKS });
  const track = { id: 1, baseTimeTicks: BigInt(from * TICKS), samples };
  return Buffer.concat([reference, ...fragment({ sequence: 1, tracks: [track] })]);
}

const said = (reports: readonly CameraReport[]): readonly string[] =>
  reports.flatMap(({ camera, stream, findings }) =>
    findings.map(({ fromUs, toUs, verdict }) => `${camera}/${stream} ${(toUs - fromUs) / 1_000_000} s ${verdict}`),
  );

describe("what cameras signed, in recordings", () => {
  const about = { camera: "gate", stream: "main" };

  it("is followed over the borders of files that stand side by side", () => {
    const cameras = new CameraSignatures([signingCertificate("maker.pem")]);
    cameras.fragment({ ...about, isFirst: true }, body(0, 13), TRACKS);
    cameras.fragment({ ...about, isFirst: true }, body(13, 32), TRACKS);
    expect(said(cameras.end())).to.deep.equal(["gate/main 6 s ok", "gate/main 0.4 s unknown"]);
  });

  it("is not told of what stands on both sides of time that was not recorded, and accused of nothing", () => {
    const cameras = new CameraSignatures();
    cameras.fragment({ ...about, isFirst: true }, body(0, 13), TRACKS);
    cameras.fragment({ ...about, isFirst: true }, body(20, 32), TRACKS);
    const verdicts = cameras.end().flatMap(({ findings }) => findings.map(({ verdict }) => verdict));
    expect(new Set(verdicts)).to.deep.equal(new Set(["ok", "unknown"]));
  });

  it("is missing where part of a file is", () => {
    const cameras = new CameraSignatures();
    cameras.fragment({ ...about, isFirst: true }, body(0, 13), TRACKS);
    cameras.fragment({ ...about, isFirst: false }, body(20, 32), TRACKS);
    const verdicts = cameras.end().flatMap(({ findings }) => findings.map(({ verdict }) => verdict));
    expect(verdicts).to.include("missing");
  });

  it("is of each stream by itself, and nothing is said of one without a signature, or of bytes that make no sense", () => {
    const cameras = new CameraSignatures();
    cameras.fragment({ camera: "yard", stream: "main", isFirst: true }, body(0, 4), TRACKS);
    cameras.fragment({ ...about, isFirst: true }, body(0, 16), TRACKS);
    cameras.fragment({ ...about, isFirst: false }, Buffer.from("no fragment"), TRACKS);
    expect(cameras.end().map(({ camera }) => camera)).to.deep.equal(["gate"]);
  });

  const codes: readonly (readonly [CameraVerdict, asked: boolean, code: number])[] = [
    ["ok", true, 0],
    ["unknown", true, 0],
    ["unsigned", true, 0],
    ["untrusted", false, 0],
    ["untrusted", true, 3],
    ["missing", false, 3],
    ["changed", false, 1],
  ];
  for (const [verdict, isAsked, code] of codes)
    it(`has an exit code: ${code} for ${verdict}${isAsked ? ", where somebody is named" : ""}`, () => {
      const finding = { fromUs: 0, toUs: 1, verdict };
      const reports = [{ ...about, findings: [finding], signers: [], schemes: [] }];
      expect(exitCodeOfCameras(reports, isAsked)).to.equal(code);
      expect([0, 1, 3].map((own) => worseExitCode(own, reports, isAsked))).to.deep.equal([code, 1, code === 1 ? 1 : 3]);
    });
});

describe("what cameras signed, compared from the first signature on", () => {
  const about = { camera: "gate", stream: "main", isFirst: false };
  const watched = (bytes: Buffer, from: number, to: number): WatchedFragment => ({
    about,
    body: bytes,
    tracks: TRACKS,
    fromUs: START_US + from * PICTURE_US,
    toUs: START_US + to * PICTURE_US,
  });

  async function compared(
    fragments: readonly WatchedFragment[],
  ): Promise<{ readonly reports: readonly SignatureReport[]; readonly hadThread: boolean }> {
    const watch = new SignatureWatch(undefined);
    try {
      for (const one of fragments) {
        const before = Buffer.from(one.body);
        await watch.fragment(one);
        expect(one.body).to.deep.equal(before);
        // Whoever gives it uses its memory for the next one.
        one.body.fill(0);
      }
      return { reports: await watch.end(), hadThread: watch.isComparing };
    } finally {
      await watch.close();
    }
  }

  it("begins no thread for a camera that does not sign", async () => {
    const found = await compared([
      watched(body(0, 13, { isSigned: false }), 0, 13),
      watched(Buffer.from("this makes no sense"), 13, 14),
      watched(body(13, 32, { isSigned: false }), 13, 32),
    ]);
    expect(found).to.deep.equal({ reports: [], hadThread: false });
  });

  it("says of one that begins to sign in the middle what it would say if all had been compared", async () => {
    const parts = [
      [0, 3],
      [3, 8],
      [8, 13],
      [13, 32],
    ] as const;
    // The first signature is in the last one.
    const bodyOf = (from: number, to: number): Buffer => body(from, to, { isSigned: from >= 13 });
    const direct = new CameraSignatures();
    for (const [from, to] of parts) direct.fragment(about, bodyOf(from, to), TRACKS);
    const found = await compared(parts.map(([from, to]) => watched(bodyOf(from, to), from, to)));
    expect(found).to.deep.equal({ reports: direct.end().map(signatureReportOf), hadThread: true });
    expect(found.reports.flatMap(({ findings }) => findings.map(({ verdict }) => verdict))).to.include("ok");
  });

  it("says of what was too long before the first signature that it was not signed", async () => {
    const fillerBytes = 6 * 1024 * 1024;
    const parts = [
      [0, 3],
      [3, 6],
      [6, 9],
      [9, 13],
    ] as const;
    const found = await compared([
      ...parts.map(([from, to]) => watched(body(from, to, { isSigned: false, fillerBytes }), from, to)),
      watched(body(13, 32), 13, 32),
    ]);
    expect(found.hadThread).to.equal(true);
    const [first] = found.reports.flatMap(({ findings }) => findings);
    // Two of them are held.
    expect(first).to.deep.include({ verdict: "unsigned", fromUs: START_US, toUs: START_US + 6 * PICTURE_US });
    expect(found.reports[0]?.findings.map(({ verdict }) => verdict)).to.include("ok");
  });
});

describe("what cameras signed, compared in a thread", () => {
  const about = { camera: "gate", stream: "main", isFirst: true };

  it("is what it is without one, and leaves the bytes that it is given as they are", async () => {
    const trusted = [signingCertificate("maker.pem")];
    const direct = new CameraSignatures(trusted);
    const thread = new CameraSignaturesThread(trusted);
    try {
      for (const [from, to] of [
        [0, 13],
        [13, 32],
      ] as const) {
        const bytes = body(from, to);
        direct.fragment(about, bytes, TRACKS);
        await thread.fragment({ about, body: bytes, tracks: TRACKS });
        expect(bytes).to.deep.equal(body(from, to));
      }
      expect(await thread.end()).to.deep.equal(direct.end().map(signatureReportOf));
    } finally {
      await thread.close();
    }
  });

  it("is a fault for who asks a thread that has ended, or whose thread ends meanwhile", async () => {
    const isEnded = (error: unknown): boolean => isFault(error, "internal");
    const thread = new CameraSignaturesThread(undefined);
    await thread.fragment({ about, body: body(0, 13), tracks: TRACKS });
    const end = thread.end();
    await thread.close();
    await end.then(
      () => expect.fail("it answered"),
      (error: unknown) => expect(isEnded(error)).to.equal(true),
    );
    await thread.end().then(
      () => expect.fail("it answered"),
      (error: unknown) => expect(isEnded(error)).to.equal(true),
    );
  });

  it("ends no export where it fails, of which nothing is told then", async () => {
    const signed = new ExportSignatures(undefined, silentLog());
    await signed.close();
    const segment = { tracks: TRACKS } as CutSegment;
    const fragment = { segment, box: { startUs: 0, endUs: 1 }, body: body(0, 13) } as CutFragment;
    await signed.look({ id: "gate", stream: "main" }, fragment);
    await signed.look({ id: "gate", stream: "main" }, fragment);
    expect(await signed.end()).to.equal(undefined);
  });
});
