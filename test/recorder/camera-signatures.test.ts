import { expect } from "chai";
import { isFault } from "../../base/fault.ts";
import { silentLog } from "../../base/log.ts";
import { worseExitCode } from "../../bin/verify-cameras.ts";
import { ExportSignatures } from "../../bridge/client-side/exports/export-signatures.ts";
import { H264_CODEC } from "../../media/nal-codec.ts";
import type { CameraVerdict } from "../../media/signing/finding.ts";
import { type CameraReport, CameraSignatures, exitCodeOfCameras } from "../../recorder/camera-signatures.ts";
import { signatureReportOf } from "../../recorder/camera-signatures-report.ts";
import { CameraSignaturesThread } from "../../recorder/camera-signatures-thread.ts";
import type { CutFragment, CutSegment } from "../../recorder/export/cut.ts";
import { type Fmp4Track, fragment } from "../../recorder/fmp4.ts";
import { prft } from "../../recorder/integrity.ts";
import { sampleOf, signedFilm, signingCertificate } from "../support/signed-film.ts";

const TICKS = 18_000;
const film = signedFilm("plain.264");
const TRACKS: readonly Fmp4Track[] = [
  { id: 1, timescale: 90_000, format: { codec: "H264", width: 96, height: 64, config: Buffer.alloc(0) } },
];

/** Pictures as they stand behind the head of a fragment; five a second, from 2026-11-24 on. */
function body(from: number, to: number): Buffer {
  const samples = film.pictures.slice(from, to).map((nals) => ({
    data: sampleOf(nals),
    durationTicks: TICKS,
    key: nals.some((nal) => H264_CODEC.random(H264_CODEC.type(nal))),
  }));
  const us = Date.UTC(2026, 10, 24) * 1000 + from * 200_000;
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
    const fragment = { segment, body: body(0, 13) } as CutFragment;
    await signed.look({ id: "gate", stream: "main" }, fragment);
    await signed.look({ id: "gate", stream: "main" }, fragment);
    expect(await signed.end()).to.equal(undefined);
  });
});
