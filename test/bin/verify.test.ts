import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { silentLog } from "../../base/log.ts";
import { Metrics } from "../../base/metrics.ts";
import { unixMillis } from "../../base/units.ts";
import { Archive } from "../../recorder/archive.ts";
import { certificateOf } from "../../recorder/signature.ts";
import { GroupCamera } from "../support/group-camera.ts";
import { START_MS, scratchFolder, VIDEO_TRACK, videoSample } from "../support/recorder-samples.ts";
import { makeSigner } from "../support/signer.ts";
import { viaduct } from "../support/viaduct.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

describe("viaduct verify", function () {
  this.timeout(60_000);
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
});
