import { cp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { silentLog } from "../../base/log.ts";
import { Metrics } from "../../base/metrics.ts";
import { unixMillis } from "../../base/units.ts";
import { Archive } from "../../recorder/archive.ts";
import { diskFiles } from "../../recorder/files.ts";
import { scanSegment } from "../../recorder/scan.ts";
import { certificateOf } from "../../recorder/signature.ts";
import { eventually, startTestBridge } from "../support/bridge.ts";
import { GroupCamera } from "../support/group-camera.ts";
import { START_MS, scratchFolder, VIDEO_TRACK, videoSample } from "../support/recorder-samples.ts";
import { makeSigner } from "../support/signer.ts";
import { viaduct } from "../support/viaduct.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

describe("viaduct verify", () => {
  let folder = "";
  let remove: () => Promise<void>;
  const at = (...path: readonly string[]): string => join(folder, ...path);

  before(async () => {
    ({ folder, remove } = await scratchFolder());
    const signer = await makeSigner();
    await writeFile(at("certificate.pem"), certificateOf(signer.certificate).toString());
    const archive = await Archive.open({
      folder: at("recordings"),
      clock: new VirtualClock(unixMillis(START_MS)),
      log: silentLog(),
      metrics: new Metrics(),
      signer,
      settings: { segmentMs: 2000 },
    });
    for (const name of ["gate", "yard"]) {
      const camera = new GroupCamera();
      const recorder = archive.recorder(name, "main");
      recorder.describe([VIDEO_TRACK]);
      for (let index = 0; index < 200; index += 1) recorder.push(camera.group(0, videoSample(index)));
      await recorder.close();
    }
    archive.retain("gate", { maxBytes: 60_000 });
    await archive.tidy();
    await archive.close();
  });
  after(() => remove());

  const rows: readonly [name: string, path: readonly string[], cameras: readonly string[], removed: boolean][] = [
    ["all recordings", ["recordings"], ["gate", "yard"], true],
    ["those of one camera", ["recordings", "gate"], ["gate"], true],
    ["those of a day", ["recordings", "gate", "2026-11-24"], ["gate"], false],
  ];
  for (const [name, path, cameras, isTold] of rows)
    it(`${isTold ? "tells" : "does not tell"} of ${name} what retention removed, and finds the rest as it was recorded`, async () => {
      const { code, out, err } = await viaduct(["verify", at(...path), "--certificate", at("certificate.pem")]);
      expect({ code, err }, out).to.deep.equal({ code: 0, err: "" });
      for (const camera of cameras) expect(out).to.match(new RegExp(`^\\S+ \\S+ ${camera}/main \\S+mp4: ok$`, "m"));
      expect(
        / gate\/main \S+removed\.txt: removed: \d files by retention, \S+: the camera had more/.test(out),
      ).to.equal(isTold);
      expect(out.includes("yard/main")).to.equal(cameras.includes("yard"));
    });

  it("tells of a recording that was left unfinished, where another follows it", async () => {
    const copy = at("left");
    await cp(at("recordings", "yard"), join(copy, "yard"), { recursive: true });
    const [, second = ""] = (await readdir(copy, { recursive: true }))
      .filter((name) => name.endsWith(".mp4"))
      .toSorted();
    const file = await diskFiles.open(join(copy, second), "edit");
    const { goodBytes } = await scanSegment(file, false);
    await file.truncate(goodBytes);
    await file.close();
    await rename(join(copy, second), join(copy, `${second}.part`));
    const { code, out, err } = await viaduct(["verify", copy, "--certificate", at("certificate.pem")]);
    expect({ code, err }, out).to.deep.equal({ code: 3, err: "" });
    expect(out).to.include(`${second}.part: unsigned: it was left unfinished`);
    expect(out).to.not.include("missing");
  });

  it("says that it needs a folder, or lines of the audit log, where it cannot compare anchors that were kept", async () => {
    const kept = ["--kept", at("certificate.pem")];
    const none = await viaduct(["verify", at("recordings"), ...kept]);
    expect([none.code, none.err]).to.satisfy(
      ([code, err]: [number, string]) => code !== 0 && err.includes("no lines of"),
    );
    await writeFile(at("kept.log"), `{"seq":3,"action":"anchor-recordings","subject":"1 ${"00".repeat(32)}"}\n`);
    const day = await viaduct(["verify", at("recordings", "gate", "2026-11-24"), "--kept", at("kept.log")]);
    expect(day.code).not.to.equal(0);
    expect(day.err).to.include("--kept needs the folder");
    const other = await viaduct(["verify", at("recordings"), "--kept", at("kept.log")]);
    expect(other.code).to.equal(1);
    expect(other.out).to.include("anchor 1 is another one than was made at that time");
  });

  it("finds what a bridge recorded as its audit log has it, and by that what was cut off at the end", async () => {
    const t = await startTestBridge({ folder: at("bridge"), encryption: "none" });
    try {
      await t.adopt(await t.camera());
      await eventually(async () => (await t.bridge.parts.watch.all()[0]?.recorded.extent()) !== undefined);
    } finally {
      await t.close();
    }
    const verify = (): ReturnType<typeof viaduct> =>
      viaduct([
        "verify",
        at("bridge", "recordings"),
        "--certificate",
        at("bridge", "evidence-cert.pem"),
        "--kept",
        at("siem.log"),
      ]);
    const lines = (await readFile(at("bridge", "audit.log"), "utf8")).split("\n");
    // As it comes to a receiver of syslog.
    const told = lines.filter((line) => line.includes("anchor-recordings")).map((line) => `<110>1 - - - - - ${line}\n`);
    await writeFile(at("siem.log"), told.join(""));
    const whole = await verify();
    expect(whole.code, whole.out + whole.err).to.equal(0);
    const statements = at("bridge", "recordings", "statements.d");
    for (const name of await readdir(statements)) if (name.startsWith("anchors")) await rm(join(statements, name));
    const cut = await verify();
    expect(cut.code).to.equal(1);
    expect(cut.out).to.match(/missing: anchor 1 is not here, which was made/);
  });
});
